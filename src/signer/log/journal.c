/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/log/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/io.h"
#include "signer/client/packet.h"
#include "signer/request/request.h"
#include "signer/text/error.h"

#define BUFFER_SIZE (4 * SIGNER_LEAF_SIZE_MAX)

struct SignerJournal {
    char *path;
    int fd;
    guint64 bytes, n;
    char head[SHA256_HEX_SIZE + 1];
    GArray *starts; /* of guint64: where each line begins */
    TlogTree *tree;
    gboolean broken; /* what is in the file is not known any more */
};

void signer_journal_free(SignerJournal *journal) {
    if (!journal)
        return;
    cleanup_fd(&journal->fd);
    g_free(journal->path);
    g_array_unref(journal->starts);
    tlog_tree_free(journal->tree);
    g_free(journal);
}

guint64 signer_journal_get_size(const SignerJournal *journal) {
    return journal->n;
}

const char *signer_journal_get_head(const SignerJournal *journal) {
    return journal->head;
}

TlogReader signer_journal_reader(const SignerJournal *journal) {
    return tlog_tree_reader(journal->tree);
}

/* The line LEAF is on the disk behind all others. */
static void count_line(SignerJournal *journal, JsonObject *leaf, const char *line, gsize size) {
    guint8 digest[SHA256_SIZE];
    g_autoptr(GBytes) entry = signer_leaf_entry_of(leaf, line, size);
    TlogHash hash = tlog_leaf_hash(g_bytes_get_data(entry, NULL), g_bytes_get_size(entry));

    sha256_buffer(line, size, digest);
    g_autofree char *hex = hex_encode(digest, sizeof digest);
    g_strlcpy(journal->head, hex, sizeof journal->head);
    tlog_tree_append(journal->tree, &hash);
    g_array_append_val(journal->starts, journal->bytes);
    journal->n++;
    journal->bytes += size + 1;
}

GBytes *signer_journal_read_line(const SignerJournal *journal, guint64 n, GError **error) {
    guint64 start = g_array_index(journal->starts, guint64, n);
    guint64 end = n + 1 < journal->n ? g_array_index(journal->starts, guint64, n + 1) : journal->bytes;
    gsize size = (gsize) (end - start) - 1;
    g_autofree char *line = g_malloc(MAX(size, 1));

    if (pread_all(journal->fd, line, size, start, error))
        return g_bytes_new_take(g_steal_pointer(&line), size);
    g_prefix_error(error, "Cannot read %s: ", journal->path);
    return NULL;
}

JsonObject *signer_journal_parse_line(const char *line, gsize size, guint64 n, const char *previous, GError **error) {
    g_autoptr(GError) problem = NULL;
    g_autoptr(JsonObject) leaf = size < SIGNER_LEAF_SIZE_MAX ? signer_packet_parse(line, size, &problem) : NULL;
    g_autofree char *text = leaf ? signer_packet_to_text(leaf) : NULL;

    if (!leaf)
        signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_FAILED, "it is no leaf");
    else if (strlen(text) != size || memcmp(text, line, size) != 0)
        signer_refuse(error, SIGNER_ERROR_FAILED, "it is not written as the signer writes");
    else if (signer_json_get_number(leaf, "n") != (gint64) n)
        signer_refuse(error, SIGNER_ERROR_FAILED, "its number is not %" G_GUINT64_FORMAT, n);
    else if (g_strcmp0(signer_json_get_string(leaf, "previous"), previous) != 0)
        signer_refuse(error, SIGNER_ERROR_FAILED, "it does not follow the line before");
    else
        return g_steal_pointer(&leaf);
    return NULL;
}

static gboolean read_line(
        SignerJournal *journal, const char *line, gsize size, SignerJournalVisit visit, gpointer user, GError **error) {
    g_autoptr(JsonObject) leaf = signer_journal_parse_line(line, size, journal->n, journal->head, error);

    if (!leaf || !visit(user, leaf, error)) {
        g_prefix_error(error, "%s:%" G_GUINT64_FORMAT ": the log is damaged: ", journal->path, journal->n + 1);
        return FALSE;
    }
    count_line(journal, leaf, line, size);
    return TRUE;
}

