/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "pipeline/integrity/ipe-policy.h"
#include "pipeline/state/image-build.h"

#define HEADER "policy_name=good policy_version=0.0.1\n"
#define START HEADER "DEFAULT action=DENY\n"

static const struct {
    const char *text;
    const char *error; /* NULL: none */
} cases[] = {
        {START, NULL},
        {"# Comment\n\n" HEADER "\tDEFAULT  action=ALLOW # all\n", NULL},
        {START "op=EXECUTE boot_verified=TRUE action=ALLOW\nop=KMODULE action=DENY\n", NULL},
        {START "op=EXECUTE dmverity_roothash=sha256:00ff dmverity_signature=FALSE action=ALLOW", NULL},
        {START "op=EXECUTE fsverity_signature=TRUE action=ALLOW\n"
               "op=FIRMWARE fsverity_digest=sha512:AB action=ALLOW\nDEFAULT op=POLICY action=ALLOW\n",
                NULL},
        {HEADER "DEFAULT op=EXECUTE action=DENY\nDEFAULT op=FIRMWARE action=DENY\nDEFAULT op=KMODULE "
                "action=DENY\n"
                "DEFAULT op=KEXEC_IMAGE action=DENY\nDEFAULT op=KEXEC_INITRAMFS action=DENY\n"
                "DEFAULT op=POLICY action=DENY\nDEFAULT op=X509_CERT action=DENY\n",
                NULL},
        {"", "x.pol:1: a policy begins with"},
        {"DEFAULT action=DENY\n", "x.pol:1: a policy begins with"},
        {"policy_name=good\n", "x.pol:1: a policy begins with"},
        {"policy_name=good policy_version=1.0.0 more=1\n", "x.pol:1: a policy begins with"},
        {"\npolicy_name=bad policy_version=1.0.0\n", "x.pol:2: policy_name=bad: systemd activates"},
        {"policy_name=good policy_version=1.0\n", "x.pol:1: policy_version=1.0: not three numbers"},
        {"policy_name=good policy_version=1.0.65536\n", "x.pol:1: policy_version=1.0.65536: not three"},
        {"policy_name=good policy_version=1.-0.1\n", "x.pol:1: policy_version=1.-0.1: not three"},
        {HEADER, "x.pol:2: there is neither 'DEFAULT action=' nor 'DEFAULT op=EXECUTE action='"},
        {HEADER "DEFAULT op=EXECUTE action=DENY\n", "nor 'DEFAULT op=FIRMWARE action='"},
        {START "DEFAULT action=DENY\n", "x.pol:3: a second DEFAULT"},
        {START "DEFAULT op=POLICY action=DENY more\n", "x.pol:3: 'more' behind the action"},
        {START "DEFAULT boot_verified=TRUE action=DENY\n", "x.pol:3: a rule ends with action="},
        {START "default action=DENY\n", "x.pol:3: a rule begins with op=, not with 'default'"},
        {START "op=RUN action=ALLOW\n", "x.pol:3: op=RUN: unknown operation (expected one of EXECUTE, "},
        {START "op=EXECUTE\n", "x.pol:3: a rule ends with action="},
        {START "op=EXECUTE action=PERMIT\n", "x.pol:3: action=PERMIT: expected ALLOW or DENY"},
        {START "op=EXECUTE action=ALLOW boot_verified=TRUE\n", "x.pol:3: a rule ends with action="},
        {START "op=EXECUTE action=DENY action=ALLOW\n", "x.pol:3: 'action=DENY': not a property"},
        {START "op=EXECUTE boot_verified=yes action=ALLOW\n", "boot_verified=yes: expected TRUE or FALSE"},
        {START "op=EXECUTE dmverity_roothash=00ff action=ALLOW\n",
                "dmverity_roothash=00ff: expected ALGORITHM"},
        {START "op=EXECUTE dmverity_roothash=sha256:0ff action=ALLOW\n", "expected ALGORITHM"},
        {START "op=EXECUTE verity=TRUE action=ALLOW\n", "x.pol:3: 'verity=TRUE': not a property"},
        {START "op=EXECUTE boot_verified action=ALLOW\n", "x.pol:3: 'boot_verified': not a property"},
};

static void test_case(gconstpointer data) {
    gsize i = GPOINTER_TO_SIZE(data);
    /* Without the null byte behind it, so that reading too far is noticed. */
    g_autofree char *text = g_memdup2(cases[i].text, strlen(cases[i].text));
    g_autoptr(GError) error = NULL;
    gboolean good = ipe_policy_check("x.pol", text, strlen(cases[i].text), "good", &error);

    if (!cases[i].error) {
        g_assert_no_error(error);
        g_assert_true(good);
        return;
    }
    g_assert_error(error, BUILD_ERROR, BUILD_ERROR_INPUT);
    g_assert_false(good);
    if (!strstr(error->message, cases[i].error))
        g_error("'%s' has no '%s'", error->message, cases[i].error);
}

static void test_null_byte(void) {
    static const char text[] = START "\0op=EXECUTE action=ALLOW\n";
    g_autoptr(GError) error = NULL;

    g_assert_false(ipe_policy_check("x.pol", text, sizeof text - 1, "good", &error));
    g_assert_nonnull(strstr(error->message, "a null byte"));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strdup_printf("/ipe-policy/%zu", i);
        g_test_add_data_func(name, GSIZE_TO_POINTER(i), test_case);
    }
    g_test_add_func("/ipe-policy/null-byte", test_null_byte);
    return g_test_run();
}
