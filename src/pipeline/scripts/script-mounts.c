/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/scripts/script-mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "distro/distro.h"
#include "pipeline/scripts/script-environment.h"
#include "pipeline/scripts/script-helpers.h"
#include "pipeline/scripts/script-sources.h"
#include "sandbox/sandbox.h"
#include "tree/tree.h"

/* /work as the script sees it. */
static void bind_work(Sandbox *sandbox, const ScriptRun *run, const char *script) {
    ScriptFlags flags = run->kind->flags;
    gboolean compiles = flags & SCRIPT_BUILD_DIRECTORY;

    sandbox_tmpfs(sandbox, "/work");
    sandbox_tmpfs(sandbox, "/work/src");
    script_sources_bind(run->sources, sandbox, flags & SCRIPT_READ_ONLY_SOURCES ? SANDBOX_READ_ONLY : 0);
    sandbox_bind(sandbox, script, run->kind->path, SANDBOX_READ_ONLY);
    if (run->json && !(flags & SCRIPT_FILTER))
        sandbox_file(sandbox, "/work/config.json", run->json, FALSE);
    if (run->out)
        sandbox_bind(sandbox, run->out, "/work/out", 0);
    if (run->dest)
        sandbox_bind(sandbox, run->dest, "/work/dest", 0);
    if (run->config->build_subdirectory && (compiles || (flags & SCRIPT_BUILD_RESULTS))) {
        sandbox_bind(
                sandbox, run->config->build_subdirectory, "/work/build", compiles ? 0 : SANDBOX_READ_ONLY);
        script_sources_mask(run->sources, sandbox, run->config->build_subdirectory, "/work/build");
    }
    if (flags & SCRIPT_TREE) {
        g_assert(run->image);
        sandbox_bind(sandbox, run->image->places.packages, SCRIPT_WORK "/packages", 0);
        sandbox_bind(sandbox, run->image->places.artifacts, SCRIPT_WORK "/artifacts", 0);
    }
}

/* Programs inside of the tree find the caller's name servers. */
static void bind_resolv_conf(Sandbox *sandbox, const ScriptRun *run) {
    AUTO_FD root = open(run->root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root >= 0 && script_has_network(run) && tree_exists(root, "etc"))
        sandbox_bind(sandbox, "/etc/resolv.conf", "/etc/resolv.conf", SANDBOX_READ_ONLY | SANDBOX_OPTIONAL);
}

static void bind_proxy_certificates(Sandbox *sandbox, const ImageConfig *config) {
    const char *const pairs[][2] = {{config->proxy_peer_certificate, "/proxy.cacert"},
            {config->proxy_client_certificate, "/proxy.clientcert"},
            {config->proxy_client_key, "/proxy.clientkey"}};

    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++)
        if (pairs[i][0])
            sandbox_bind(sandbox, pairs[i][0], pairs[i][1], SANDBOX_READ_ONLY);
}

/* Puts every entry of the directory TOP of the sandbox tree at its place. */
static void bind_entries(Sandbox *sandbox, const char *tree, const char *top) {
    g_autofree char *path = g_build_filename(tree, top, NULL);
    g_autoptr(GPtrArray) names = list_directory_if_any(path);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *source = g_build_filename(path, names->pdata[i], NULL);
        g_autofree char *target = g_build_filename("/", top, names->pdata[i], NULL);
        g_autofree char *link = g_file_read_link(source, NULL);
        if (g_str_equal(target, "/var/tmp"))
            continue;
        if (link)
            sandbox_symlink(sandbox, link, target);
        else
            sandbox_bind(sandbox, source, target, SANDBOX_READ_ONLY);
    }
}

