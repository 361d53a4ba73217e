/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extended attributes: behind the inode, and in an area that inodes share. */
#include <string.h>

#include "format/erofs/erofs-reader-internal.h"

static const char *const prefixes[] = {
        [1] = "user.",
        [2] = "system.posix_acl_access",
        [3] = "system.posix_acl_default",
        [4] = "trusted.",
        [5] = "lustre.",
        [6] = "security.",
};

static void attribute_free(gpointer data) {
    ErofsAttribute *attribute = data;
    g_free(attribute->name);
    g_bytes_unref(attribute->value);
    g_free(attribute);
}

static gint compare_attributes(gconstpointer a, gconstpointer b) {
    const ErofsAttribute *const *first = a, *const *second = b;
    return strcmp((*first)->name, (*second)->name);
}

static const char *short_prefix(guint index) {
    return index < G_N_ELEMENTS(prefixes) ? prefixes[index] : NULL;
}

/* The full name, or NULL and an error. NAME: without a zero byte. */
static char *full_name(
        const ErofsImage *image, guint64 nid, guint64 at, guint index, const char *name, GError **error) {
    if (!(index & EROFS_XATTR_LONG_PREFIX)) {
        if (short_prefix(index))
            return g_strconcat(short_prefix(index), name, NULL);
        erofs_unsupported(error, nid, at, "an attribute with the unknown prefix %u", index);
        return NULL;
    }
    index &= ~EROFS_XATTR_LONG_PREFIX;
    if (index >= image->prefixes->len) {
        erofs_damaged(
                error, nid, at, "an attribute with the long prefix %u of %u", index, image->prefixes->len);
        return NULL;
    }
    gsize size;
    const guint8 *prefix = g_bytes_get_data(image->prefixes->pdata[index], &size);
    if (!short_prefix(prefix[0])) {
        erofs_unsupported(error, nid, at, "an attribute with the unknown prefix %u", prefix[0]);
        return NULL;
    }
    g_autofree char *infix = g_strndup((const char *) prefix + 1, size - 1);
    return g_strconcat(short_prefix(prefix[0]), infix, name, NULL);
}

/* Reads the attribute at AT, of at most LIMIT bytes, into LIST. RET_SIZE: of its entry, padding included. */
static gboolean read_attribute(ErofsReader *reader, guint64 nid, guint64 at, guint64 limit, GPtrArray *list,
        guint64 *ret_size, GError **error) {
    ErofsXattrEntry entry;
    if (limit < sizeof entry)
        return erofs_damaged(error, nid, at, "%" G_GUINT64_FORMAT " bytes are no attribute", limit);
    if (!erofs_reader_read_metadata(reader, nid, at, &entry, sizeof entry, error))
        return FALSE;
    gsize value_size = GUINT16_FROM_LE(entry.value_size);
    *ret_size = (sizeof entry + entry.name_size + value_size + 3) & ~(guint64) 3;
    if (*ret_size > limit)
        return erofs_damaged(error, nid, at,
                "an attribute of %" G_GUINT64_FORMAT " bytes in %" G_GUINT64_FORMAT, *ret_size, limit);
    char name[G_MAXUINT8 + 1] = "";
    g_autofree guint8 *value = g_malloc(value_size);
    guint64 name_at = at + sizeof entry;
    if (!erofs_reader_read_metadata(reader, nid, name_at, name, entry.name_size, error) ||
            !erofs_reader_read_metadata(reader, nid, name_at + entry.name_size, value, value_size, error))
        return FALSE;
    if (strlen(name) != entry.name_size)
        return erofs_damaged(error, nid, at, "a name of an attribute with a zero byte");
    char *full = full_name(reader->image, nid, at, entry.name_index, name, error);
    if (!full)
        return FALSE;
    ErofsAttribute *attribute = g_new(ErofsAttribute, 1);
    attribute->name = full;
    attribute->value = g_bytes_new_take(g_steal_pointer(&value), value_size);
    g_ptr_array_add(list, attribute);
    return TRUE;
}

static gboolean read_shared(
        ErofsReader *reader, const ErofsNode *node, guint count, GPtrArray *list, GError **error) {
    for (guint i = 0; i < count; i++) {
        guint32 id;
        guint64 at = node->attributes + sizeof(ErofsXattrHeader) + i * sizeof id, size;
        if (!erofs_reader_read_metadata(reader, node->nid, at, &id, sizeof id, error))
            return FALSE;
        at = reader->image->shared_attributes + (guint64) GUINT32_FROM_LE(id) * 4;
        if (!read_attribute(reader, node->nid, at, G_MAXUINT64, list, &size, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean check_names(const ErofsNode *node, const GPtrArray *list, GError **error) {
    for (guint i = 1; i < list->len; i++) {
        const ErofsAttribute *previous = list->pdata[i - 1], *attribute = list->pdata[i];
        if (g_str_equal(previous->name, attribute->name))
            return erofs_damaged(error, node->nid, node->attributes, "two attributes %s", attribute->name);
    }
    return TRUE;
}

GPtrArray *erofs_reader_attributes(ErofsReader *reader, const ErofsNode *node, GError **error) {
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(attribute_free);
    if (node->attributes_size == 0)
        return g_steal_pointer(&list);
    ErofsXattrHeader header;
    if (!erofs_reader_read_metadata(reader, node->nid, node->attributes, &header, sizeof header, error))
        return NULL;
    guint64 used = sizeof header + 4u * header.shared_count;
    if (used > node->attributes_size) {
        erofs_damaged(error, node->nid, node->attributes, "%u shared attributes in %u bytes",
                header.shared_count, node->attributes_size);
        return NULL;
    }
    if (!read_shared(reader, node, header.shared_count, list, error))
        return NULL;
    while (used < node->attributes_size) {
        guint64 size;
        if (!read_attribute(reader, node->nid, node->attributes + used, node->attributes_size - used, list,
                    &size, error))
            return NULL;
        used += size;
    }
    g_ptr_array_sort(list, compare_attributes);
    return check_names(node, list, error) ? g_steal_pointer(&list) : NULL;
}
