/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/database/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "distro/driver/session.h"
#include "distro/rpm/database/header.h"
#include "distro/rpm/family/family.h"
#include "distro/rpm/run/run.h"
#include "tree/tree.h"

#define COPY "rpmdb"
#define FILE_NAME "rpmdb.sqlite"
#define IN_SANDBOX "/run/rpmdb"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3, sqlite3_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

/* Copies the tree's database to WORKSPACE/rpmdb. RET_THERE: FALSE when the tree has none. */
static gboolean copy_out(DistroSession *session, int root_fd, gboolean *ret_there, GError **error) {
    const char *database = rpm_family_database(session->config);
    AUTO_FD workspace = open(session->workspace, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (workspace < 0)
        return set_errno_error(error, errno, "Cannot open %s", session->workspace);
    *ret_there = tree_exists(root_fd, database);
    if (!*ret_there)
        return TRUE;
    if (tree_remove(workspace, COPY, error) && tree_mkdir_p(workspace, COPY, 0755, error) &&
            tree_copy(root_fd, database, workspace, COPY, TREE_COPY_CONTENTS_ONLY, error))
        return TRUE;
    g_prefix_error(error, "Cannot copy the database of packages: ");
    return FALSE;
}

/* What "rpm -qa" prints with FORMAT; NULL and no ERROR when the tree has no database. */
static char *query(DistroSession *session, const char *root, const char *format, GError **error) {
    AUTO_FD root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autofree char *copy = session_path(session, COPY);
    const char *const argv[] = {"rpm", "-qa", "--dbpath", IN_SANDBOX, "--qf", format, NULL};
    gboolean there = FALSE;

    if (root_fd < 0) {
        set_errno_error(error, errno, "Cannot open %s", root);
        return NULL;
    }
    if (!copy_out(session, root_fd, &there, error) || !there)
        return NULL;
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(session->tools_tree);
    rpm_sandbox_configuration(session, sandbox);
    sandbox_bind(sandbox, copy, IN_SANDBOX, 0);
    char *text = sandbox_run_output(sandbox, argv, NULL, error);
    if (!text)
        g_prefix_error(error, "Cannot list the packages of the image: ");
    return text;
}

/* "systemd-255.4-1.fc40.src.rpm" was made from "systemd". */
static char *source_name(const char *file, const char *package) {
    const char *end = g_strrstr(file, "-");
    g_autofree char *without = end ? g_strndup(file, end - file) : NULL;
    const char *version = without ? g_strrstr(without, "-") : NULL;

    return version ? g_strndup(without, version - without) : g_strdup(package);
}

static int compare_installed(gconstpointer a, gconstpointer b) {
    const DistroInstalled *left = *(DistroInstalled *const *) a, *right = *(DistroInstalled *const *) b;
    int order = strcmp(left->name, right->name);

    if (order == 0)
        order = strcmp(left->architecture, right->architecture);
    return order ? order : strcmp(left->version, right->version);
}

static void add_installed(GPtrArray *installed, const char *line) {
    g_auto(GStrv) words = g_strsplit(line, "\t", 5);
    if (g_strv_length(words) != 5 || g_str_equal(words[0], "gpg-pubkey"))
        return;
    DistroInstalled *package = g_new0(DistroInstalled, 1);
    package->name = g_strdup(words[0]);
    package->version = g_strdup(words[1]);
    package->architecture = g_strdup(words[2]);
    package->source = source_name(words[3], words[0]);
    package->installed_size = g_ascii_strtoull(words[4], NULL, 10);
    g_ptr_array_add(installed, package);
}

GPtrArray *rpm_installed(DistroSession *session, const char *root, GError **error) {
    g_autoptr(GPtrArray) installed = g_ptr_array_new_with_free_func((GDestroyNotify) distro_installed_free);
    g_autoptr(GError) failure = NULL;
    g_autofree char *text =
            query(session, root, "%{NAME}\\t%{EVR}\\t%{ARCH}\\t%{SOURCERPM}\\t%{LONGSIZE}\\n", &failure);

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    for (char **line = lines; *line; line++)
        add_installed(installed, *line);
    g_ptr_array_sort(installed, compare_installed);
    return g_steal_pointer(&installed);
}

/* Between packages stands a byte that no text has. */
#define SEPARATOR "\001"

char *rpm_changelog(DistroSession *session, const char *root, const char *package) {
    RpmState *state = rpm_state(session);

    if (!state->changelogs) {
        g_autofree char *text = query(session, root,
                "%{NAME}\\n[* %{CHANGELOGTIME:day} %{CHANGELOGNAME}\\n%{CHANGELOGTEXT}\\n\\n]" SEPARATOR, NULL);
        g_auto(GStrv) all = g_strsplit(text ? text : "", SEPARATOR, -1);
        state->changelogs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        for (char **one = all; *one; one++) {
            const char *end = strchr(*one, '\n');
            if (end)
                g_hash_table_replace(state->changelogs, g_strndup(*one, end - *one), g_strstrip(g_strdup(end + 1)));
        }
    }
    const char *found = g_hash_table_lookup(state->changelogs, package);
    return found && *found ? g_strdup(found) : NULL;
}

/* ---- times ---- */

static gboolean set_sqlite_error(sqlite3 *database, GError **error) {
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_INSTALL, "Cannot settle the database of packages: %s",
            database ? sqlite3_errmsg(database) : "out of memory");
    return FALSE;
}

