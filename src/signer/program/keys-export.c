/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "crypto/certificates/certificate.h"
#include "crypto/cms/envelope.h"
#include "signer/client/packet.h"
#include "signer/program/keys-private.h"
#include "signer/program/keys.h"
#include "signer/text/error.h"

static gboolean add_key(const KeyPlace *place, const KeyFiles *files, JsonObject *keys, GError **error) {
    g_autofree char *key_path = g_build_filename(place->directory, files->key, NULL);
    g_autofree char *certificate_path = g_build_filename(place->directory, files->certificate, NULL);
    g_autofree char *secret = NULL, *text = NULL;
    gsize size = 0;

    if (!g_file_get_contents(key_path, &secret, &size, error) ||
            !g_file_get_contents(certificate_path, &text, NULL, error))
        return FALSE;
    JsonObject *pair = json_object_new();
    json_object_set_string_member(pair, "key", secret);
    json_object_set_string_member(pair, "certificate", text);
    json_object_set_object_member(keys, files->purpose, pair);
    explicit_bzero(secret, size);
    return TRUE;
}

/* What is encrypted; the caller wipes it. */
static char *collect(const char *state, const char *policies, const char *owner, GError **error) {
    g_auto(KeyPlace) place = {NULL};
    g_autoptr(JsonObject) all = json_object_new();
    JsonObject *keys = json_object_new();

    json_object_set_int_member(all, "version", 1);
    json_object_set_string_member(all, "project", owner);
    json_object_set_object_member(all, "keys", keys);
    if (!key_place_open(state, policies, owner, &place, error))
        return NULL;
    for (guint i = 0; i < place.keys->len; i++)
        if (!add_key(&place, &g_array_index(place.keys, KeyFiles, i), keys, error))
            return NULL;
    if (place.keys->len == 0)
        signer_refuse(error, SIGNER_ERROR_FAILED, "%s has no keys in files: a token exports none", owner);
    return place.keys->len > 0 ? signer_packet_to_text(all) : NULL;
}

static GPtrArray *load_recipients(char *const *paths, GError **error) {
    g_autoptr(GPtrArray) recipients = g_ptr_array_new_with_free_func((GDestroyNotify) certificate_unref);

    for (; *paths; paths++) {
        Certificate *certificate = certificate_load(*paths, error);

        if (!certificate)
            return NULL;
        g_ptr_array_add(recipients, certificate);
    }
    return g_steal_pointer(&recipients);
}

/* The mark comes first: a key that is out is known to be. */
static gboolean write_mark(const char *path, GPtrArray *recipients, GError **error) {
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *day = g_date_time_format(now, "%Y-%m-%d");
    g_autoptr(GString) text = g_string_new(day);

    for (guint i = 0; i < recipients->len; i++)
        g_string_append_printf(text, " %s", certificate_get_fingerprint(recipients->pdata[i]));
    g_string_append_c(text, '\n');
    return g_file_set_contents_full(
            path, text->str, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

static gboolean write_new(const char *path, GBytes *bytes, GError **error) {
    AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    return (fd >= 0 && write_all(fd, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)) && fsync(fd) == 0) ||
           set_errno_error(error, errno, "Cannot write the new file %s", path);
}

gboolean keys_export(const char *state, const char *policies, const char *owner, const char *output,
        char *const *recipients, gboolean again, GError **error) {
    g_autofree char *mark = keys_mark_path(state, owner);
    g_autoptr(GPtrArray) people = load_recipients(recipients, error);
    g_autofree char *text = NULL;
    g_autoptr(GBytes) content = NULL;
    g_autoptr(GBytes) sealed = NULL;

    if (!people)
        return FALSE;
    if (!again && g_file_test(mark, G_FILE_TEST_EXISTS))
        return signer_refuse(error, SIGNER_ERROR_FAILED,
                "The keys of %s were exported before (%s says when, and to whom); --again does it once more", owner,
                mark);
    if (!(text = collect(state, policies, owner, error)))
        return FALSE;
    content = g_bytes_new_static(text, strlen(text));
    sealed = envelope_seal(people, content, error);
    explicit_bzero(text, strlen(text));
    return sealed && write_mark(mark, people, error) && write_new(output, sealed, error);
}
