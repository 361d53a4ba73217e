/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words of command lines. */

#include <string.h>

#include "inspect/boot/command-line-judge.h"
#include "inspect/boot/command-line.h"
#include "signer/judges/judges.h"
#include "signer/text/error.h"

static gboolean matches(GPtrArray *patterns, const char *word) {
    for (guint i = 0; i < patterns->len; i++)
        if (g_pattern_match_simple(patterns->pdata[i], word))
            return TRUE;
    return FALSE;
}

static gboolean check_list(
        const SignerPolicy *policy, GPtrArray *words, const char *where, const char *why, GError **error) {
    for (guint i = 0; i < words->len; i++)
        if (!matches(policy->allowed, words->pdata[i]))
            return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s: the word '%s' %s, and the policy does not allow it",
                    where, (const char *) words->pdata[i], why);
    return TRUE;
}

/* What is counted and judged are words: a line that kernel and systemd split at different places has two meanings. */
static gboolean check_characters(const char *command_line, const char *where, GError **error) {
    const char *ambiguity = command_line_ambiguity(command_line);

    for (const char *c = command_line; *c; c++)
        if ((guchar) *c < 0x20 || *c == 0x7f)
            return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s: the command line holds a control character", where);
    return !ambiguity || signer_refuse(error, SIGNER_ERROR_CONTENT, "%s: the command line %s", where, ambiguity);
}

static gboolean check_forbidden(
        const SignerPolicy *policy, const char *command_line, const char *where, GError **error) {
    g_autoptr(GPtrArray) words = command_line_split(command_line);

    for (guint i = 0; i < words->len; i++)
        if (matches(policy->forbidden, words->pdata[i]))
            return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s: the policy forbids the word '%s'", where,
                    (const char *) words->pdata[i]);
    return TRUE;
}

gboolean signer_check_words(const SignerPolicy *policy, const char *command_line, const char *where, GError **error) {
    g_auto(CommandLineVerdict) verdict = {NULL};

    command_line_judge(command_line, &verdict);
    return check_characters(command_line, where, error) && check_forbidden(policy, command_line, where, error) &&
           check_list(policy, verdict.broken, where, "undoes what the signature promises", error) &&
           check_list(policy, verdict.weak, where, "opens what a running system closes", error);
}

GPtrArray *signer_list_root_hashes(const char *command_line) {
    static const char *const names[] = {"usrhash", "roothash", "rd.usrhash", "rd.roothash"};
    g_autoptr(GPtrArray) words = command_line_split(command_line);
    GPtrArray *hashes = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < words->len; i++) {
        const char *word = words->pdata[i];
        gsize length = strcspn(word, "=");
        for (gsize k = 0; k < G_N_ELEMENTS(names); k++)
            if (strlen(names[k]) == length && g_ascii_strncasecmp(word, names[k], length) == 0)
                g_ptr_array_add(hashes, g_strdup(word[length] ? word + length + 1 : ""));
    }
    return hashes;
}
