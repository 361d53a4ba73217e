/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/job/update.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "update/job/update-private.h"
#include "update/transfer/error.h"

#define LOCK_FILE "/run/particleos-update.lock"

static void free_disk(gpointer disk) {
    disk_free(disk);
}

static void free_target(gpointer target) {
    target_free(target);
}

static void free_source(gpointer source) {
    update_source_free(source);
}

static void free_version(gpointer version) {
    g_free(((UpdateVersion *) version)->version);
    g_free(version);
}

void update_free(Update *update) {
    if (!update)
        return;
    g_ptr_array_unref(update->versions);
    g_ptr_array_unref(update->of);
    g_ptr_array_unref(update->sources);
    g_ptr_array_unref(update->targets);
    g_ptr_array_unref(update->disks);
    g_clear_pointer(&update->transfers, g_ptr_array_unref);
    keyring_free(update->keyring);
    g_free(update->keyring_problem);
    http_free(update->http);
    g_strfreev(update->definitions);
    g_free(update->transfer_source);
    machine_free(update->machine);
    if (update->lock >= 0)
        close(update->lock);
    g_free(update);
}

/* The key ring that systemd-sysupdate uses: the first of these. */
static void load_keyring(Update *update) {
    static const char *const places[] = {"/etc/systemd/import-pubring.pgp", "/etc/systemd/import-pubring.gpg",
            "/usr/lib/systemd/import-pubring.pgp", "/usr/lib/systemd/import-pubring.gpg"};
    g_autoptr(GError) failure = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = machine_path(update->machine, places[i]);
        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            continue;
        update->keyring = keyring_load(path, &failure);
        if (!update->keyring)
            update->keyring_problem = g_strdup_printf("Cannot use the key ring: %s", failure->message);
        return;
    }
    update->keyring_problem =
            g_strdup_printf("There is no key ring, so nobody can say whose updates are right: put the "
                            "vendor's OpenPGP key into %s%s",
                    update->machine->root, places[1]);
}

static Disk *find_disk(Update *update, const char *path, GError **error) {
    for (guint i = 0; i < update->disks->len; i++)
        if (g_str_equal(((Disk *) update->disks->pdata[i])->path, path))
            return update->disks->pdata[i];
    Disk *disk = disk_open(path, FALSE, error);
    if (disk)
        g_ptr_array_add(update->disks, disk);
    return disk;
}

static gboolean read_targets(Update *update, GError **error) {
    g_ptr_array_set_size(update->targets, 0);
    for (guint i = 0; i < update->transfers->len; i++) {
        const Transfer *transfer = update->transfers->pdata[i];
        Disk *disk = NULL;
        if (transfer->target == TRANSFER_TARGET_PARTITION) {
            const char *path =
                    transfer->target_path ? transfer->target_path : machine_find_disk(update->machine, error);
            disk = path ? find_disk(update, path, error) : NULL;
            if (!disk)
                return FALSE;
        }
        Target *target = target_read(transfer, update->machine, disk, error);
        if (!target)
            return FALSE;
        g_ptr_array_add(update->targets, target);
    }
    return TRUE;
}

/* The directory of a source; owned by the caller. */
static char *source_directory(const Update *update, const Transfer *transfer, GError **error) {
    if (transfer->source_relative == TRANSFER_RELATIVE_ROOT)
        return machine_path(update->machine, transfer->source_path);
    if (transfer->source_relative == TRANSFER_RELATIVE_EXPLICIT && update->transfer_source)
        return g_build_filename(update->transfer_source, transfer->source_path, NULL);
    update_fail(error, UPDATE_ERROR_CONFIGURATION, "%s: PathRelativeTo= of [Source]: %s", transfer->path,
            transfer->source_relative == TRANSFER_RELATIVE_EXPLICIT ? "--transfer-source= says where it is"
                                                                    : "only root and explicit are done here");
    return NULL;
}

