/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "base/io.h"
#include "crypto/certificates/certificate.h"
#include "crypto/keys/key-session.h"
#include "signer/client/packet.h"
#include "signer/program/keys-private.h"
#include "signer/program/keys.h"
#include "signer/request/request.h"
#include "signer/text/error.h"

#define SIZE_MAX_IMPORTED (256 * 1024)

typedef struct {
    KeyPlace place;
    char *beside;     /* directory whose files go to the owner's */
    GPtrArray *names; /* of files in it, borrowed */
} Import;

static void import_clear(Import *import) {
    for (guint i = 0; import->beside && i < import->names->len; i++) {
        g_autofree char *path = g_build_filename(import->beside, import->names->pdata[i], NULL);
        (void) g_unlink(path);
    }
    if (import->beside)
        (void) g_rmdir(import->beside);
    g_free(import->beside);
    g_ptr_array_unref(import->names);
    key_place_clear(&import->place);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Import, import_clear)

static JsonObject *read_object(int fd, GError **error) {
    g_autofree char *text = g_malloc0(SIZE_MAX_IMPORTED + 1);
    gsize done = 0;

    for (gssize n = 1; n != 0 && done < SIZE_MAX_IMPORTED; done += (gsize) MAX(n, 0)) {
        n = read(fd, text + done, SIZE_MAX_IMPORTED - done);
        if (n < 0 && errno != EINTR) {
            set_errno_error(error, errno, "Cannot read the keys");
            return NULL;
        }
    }
    JsonObject *object = signer_packet_parse(text, done, error);
    explicit_bzero(text, done);
    if (!object)
        g_prefix_error(error, "What came is nothing that \"keys export\" wrote and somebody decrypted: ");
    return object;
}

static gboolean write_beside(Import *import, const char *name, const char *text, GError **error) {
    g_autofree char *path = g_build_filename(import->beside, name, NULL);
    AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0 || !write_all(fd, text, strlen(text)) || fsync(fd) < 0)
        return set_errno_error(error, errno, "Cannot write %s", path);
    g_ptr_array_add(import->names, (char *) name);
    return TRUE;
}

/* The certificate that is in place, if any, is the one that devices trust. */
static gboolean check_certificate(Import *import, const KeyFiles *files, const Certificate *new, GError **error) {
    g_autofree char *path = g_build_filename(import->place.directory, files->certificate, NULL);
    g_autoptr(Certificate) old = g_file_test(path, G_FILE_TEST_EXISTS) ? certificate_load(path, error) : NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    return old && (certificate_equal(old, new) ||
                          signer_refuse(error, SIGNER_ERROR_CONTENT, "%s is %s, and what came is %s", path,
                                  certificate_get_description(old), certificate_get_description(new)));
}

static gboolean check_absent(Import *import, const KeyFiles *files, const char *secret, GError **error) {
    g_autofree char *path = g_build_filename(import->place.directory, files->key, NULL);
    g_autofree char *there = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    gboolean same = g_file_get_contents(path, &there, NULL, NULL) && strcmp(there, secret) == 0;
    if (there)
        explicit_bzero(there, strlen(there));
    return same ||
           signer_refuse(error, SIGNER_ERROR_CONTENT, "%s is there, and is another key: keys are never replaced", path);
}

static gboolean take_pair(Import *import, KeySession *session, const char *name, JsonObject *pair, GError **error) {
    const KeyFiles *files = key_place_find(&import->place, name);
    const char *secret = pair ? signer_json_get_string(pair, "key") : NULL;
    const char *text = pair ? signer_json_get_string(pair, "certificate") : NULL;

    if ((!files && import->place.policy && signer_purpose_from_string(name) < 0) || !secret || !text)
        return signer_refuse(error, SIGNER_ERROR_MALFORMED, "'%s' is no purpose with a key and a certificate", name);
    if (!files)
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s%s has no file for a key for %s",
                import->place.policy ? "The policy of " : "The ", import->place.owner, name);
    if (!write_beside(import, files->key, secret, error) || !write_beside(import, files->certificate, text, error))
        return FALSE;
    g_autofree char *key_path = g_build_filename(import->beside, files->key, NULL);
    g_autofree char *certificate_path = g_build_filename(import->beside, files->certificate, NULL);
    g_autoptr(Certificate) certificate = certificate_load(certificate_path, error);
    g_autoptr(KeySource) source =
            certificate ? key_session_open(session, KEY_SOURCE_KIND_FILE, NULL, key_path, error) : NULL;
    return source && certificate_check_key(certificate, source, error) &&
           check_certificate(import, files, certificate, error) && check_absent(import, files, secret, error);
}

static gboolean take_all(Import *import, JsonObject *object, GError **error) {
    g_autoptr(KeySession) session = key_session_new(NULL, NULL);
    const char *project = signer_json_get_string(object, "project");
    JsonNode *node = json_object_get_member(object, "keys");
    JsonObject *keys = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    g_autoptr(GList) names = keys ? json_object_get_members(keys) : NULL;

    if (signer_json_get_number(object, "version") != 1 || !names)
        return signer_refuse(error, SIGNER_ERROR_MALFORMED, "What came has no keys that this version knows");
    if (g_strcmp0(project, import->place.owner) != 0)
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "What came are keys of %.140s, not of %s",
                project ?: "nobody", import->place.owner);
    for (const GList *name = names; name; name = name->next) {
        JsonNode *pair = json_object_get_member(keys, name->data);

        if (!take_pair(import, session, name->data, JSON_NODE_HOLDS_OBJECT(pair) ? json_node_get_object(pair) : NULL,
                    error)) {
            g_prefix_error(error, "Nothing was imported. ");
            return FALSE;
        }
    }
    return TRUE;
}

/* Each file gets its name; one that is there is the same. */
static gboolean put_in_place(Import *import, GError **error) {
    for (guint i = 0; i < import->names->len; i++) {
        g_autofree char *from = g_build_filename(import->beside, import->names->pdata[i], NULL);
        g_autofree char *to = g_build_filename(import->place.directory, import->names->pdata[i], NULL);

        if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0 && errno != EEXIST)
            return set_errno_error(error, errno, "Cannot put %s in place", to);
    }
    AUTO_FD fd = open(import->place.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return (fd >= 0 && fsync(fd) == 0) || set_errno_error(error, errno, "Cannot write %s", import->place.directory);
}

gboolean keys_import(const char *state, const char *policies, const char *owner, int fd, GError **error) {
    g_auto(Import) import = {.names = g_ptr_array_new()};
    g_autoptr(JsonObject) object = NULL;

    if (!key_place_open(state, policies, owner, &import.place, error) || !(object = read_object(fd, error)))
        return FALSE;
    if (g_mkdir_with_parents(import.place.directory, 0700) < 0)
        return set_errno_error(error, errno, "Cannot make %s", import.place.directory);
    import.beside = g_build_filename(import.place.directory, ".import-XXXXXX", NULL);
    if (!g_mkdtemp(import.beside)) {
        g_clear_pointer(&import.beside, g_free);
        return set_errno_error(error, errno, "Cannot make a directory for what comes");
    }
    if (!take_all(&import, object, error) || !put_in_place(&import, error))
        return FALSE;
    printf("%u files of %s are in place\n", import.names->len, owner);
    return TRUE;
}
