/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/erofs/writer/erofs-xattr.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/errors.h"
#include "format/erofs/erofs-format.h"

#define WORDS_MAX 65535 /* what an inode's xattr count can say */
#define SHARED_MAX 255  /* what a header's count can say */

struct ErofsXattrTable {
    GHashTable *by_entry; /* GBytes, owned by the value -> ErofsXattr */
    GByteArray *names;    /* scratch */
    GByteArray *value;    /* scratch */
};

static const struct {
    const char *prefix;
    guint8 index;
    gboolean whole; /* the prefix is the whole name */
} name_indexes[] = {
        {"user.", 1, FALSE},
        {"system.posix_acl_access", 2, TRUE},
        {"system.posix_acl_default", 3, TRUE},
        {"trusted.", 4, FALSE},
        {"security.", 6, FALSE},
};

static void xattr_free(gpointer data) {
    ErofsXattr *xattr = data;
    g_bytes_unref(xattr->entry);
    g_free(xattr);
}

ErofsXattrTable *erofs_xattr_table_new(void) {
    ErofsXattrTable *table = g_new0(ErofsXattrTable, 1);
    table->by_entry = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, NULL, xattr_free);
    table->names = g_byte_array_new();
    table->value = g_byte_array_new();
    return table;
}

void erofs_xattr_table_free(ErofsXattrTable *table) {
    if (!table)
        return;
    g_hash_table_unref(table->by_entry);
    g_byte_array_unref(table->names);
    g_byte_array_unref(table->value);
    g_free(table);
}

/* Returns the index for NAME and the rest of the name, or 0 if it is not to be stored. */
static guint8 name_index(const char *name, const char **ret_suffix) {
    if (g_str_has_prefix(name, "trusted.overlay.") || g_str_has_prefix(name, "user.overlay."))
        return 0;
    for (gsize i = 0; i < G_N_ELEMENTS(name_indexes); i++) {
        if (name_indexes[i].whole ? !g_str_equal(name, name_indexes[i].prefix)
                                  : !g_str_has_prefix(name, name_indexes[i].prefix))
            continue;
        *ret_suffix = name + strlen(name_indexes[i].prefix);
        return name_indexes[i].index;
    }
    return 0;
}

static ErofsXattr *intern(
        ErofsXattrTable *table, guint8 index, const char *suffix, const guint8 *value, gsize size) {
    gsize name_size = strlen(suffix), used = sizeof(ErofsXattrEntry) + name_size + size;
    gsize padded = (used + 3) & ~(gsize) 3;
    guint8 *entry = g_malloc0(padded);
    ErofsXattrEntry head = {(guint8) name_size, index, GUINT16_TO_LE((guint16) size)};
    memcpy(entry, &head, sizeof head);
    memcpy(entry + sizeof head, suffix, name_size);
    if (size > 0)
        memcpy(entry + sizeof head + name_size, value, size);

    g_autoptr(GBytes) bytes = g_bytes_new_take(entry, padded);
    ErofsXattr *xattr = g_hash_table_lookup(table->by_entry, bytes);
    if (!xattr) {
        xattr = g_new0(ErofsXattr, 1);
        xattr->entry = g_bytes_ref(bytes);
        xattr->shared_id = -1;
        g_hash_table_insert(table->by_entry, xattr->entry, xattr);
    }
    return xattr;
}

/* Calls listxattr (ATTRIBUTE is NULL) or getxattr until the buffer is large enough. Returns -1 and errno. */
static ssize_t read_growing(const char *path, const char *attribute, GByteArray *buffer) {
    for (;;) {
        ssize_t n = attribute ? lgetxattr(path, attribute, buffer->data, buffer->len)
                              : llistxattr(path, (char *) buffer->data, buffer->len);
        /* With an empty buffer the calls return the size needed. */
        if (n >= 0 && (buffer->len > 0 || n == 0))
            return n;
        if (n < 0 && errno != ERANGE)
            return -1;
        g_byte_array_set_size(buffer, MAX(MAX(buffer->len * 2, 1024), n < 0 ? 0 : (guint) n));
    }
}

static gint compare_entries(gconstpointer a, gconstpointer b) {
    const ErofsXattr *x = *(ErofsXattr *const *) a, *y = *(ErofsXattr *const *) b;
    return g_bytes_compare(x->entry, y->entry);
}

static gboolean read_error(GError **error, const char *what) {
    int e = errno;
    return set_errno_error(error, e, "reading extended attributes%s%s", what ? ", " : "", what ? what : "");
}

