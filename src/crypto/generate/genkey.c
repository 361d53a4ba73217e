/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/generate/genkey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "crypto/generate/certificate-make.h"
#include "crypto/generate/key-make.h"
#include "crypto/sources/error.h"

static gboolean set_file_error(GError **error, const char *what, const char *name, int code) {
    return set_errno_error(error, code, "Cannot %s %s", what, name);
}

static gboolean set_exists_error(GError **error, const char *name) {
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_EXISTS,
            "%s exists already, and keys are never overwritten; to make new ones, move the key and the "
            "certificate away first",
            name);
    return FALSE;
}

static gboolean write_content(int fd, GBytes *content) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(content, &size);
    return write_all(fd, data, size);
}

/* A file beside its final name, which is removed unless it reaches it. */
typedef struct {
    int directory_fd;
    char *name; /* NULL: nothing to remove */
} PendingFile;

static void pending_file_clear(PendingFile *pending) {
    if (pending->name)
        unlinkat(pending->directory_fd, pending->name, 0);
    g_clear_pointer(&pending->name, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PendingFile, pending_file_clear)

static gboolean pending_file_write(PendingFile *pending, int directory_fd, const char *final_name,
        mode_t mode, GBytes *content, GError **error) {
    g_autofree char *name = g_strdup_printf(".%s.%d.new", final_name, (int) getpid());
    AUTO_FD fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return set_file_error(error, "create", name, errno);
    pending->directory_fd = directory_fd;
    pending->name = g_steal_pointer(&name);
    if (!write_content(fd, content) || fchmod(fd, mode) < 0 || fsync(fd) < 0)
        return set_file_error(error, "write", final_name, errno);
    return TRUE;
}

/* Gives the file its final name unless something has that name already. */
static gboolean pending_file_publish(PendingFile *pending, const char *final_name, GError **error) {
    if (renameat2(pending->directory_fd, pending->name, pending->directory_fd, final_name,
                RENAME_NOREPLACE) < 0)
        return errno == EEXIST ? set_exists_error(error, final_name)
                               : set_file_error(error, "create", final_name, errno);
    g_free(pending->name);
    pending->name = g_strdup(final_name);
    return TRUE;
}

static void pending_file_keep(PendingFile *pending) {
    g_clear_pointer(&pending->name, g_free);
}

static gboolean write_pair(int directory_fd, const char *key_name, GBytes *key, const char *certificate_name,
        GBytes *certificate, GError **error) {
    g_auto(PendingFile) key_file = {-1, NULL};
    g_auto(PendingFile) certificate_file = {-1, NULL};
    if (!pending_file_write(&key_file, directory_fd, key_name, 0600, key, error) ||
            !pending_file_write(
                    &certificate_file, directory_fd, certificate_name, 0644, certificate, error) ||
            !pending_file_publish(&key_file, key_name, error) ||
            !pending_file_publish(&certificate_file, certificate_name, error))
        return FALSE;
    pending_file_keep(&key_file);
    pending_file_keep(&certificate_file);
    return TRUE;
}

static gboolean check_absent(int directory_fd, const char *name, GError **error) {
    struct stat st;
    if (fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return set_exists_error(error, name);
    return errno == ENOENT || set_file_error(error, "examine", name, errno);
}

/* What is written beside a key. */
static GBytes *make_statement(const KeySource *key, const GenkeyOptions *options, GError **error) {
    return options->request ? certificate_request_make(key, options, error) : certificate_make(key, options, error);
}

static gboolean check_days(const GenkeyOptions *options, GError **error) {
    if (options->valid_days >= 1 && options->valid_days <= GENKEY_VALID_DAYS_MAX)
        return TRUE;
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_FAILED,
            "A certificate cannot be valid for %d days; give 1 to %d", options->valid_days,
            GENKEY_VALID_DAYS_MAX);
    return FALSE;
}

gboolean genkey_create_at(int directory_fd, const char *key_name, const char *certificate_name,
        const GenkeyOptions *options, GError **error) {
    /* Making a key takes a while, so find out first what would be in the way at the end. */
    if (!check_days(options, error) || !check_absent(directory_fd, key_name, error) ||
            !check_absent(directory_fd, certificate_name, error))
        return FALSE;

    g_autoptr(GBytes) text = NULL;
    g_autoptr(KeySource) key = key_make(options, &text, error);
    g_autoptr(GBytes) statement = key ? make_statement(key, options, error) : NULL;
    return statement && write_pair(directory_fd, key_name, text, certificate_name, statement, error);
}

gboolean genkey_certify_at(int directory_fd, const KeySource *key, const char *certificate_name,
        const GenkeyOptions *options, GError **error) {
    if (!check_days(options, error) || !check_absent(directory_fd, certificate_name, error))
        return FALSE;
    g_autoptr(GBytes) statement = make_statement(key, options, error);
    g_auto(PendingFile) file = {-1, NULL};
    if (!statement || !pending_file_write(&file, directory_fd, certificate_name, 0644, statement, error) ||
            !pending_file_publish(&file, certificate_name, error))
        return FALSE;
    pending_file_keep(&file);
    return TRUE;
}
