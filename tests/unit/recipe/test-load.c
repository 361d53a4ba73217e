/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe-fixture.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static Recipe *load(const char *const *options) {
    g_autoptr(GError) error = NULL;
    Recipe *recipe = fixture_load(options, &error);
    g_assert_no_error(error);
    return recipe;
}

static void assert_list(char **list, const char *expected) {
    g_autofree char *joined = g_strjoinv(" ", list);
    g_assert_cmpstr(joined, ==, expected);
}

static void test_specifiers(void) {
    static const struct {
        const char *text, *expected;
    } cases[] = {
            {"%d-%r-%a-%t", "debian-trixie-x86-64-disk"},
            {"%i %v %o %I", "os 7 os_7 main"},
            {"100%% %", "100% %"},
            {"a%Zb%Ob", "abb"},
            {"%F", "ext4"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        fixture_new();
        g_autofree char *text = g_strdup_printf("[Distribution]\nArchitecture=x86-64\n[Output]\nImageId="
                                                "os\nImageVersion=7\n[Content]\nHostname=%s\n",
                cases[i].text);
        fixture_write("mkosi.conf", text);
        g_autoptr(Recipe) recipe = load(NULL);
        g_assert_cmpstr(recipe->main->hostname, ==, cases[i].expected);
    }
}

/* Directories: of the file, of the parser, of the program. */
static void test_directory_specifiers(void) {
    fixture_new();
    fixture_write("mkosi.conf", "");
    fixture_write("mkosi.conf.d/a/mkosi.conf", "[Build]\nEnvironment=C=%C P=%P D=%D\n");
    fixture_write("mkosi.conf.d/b.conf", "[Build]\nEnvironment=BC=%C BP=%P\n");
    g_autoptr(Recipe) recipe = load(NULL);
    g_autofree char *d = g_strdup(fixture_directory());
    g_autofree char *expected =
            g_strdup_printf("BC=%s/mkosi.conf.d BP=%s C=%s/mkosi.conf.d/a D=%s P=%s/mkosi.conf.d/a", d, d, d, d, d);
    assert_list(recipe->main->environment, expected);
}

static void test_layers(void) {
    static const char *const options[] = {"Packages=cli", "Profiles=p", "Hostname=cli", NULL};
    fixture_new();
    fixture_write("mkosi.conf", "[Content]\nPackages=main\nLocale=main\nTimezone=main\nHostname=main\n");
    fixture_write("mkosi.conf.d/10.conf", "[Content]\nPackages=dropin\nLocale=dropin\n");
    fixture_write("mkosi.profiles/p.conf", "[Content]\nPackages=profile\nTimezone=profile\n");
    fixture_write("mkosi.local.conf", "[Content]\nPackages=local\n");
    fixture_write("mkosi.version", "3\n");
    g_autoptr(Recipe) recipe = load(options);
    assert_list(recipe->main->packages, "dropin main profile local cli");
    g_assert_cmpstr(recipe->main->locale, ==, "dropin");
    g_assert_cmpstr(recipe->main->timezone, ==, "profile");
    g_assert_cmpstr(recipe->main->hostname, ==, "cli");
    g_assert_cmpstr(recipe->main->image_version, ==, "3");
    g_assert_cmpstr(recipe->main->output, ==, "image_3");
}

static void test_images(void) {
    fixture_new();
    fixture_write("mkosi.conf", "[Distribution]\nArchitecture=x86-64\n[Content]\nPackages=linux-image-amd64\n");
    fixture_write("mkosi.images/a.conf", "[Config]\nDependencies=b\n[Output]\nFormat=directory\n");
    fixture_write("mkosi.images/b.conf", "[Output]\nFormat=tar\n");
    fixture_write("mkosi.images/c.conf", "[Match]\nDistribution=fedora\n");
    g_autoptr(Recipe) recipe = load(NULL);
    g_autoptr(GString) names = g_string_new(NULL);
    for (ImageConfig **image = recipe->images; *image; image++)
        g_string_append_printf(names, "%s ", (*image)->image);
    g_assert_cmpstr(names->str, ==, "b default-initrd a main ");
    g_assert_true(recipe->main == recipe->images[3]);
    assert_list(recipe->main->dependencies, "a b default-initrd");
    g_autofree char *initrd = g_build_filename(fixture_directory(), "initrd", NULL);
    assert_list(recipe->main->initrds, initrd);

    /* The builtin configuration says what the default initrd is. */
    const ImageConfig *image = recipe->images[1];
    g_assert_cmpint(image->format, ==, OUTPUT_FORMAT_CPIO);
    g_assert_cmpint(image->bootable, ==, FEATURE_DISABLED);
    g_assert_true(image->make_initrd);
    g_assert_true(g_strv_contains((const char *const *) image->packages, "systemd"));
    g_assert_nonnull(image->extra_trees[0]);
}

static void test_default_modules(void) {
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) modules = recipe_default_kernel_modules(&error);
    g_assert_no_error(error);
    g_assert_true(g_strv_contains((const char *const *) modules, "dm-verity"));
}

