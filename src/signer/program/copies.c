/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/program/copies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/io.h"
#include "signer/log/journal.h"
#include "signer/text/error.h"
#include "signer/text/text.h"

#define FILE_SIZE_MAX (4 * 1024 * 1024)

/* ---- the log ---- */

/* What a log has: whole lines, each of which follows the one before. */
typedef struct {
    char *text;
    gsize size;
    guint64 n;
} Log;

static void log_clear(Log *log) {
    g_free(log->text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Log, log_clear)

static gboolean check_lines(Log *log, const char *path, GError **error) {
    char head[SHA256_HEX_SIZE + 1];
    const char *line = log->text, *end = NULL;

    memset(head, '0', SHA256_HEX_SIZE);
    head[SHA256_HEX_SIZE] = '\0';
    for (; line < log->text + log->size && (end = memchr(line, '\n', (gsize) (log->text + log->size - line)));
            line = end + 1) {
        g_autoptr(JsonObject) leaf = signer_journal_parse_line(line, (gsize) (end - line), log->n, head, error);
        guint8 digest[SHA256_SIZE];

        if (!leaf) {
            g_prefix_error(error, "%s:%" G_GUINT64_FORMAT ": the log is damaged: ", path, log->n + 1);
            return FALSE;
        }
        sha256_buffer(line, (gsize) (end - line), digest);
        g_autofree char *hex = hex_encode(digest, sizeof digest);
        g_strlcpy(head, hex, sizeof head);
        log->n++;
    }
    /* A line that is being written comes with the next copy. */
    log->size = (gsize) (line - log->text);
    return TRUE;
}

/* A log that is not there is empty. */
static gboolean read_log(const char *path, Log *log, GError **error) {
    g_autoptr(GError) problem = NULL;

    if (g_file_get_contents(path, &log->text, &log->size, &problem))
        return check_lines(log, path, error);
    if (g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        log->text = g_strdup("");
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

/* Appends what LOG has more than the file PATH, which has OLD. */
static gboolean append_log(const char *path, const Log *log, const Log *old, GError **error) {
    AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return set_errno_error(error, errno, "Cannot write %s", path);
    if (!pwrite_all(fd, log->text + old->size, log->size - old->size, old->size, error))
        return FALSE;
    return (ftruncate(fd, (off_t) log->size) == 0 && fsync(fd) == 0) ||
           set_errno_error(error, errno, "Cannot write %s", path);
}

static gboolean update_log(const char *state, const char *directory, GError **error) {
    g_autofree char *from = g_build_filename(state, "log", NULL), *to = g_build_filename(directory, "log", NULL);
    g_auto(Log) log = {NULL};
    g_auto(Log) old = {NULL};

    if (!read_log(from, &log, error) || !read_log(to, &old, error))
        return FALSE;
    if (old.size > log.size || memcmp(old.text, log.text, old.size) != 0)
        return signer_refuse(error, SIGNER_ERROR_FAILED,
                "%s has %" G_GUINT64_FORMAT " lines, and %s has %" G_GUINT64_FORMAT
                ", which do not begin with them: it is of another signer, or this one was set back",
                to, old.n, from, log.n);
    if (!append_log(to, &log, &old, error))
        return FALSE;
    printf("%" G_GUINT64_FORMAT " lines, %" G_GUINT64_FORMAT " of them new\n", log.n, log.n - old.n);
    return TRUE;
}

/* ---- files ---- */

static gboolean copy_file(const char *from, const char *to, GError **error) {
    AUTO_FD fd = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    g_autofree char *text = NULL;
    struct stat about;

    if (fd < 0 || fstat(fd, &about) < 0)
        return set_errno_error(error, errno, "Cannot read %s", from);
    if (!S_ISREG(about.st_mode) || about.st_size > FILE_SIZE_MAX)
        return signer_refuse(error, SIGNER_ERROR_FAILED, "%s is no file of a signer", from);
    text = g_malloc((gsize) about.st_size + 1);
    return pread_all(fd, text, (gsize) about.st_size, 0, error) &&
           g_file_set_contents_full(
                   to, text, about.st_size, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

/* Files of the directory FROM that end with SUFFIX; names that begin with a dot are unfinished. */
static gboolean copy_files(const char *from, const char *to, const char *suffix, GError **error) {
    g_autoptr(GPtrArray) names = list_directory_if_any(from);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *source = g_build_filename(from, name, NULL), *target = g_build_filename(to, name, NULL);

        if (name[0] == '.' || !g_str_has_suffix(name, suffix))
            continue;
        if (g_mkdir_with_parents(to, 0700) < 0)
            return set_errno_error(error, errno, "Cannot make %s", to);
        if (!copy_file(source, target, error))
            return FALSE;
    }
    return TRUE;
}

/* The same for each directory in FROM that is called like a namespace or project, DEPTH below. */
static gboolean copy_below(const char *from, const char *to, const char *suffix, guint depth, GError **error) {
    g_autoptr(GPtrArray) names = depth > 0 ? list_directory_if_any(from) : NULL;

    if (depth == 0)
        return copy_files(from, to, suffix, error);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *source = g_build_filename(from, names->pdata[i], NULL);
        g_autofree char *target = g_build_filename(to, names->pdata[i], NULL);

        if (signer_is_name(names->pdata[i]) && !copy_below(source, target, suffix, depth - 1, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean copy_if_there(const char *from, const char *to, GError **error) {
    return !g_file_test(from, G_FILE_TEST_EXISTS) || copy_file(from, to, error);
}

gboolean copies_update(const char *state, const char *policies, const char *directory, GError **error) {
    g_autofree char *keys = g_build_filename(state, "keys", NULL),
                    *certificates = g_build_filename(directory, "certificates", NULL);
    g_autofree char *instance = g_build_filename(state, "instance", NULL),
                    *own = g_build_filename(directory, "instance", NULL);
    g_autofree char *checkpoint = g_build_filename(state, "checkpoint", NULL),
                    *copied = g_build_filename(directory, "checkpoint", NULL);
    g_autofree char *rules = g_build_filename(directory, "signer.d", NULL);

    if (g_mkdir_with_parents(directory, 0700) < 0)
        return set_errno_error(error, errno, "Cannot make %s", directory);
    /* What the checkpoint speaks of is in the log by then. */
    return copy_if_there(checkpoint, copied, error) && update_log(state, directory, error) &&
           copy_below(policies, rules, ".conf", 1, error) && copy_below(keys, certificates, ".crt", 2, error) &&
           copy_files(instance, own, ".crt", error) && copy_files(instance, own, "name", error);
}

gboolean copies_bring_back(
        const char *state, const char *policies, const char *directory, const char *checkpoint, GError **error) {
    g_autofree char *from = g_build_filename(directory, "log", NULL), *to = g_build_filename(state, "log", NULL);
    g_autofree char *copied = g_build_filename(directory, "checkpoint", NULL),
                    *newest = g_build_filename(state, "checkpoint", NULL);
    g_autofree char *certificates = g_build_filename(directory, "certificates", NULL),
                    *keys = g_build_filename(state, "keys", NULL);
    g_autofree char *own = g_build_filename(directory, "instance", NULL),
                    *instance = g_build_filename(state, "instance", NULL);
    g_autofree char *rules = g_build_filename(directory, "signer.d", NULL);
    g_auto(Log) log = {NULL};
    const Log nothing = {NULL};

    if (g_file_test(to, G_FILE_TEST_EXISTS))
        return signer_refuse(error, SIGNER_ERROR_FAILED, "%s is there: a log is never replaced by an older one", to);
    if (!read_log(from, &log, error))
        return FALSE;
    if (log.n == 0)
        return signer_refuse(error, SIGNER_ERROR_FAILED, "%s has no log", directory);
    if (g_mkdir_with_parents(state, 0700) < 0)
        return set_errno_error(error, errno, "Cannot make %s", state);
    /* The log comes last: without it nothing was brought back. */
    if ((checkpoint ? !copy_file(checkpoint, newest, error) : !copy_if_there(copied, newest, error)) ||
            !copy_below(rules, policies, ".conf", 1, error) || !copy_below(certificates, keys, ".crt", 2, error) ||
            !copy_files(own, instance, ".crt", error) || !copy_files(own, instance, "name", error) || !append_log(to, &log, &nothing, error))
        return FALSE;
    printf("%" G_GUINT64_FORMAT " lines are back; private keys come by \"keys import\", those of the instance too\n", log.n);
    return TRUE;
}
