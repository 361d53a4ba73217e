/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"

#define RING "import-pubring.pgp"
#define DB "mkosi.uefi.db"

static const struct {
    const char *purpose, *file, *option, *inspect;
} keys[] = {
        {"secure-boot", "secure-boot.crt", "--secure-boot-certificate", "--certificate"},
        {"verity", "verity.crt", "--verity-certificate", "--root-hash-certificate"},
        {"pcr", "pcr.crt", "--sign-expected-pcr-certificate", "--pcr-certificate"},
};

static JsonObject *get_object(JsonObject *object, const char *name) {
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static JsonObject *get_certificates(const WorkerJob *job) {
    return get_object(get_object(job->description, "keys"), "certificates");
}

static gboolean write_file(const WorkerJob *job, const char *name, const void *data, gsize size, GError **error) {
    g_autofree char *directory = g_build_filename(job->path, "keys", NULL);
    g_autofree char *path = g_build_filename(directory, name, NULL);

    if (g_mkdir_with_parents(directory, 0755) < 0)
        return set_errno_error(error, errno, "Cannot make %s", directory);
    return g_file_set_contents(path, data, (gssize) size, error);
}

static gboolean write_ring(WorkerJob *job, GError **error) {
    JsonObject *all = get_object(job->description, "keys");
    const char *text = all ? json_object_get_string_member_with_default(all, "keyRing", NULL) : NULL;
    g_autofree guchar *data = NULL;
    gsize size = 0;

    if (!text)
        return TRUE;
    data = g_base64_decode(text, &size);
    return write_file(job, RING, data, size, error);
}

/* Firmware and kernel learn the verity key from the db that the image enrols, whose certificates are in the recipe. That is
 * somebody else's tree: no link of it is followed. */
static gboolean write_db(WorkerJob *job, const char *pem, GError **error) {
    AUTO_FD recipe = open(job->recipe, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD db = -1;
    AUTO_FD file = -1;

    if (recipe < 0 || (mkdirat(recipe, DB, 0755) < 0 && errno != EEXIST) ||
            (db = openat(recipe, DB, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
        return set_errno_error(error, errno, "Cannot use " DB " of the recipe");
    file = openat(db, "kitchen-verity.crt", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (file < 0 || !write_all(file, pem, strlen(pem)))
        return set_errno_error(error, errno, "Cannot write into " DB " of the recipe");
    return TRUE;
}

gboolean keys_write(WorkerJob *job, GError **error) {
    JsonObject *certificates = get_certificates(job);

    for (guint i = 0; certificates && i < G_N_ELEMENTS(keys); i++) {
        const char *pem = json_object_get_string_member_with_default(certificates, keys[i].purpose, NULL);

        if (pem && (!write_file(job, keys[i].file, pem, strlen(pem), error) ||
                           (strcmp(keys[i].purpose, "verity") == 0 && !write_db(job, pem, error))))
            return FALSE;
    }
    return write_ring(job, error);
}

static void add_files(const WorkerJob *job, GPtrArray *arguments, gboolean inspect) {
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *path = g_build_filename(job->path, "keys", keys[i].file, NULL);

        if (g_file_test(path, G_FILE_TEST_EXISTS))
            g_ptr_array_add(arguments, g_strconcat(inspect ? keys[i].inspect : keys[i].option, "=", path, NULL));
    }
}

void keys_add_arguments(const WorkerJob *job, GPtrArray *arguments) {
    g_autofree char *ring = g_build_filename(job->path, "keys", RING, NULL);

    add_files(job, arguments, FALSE);
    if (!g_file_test(ring, G_FILE_TEST_EXISTS))
        return;
    /* systemd before 258 knows the other name only. */
    g_ptr_array_add(arguments, g_strdup_printf("--extra-tree=%s:/usr/lib/systemd/import-pubring.pgp", ring));
    g_ptr_array_add(arguments, g_strdup_printf("--extra-tree=%s:/usr/lib/systemd/import-pubring.gpg", ring));
}

void keys_add_inspect_arguments(const WorkerJob *job, GPtrArray *arguments) {
    add_files(job, arguments, TRUE);
}
