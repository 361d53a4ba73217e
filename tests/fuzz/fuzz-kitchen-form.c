/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first byte chooses between forms, cookies, paths, hosts and origins. */
#include <string.h>

#include "kitchen/http/form.h"
#include "kitchen/http/guard.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static void check_form(const char *text, gsize size) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) form = form_parse(text, size, &error);
    GHashTableIter at;
    gpointer name = NULL, value = NULL;

    g_assert_true(!form == !!error);
    if (!form)
        return;
    g_assert_cmpuint(g_hash_table_size(form), <=, FORM_FIELDS_MAX);
    g_hash_table_iter_init(&at, form);
    while (g_hash_table_iter_next(&at, &name, &value))
        g_assert_true(g_utf8_validate(name, -1, NULL) && g_utf8_validate(value, -1, NULL));
}

static void check_path(const char *text) {
    g_auto(GStrv) segments = guard_path(text);

    for (guint i = 0; segments && segments[i]; i++)
        g_assert_true(!strchr(segments[i], '/') && strcmp(segments[i], "..") != 0 && strcmp(segments[i], ".") != 0 &&
                      g_utf8_validate(segments[i], -1, NULL));
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
    static const char *const hosts[] = {"kitchen.example", "127.0.0.1", NULL};
    g_autofree char *text = size > 0 ? g_strndup((const char *) data + 1, size - 1) : NULL;
    g_autofree char *value = NULL;

    if (size == 0)
        return 0;
    switch (data[0] % 4) {
    case 0:
        check_form((const char *) data + 1, size - 1);
        break;
    case 1:
        value = cookie_find(text, "kitchen");
        break;
    case 2:
        check_path(text);
        break;
    default:
        if (guard_host(hosts, text))
            g_assert_true(g_ascii_strncasecmp(text, "kitchen.example", 15) == 0 || strncmp(text, "127.0.0.1", 9) == 0);
        if (guard_origin("127.0.0.1:8090", text, NULL))
            g_assert_true(g_str_has_suffix(text, "127.0.0.1:8090"));
        g_assert_true(!guard_header(text) || !strpbrk(text, "\r\n"));
    }
    return 0;
}
