/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/source/manifest.h"

#include <string.h>

#include "base/compare.h"
#include "base/hex.h"
#include "update/transfer/error.h"

#define BEST_BEFORE "BEST-BEFORE-"
#define LONGEST_NAME 255

struct Manifest {
    GHashTable *digests; /* name -> GBytes */
    GPtrArray *names;
};

void manifest_free(Manifest *manifest) {
    if (!manifest)
        return;
    g_hash_table_unref(manifest->digests);
    g_ptr_array_unref(manifest->names);
    g_free(manifest);
}

static gboolean is_name(const char *name) {
    gsize length = strlen(name);

    if (length == 0 || length > LONGEST_NAME || name[0] == '.' || !g_utf8_validate(name, (gssize) length, NULL))
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if (name[i] == '/' || g_ascii_iscntrl(name[i]))
            return FALSE;
    return TRUE;
}

static gboolean add_line(Manifest *manifest, const char *line, guint number, GError **error) {
    gsize length = strlen(line);
    const char *name = length > SHA256_HEX_SIZE + 2 ? line + SHA256_HEX_SIZE + 2 : "";
    g_autoptr(GBytes) digest = length > SHA256_HEX_SIZE + 2 ? hex_decode(line, SHA256_HEX_SIZE) : NULL;
    GBytes *former;

    if (!digest || line[SHA256_HEX_SIZE] != ' ' || !strchr(" *", line[SHA256_HEX_SIZE + 1]) || !is_name(name))
        return update_fail(error, UPDATE_ERROR_UNTRUSTED,
                "SHA256SUMS:%u: this line is no digest and file name as sha256sum writes them", number);
    former = g_hash_table_lookup(manifest->digests, name);
    if (former && !g_bytes_equal(former, digest))
        return update_fail(error, UPDATE_ERROR_UNTRUSTED, "SHA256SUMS:%u: a second digest of \"%s\"", number, name);
    if (!former) {
        char *key = g_strdup(name);
        g_ptr_array_add(manifest->names, key);
        g_hash_table_insert(manifest->digests, key, g_steal_pointer(&digest));
    }
    return TRUE;
}

Manifest *manifest_parse(const char *text, gsize size, GError **error) {
    g_autoptr(Manifest) manifest = g_new0(Manifest, 1);
    guint number = 0;

    manifest->digests = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_bytes_unref);
    manifest->names = g_ptr_array_new_with_free_func(g_free);
    if (memchr(text, '\0', size)) {
        update_fail(error, UPDATE_ERROR_UNTRUSTED, "SHA256SUMS is not text");
        return NULL;
    }
    for (gsize at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        gsize length = end ? (gsize) (end - (text + at)) : size - at;
        g_autofree char *line = g_strndup(text + at, length);
        if (!add_line(manifest, line, ++number, error))
            return NULL;
        at += length + 1;
    }
    g_ptr_array_sort(manifest->names, compare_strings);
    return g_steal_pointer(&manifest);
}

const GPtrArray *manifest_get_names(const Manifest *manifest) {
    return manifest->names;
}

const guint8 *manifest_find(const Manifest *manifest, const char *name) {
    GBytes *digest = g_hash_table_lookup(manifest->digests, name);

    return digest ? g_bytes_get_data(digest, NULL) : NULL;
}

gboolean manifest_check_freshness(const Manifest *manifest, gint64 now, GError **error) {
    for (guint i = 0; i < manifest->names->len; i++) {
        const char *name = manifest->names->pdata[i];
        if (!g_str_has_prefix(name, BEST_BEFORE))
            continue;
        g_autofree char *text = g_strconcat(name + strlen(BEST_BEFORE), "T00:00:00Z", NULL);
        g_autoptr(GDateTime) day = strlen(name) == strlen(BEST_BEFORE) + strlen("YYYY-MM-DD")
                                           ? g_date_time_new_from_iso8601(text, NULL)
                                           : NULL;
        g_autoptr(GDateTime) end = day ? g_date_time_add_days(day, 1) : NULL;
        if (!end)
            return update_fail(error, UPDATE_ERROR_UNTRUSTED, "SHA256SUMS: \"%s\" names no day", name);
        if (now >= g_date_time_to_unix(end))
            return update_fail(error, UPDATE_ERROR_STALE,
                    "What the server offers was to be used until %s only: it is a copy of former times, or nobody "
                    "renews it. If it is the clock of this device that is wrong, set it",
                    name + strlen(BEST_BEFORE));
    }
    return TRUE;
}
