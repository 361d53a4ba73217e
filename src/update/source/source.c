/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "base/io.h"
#include "events/events.h"
#include "events/task.h"
#include "update/transfer/error.h"

#define SUMS "SHA256SUMS"
#define SUMS_MAX (4u * 1024 * 1024)
#define SIGNATURE_MAX (64u * 1024)
#define PIECE (256u * 1024)

struct UpdateSource {
    char *path;
    Http *http; /* NULL: a directory */
    Manifest *manifest;
    GPtrArray *names; /* of a directory */
};

void update_source_free(UpdateSource *source) {
    if (!source)
        return;
    g_free(source->path);
    manifest_free(source->manifest);
    g_clear_pointer(&source->names, g_ptr_array_unref);
    g_free(source);
}

static char *file_url(const UpdateSource *source, const char *name) {
    g_autofree char *escaped = g_uri_escape_string(name, "+~", FALSE);
    gsize length = strlen(source->path);

    while (length > 0 && source->path[length - 1] == '/')
        length--;
    return g_strdup_printf("%.*s/%s", (int) length, source->path, escaped);
}

static gboolean check_signature(UpdateSource *source, GBytes *sums, const SourceOptions *options, GError **error) {
    g_autofree char *url = file_url(source, SUMS ".gpg");
    gboolean missing = FALSE;
    const char *key = NULL;
    gsize size;
    const void *text = g_bytes_get_data(sums, &size);

    if (options->keyring_problem)
        return update_fail(error, UPDATE_ERROR_CONFIGURATION, "%s", options->keyring_problem);
    if (!options->keyring)
        return TRUE;
    g_autoptr(GBytes) signature = http_get(source->http, url, SIGNATURE_MAX, &missing, error);
    if (!signature && missing) {
        g_clear_error(error);
        return update_fail(error, UPDATE_ERROR_UNTRUSTED,
                "%s: there is none, so nobody says what the files of this server have to be", url);
    }
    if (!signature)
        return FALSE;
    /* The clock of a device may be wrong: only for keys with an end does it matter. */
    if (!keyring_verify(options->keyring, signature, text, size, g_get_real_time() / G_USEC_PER_SEC, &key, error)) {
        g_prefix_error(error, "%s: ", url);
        return FALSE;
    }
    events_debug("%s: signed by %s", url, key);
    return TRUE;
}

UpdateSource *update_source_open_url(const char *path, const SourceOptions *options, GError **error) {
    g_autoptr(UpdateSource) source = g_new0(UpdateSource, 1);
    gsize size;

    source->path = g_strdup(path);
    source->http = options->http;
    g_autofree char *url = file_url(source, SUMS);
    g_autoptr(GBytes) sums = http_get(source->http, url, SUMS_MAX, NULL, error);
    if (!sums || !check_signature(source, sums, options, error))
        return NULL;
    const char *text = g_bytes_get_data(sums, &size);
    source->manifest = manifest_parse(text ? text : "", size, error);
    if (!source->manifest || (options->now && !manifest_check_freshness(source->manifest, options->now, error))) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    return g_steal_pointer(&source);
}

UpdateSource *update_source_open_directory(const char *path, GError **error) {
    g_autoptr(UpdateSource) source = g_new0(UpdateSource, 1);
    g_autofree char *sums = g_build_filename(path, SUMS, NULL);
    g_autofree char *text = NULL;
    gsize size = 0;

    source->path = g_strdup(path);
    /* One that is not there offers nothing. */
    source->names = list_directory_if_any(path);
    if (g_file_get_contents(sums, &text, &size, NULL)) {
        source->manifest = manifest_parse(text, size, error);
        if (!source->manifest) {
            g_prefix_error(error, "%s: ", path);
            return NULL;
        }
    }
    return g_steal_pointer(&source);
}

const char *update_source_get_path(const UpdateSource *source) {
    return source->path;
}

const GPtrArray *update_source_get_names(const UpdateSource *source) {
    return source->names ? source->names : manifest_get_names(source->manifest);
}

const guint8 *update_source_find_digest(const UpdateSource *source, const char *name) {
    return source->manifest ? manifest_find(source->manifest, name) : NULL;
}

guint64 update_source_get_received(const UpdateSource *source) {
    return source->http ? http_get_received(source->http) : 0;
}

/* ---- files of a directory ---- */

static int open_file(const UpdateSource *source, const char *name, guint64 *ret_size, GError **error) {
    g_autofree char *path = g_build_filename(source->path, name, NULL);
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat info;

    if (fd < 0 || fstat(fd, &info) < 0) {
        set_errno_error(error, errno, "Cannot open %s", path);
        return -1;
    }
    if (!S_ISREG(info.st_mode)) {
        update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s is no regular file", path);
        return -1;
    }
    *ret_size = (guint64) info.st_size;
    return steal_fd(&fd);
}

static gboolean copy_range(int fd, HttpRange range, HttpSink sink, gpointer data, GError **error) {
    g_autofree guint8 *buffer = g_malloc(PIECE);

    while (range.size > 0) {
        gsize n = MIN(range.size, PIECE);
        if (task_is_cancelled(task_current()))
            return update_fail(error, UPDATE_ERROR_NETWORK, "cancelled");
        if (!pread_all(fd, buffer, n, range.offset, error) || !sink(data, range.offset, buffer, n, error))
            return FALSE;
        range.offset += n;
        range.size -= n;
    }
    return TRUE;
}

gboolean update_source_measure(UpdateSource *source, const char *name, guint64 *ret_size, GError **error) {
    if (source->http) {
        g_autofree char *url = file_url(source, name);
        return http_measure(source->http, url, ret_size, error);
    }
    AUTO_FD fd = open_file(source, name, ret_size, error);
    return fd >= 0;
}

gboolean update_source_fetch(UpdateSource *source, const char *name, guint64 size, const GArray *ranges, HttpSink sink,
        gpointer data, GError **error) {
    guint64 now = 0;

    if (source->http) {
        g_autofree char *url = file_url(source, name);
        return http_fetch(source->http, url, size, ranges, sink, data, error);
    }
    AUTO_FD fd = open_file(source, name, &now, error);
    if (fd < 0)
        return FALSE;
    if (now != size)
        return update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s: %s changes while it is read", source->path, name);
    for (guint i = 0; i < ranges->len; i++)
        if (!copy_range(fd, g_array_index(ranges, HttpRange, i), sink, data, error)) {
            g_prefix_error(error, "%s: ", name);
            return FALSE;
        }
    return TRUE;
}