gboolean erofs_xattr_read(
        ErofsXattrTable *table, int directory_fd, const char *name, GPtrArray **ret, GError **error) {
    /* There is no call for a name in a directory; this one is the same without a race or a limit of length.
     */
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d/%s", directory_fd, name ? name : ".");
    *ret = NULL;
    ssize_t size = read_growing(path, NULL, table->names);
    if (size < 0)
        return errno == ENOTSUP ? TRUE : read_error(error, NULL);
    if (size == 0)
        return TRUE;

    g_autoptr(GPtrArray) xattrs = g_ptr_array_new();
    const char *names = (const char *) table->names->data;
    for (ssize_t at = 0; at < size; at += strlen(names + at) + 1) {
        const char *suffix;
        guint8 index = name_index(names + at, &suffix);
        if (index == 0)
            continue;
        ssize_t n = read_growing(path, names + at, table->value);
        if (n < 0)
            return read_error(error, names + at);
        if (n > G_MAXUINT16) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "extended attribute %s has %zd bytes, EROFS can store %d", names + at, n, G_MAXUINT16);
            return FALSE;
        }
        g_ptr_array_add(xattrs, intern(table, index, suffix, table->value->data, n));
    }
    if (xattrs->len > 0) {
        g_ptr_array_sort(xattrs, compare_entries);
        *ret = g_steal_pointer(&xattrs);
    }
    return TRUE;
}

/* TRUE when both entries have the same name. */
static gboolean has_name_of(const ErofsXattr *a, const ErofsXattr *b) {
    const guint8 *x = g_bytes_get_data(a->entry, NULL), *y = g_bytes_get_data(b->entry, NULL);

    return x[0] == y[0] && x[1] == y[1] &&
           memcmp(x + sizeof(ErofsXattrEntry), y + sizeof(ErofsXattrEntry), x[0]) == 0;
}

gboolean erofs_xattr_set(
        ErofsXattrTable *table, GPtrArray **xattrs, const char *name, GBytes *value, GError **error) {
    gsize size;
    const guint8 *data = g_bytes_get_data(value, &size);
    const char *suffix;
    guint8 index = name_index(name, &suffix);

    if (index == 0 || size > G_MAXUINT16) {
        g_set_error(
                error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "EROFS cannot store the attribute %s", name);
        return FALSE;
    }
    ErofsXattr *xattr = intern(table, index, suffix, data, size);
    if (!*xattrs)
        *xattrs = g_ptr_array_new();
    for (guint i = 0; i < (*xattrs)->len; i++)
        if (has_name_of((*xattrs)->pdata[i], xattr))
            g_ptr_array_remove_index(*xattrs, i--);
    g_ptr_array_add(*xattrs, xattr);
    g_ptr_array_sort(*xattrs, compare_entries);
    return TRUE;
}

GByteArray *erofs_xattr_table_share(ErofsXattrTable *table) {
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, table->by_entry);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(all, value);
    g_ptr_array_sort(all, compare_entries);

    GByteArray *area = g_byte_array_new();
    for (guint i = 0; i < all->len; i++) {
        ErofsXattr *xattr = all->pdata[i];
        gsize size = g_bytes_get_size(xattr->entry);
        /* Shared, it takes its size once and an id in each inode. */
        if (xattr->uses * size <= xattr->uses * sizeof(guint32) + size)
            continue;
        xattr->shared_id = area->len / 4;
        g_byte_array_append(area, g_bytes_get_data(xattr->entry, NULL), size);
    }
    return area;
}

guint32 erofs_xattr_size(const GPtrArray *xattrs) {
    if (!xattrs)
        return 0;
    guint64 size = sizeof(ErofsXattrHeader);
    guint shared = 0;
    for (guint i = 0; i < xattrs->len; i++) {
        const ErofsXattr *xattr = xattrs->pdata[i];
        if (xattr->shared_id >= 0 && shared < SHARED_MAX) {
            shared++;
            size += sizeof(guint32);
        } else
            size += g_bytes_get_size(xattr->entry);
    }
    return (size - sizeof(ErofsXattrHeader)) / 4 + 1 <= WORDS_MAX ? (guint32) size : G_MAXUINT32;
}

void erofs_xattr_write(const GPtrArray *xattrs, guint8 *out) {
    if (!xattrs)
        return;
    ErofsXattrHeader header = {0};
    guint8 *next = out + sizeof header;
    guint i = 0;
    g_autoptr(GPtrArray) own = g_ptr_array_new();
    for (i = 0; i < xattrs->len; i++) {
        ErofsXattr *xattr = xattrs->pdata[i];
        if (xattr->shared_id < 0 || header.shared_count == SHARED_MAX) {
            g_ptr_array_add(own, xattr);
            continue;
        }
        guint32 id = GUINT32_TO_LE((guint32) xattr->shared_id);
        memcpy(next, &id, sizeof id);
        next += sizeof id;
        header.shared_count++;
    }
    memcpy(out, &header, sizeof header);
    for (i = 0; i < own->len; i++) {
        const ErofsXattr *xattr = own->pdata[i];
        gsize size;
        const guint8 *entry = g_bytes_get_data(xattr->entry, &size);
        memcpy(next, entry, size);
        next += size;
    }
}
