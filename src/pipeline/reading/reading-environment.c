/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/reading/reading-environment.h"

#include <string.h>

/* Longer values are no parts of versions, and many that open doors are longer. */
#define LONGEST_VALUE 16

/* What the sandbox sets, and what shells have of their own. */
static gboolean is_set_inside(const char *name) {
    static const char *const names[] = {"PATH", "HOME", "LANG", "TERM", "PWD", "OLDPWD", "SHLVL", "IFS", "_",
            "SHELL", "USER", "LOGNAME", "TMPDIR", "LC_ALL", "HOSTNAME", "COLUMNS", "LINES", "PS1", "PS4",
            "ENV", NULL};
    return g_strv_contains(names, name);
}

static gboolean is_called_like_secret(const char *name) {
    static const char *const words[] = {"TOKEN", "PASS", "PWD", "SECRET", "KEY", "CRED", "AUTH", "PAT",
            "PIN", "COOKIE", "SESSION", "SIGN", "CERT", "LOGIN", "DSN", "URL", "PROXY", "HASH", "SALT",
            "SEED", "CODE", "OTP", "HOST", "USER", "ACCOUNT"};
    g_autofree char *upper = g_ascii_strup(name, -1);

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strstr(upper, words[i]))
            return TRUE;
    return FALSE;
}

static gboolean is_word(const char *value) {
    static const char harmless[] = G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "._+~-";
    gsize length = strlen(value);
    return length <= LONGEST_VALUE && strspn(value, harmless) == length;
}

static gboolean is_name_character(char c) {
    return g_ascii_isalnum(c) || c == '_';
}

/* Whether NAME stands in TEXT, and not only as a part of a longer name. */
static gboolean is_named(const char *text, const char *name) {
    gsize length = strlen(name);

    for (const char *at = text; (at = strstr(at, name)); at += length)
        if ((at == text || !is_name_character(at[-1])) && !is_name_character(at[length]))
            return TRUE;
    return FALSE;
}

char **reading_environment(const char *text, char *const *environment, char ***ret_withheld) {
    g_autoptr(GStrvBuilder) given = g_strv_builder_new(), withheld = g_strv_builder_new();

    for (; *environment; environment++) {
        g_auto(GStrv) pair = g_strsplit(*environment, "=", 2);
        if (!pair[0] || !*pair[0] || !pair[1] || is_set_inside(pair[0]) || !is_named(text, pair[0]))
            continue;
        if (!is_called_like_secret(pair[0]) && is_word(pair[1]))
            g_strv_builder_add(given, *environment);
        else
            g_strv_builder_add(withheld, pair[0]);
    }
    *ret_withheld = g_strv_builder_end(withheld);
    return g_strv_builder_end(given);
}
