/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log-mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "format/tlog/tlog-store.h"

G_DEFINE_QUARK(log-mirror-error-quark, log_mirror_error)

struct LogMirror {
    char *directory;
    SignService *signer;
    TlogStore *store; /* NULL: not opened yet */
    GMutex lock;
};

LogMirror *log_mirror_new(const char *directory, SignService *signer) {
    LogMirror *mirror = g_new0(LogMirror, 1);

    mirror->directory = g_strdup(directory);
    mirror->signer = signer;
    g_mutex_init(&mirror->lock);
    return mirror;
}

void log_mirror_free(LogMirror *mirror) {
    if (!mirror)
        return;
    g_free(mirror->directory);
    tlog_store_free(mirror->store);
    g_mutex_clear(&mirror->lock);
    g_free(mirror);
}

static JsonObject *ask(LogMirror *mirror, guint64 first, GError **error) {
    g_autoptr(JsonObject) request = json_object_new();

    json_object_set_string_member(request, "type", "log");
    json_object_set_int_member(request, "first", (gint64) first);
    return sign_service_ask(mirror->signer, request, NULL, 0, error);
}

static const char *get_text(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);

    return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
}

static gboolean other(GError **error, const LogMirror *mirror, const char *what) {
    g_set_error(error, LOG_MIRROR_ERROR, LOG_MIRROR_ERROR_OTHER,
            "The log of the signer is not the one that is published in %s: %s. Who has seen the published one would notice, so "
            "nothing is published. Give the signer its newest state, or move %s away if it is meant to begin a new log",
            mirror->directory, what, mirror->directory);
    return FALSE;
}

static gboolean write_file(const LogMirror *mirror, const char *name, const char *text, GError **error) {
    g_autofree char *path = g_build_filename(mirror->directory, name, NULL);
    g_autofree char *fresh = g_strconcat(path, ".new", NULL);
    AUTO_FD fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

    return (fd >= 0 && write_all(fd, text, strlen(text)) && fsync(fd) == 0 && rename(fresh, path) == 0) ||
           set_errno_error(error, errno, "Cannot write %s", path);
}

/* The key that others have, and that of the signer, are the same. */
static gboolean check_key(const LogMirror *mirror, const char *key, const char *provenance, GError **error) {
    g_autofree char *path = g_build_filename(mirror->directory, "key", NULL);
    g_autofree char *line = g_strconcat(key, "\n", NULL);
    g_autofree char *known = NULL;

    if (g_mkdir_with_parents(mirror->directory, 0755) < 0)
        return set_errno_error(error, errno, "Cannot make %s", mirror->directory);
    if (!g_file_get_contents(path, &known, NULL, NULL))
        return write_file(mirror, "provenance.pem", provenance, error) && write_file(mirror, "key", line, error);
    return g_str_equal(known, line) || other(error, mirror, "it has another key");
}

static gboolean open_store(LogMirror *mirror, JsonObject *answer, GError **error) {
    const char *key = get_text(answer, "logKey"), *provenance = get_text(answer, "provenance");
    g_auto(TlogVerifier) verifier = {NULL};

    if (mirror->store)
        return TRUE;
    if (!key || !provenance || !tlog_verifier_parse(key, &verifier, NULL)) {
        g_set_error(error, LOG_MIRROR_ERROR, LOG_MIRROR_ERROR_OTHER, "The signer says nothing of its log");
        return FALSE;
    }
    if (!check_key(mirror, key, provenance, error))
        return FALSE;
    mirror->store = tlog_store_open(mirror->directory, &verifier, error);
    return mirror->store != NULL;
}

static gboolean add_entries(LogMirror *mirror, JsonArray *entries, GError **error) {
    for (guint i = 0; i < json_array_get_length(entries); i++) {
        gsize size = 0;
        g_autofree guchar *data = g_base64_decode(json_array_get_string_element(entries, i), &size);
        if (!tlog_store_add(mirror->store, data, size, error))
            return FALSE;
    }
    return TRUE;
}

/* One answer of the signer. RET_MORE: there are entries behind those. */
static gboolean take(LogMirror *mirror, JsonObject *answer, gboolean *ret_more, GError **error) {
    JsonNode *node = json_object_get_member(answer, "entries"), *log = json_object_get_member(answer, "log");
    JsonArray *entries = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    const char *note = get_text(answer, "checkpoint");
    gint64 size = log && JSON_NODE_HOLDS_OBJECT(log)
                          ? json_object_get_int_member_with_default(json_node_get_object(log), "size", -1)
                          : -1;

    if (!entries || !note || size < 0)
        return other(error, mirror, "it says nothing of its entries");
    if ((guint64) size < tlog_store_get_size(mirror->store)) {
        g_autofree char *what = g_strdup_printf("it has %" G_GINT64_FORMAT " entries, and %" G_GUINT64_FORMAT " are published",
                size, tlog_store_get_size(mirror->store));
        return other(error, mirror, what);
    }
    if (!add_entries(mirror, entries, error))
        return FALSE;
    *ret_more = tlog_store_get_size(mirror->store) < (guint64) size && json_array_get_length(entries) > 0;
    return *ret_more || tlog_store_publish(mirror->store, note, error);
}

static gboolean update(LogMirror *mirror, GError **error) {
    gboolean more = TRUE;

    while (more) {
        /* Of a log that is not open nobody knows yet how long it is. */
        g_autoptr(JsonObject) first = mirror->store ? NULL : ask(mirror, 0, error);
        if (!mirror->store && (!first || !open_store(mirror, first, error)))
            return FALSE;
        g_autoptr(JsonObject) answer = ask(mirror, tlog_store_get_size(mirror->store), error);
        if (!answer || !take(mirror, answer, &more, error))
            return FALSE;
    }
    return TRUE;
}

gboolean log_mirror_update(LogMirror *mirror, GError **error) {
    g_mutex_lock(&mirror->lock);
    gboolean good = update(mirror, error);
    /* What was added and cannot be shown is not kept. */
    if (!good)
        g_clear_pointer(&mirror->store, tlog_store_free);
    g_mutex_unlock(&mirror->lock);
    return good;
}
