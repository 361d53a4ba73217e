/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/program/settings.h"

static void test_defaults(void) {
    g_autoptr(KitchenConfig) config = kitchen_config_parse("k.conf", "# nothing\n", NULL);

    g_assert_cmpstr(config->listen, ==, "127.0.0.1:8090");
    g_assert_cmpuint(config->slots, ==, 2);
    g_assert_null(config->base_url);
    g_assert_false(config->development);
}

static void test_values(void) {
    const char *text =
            "[Web]\nListen = [::1]:80\nHost=a b\nHost=c\nBaseURL=https://kitchen.example\nDevelopment=yes\n\n"
            "[Executor]\n; a comment\nSlots=7\n[Git]\nLocalRoots=/a /b\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(KitchenConfig) config = kitchen_config_parse("k.conf", text, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(config->listen, ==, "[::1]:80");
    g_assert_cmpuint(g_strv_length(config->hosts), ==, 3);
    g_assert_cmpstr(config->base_url, ==, "https://kitchen.example");
    g_assert_true(config->development);
    g_assert_cmpuint(config->slots, ==, 7);
    g_assert_cmpstr(config->local_roots[1], ==, "/b");
}

/* Each error names file and line, and the key where there is one. */
static void test_wrong(void) {
    static const struct {
        const char *text, *message;
    } cases[] = {
            {"[Web]\nListn=x", "k.conf:2: there is no Listn= in [Web]"},
            {"\n[Wob]", "k.conf:2: there is no section [Wob]; there are: Web Database Store Executor Publish Git"},
            {"Listen=x", "k.conf:1: Listen= stands in no section"},
            {"[Web]\nListen", "k.conf:2: \"Listen\" is neither \"[Section]\" nor \"Key=value\""},
            {"[Web", "k.conf:1: \"[Web\" is no section: \"]\" is missing"},
            {"[Web]\nBaseURL=ftp://x",
                    "k.conf:2: BaseURL=: \"ftp://x\" is no address that begins with http:// or https://"},
            {"[Web]\nBaseURL=http://",
                    "k.conf:2: BaseURL=: \"http://\" is no address that begins with http:// or https://"},
            {"[Web]\nDevelopment=maybe", "k.conf:2: Development=: \"maybe\" is neither yes nor no"},
            {"[Store]\n\nDirectory=x", "k.conf:3: Directory=: \"x\" is no absolute path"},
            {"[Executor]\nSlots=0", "k.conf:2: Slots=: \"0\" is no number from 1 to 256"},
            {"[Executor]\nSlots=1000", "k.conf:2: Slots=: \"1000\" is no number from 1 to 256"},
            {"[Executor]\nKind=slurm", "k.conf:2: Kind=: there is no executor \"slurm\"; there are: local socket none"},
            {"[Git]\nLocalRoots=/a b", "k.conf:2: LocalRoots=: \"b\" is no absolute path"},
            {"[Git]\nListen=x", "k.conf:2: there is no Listen= in [Git]"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(KitchenConfig) config = kitchen_config_parse("k.conf", cases[i].text, &error);

        g_assert_null(config);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/settings/defaults", test_defaults);
    g_test_add_func("/settings/values", test_values);
    g_test_add_func("/settings/wrong", test_wrong);
    return g_test_run();
}
