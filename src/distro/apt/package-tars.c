/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/package-tars.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/sha256.h"
#include "distro/apt/dpkg-bootstrap.h"
#include "distro/driver/session.h"
#include "events/events.h"
#include "events/task.h"
#include "packs/oldest.h"

#define SUFFIX ".tar"
/* In the sandbox. */
#define STORE "/run/package-tars/store"
#define NAMES "/run/package-tars/names"
#define ARCHIVES "/var/cache/apt/archives"
#define DPKG_DEB "/usr/bin/dpkg-deb"
#define REAL_DPKG_DEB "/run/package-tars/dpkg-deb"
/* What was used so recently may be in use by another build. */
#define IN_USE_SECONDS 3600
#define THREADS_MAX 8

/* apt hands dpkg links to the files. Those that are not of its cache are none that were checked. */
static const char script[] = "#!/bin/sh\n"
                             "# Hands out archives that particleos has decompressed before.\n"
                             "if [ \"$1\" = --fsys-tarfile ] && [ $# = 2 ]; then\n"
                             "    file=$(readlink -f \"$2\")\n"
                             "    tar=" NAMES "/${file##*/}\n"
                             "    if [ \"${file%/*}\" = " ARCHIVES " ] && [ -r \"$tar\" ]; then exec cat \"$tar\"; fi\n"
                             "fi\n"
                             "exec " REAL_DPKG_DEB " \"$@\"\n";

typedef struct {
    char *file;   /* its name, as dpkg gets it */
    char *digest; /* of the package file */
    char *known;  /* the name in the store that begins with that digest; NULL: none */
} Job;

struct PackageTars {
    Task *task; /* or NULL */
    char *archives; /* where package files are */
    char *names; /* the directory of the session in which they are offered */
    int store;
    guint64 limit;
    GThreadPool *pool;
    atomic_uint found, made;
};

typedef struct archive ArchiveReader;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ArchiveReader, archive_read_free)

static void job_free(gpointer data) {
    Job *job = data;
    g_free(job->file);
    g_free(job->digest);
    g_free(job->known);
    g_free(job);
}

/* Links appear whole. */
static void offer(const PackageTars *tars, const Job *job, const char *stored) {
    g_autofree char *link = g_build_filename(tars->names, job->file, NULL);
    g_autofree char *target = g_build_filename(STORE, stored, NULL);
    ignore_failure(symlink(target, link) == 0);
}

static char *stored_name(const char *package, const guint8 *digest) {
    g_autofree char *hex = hex_encode(digest, SHA256_SIZE);
    return g_strconcat(package, "-", hex, SUFFIX, NULL);
}

/* Whether what is stored is what was stored. What is not is removed. */
static gboolean is_whole(const PackageTars *tars, const Job *job) {
    guint8 digest[SHA256_SIZE];
    AUTO_FD fd = openat(tars->store, job->known, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || futimens(fd, NULL) < 0)
        return FALSE;
    g_autofree char *name = sha256_fd(fd, digest, NULL) ? stored_name(job->digest, digest) : NULL;
    if (name && g_str_equal(name, job->known))
        return TRUE;
    ignore_failure(unlinkat(tars->store, job->known, 0) == 0);
    return FALSE;
}

/* Decompresses the archive in the package file DEB to FD. */
static gboolean decompress(const char *deb, int fd, guint8 *ret_digest, GError **error) {
    g_autoptr(ArchiveReader) reader = archive_read_new();
    g_autoptr(Sha256) sha = sha256_new();
    g_autofree guint8 *buffer = g_malloc(1 << 20);
    struct archive_entry *entry;
    AUTO_FD data = dpkg_open_data(deb, error);

    if (data < 0)
        return FALSE;
    archive_read_support_filter_all(reader);
    archive_read_support_format_raw(reader);
    if (archive_read_open_fd(reader, data, 1 << 20) != ARCHIVE_OK ||
            archive_read_next_header(reader, &entry) != ARCHIVE_OK) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO, "%s: %s", deb, archive_error_string(reader));
        return FALSE;
    }
    for (;;) {
        la_ssize_t n = archive_read_data(reader, buffer, 1 << 20);
        if (n < 0) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_IO, "%s: %s", deb, archive_error_string(reader));
            return FALSE;
        }
        if (n == 0)
            break;
        sha256_update(sha, buffer, (gsize) n);
        if (!write_all(fd, buffer, (gsize) n))
            return set_errno_error(error, errno, "%s", deb);
    }
    sha256_finish(sha, ret_digest);
    return TRUE;
}

