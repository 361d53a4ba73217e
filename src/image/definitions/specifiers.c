/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/definitions/specifiers.h"

#include "image/definitions/disk-error.h"

#include <string.h>

static const char *plain_value(char letter, const Specifiers *specifiers) {
    switch (letter) {
    case 'a':
        return specifiers->architecture ?: "";
    case 'A':
        return specifiers->image_version ?: "";
    case 'B':
        return specifiers->build_id ?: "";
    case 'M':
        return specifiers->image_id ?: "";
    case 'o':
        return specifiers->os_id ?: "";
    case 'v':
        return specifiers->kernel_version ?: "";
    case 'w':
        return specifiers->version_id ?: "";
    case 'W':
        return specifiers->variant_id ?: "";
    case '%':
        return "%";
    default:
        return NULL;
    }
}

static gboolean append_split_value(GString *out, char letter, const SplitSpecifiers *split) {
    switch (letter) {
    case 't':
        g_string_append(out, split->type_name);
        return TRUE;
    case 'T':
        g_string_append(out, split->type_uuid);
        return TRUE;
    case 'U':
        g_string_append(out, split->uuid);
        return TRUE;
    case 'n':
        g_string_append_printf(out, "%u", split->number);
        return TRUE;
    default:
        return FALSE;
    }
}

char *specifiers_expand(
        const char *text, const Specifiers *specifiers, const SplitSpecifiers *split, GError **error) {
    g_autoptr(GString) out = g_string_new(NULL);

    for (const char *at = text; *at; at++) {
        if (*at != '%') {
            g_string_append_c(out, *at);
            continue;
        }
        char letter = *++at;
        if (letter == '\0') {
            g_string_append_c(out, '%'); /* a lone one at the end is just that */
            break;
        }
        const char *value = plain_value(letter, specifiers);
        if (value)
            g_string_append(out, value);
        else if (split && append_split_value(out, letter, split))
            continue;
        else {
            g_autofree char *clean = g_strescape((char[]){letter, '\0'}, NULL);
            if (strchr("bHlmq", letter))
                g_set_error(error, DISK_ERROR, DISK_ERROR_DEFINITION,
                        "\"%%%s\" describes the running machine, which an image must not depend on", clean);
            else
                g_set_error(error, DISK_ERROR, DISK_ERROR_DEFINITION,
                        "unknown specifier \"%%%s\" (known here: %%a %%A %%B %%M %%o %%v %%w %%W %%%%%s)",
                        clean, split ? " %t %T %U %n" : "");
            return NULL;
        }
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}
