/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/repositories.h"

typedef struct {
    const char *name;
    gboolean deb822;
    const char *text;
    const char *found; /* "URL|SUITE|COMPONENTS|METADATA", a line each */
} Case;

static const Case cases[] = {
        {"nothing", TRUE, "", ""},
        {"a paragraph", TRUE,
                "Types: deb\nURIs: http://deb.example/debian/\nSuites: trixie\nComponents: main contrib\n"
                "Signed-By: /key\n",
                "http://deb.example/debian|trixie|main contrib|http://deb.example/debian/dists/trixie/InRelease\n"},
        {"several suites, types and addresses", TRUE,
                "types: deb-src deb\nuris: http://a http://b\nSUITES: x y\nComponents: main\n",
                "http://a|x|main|http://a/dists/x/InRelease\nhttp://a|y|main|http://a/dists/y/InRelease\n"
                "http://b|x|main|http://b/dists/x/InRelease\nhttp://b|y|main|http://b/dists/y/InRelease\n"},
        {"lines that go on, and comments", TRUE,
                "Types: deb\nURIs:\n http://a\nSuites: x\n y\n# no\nSigned-By:\n -----\n .\n http://no\nComponents: main\n",
                "http://a|x|main|http://a/dists/x/InRelease\nhttp://a|y|main|http://a/dists/y/InRelease\n"},
        {"two paragraphs, one disabled", TRUE,
                "Types: deb\nURIs: http://a\nSuites: x\nComponents: c\nEnabled: no\n\n \t\nTypes: deb\nURIs: "
                "http://b\nSuites: x\nComponents: c\nEnabled: yes\n",
                "http://b|x|c|http://b/dists/x/InRelease\n"},
        {"sources alone", TRUE, "Types: deb-src\nURIs: http://a\nSuites: x\nComponents: c\n", ""},
        {"what is no network", TRUE, "Types: deb\nURIs: file:///repository cdrom:x http://a\nSuites: ./\n",
                "http://a|./||http://a/InRelease\n"},
        {"flat ones", TRUE, "Types: deb\nURIs: http://a/x/\nSuites: / sub/dir/\n",
                "http://a/x|/||http://a/x/InRelease\nhttp://a/x|sub/dir/||http://a/x/sub/dir/InRelease\n"},
        {"an architecture", TRUE, "Types: deb\nURIs: http://a\nSuites: $(ARCH)/\n",
                "http://a|amd64/||http://a/amd64/InRelease\n"},
        {"a password", TRUE, "Types: deb\nURIs: https://user:pass@host:8/x\nSuites: s\nComponents: c\n",
                "https://host:8/x|s|c|https://host:8/x/dists/s/InRelease\n"},
        {"an at sign that is none", TRUE, "Types: deb\nURIs: https://host/a@b\nSuites: s\nComponents: c\n",
                "https://host/a@b|s|c|https://host/a@b/dists/s/InRelease\n"},
        {"one line", FALSE, "deb http://a x main contrib # why\n",
                "http://a|x|main contrib|http://a/dists/x/InRelease\n"},
        {"options of a line", FALSE, "deb [signed-by=/key arch=amd64] http://a x main\n",
                "http://a|x|main|http://a/dists/x/InRelease\n"},
        {"lines that are none", FALSE,
                "#deb http://a x main\ndeb-src http://a x main\ndeb\ndeb http://a\ndebs http://a x y\n", ""},
};

static void test_case(gconstpointer data) {
    const Case *c = data;
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify) distro_repository_free);
    g_autoptr(GString) text = g_string_new(NULL);

    apt_repositories_parse(c->text, c->deb822, "amd64", found);
    for (guint i = 0; i < found->len; i++) {
        const DistroRepository *repository = found->pdata[i];
        g_string_append_printf(text, "%s|%s|%s|%s\n", repository->url, repository->suite, repository->components,
                repository->metadata);
    }
    g_assert_cmpstr(text->str, ==, c->found);
}

/* As apt 2.6 calls them. */
static void test_list_names(void) {
    static const char *const names[][2] = {
            {"http://archive.example/debian/dists/trixie/InRelease", "archive.example_debian_dists_trixie_InRelease"},
            {"http://127.0.0.1:8080/dists/trixie/InRelease", "127.0.0.1:8080_dists_trixie_InRelease"},
            {"https://a/b_c~d/InRelease", "a_b%5fc%7ed_InRelease"}};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = apt_repositories_list_name(names[i][0]);
        g_assert_cmpstr(name, ==, names[i][1]);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/apt-repositories/%s", cases[i].name);
        g_test_add_data_func(path, &cases[i], test_case);
    }
    g_test_add_func("/apt-repositories/list-names", test_list_names);
    return g_test_run();
}
