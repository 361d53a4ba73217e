/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/boot-systemd.h"

#include <string.h>

/* By the release notes of systemd. */
static void test_words(void) {
    static const struct {
        const char *word;
        const char *version;
        gboolean known;
    } cases[] = {
            {"root=dissect", "252.39-1~deb12u1", FALSE},
            {"root=dissect", "257.13-1~deb13u1", FALSE},
            {"root=dissect", "258~rc1-1", TRUE},
            {"root=dissect", "262-1", TRUE},
            {"root=dissected", "257", TRUE},
            {"root=gpt-auto", "252", TRUE},
            {"root=PARTUUID=dissect", "252", TRUE},
            {"mount.usr=dissect", "257.13-1~deb13u1", FALSE},
            {"mount.usr=gpt-auto", "257", TRUE},
            {"systemd.image_policy=usr=signed", "252.39-1~deb12u1", FALSE},
            {"systemd.image_policy=usr=signed", "254~rc1", TRUE},
            {"systemd.image_policy=usr=signed", "257.13-1~deb13u1", TRUE},
            {"systemd.image_filter=usr=a_*", "257.13-1~deb13u1", FALSE},
            {"rw", "252", TRUE},
            {"", "252", TRUE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *judgement = boot_systemd_judge_word(cases[i].word, cases[i].version);
        g_assert_cmpint(judgement == NULL, ==, cases[i].known);
        if (judgement)
            g_assert_nonnull(strstr(judgement, cases[i].version));
    }
}

/* systemd-repart 252, 257 and 262 were asked with these. */
static void test_definitions(void) {
    static const char signature[] = "# Slot A\n[Partition]\nType=usr-verity-sig\nVerity=signature\nVerityMatchKey=usr\n";
    static const char hash[] = "[Partition]\nType=usr-verity\nVerity=hash\nVerityMatchKey=usr\n";

    g_assert_nonnull(boot_systemd_judge_definition(signature, "252.39-1~deb12u1"));
    g_assert_nonnull(boot_systemd_judge_definition(signature, "257.13-1~deb13u1"));
    g_assert_null(boot_systemd_judge_definition(signature, "262-1"));
    g_assert_null(boot_systemd_judge_definition(hash, "252.39-1~deb12u1"));
    g_assert_null(boot_systemd_judge_definition("[Partition]\nType=usr-verity-sig\n", "252.39-1~deb12u1"));
    g_assert_null(boot_systemd_judge_definition("no definition", "252.39-1~deb12u1"));
    g_assert_null(boot_systemd_judge_definition("", "252.39-1~deb12u1"));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/build/boot-systemd/words", test_words);
    g_test_add_func("/build/boot-systemd/definitions", test_definitions);
    return g_test_run();
}