static gboolean store_header(sqlite3 *database, gint64 number, const guint8 *header, int length) {
    g_autoptr(sqlite3_stmt) update = NULL;

    return sqlite3_prepare_v2(database, "UPDATE Packages SET blob = ? WHERE hnum = ?", -1, &update, NULL) ==
                   SQLITE_OK &&
           sqlite3_bind_blob(update, 1, header, length, SQLITE_TRANSIENT) == SQLITE_OK &&
           sqlite3_bind_int64(update, 2, number) == SQLITE_OK && sqlite3_step(update) == SQLITE_DONE;
}

static gboolean settle_headers(sqlite3 *database, guint32 epoch, GError **error) {
    g_autoptr(sqlite3_stmt) select = NULL;
    int status;

    if (sqlite3_prepare_v2(database, "SELECT hnum, blob FROM Packages ORDER BY hnum", -1, &select, NULL) != SQLITE_OK)
        return set_sqlite_error(database, error);
    while ((status = sqlite3_step(select)) == SQLITE_ROW) {
        int length = sqlite3_column_bytes(select, 1);
        g_autofree guint8 *header = g_memdup2(sqlite3_column_blob(select, 1), length);
        if (!rpm_header_set_number(header, length, RPM_TAG_INSTALLTIME, epoch) ||
                !rpm_header_set_number(header, length, RPM_TAG_INSTALLTID, epoch)) {
            g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_INSTALL, "The database of packages is damaged");
            return FALSE;
        }
        if (!store_header(database, sqlite3_column_int64(select, 0), header, length))
            return set_sqlite_error(database, error);
    }
    return status == SQLITE_DONE || set_sqlite_error(database, error);
}

/* The index by transaction holds the same number, in the order of bytes of the machine that installs. */
static gboolean settle_index(sqlite3 *database, guint32 epoch, GError **error) {
    g_autoptr(sqlite3_stmt) update = NULL;

    if (sqlite3_prepare_v2(database, "UPDATE Installtid SET key = ?", -1, &update, NULL) == SQLITE_OK &&
            sqlite3_bind_blob(update, 1, &epoch, sizeof epoch, SQLITE_TRANSIENT) == SQLITE_OK &&
            sqlite3_step(update) == SQLITE_DONE)
        return TRUE;
    return set_sqlite_error(database, error);
}

static gboolean run_sql(sqlite3 *database, const char *sql, GError **error) {
    return sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK || set_sqlite_error(database, error);
}

/* Writes a new file: the old one remembers how often it was changed. */
static gboolean settle(const char *directory, gint64 epoch, GError **error) {
    g_autofree char *old = g_build_filename(directory, FILE_NAME, NULL);
    g_autofree char *new = g_build_filename(directory, "settled", NULL);
    g_autofree char *into = g_strdup_printf("VACUUM INTO '%s'", new);
    g_autoptr(sqlite3) database = NULL;

    if (sqlite3_open_v2(old, &database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return set_sqlite_error(database, error);
    return (epoch < 0 ||
                   (run_sql(database, "BEGIN", error) && settle_headers(database, (guint32) epoch, error) &&
                           settle_index(database, (guint32) epoch, error) && run_sql(database, "COMMIT", error))) &&
           run_sql(database, into, error);
}

/* The settled file takes the place of all files of the old database. */
static gboolean copy_back(DistroSession *session, int root_fd, GError **error) {
    const char *database = rpm_family_database(session->config);
    g_autofree char *name = g_build_filename(database, FILE_NAME, NULL);
    g_autofree char *others = g_strconcat("/", database, "/" FILE_NAME "-*", NULL);
    g_autofree char *lock = g_strconcat("/", database, "/.rpm.lock", NULL);
    g_autofree char *settled = session_path(session, COPY "/settled");
    g_autofree char *content = NULL;
    gsize length = 0;

    return g_file_get_contents(settled, &content, &length, error) &&
           tree_write_file(root_fd, name, content, length, 0644, error) && tree_remove_glob(root_fd, others, error) &&
           tree_remove_glob(root_fd, lock, error);
}

gboolean rpm_forget_installation(DistroSession *session, const char *root, GError **error) {
    static const char *const notes[] = {"/var/lib/dnf/history.sqlite*",
            "/usr/lib/sysimage/libdnf5/transaction_history.sqlite*", "/var/log/dnf*.log", "/var/log/hawkey.log",
            "/var/log/zypp", "/var/log/zypper.log", "/var/lib/zypp/AutoInstalled", "/var/lib/zypp/AnonymousUniqueId"};
    AUTO_FD root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autofree char *copy = session_path(session, COPY);
    g_autofree char *file = g_build_filename(copy, FILE_NAME, NULL);
    gboolean there = FALSE;

    if (root_fd < 0)
        return set_errno_error(error, errno, "Cannot open %s", root);
    for (gsize i = 0; i < G_N_ELEMENTS(notes); i++)
        if (!tree_remove_glob(root_fd, notes[i], error))
            return FALSE;
    if (!copy_out(session, root_fd, &there, error))
        return FALSE;
    if (!there || !g_file_test(file, G_FILE_TEST_EXISTS))
        return TRUE;
    return settle(copy, session->config->source_date_epoch, error) && copy_back(session, root_fd, error);
}

gboolean rpm_clean_metadata(int root_fd, GError **error) {
    static const char *const globs[] = {"/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/lib/sysimage/libdnf5",
            "/var/lib/dnf", "/var/lib/zypp", "/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/zypp", "/var/log/dnf*",
            "/var/log/hawkey*", "/var/log/zypp*"};

    for (gsize i = 0; i < G_N_ELEMENTS(globs); i++)
        if (!tree_remove_glob(root_fd, globs[i], error))
            return FALSE;
    return TRUE;
}
