/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signing/request-archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#include "signing/thing.h"

#define ANSWER_SIZE_MAX 65536
#define ANSWERS_MAX 10000
#define PATH_SIZE_MAX 4096

#define NEWC_MAGIC "070701"
#define NEWC_MAGIC_SIZE 6
#define NEWC_DIGITS 8
#define NEWC_HEADER_SIZE 110
#define NEWC_END "TRAILER!!!"

typedef struct archive Archive;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Archive, archive_free)
typedef struct archive_entry ArchiveEntry;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ArchiveEntry, archive_entry_free)

static gboolean set_error(GError **error, Archive *archive, const char *what) {
    const char *reason = archive_error_string(archive);
    g_set_error(error, SIGNING_ERROR, SIGNING_ERROR_FAILED, "%s: %s", what, reason ? reason : "unknown reason");
    return FALSE;
}

static la_ssize_t append(struct archive *archive, void *user, const void *data, size_t size) {
    g_byte_array_append(user, data, size);
    return (la_ssize_t) size;
}

static gboolean add_file(Archive *archive, const SigningRequest *request, gint64 number, GError **error) {
    g_autoptr(ArchiveEntry) entry = archive_entry_new();
    gsize size;
    const void *data = g_bytes_get_data(request->bytes, &size);

    archive_entry_set_pathname(entry, request->obs);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (gint64) size);
    archive_entry_set_ino(entry, number);
    archive_entry_set_nlink(entry, 1);
    return (archive_write_header(archive, entry) == ARCHIVE_OK &&
                   archive_write_data(archive, data, size) == (la_ssize_t) size) ||
           set_error(error, archive, "Cannot write the archive of requests");
}

GBytes *request_archive_build(GPtrArray *requests, GError **error) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(Archive) archive = archive_write_new();

    if (archive_write_set_format_cpio_newc(archive) != ARCHIVE_OK ||
            archive_write_set_bytes_in_last_block(archive, 1) != ARCHIVE_OK ||
            archive_write_open(archive, bytes, NULL, append, NULL) != ARCHIVE_OK) {
        set_error(error, archive, "Cannot start the archive of requests");
        return NULL;
    }
    for (guint i = 0; i < requests->len; i++)
        if (!add_file(archive, requests->pdata[i], i + 1, error))
            return NULL;
    if (archive_write_close(archive) != ARCHIVE_OK) {
        set_error(error, archive, "Cannot write the archive of requests");
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

/* "./pcrs/image.efi/0123.sig" answers "pcrs/image.efi/0123". */
static char *request_of(const char *path) {
    if (g_str_has_prefix(path, "./"))
        path += 2;
    return g_str_has_suffix(path, ".sig") ? g_strndup(path, strlen(path) - strlen(".sig")) : NULL;
}

/* One file of an archive in the format "newc" (Documentation/driver-api/early-userspace/buffer-format.rst). */
typedef struct {
    guint32 mode;
    const char *name; /* NUL-terminated, in the archive */
    const guint8 *data;
    gsize size;
} NewcEntry;

static gboolean set_damaged(GError **error, const char *what) {
    g_set_error(error, SIGNING_ERROR, SIGNING_ERROR_MALFORMED, "Not an archive of answers (cpio, newc): %s", what);
    return FALSE;
}

/* Field NUMBER of a header: eight hexadecimal digits. */
static gboolean read_field(const guint8 *header, guint number, guint32 *ret_value) {
    guint32 value = 0;

    for (guint i = 0; i < NEWC_DIGITS; i++) {
        int digit = g_ascii_xdigit_value((char) header[NEWC_MAGIC_SIZE + number * NEWC_DIGITS + i]);
        if (digit < 0)
            return FALSE;
        value = value << 4 | (guint32) digit;
    }
    *ret_value = value;
    return TRUE;
}

/* libarchive takes as much memory as a damaged header says. *OFFSET, from the beginning of the SIZE bytes at ARCHIVE,
 * goes to the next entry. */
static gboolean read_entry(
        const guint8 *archive, gsize size, gsize *offset, NewcEntry *ret_entry, GError **error) {
    const guint8 *header = archive + *offset;
    gsize left = size - *offset;
    guint32 name_size, data_size;

    if (left < NEWC_HEADER_SIZE || memcmp(header, NEWC_MAGIC, NEWC_MAGIC_SIZE) != 0)
        return set_damaged(error, "no header where one is expected");
    if (!read_field(header, 1, &ret_entry->mode) || !read_field(header, 6, &data_size) ||
            !read_field(header, 11, &name_size))
        return set_damaged(error, "a header without numbers");
    gsize data = (NEWC_HEADER_SIZE + (gsize) name_size + 3) & ~(gsize) 3;
    if (name_size == 0 || name_size > PATH_SIZE_MAX || data > left || data_size > left - data ||
            header[NEWC_HEADER_SIZE + name_size - 1] != 0)
        return set_damaged(error, "a file that is cut off");
    ret_entry->name = (const char *) header + NEWC_HEADER_SIZE;
    ret_entry->data = header + data;
    ret_entry->size = data_size;
    *offset += MIN(left, data + (((gsize) data_size + 3) & ~(gsize) 3));
    return TRUE;
}

static gboolean add_answer(GHashTable *answers, const NewcEntry *entry, GError **error) {
    g_autofree char *request = S_ISREG(entry->mode) ? request_of(entry->name) : NULL;

    if (!request)
        return TRUE;
    if (entry->size == 0 || entry->size > ANSWER_SIZE_MAX || g_hash_table_size(answers) >= ANSWERS_MAX) {
        g_autofree char *name = g_utf8_make_valid(entry->name, -1);
        g_set_error(error, SIGNING_ERROR, SIGNING_ERROR_MALFORMED, "%s is no signature", name);
        return FALSE;
    }
    g_hash_table_insert(answers, g_steal_pointer(&request), g_bytes_new(entry->data, entry->size));
    return TRUE;
}

GHashTable *request_archive_parse_answers(const void *data, gsize size, GError **error) {
    g_autoptr(GHashTable) answers =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
    NewcEntry entry;

    for (gsize offset = 0;;) {
        if (!read_entry(data, size, &offset, &entry, error))
            return NULL;
        if (g_str_equal(entry.name, NEWC_END))
            return g_steal_pointer(&answers);
        if (!add_answer(answers, &entry, error))
            return NULL;
    }
}

GHashTable *request_archive_read_answers(const char *path, GError **error) {
    g_autofree char *content = NULL;
    gsize size;

    if (!g_file_test(path, G_FILE_TEST_EXISTS) || !g_file_get_contents(path, &content, &size, error))
        return NULL;
    return request_archive_parse_answers(content, size, error);
}