static UpdateSource *open_source(Update *update, const Transfer *transfer, const char *path, GError **error) {
    gboolean verify = transfer->verify && !update->no_verify;
    SourceOptions options = {.http = update->http,
            .keyring = verify ? update->keyring : NULL,
            .keyring_problem = verify ? update->keyring_problem : NULL,
            .now = update->ignore_age ? 0 : g_get_real_time() / G_USEC_PER_SEC};

    return transfer->source == TRANSFER_SOURCE_URL_FILE ? update_source_open_url(path, &options, error)
                                                        : update_source_open_directory(path, error);
}

/* Transfers from one place share what is read there. */
static gboolean read_sources(Update *update, GError **error) {
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < update->transfers->len; i++) {
        const Transfer *transfer = update->transfers->pdata[i];
        g_autofree char *path = transfer->source == TRANSFER_SOURCE_URL_FILE
                                        ? g_strdup(transfer->source_path)
                                        : source_directory(update, transfer, error);
        if (!path)
            return FALSE;
        g_autofree char *key = g_strdup_printf("%d %s", transfer->verify, path);
        UpdateSource *source = g_hash_table_lookup(known, key);
        if (!source) {
            source = open_source(update, transfer, path, error);
            if (!source)
                return FALSE;
            g_ptr_array_add(update->sources, source);
            g_hash_table_insert(known, g_steal_pointer(&key), source);
        }
        g_ptr_array_add(update->of, source);
    }
    return TRUE;
}

static Update *update_alloc(const UpdateOptions *options) {
    Update *update = g_new0(Update, 1);
    HttpOptions http = {options->timeout, options->ca_file};

    update->lock = -1;
    update->machine = machine_new(options->root, options->image, options->boot);
    update->transfer_source = g_strdup(options->transfer_source);
    update->no_verify = options->no_verify;
    update->ignore_age = options->ignore_age;
    update->offline = options->offline;
    update->no_deltas = options->no_deltas;
    update->http = http_new(&http);
    update->disks = g_ptr_array_new_with_free_func(free_disk);
    update->targets = g_ptr_array_new_with_free_func(free_target);
    update->sources = g_ptr_array_new_with_free_func(free_source);
    update->of = g_ptr_array_new();
    update->versions = g_ptr_array_new_with_free_func(free_version);
    return update;
}

Update *update_new(const UpdateOptions *options, GError **error) {
    g_autoptr(Update) update = update_alloc(options);
    const char *const named[] = {options->definitions, NULL};

    if (!options->definitions)
        update->definitions = machine_definitions(update->machine);
    update->transfers = transfer_load(options->definitions ? named : (const char *const *) update->definitions,
            &update->machine->specifiers, error);
    if (!update->transfers)
        return NULL;
    load_keyring(update);
    if ((!update->offline && !read_sources(update, error)) || !update_reload(update, error))
        return NULL;
    return g_steal_pointer(&update);
}

gboolean update_lock(Update *update, GError **error) {
    const char *image = update->machine->disk;
    struct stat info;

    /* A disk that is a file is the thing itself; on a machine that runs one file stands for all. */
    gboolean file = image && stat(image, &info) == 0 && S_ISREG(info.st_mode);
    const char *path = file ? image : *update->machine->root ? update->machine->root : LOCK_FILE;
    int flags = file || *update->machine->root ? O_RDONLY : O_RDWR | O_CREAT;
    if (update->lock < 0)
        update->lock = open(path, flags | O_CLOEXEC, 0600);
    if (update->lock < 0)
        return set_errno_error(error, errno, "Cannot open %s to lock it", path);
    if (flock(update->lock, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    if (errno == EWOULDBLOCK)
        return update_fail(error, UPDATE_ERROR_BUSY, "Another update is at work (%s is locked)", path);
    return set_errno_error(error, errno, "Cannot lock %s", path);
}

gboolean update_reload(Update *update, GError **error) {
    for (guint i = 0; i < update->disks->len; i++)
        if (!disk_reload(update->disks->pdata[i], error))
            return FALSE;
    return read_targets(update, error) && update_read_versions(update, error);
}

void update_result_clear(UpdateResult *result) {
    g_clear_pointer(&result->version, g_free);
}