/* Whoever can read a key can sign: it is refused when the recipe is read, however the recipe comes to it. A
 * certificate and credentials are for everybody, and so is what does not exist yet. */
static void test_secrets(void) {
    static const struct {
        const char *file, *conf, *option, *setting;
    } cases[] = {
            {"k", "[Validation]\nSecureBootKey=k\n", NULL, "mkosi.conf:2: SecureBootKey="},
            {"k", "[Validation]\nSignExpectedPcrKey=k\n", NULL, "mkosi.conf:2: SignExpectedPcrKey="},
            {"k", "[Validation]\nVerityKey=link\n", NULL, "mkosi.conf:2: VerityKey="},
            {"k", "[Validation]\nPassphrase=k\n", NULL, "mkosi.conf:2: Passphrase="},
            {"k", "[Build]\nProxyClientKey=k\n", NULL, "mkosi.conf:2: ProxyClientKey="},
            {"k", "[Build]\nProxyClientCertificate=link\n", NULL, "mkosi.conf:2: ProxyClientCertificate="},
            {"k", "[Runtime]\nSshKey=link\n", NULL, "mkosi.conf:2: SshKey="},
            {"k", "", "SecureBootKey=k", "--secure-boot-key: "},
            {"mkosi.key", "", NULL, "mkosi.key: "},
            {"mkosi.passphrase", "", NULL, "mkosi.passphrase: Passphrase="},
            {"mkosi.rootpw", "", NULL, "mkosi.rootpw: RootPassword="},
            {"k", "[Validation]\nSecureBootCertificate=k\n", NULL, NULL},
            {"k", "[Validation]\nSecureBootKey=later\n", NULL, NULL},
            {"mkosi.credentials/c", "", NULL, NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *options[] = {cases[i].option, NULL};
        g_autoptr(GError) error = NULL;

        fixture_new();
        fixture_write("mkosi.conf", cases[i].conf);
        fixture_write(cases[i].file, "secret\n");
        g_autofree char *path = g_build_filename(fixture_directory(), cases[i].file, NULL);
        g_autofree char *link = g_build_filename(fixture_directory(), "link", NULL);
        g_assert_cmpint(symlink(path, link), ==, 0);
        g_assert_cmpint(chmod(path, 0644), ==, 0);
        g_autoptr(Recipe) refused = fixture_load(options, &error);
        if (!cases[i].setting) {
            g_assert_no_error(error);
            continue;
        }
        g_assert_null(refused);
        if (!strstr(error->message, cases[i].setting) || !strstr(error->message, "0644"))
            g_error("\"%s\" lacks \"%s\" or the mode", error->message, cases[i].setting);
        g_clear_error(&error);
        g_assert_cmpint(chmod(path, 0640), ==, 0); /* a group may share it */
        g_autoptr(Recipe) recipe = fixture_load(options, &error);
        g_assert_no_error(error);
    }
}

static void test_errors(void) {
    static const struct {
        const char *text, *expected;
    } cases[] = {
            {"[Content]\n\nWithDocs=perhaps\n", "/mkosi.conf:3: WithDocs=: \"perhaps\" is not a boolean"},
            {"[Output]\nFormat=qcow\n", "/mkosi.conf:2: Format=: \"qcow\" is not known; use one of confext, "},
            {"Hostname=x\n", "/mkosi.conf:1: \"Hostname=x\" stands before"},
            {"[Include]\nInclude=none\n", "/mkosi.conf:2: Include=: \"none\" does not exist"},
            {"[Config]\nDependencies=none\n", "/mkosi.conf:2: Dependencies=: "},
            {"[Match]\nHostname=x\n", "/mkosi.conf:2: Hostname=: It cannot be used in [Match]"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        fixture_new();
        fixture_write("mkosi.conf", cases[i].text);
        g_assert_null(fixture_load(NULL, &error));
        g_assert_nonnull(error);
        if (!strstr(error->message, cases[i].expected))
            g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].expected));
    }
}

