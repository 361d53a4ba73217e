/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/pacman/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "distro/driver/cache-lock.h"
#include "distro/driver/resolve-cache.h"
#include "distro/driver/verified.h"
#include "distro/pacman/configuration.h"
#include "distro/pacman/run.h"
#include "distro/pacman/session.h"
#include "tree/tree.h"

#define KEYRINGS "usr/share/pacman/keyrings"
#define DEBIAN_KEYRINGS "usr/share/keyrings"
#define HOMES "keyrings"
#define RECORD "verified-keyrings"
#define PACKAGE "archlinux-keyring"

/* What a GnuPG home needs to verify; the key that signed the keys of others is thrown away. */
static const char *const home_files[] = {"gpg.conf", "pubring.gpg", "trustdb.gpg"};

static gboolean make_directory(const char *path, int mode, GError **error) {
    return g_mkdir_with_parents(path, mode) == 0 || set_errno_error(error, errno, "Cannot create %s", path);
}

/* Of Debian's keyrings, which lie beside one another, those of Arch and what goes with them. */
static gboolean is_for_pacman(const char *name, gboolean mixed) {
    return (g_str_has_suffix(name, ".gpg") || g_str_has_suffix(name, "-trusted") ||
                   g_str_has_suffix(name, "-revoked")) &&
           (!mixed || g_str_has_prefix(name, "archlinux"));
}

/* Adds the keyrings in FROM, a directory in the tree ROOT, to those in TARGET; links lead to nowhere outside of the
 * tree. */
static gboolean add_keyrings(const char *root, const char *from, gboolean mixed, const char *target, GError **error) {
    AUTO_FD fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || !tree_exists(fd, from))
        return TRUE;
    g_autoptr(GPtrArray) names = tree_list(tree_open(fd, from, O_RDONLY | O_DIRECTORY, 0, NULL), error);
    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *source = g_build_filename(from, name, NULL), *copy = g_build_filename(target, name, NULL);
        g_autofree char *content = NULL;
        gsize length = 0;
        if (is_for_pacman(name, mixed) && (!(content = tree_read_file(fd, source, &length, error)) ||
                                                  !g_file_set_contents(copy, content, length, error)))
            return FALSE;
    }
    return TRUE;
}

/* Takes the keyring out of the package, whose signature nobody can verify yet. */
static gboolean unpack_keyring(DistroSession *session, const char *directory, const char *target, GError **error) {
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);
    g_autofree char *tree = pacman_path(session, "keyring-package");
    const char *found = NULL;

    for (guint i = 0; i < names->len; i++)
        if (g_str_has_prefix(names->pdata[i], PACKAGE "-") && strstr(names->pdata[i], ".pkg.tar") &&
                !g_str_has_suffix(names->pdata[i], ".sig"))
            found = names->pdata[i];
    if (!found) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR, "The package " PACKAGE " was not downloaded");
        return FALSE;
    }
    g_autofree char *path = g_build_filename(directory, found, NULL);
    AUTO_FD archive = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (archive < 0)
        return set_errno_error(error, errno, "Cannot open %s", path);
    if (!make_directory(tree, 0755, error))
        return FALSE;
    AUTO_FD tree_fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!tree_extract(archive, tree_fd, ".", 0, error)) {
        g_prefix_error(error, "Cannot unpack %s: ", found);
        return FALSE;
    }
    return add_keyrings(tree, KEYRINGS, FALSE, target, error);
}

/* Downloads the package of the keyring without looking at signatures, into a place of its own. */
static gboolean fetch_keyring(DistroSession *session, const char *target, GError **error) {
    g_autofree char *trusting = pacman_path(session, "trusting.conf"), *file = pacman_path(session, "pacman.conf");
    g_autofree char *databases = pacman_path(session, "keyring-databases");
    g_autofree char *packages = pacman_path(session, "keyring-packages");
    g_autofree char *text = NULL;

    if (!g_file_get_contents(file, &text, NULL, error) || !make_directory(databases, 0755, error) ||
            !make_directory(packages, 0755, error))
        return FALSE;
    g_autofree char *changed = pacman_configuration_without_keys(text);
    if (!g_file_set_contents(trusting, changed, -1, error))
        return FALSE;

    g_autoptr(GPtrArray) argv = pacman_transaction(session, "--sync");
    g_autoptr(Sandbox) sandbox = pacman_sandbox(session, NULL, PACMAN_NETWORK | PACMAN_FETCH, error);
    if (!sandbox)
        return FALSE;
    sandbox_bind(sandbox, trusting, "/etc/pacman.conf", SANDBOX_READ_ONLY);
    sandbox_bind(sandbox, databases, "/var/lib/pacman/sync", 0);
    sandbox_bind(sandbox, packages, "/var/cache/pacman/pkg", 0);
    pacman_add_words(argv, "--refresh", "--downloadonly", "--nodeps", "--nodeps", PACKAGE, NULL);
    if (!pacman_run(session, sandbox, argv, NULL, DISTRO_ERROR_MIRROR,
                "RepositoryKeyFetch=no takes the keyring of the tools or of SandboxTrees=.", NULL, error)) {
        g_prefix_error(error, "Cannot fetch the keyring: ");
        return FALSE;
    }
    return unpack_keyring(session, packages, target, error);
}