/* SandboxTrees= joins what programs are taken from. */
static void bind_sandbox_tree(Sandbox *sandbox, const char *tree, const char *tools_tree) {
    static const char *const programs[] = {"usr", "opt"};
    static const char *const others[] = {"etc", "srv", "media", "mnt", "var", "run", "tmp"};

    for (size_t i = 0; i < G_N_ELEMENTS(programs); i++) {
        g_autofree char *added = g_build_filename(tree, programs[i], NULL);
        g_autofree char *base = g_build_filename(tools_tree ? tools_tree : "/", programs[i], NULL);
        g_autofree char *target = g_build_filename("/", programs[i], NULL);
        char *const lowers[] = {added, base, NULL};
        if (!g_file_test(added, G_FILE_TEST_IS_DIR))
            continue;
        if (g_file_test(base, G_FILE_TEST_IS_DIR))
            sandbox_overlay(sandbox, lowers, NULL, NULL, target);
        else
            sandbox_bind(sandbox, added, target, SANDBOX_READ_ONLY);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        bind_entries(sandbox, tree, others[i]);
}

static Sandbox *inside_sandbox(const ScriptRun *run, const char *script) {
    Sandbox *sandbox = sandbox_new_for_tree(run->root, FALSE);

    bind_work(sandbox, run, script);
    bind_proxy_certificates(sandbox, run->config);
    bind_resolv_conf(sandbox, run);
    if (script_environment_flag(run->config, "MKOSI_CHROOT_SUPPRESS_CHOWN"))
        sandbox_suppress_chown(sandbox);
    return sandbox;
}

static Sandbox *outside_sandbox(const ScriptRun *run, const char *script) {
    ScriptFlags flags = run->kind->flags;
    const char *tools = flags & SCRIPT_WITHOUT_TOOLS_TREE ? NULL : run->config->tools_tree;
    Sandbox *sandbox = sandbox_new_for_tools(tools);

    if (run->image && run->image->places.sandbox_tree)
        bind_sandbox_tree(sandbox, run->image->places.sandbox_tree, tools);
    for (char **path = run->config->extra_search_paths; path && *path; path++) {
        sandbox_bind(sandbox, *path, *path, SANDBOX_READ_ONLY);
        script_sources_mask(run->sources, sandbox, *path, *path);
    }
    bind_proxy_certificates(sandbox, run->config);
    if (flags & SCRIPT_CALLER) {
        /* Keys for git and ssh are in one, sockets of agents in the other. */
        static const char *const places[] = {"/home", "/run"};
        for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
            sandbox_bind(sandbox, places[i], places[i], SANDBOX_READ_ONLY | SANDBOX_OPTIONAL);
            script_sources_mask(run->sources, sandbox, places[i], places[i]);
        }
    }
    bind_work(sandbox, run, script);
    if (flags & SCRIPT_TREE) {
        g_assert(run->image);
        sandbox_bind(sandbox, run->root, SCRIPT_BUILDROOT, 0);
        if (run->image->distro)
            distro_sandbox_mounts(run->image->distro, sandbox);
        script_helpers(sandbox, run);
    }
    return sandbox;
}

Sandbox *script_sandbox(const ScriptRun *run, const char *script, gboolean chroot) {
    Sandbox *sandbox = chroot ? inside_sandbox(run, script) : outside_sandbox(run, script);

    sandbox_chdir(sandbox, "/work/src");
    sandbox_privileges(sandbox, SANDBOX_PRIVILEGES_SCRIPT);
    sandbox_network(sandbox, script_has_network(run));
    sandbox_suppress_sync(sandbox);
    return sandbox;
}

/* Removes NAME, if it is nothing but the place of a mount. */
static gboolean remove_mount_point(int root_fd, const char *name, GError **error) {
    struct stat info;
    int flags;

    if (fstatat(root_fd, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return TRUE;
    if (!S_ISDIR(info.st_mode) && (!S_ISREG(info.st_mode) || info.st_size > 0))
        return TRUE;
    flags = S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0;
    if (unlinkat(root_fd, name, flags) == 0 || errno == ENOENT || errno == ENOTEMPTY)
        return TRUE;
    return set_errno_error(error, errno, "Cannot remove /%s from the tree", name);
}

/* What mounts make in a tree that does not have it; the innermost first. */
static const char *const mount_points[] = {"work", "proxy.cacert", "proxy.clientcert", "proxy.clientkey",
        "etc/resolv.conf", "proc", "dev", "run", "tmp", "var/tmp", "var"};
G_STATIC_ASSERT(G_N_ELEMENTS(mount_points) <= 32);

void script_mounts_remember(ScriptRun *run) {
    AUTO_FD root = run->root ? open(run->root, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    struct stat info;

    for (size_t i = 0; root >= 0 && i < G_N_ELEMENTS(mount_points); i++)
        if (fstatat(root, mount_points[i], &info, AT_SYMLINK_NOFOLLOW) < 0)
            run->missing |= 1U << i;
}

gboolean script_mounts_clean(const ScriptRun *run, GError **error) {
    AUTO_FD root = run->root ? open(run->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    for (size_t i = 0; root >= 0 && i < G_N_ELEMENTS(mount_points); i++)
        if ((run->missing & (1U << i)) && !remove_mount_point(root, mount_points[i], error))
            return FALSE;
    return TRUE;
}
