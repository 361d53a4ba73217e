/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/uki-image.h"

/* mkosi's rule, applied to the systemd of the image: from the release candidates of 262 on. */
static void test_initrd_policy(void) {
    static const struct {
        Feature setting;
        const char *stub;
        gboolean wanted;
    } cases[] = {
            {FEATURE_AUTO, NULL, FALSE},
            {FEATURE_AUTO, "252.39-1~deb12u1", FALSE},
            {FEATURE_AUTO, "257.13-1~deb13u1", FALSE},
            {FEATURE_AUTO, "261.4-1", FALSE},
            {FEATURE_AUTO, "262~rc1-1", TRUE},
            {FEATURE_AUTO, "262~devel", TRUE},
            {FEATURE_AUTO, "262-1", TRUE},
            {FEATURE_AUTO, "262.2-1", TRUE},
            {FEATURE_AUTO, "1000", TRUE},
            {FEATURE_ENABLED, NULL, TRUE},
            {FEATURE_ENABLED, "252.39-1~deb12u1", TRUE},
            {FEATURE_DISABLED, "262.2-1", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(uki_wants_initrd_policy(cases[i].setting, cases[i].stub), ==, cases[i].wanted);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/build/uki-image/initrd-policy", test_initrd_policy);
    return g_test_run();
}
