/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernel command lines and image policies. */
#include <stdint.h>
#include <string.h>

#include "inspect/boot/command-line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean ends_word(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || (guchar) c == 0xa0;
}

/* As the kernel takes a line apart (next_arg() of lib/cmdline.c): each word without the quotes that it drops. */
static GPtrArray *split_as_kernel(const char *line) {
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

    for (const char *c = line; *c;) {
        gboolean in_quotes = FALSE, quoted = FALSE;
        const char *equals = NULL;

        for (; ends_word(*c); c++)
            ;
        if (*c == '"') {
            in_quotes = quoted = TRUE;
            c++;
        }
        const char *start = c;
        for (; *c && (in_quotes || !ends_word(*c)); c++) {
            if (*c == '=' && !equals && c > start)
                equals = c;
            in_quotes ^= *c == '"';
        }
        const char *end = c;
        const char *value = equals ? equals + 1 : NULL;
        if (value && *value == '"') {
            value++;
            if (end > value && end[-1] == '"')
                end--;
        } else if (quoted && end > start && end[-1] == '"') {
            end--;
        }
        if (end > start)
            g_ptr_array_add(words, value ? g_strdup_printf("%.*s%.*s", (int) (equals + 1 - start), start,
                                                   (int) MAX(end - value, 0), value)
                                         : g_strndup(start, (gsize) (end - start)));
    }
    return words;
}

/* Where nothing is ambiguous, kernel and systemd read the same words. */
static void compare(const char *text) {
    g_autoptr(GPtrArray) ours = NULL, theirs = NULL;

    if (command_line_ambiguity(text))
        return;
    ours = command_line_split(text);
    theirs = split_as_kernel(text);
    g_assert_cmpuint(ours->len, ==, theirs->len);
    for (guint i = 0; i < ours->len; i++)
        g_assert_cmpstr(ours->pdata[i], ==, theirs->pdata[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autofree char *hash = command_line_get(text, "usrhash");
    g_autofree char *policy = command_line_get(text, "systemd.image_policy");
    compare(text);
    g_assert_true(!hash || strlen(hash) <= size);
    command_line_dissects(text, "usr");
    image_policy_wants_signed(text, "usr");
    if (policy)
        image_policy_wants_signed(policy, "root");
    return 0;
}
