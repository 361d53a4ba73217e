/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signing/request-archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "signing/thing.h"

#define ANSWER_SIZE_MAX 65536
#define ANSWERS_MAX 10000

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

static gboolean read_answer(Archive *archive, ArchiveEntry *entry, GHashTable *answers, GError **error) {
    gint64 size = archive_entry_size(entry);
    const char *path = archive_entry_pathname(entry);
    g_autofree char *request = path ? request_of(path) : NULL;

    if (archive_entry_filetype(entry) != AE_IFREG || !request)
        return TRUE;
    if (size <= 0 || size > ANSWER_SIZE_MAX || g_hash_table_size(answers) >= ANSWERS_MAX) {
        g_set_error(error, SIGNING_ERROR, SIGNING_ERROR_MALFORMED, "%s is no signature", path);
        return FALSE;
    }
    g_autofree guint8 *data = g_malloc(size);
    if (archive_read_data(archive, data, size) != (la_ssize_t) size)
        return set_error(error, archive, "Cannot read the archive of answers");
    g_hash_table_insert(answers, g_steal_pointer(&request), g_bytes_new_take(g_steal_pointer(&data), size));
    return TRUE;
}

static GHashTable *read_answers(Archive *archive, GError **error) {
    g_autoptr(GHashTable) answers =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
    ArchiveEntry *entry; /* the archive's */
    int result;

    while ((result = archive_read_next_header(archive, &entry)) == ARCHIVE_OK)
        if (!read_answer(archive, entry, answers, error))
            return NULL;
    if (result == ARCHIVE_EOF)
        return g_steal_pointer(&answers);
    set_error(error, archive, "Cannot read the archive of answers");
    return NULL;
}

GHashTable *request_archive_parse_answers(const void *data, gsize size, GError **error) {
    g_autoptr(Archive) archive = archive_read_new();

    if (archive_read_support_format_cpio(archive) == ARCHIVE_OK &&
            archive_read_open_memory(archive, data, size) == ARCHIVE_OK)
        return read_answers(archive, error);
    set_error(error, archive, "Cannot read the archive of answers");
    return NULL;
}

GHashTable *request_archive_read_answers(const char *path, GError **error) {
    g_autofree char *content = NULL;
    gsize size;

    if (!g_file_test(path, G_FILE_TEST_EXISTS) || !g_file_get_contents(path, &content, &size, error))
        return NULL;
    return request_archive_parse_answers(content, size, error);
}