/* Has no name until it is whole: whoever is killed leaves nothing behind. */
static char *make(const PackageTars *tars, const Job *job, GError **error) {
    guint8 digest[SHA256_SIZE];
    g_autofree char *deb = g_build_filename(tars->archives, job->file, NULL);
    AUTO_FD fd = openat(tars->store, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    g_autofree char *self = g_strdup_printf("/proc/self/fd/%d", fd);

    if (fd < 0) {
        set_errno_error(error, errno, "Cannot keep what is in %s", job->file);
        return NULL;
    }
    if (!decompress(deb, fd, digest, error))
        return NULL;
    g_autofree char *name = stored_name(job->digest, digest);
    if (linkat(AT_FDCWD, self, tars->store, name, AT_SYMLINK_FOLLOW) == 0 || errno == EEXIST)
        return g_steal_pointer(&name);
    set_errno_error(error, errno, "Cannot keep what is in %s", job->file);
    return NULL;
}

static void run_job(gpointer data, gpointer user_data) {
    Job *job = data;
    PackageTars *tars = user_data;
    g_autoptr(TaskScope) scope = tars->task ? task_enter(tars->task) : NULL;
    g_autoptr(GError) error = NULL;

    if (task_is_cancelled(tars->task))
        return;
    if (job->known && is_whole(tars, job)) {
        offer(tars, job, job->known);
        atomic_fetch_add(&tars->found, 1);
        return;
    }
    g_autofree char *name = make(tars, job, &error);
    if (name) {
        offer(tars, job, name);
        atomic_fetch_add(&tars->made, 1);
    } else
        events_debug("dpkg-deb decompresses it: %s", error->message);
}

/* The names in the store, by the digest of the package that they begin with. */
static GHashTable *list_store(int store) {
    g_autoptr(GPtrArray) names = list_directory_at(store, ".", NULL);
    GHashTable *known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; names && i < names->len; i++) {
        const char *name = names->pdata[i];
        if (strlen(name) == 2 * SHA256_HEX_SIZE + 1 + strlen(SUFFIX) && g_str_has_suffix(name, SUFFIX))
            g_hash_table_insert(known, g_strndup(name, SHA256_HEX_SIZE), g_strdup(name));
    }
    return known;
}

static void push_jobs(PackageTars *tars, const GPtrArray *files) {
    g_autoptr(GHashTable) known = list_store(tars->store);
    for (guint i = 0; i < files->len; i++) {
        const DistroPackage *package = files->pdata[i];
        if (package->local || !g_str_has_prefix(package->digest, "SHA256:"))
            continue;
        Job *job = g_new0(Job, 1);
        job->file = g_strdup(package->file);
        job->digest = g_strdup(package->digest + strlen("SHA256:"));
        job->known = g_strdup(g_hash_table_lookup(known, job->digest));
        g_thread_pool_push(tars->pool, job, NULL);
    }
}

static gboolean put_script(const PackageTars *tars, DistroSession *session, Sandbox *sandbox) {
    g_autofree char *path = session_path(session, "dpkg-deb");
    g_autofree char *real = g_strconcat(session->tools_tree ? session->tools_tree : "", DPKG_DEB, NULL);
    g_autofree char *store = g_strdup_printf("/proc/self/fd/%d", tars->store);
    g_autofree char *where = g_file_read_link(store, NULL);

    if (!where || access(real, X_OK) < 0 || !g_file_set_contents_full(path, script, -1, 0, 0755, NULL))
        return FALSE;
    sandbox_bind(sandbox, where, STORE, SANDBOX_READ_ONLY);
    sandbox_bind(sandbox, tars->names, NAMES, SANDBOX_READ_ONLY);
    sandbox_bind(sandbox, real, REAL_DPKG_DEB, SANDBOX_READ_ONLY);
    sandbox_bind(sandbox, path, DPKG_DEB, SANDBOX_READ_ONLY);
    return TRUE;
}

PackageTars *package_tars_begin(DistroSession *session, const GPtrArray *files, Sandbox *sandbox) {
    g_autofree char *path = g_build_filename(session->package_cache, "unpacked", NULL);
    g_autofree char *names = session_path(session, "package-tars");

    if (session->config->unpacked_packages == 0 || g_mkdir_with_parents(path, 0700) < 0 ||
            g_mkdir_with_parents(names, 0700) < 0)
        return NULL;
    g_autoptr(PackageTars) tars = g_new0(PackageTars, 1);
    tars->task = task_current();
    tars->archives = g_build_filename(session->package_cache, "archives", NULL);
    tars->names = g_steal_pointer(&names);
    tars->limit = session->config->unpacked_packages;
    tars->store = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tars->store < 0 || !put_script(tars, session, sandbox))
        return NULL;
    tars->pool = g_thread_pool_new_full(run_job, tars, job_free, (int) MIN(g_get_num_processors(), THREADS_MAX), FALSE, NULL);
    push_jobs(tars, files);
    return g_steal_pointer(&tars);
}

void package_tars_end(PackageTars *tars) {
    if (!tars)
        return;
    if (tars->pool)
        g_thread_pool_free(tars->pool, task_is_cancelled(tars->task), TRUE);
    if (tars->store >= 0) {
        guint forgotten = remove_oldest(tars->store, SUFFIX, tars->limit, G_MAXUINT, IN_USE_SECONDS);
        events_debug("archives of packages: %u were decompressed already, %u are now, %u old ones removed",
                atomic_load(&tars->found), atomic_load(&tars->made), forgotten);
    }
    cleanup_fd(&tars->store);
    g_free(tars->archives);
    g_free(tars->names);
    g_free(tars);
}