/* All keyrings that count, in one directory; owned by the caller. */
static char *collect_keyrings(DistroSession *session, GError **error) {
    g_autofree char *target = pacman_path(session, "keyrings");
    const char *tools = session->tools_tree ? session->tools_tree : "/";

    if (!make_directory(target, 0755, error) || !add_keyrings(tools, DEBIAN_KEYRINGS, TRUE, target, error) ||
            !add_keyrings(tools, KEYRINGS, FALSE, target, error) ||
            (session->sandbox_tree && !add_keyrings(session->sandbox_tree, KEYRINGS, FALSE, target, error)))
        return NULL;
    if (session->config->repository_key_fetch && !fetch_keyring(session, target, error))
        return NULL;
    g_autoptr(GPtrArray) names = list_directory_if_any(target);
    if (names->len > 0)
        return g_steal_pointer(&target);
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
            "There is no keyring of Arch: install the package " PACKAGE ", use a tools tree that has it "
            "(ToolsTree=default), bring one with SandboxTrees=DIRECTORY:/" KEYRINGS
            ", or let it be fetched unverified with RepositoryKeyFetch=yes");
    return NULL;
}

/* Copies the files of a home from directory FROM to TO. */
static gboolean copy_home(const char *from, const char *to, GError **error) {
    if (!make_directory(to, 0700, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(home_files); i++) {
        g_autofree char *source = g_build_filename(from, home_files[i], NULL);
        g_autofree char *target = g_build_filename(to, home_files[i], NULL);
        g_autofree char *content = NULL;
        gsize length = 0;
        if (!g_file_get_contents(source, &content, &length, error) ||
                !g_file_set_contents_full(target, content, length, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean is_verified(DistroSession *session, const char *directory) {
    g_autoptr(Verified) verified = verified_read(session->package_cache, RECORD);

    for (gsize i = 0; i < G_N_ELEMENTS(home_files); i++) {
        g_autofree char *file = g_build_filename(directory, home_files[i], NULL);
        g_autofree char *recorded = g_strdup(verified_recorded(verified, file));
        g_autofree char *digest = recorded ? verified_digest(verified, file, NULL) : NULL;
        if (!digest || !g_str_equal(digest, recorded))
            return FALSE;
    }
    return TRUE;
}

static gboolean keep_home(DistroSession *session, const char *home, const char *directory, GError **error) {
    g_autofree char *target = g_build_filename(session->package_cache, directory, NULL);
    g_autoptr(Verified) verified = verified_read(session->package_cache, RECORD);

    if (!copy_home(home, target, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(home_files); i++) {
        g_autofree char *file = g_build_filename(directory, home_files[i], NULL);
        g_autofree char *digest = verified_digest(verified, file, error);
        if (!digest)
            return FALSE;
    }
    return verified_write(verified, error);
}

static gboolean run_pacman_key(DistroSession *session, const char *keyrings, const char *home, GError **error) {
    const char *const init[] = {"pacman-key", "--config", "/etc/pacman.conf", "--gpgdir", "/run/gnupg", "--init", NULL};
    const char *const populate[] = {
            "pacman-key", "--config", "/etc/pacman.conf", "--gpgdir", "/run/gnupg", "--populate", NULL};
    const char *tools = session->tools_tree ? session->tools_tree : "/";
    static const char *const places[] = {KEYRINGS, DEBIAN_KEYRINGS};
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(session->tools_tree);

    pacman_mount_configuration(session, sandbox, PACMAN_PACKAGES | PACMAN_FETCH);
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *place = g_build_filename(tools, places[i], NULL);
        g_autofree char *target = g_strconcat("/", places[i], NULL);
        if (g_file_test(place, G_FILE_TEST_IS_DIR))
            sandbox_bind(sandbox, keyrings, target, SANDBOX_READ_ONLY);
    }
    sandbox_bind(sandbox, home, "/run/gnupg", 0);
    sandbox_suppress_sync(sandbox);
    return sandbox_run(sandbox, init, error) && sandbox_run(sandbox, populate, error);
}

static char *keyring_key(DistroSession *session, const char *keyrings) {
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *program =
            g_build_filename(session->tools_tree ? session->tools_tree : "/", "usr/bin/pacman-key", NULL);

    resolve_cache_digest_files(checksum, keyrings, NULL);
    resolve_cache_digest_program(checksum, program);
    return g_strdup_printf(HOMES "/%.16s", g_checksum_get_string(checksum));
}

static gboolean make_home(DistroSession *session, const char *keyrings, const char *kept, GError **error) {
    g_autofree char *home = pacman_path(session, "gnupg-making");

    if (!make_directory(home, 0700, error))
        return FALSE;
    if (!run_pacman_key(session, keyrings, home, error)) {
        g_prefix_error(error, "Cannot make a keyring for pacman: ");
        return FALSE;
    }
    return keep_home(session, home, kept, error) && tree_remove(AT_FDCWD, home, error);
}

gboolean pacman_keyring_prepare(DistroSession *session, GError **error) {
    PacmanState *state = pacman_state(session);

    if (state->has_keyring || !session->config->repository_key_check)
        return TRUE;
    g_autofree char *keyrings = collect_keyrings(session, error);
    g_autofree char *kept = keyrings ? keyring_key(session, keyrings) : NULL;
    g_autofree char *source = kept ? g_build_filename(session->package_cache, kept, NULL) : NULL;
    g_autofree char *home = pacman_path(session, "pacman.d/gnupg");

    if (!kept)
        return FALSE;
    AUTO_FD lock = cache_lock_packages(session, error);
    if (lock < 0 || (!is_verified(session, kept) && !make_home(session, keyrings, kept, error)) ||
            !copy_home(source, home, error))
        return FALSE;
    state->has_keyring = TRUE;
    return TRUE;
}