/* All whole lines. RET_REST receives how many bytes are behind the last one. */
static gboolean read_lines(
        SignerJournal *journal, SignerJournalVisit visit, gpointer user, gsize *ret_rest, GError **error) {
    g_autofree char *buffer = g_malloc(BUFFER_SIZE);

    for (;;) {
        gssize n = pread_up_to(journal->fd, buffer, BUFFER_SIZE, journal->bytes);
        const char *line = buffer, *end;

        if (n < 0)
            return set_errno_error(error, errno, "Cannot read %s", journal->path);
        while ((end = memchr(line, '\n', buffer + n - line))) {
            if (!read_line(journal, line, (gsize) (end - line), visit, user, error))
                return FALSE;
            line = end + 1;
        }
        *ret_rest = (gsize) (buffer + n - line);
        if (n < BUFFER_SIZE)
            return TRUE;
        if (line == buffer)
            return signer_refuse(error, SIGNER_ERROR_FAILED,
                    "%s:%" G_GUINT64_FORMAT ": the log is damaged: it is too long for a leaf", journal->path,
                    journal->n + 1);
    }
}

/* A line that was not written to its end was not answered either. */
static gboolean repair(SignerJournal *journal, gsize rest, char **ret_repaired, GError **error) {
    if (rest == 0)
        return TRUE;
    if (rest > SIGNER_LEAF_SIZE_MAX)
        return signer_refuse(error, SIGNER_ERROR_FAILED,
                "%s:%" G_GUINT64_FORMAT ": the log is damaged: %" G_GSIZE_FORMAT " bytes without an end", journal->path,
                journal->n + 1, rest);
    if (ftruncate(journal->fd, (off_t) journal->bytes) < 0 || fsync(journal->fd) < 0)
        return set_errno_error(error, errno, "Cannot repair %s", journal->path);
    *ret_repaired =
            g_strdup_printf("%s: the last line was not written to its end, and so never answered; %" G_GSIZE_FORMAT
                            " bytes were cut off",
                    journal->path, rest);
    return TRUE;
}

static gboolean sync_directory(const char *path, GError **error) {
    g_autofree char *directory = g_path_get_dirname(path);
    AUTO_FD fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return (fd >= 0 && fsync(fd) == 0) || set_errno_error(error, errno, "Cannot write %s", directory);
}

SignerJournal *signer_journal_open(
        const char *path, SignerJournalVisit visit, gpointer user, char **ret_repaired, GError **error) {
    g_autoptr(SignerJournal) journal = g_new0(SignerJournal, 1);
    gsize rest = 0;

    *ret_repaired = NULL;
    journal->path = g_strdup(path);
    journal->starts = g_array_new(FALSE, FALSE, sizeof(guint64));
    journal->tree = tlog_tree_new();
    memset(journal->head, '0', SHA256_HEX_SIZE);
    journal->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (journal->fd < 0) {
        set_errno_error(error, errno, "Cannot open the log %s", path);
        return NULL;
    }
    if (!sync_directory(path, error))
        return NULL;
    if (!read_lines(journal, visit, user, &rest, error) || !repair(journal, rest, ret_repaired, error)) {
        g_prefix_error(error, "The signer does not start, so that it signs nothing twice and no lower version. ");
        g_autofree char *advice = g_strdup_printf(
                "%s. Bring back %s from a copy that is newer than the last answer", (*error)->message, path);
        g_free((*error)->message);
        (*error)->message = g_steal_pointer(&advice);
        return NULL;
    }
    return g_steal_pointer(&journal);
}

gboolean signer_journal_append(SignerJournal *journal, JsonObject *leaf, GError **error) {
    if (journal->broken)
        return signer_refuse(error, SIGNER_ERROR_FAILED,
                "The log could not be written before, so nothing is signed until particleos-signer starts "
                "anew");
    json_object_set_int_member(leaf, "version", SIGNER_LEAF_VERSION);
    json_object_set_int_member(leaf, "n", (gint64) journal->n);
    json_object_set_string_member(leaf, "previous", journal->head);
    g_autofree char *text = signer_packet_to_text(leaf);
    gsize size = strlen(text);
    if (size >= SIGNER_LEAF_SIZE_MAX)
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "There is too much to sign in one request");
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    if (!pwrite_all(journal->fd, line, size + 1, journal->bytes, error) || fsync(journal->fd) < 0) {
        if (error && !*error)
            set_errno_error(error, errno, "Cannot write the log %s", journal->path);
        g_prefix_error(error, "Nothing is signed: ");
        /* After a failed fsync() nobody knows what is on the disk. */
        journal->broken = TRUE;
        if (ftruncate(journal->fd, (off_t) journal->bytes) == 0 && fsync(journal->fd) == 0)
            journal->broken = FALSE;
        return FALSE;
    }
    count_line(journal, leaf, text, size);
    return TRUE;
}