/* What comes with the request is refused like a file, in the name of the option; a word of a list as a wrong use of it. */
static void test_assignment_errors(void) {
    static const struct {
        const char *assignment, *expected;
        RecipeError code;
    } cases[] = {
            {"Format=qcow", "--format: ", RECIPE_ERROR_USAGE},
            {"Ssh=yes", "--ssh: ", RECIPE_ERROR_USAGE},
            {"WithDocs=perhaps", "--with-docs: ", RECIPE_ERROR_SYNTAX},
            {"Include=none", "--include: ", RECIPE_ERROR_MISSING},
    };
    fixture_new();
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const assignments[] = {cases[i].assignment, NULL};
        g_autoptr(GError) error = NULL;
        g_assert_null(fixture_load(assignments, &error));
        g_assert_error(error, RECIPE_ERROR, cases[i].code);
        g_assert_true(g_str_has_prefix(error->message, cases[i].expected));
    }
}

static void test_origins(void) {
    static const char *const options[] = {"Locale=x", NULL};
    fixture_new();
    fixture_write("mkosi.conf", "[Content]\nHostname=a\n");
    fixture_write("mkosi.conf.d/x.conf", "[Content]\n\nHostname=b\n");
    g_autoptr(Recipe) recipe = load(options);
    const char *origin = recipe_setting_origin(recipe->main, "Hostname");
    g_assert_nonnull(origin);
    g_assert_true(g_str_has_suffix(origin, "mkosi.conf.d/x.conf:3"));
    g_assert_cmpstr(recipe_setting_origin(recipe->main, "Locale"), ==, "--locale");
    g_assert_null(recipe_setting_origin(recipe->main, "Timezone"));
}

static void test_keys(void) {
    fixture_new();
    fixture_write(
            "mkosi.conf", "[Distribution]\nArchitecture=arm64\n[Build]\nBuildDirectory=build\nBuildKey=&d-&v-&&\n");
    g_autoptr(Recipe) recipe = load(NULL);
    g_autofree char *expected = g_build_filename(fixture_directory(), "build", "debian--&", NULL);
    g_assert_cmpstr(recipe->main->build_subdirectory, ==, expected);
    g_autofree char *key = image_config_expand_key(recipe->main, recipe->main->cache_key);
    g_assert_cmpstr(key, ==, "debian~trixie~arm64~main");
    g_autofree char *json = image_config_setting_to_json(recipe->main, "SplitArtifacts");
    g_assert_cmpstr(json, ==, "[\"uki\",\"kernel\",\"initrd\"]");
}

/* Without a recipe there are no files, and no working directory in it. */
static void test_no_recipe(void) {
    g_autoptr(GError) error = NULL;
    fixture_new();
    fixture_write("mkosi.conf", "[Content]\nHostname=a\n");
    g_autoptr(Recipe) recipe = fixture_load_nothing(NULL, &error);
    g_assert_no_error(error);
    g_assert_null(recipe->directory);
    g_assert_null(recipe->main->hostname);
    g_assert_null(recipe->main->machine);
    g_assert_null(recipe->main->build_sources[0]);
    g_assert_null(recipe->main->files[0]);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/load/specifiers", test_specifiers);
    g_test_add_func("/load/directory-specifiers", test_directory_specifiers);
    g_test_add_func("/load/layers", test_layers);
    g_test_add_func("/load/images", test_images);
    g_test_add_func("/load/default-modules", test_default_modules);
    g_test_add_func("/load/secrets", test_secrets);
    g_test_add_func("/load/errors", test_errors);
    g_test_add_func("/load/assignment-errors", test_assignment_errors);
    g_test_add_func("/load/origins", test_origins);
    g_test_add_func("/load/keys", test_keys);
    g_test_add_func("/load/no-recipe", test_no_recipe);
    int result = g_test_run();
    fixture_remove();
    return result;
}
