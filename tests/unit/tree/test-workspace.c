/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/errors.h"
#include "sandbox/sandbox.h"
#include "base/cleanup.h"
#include "tree/tree.h"
#include "tree/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static gboolean is_root;
static char *parent;

static guint entries(const char *path) {
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    guint count = 0;
    while (directory && g_dir_read_name(directory))
        count++;
    return count;
}

static void make_file(const char *directory) {
    g_autofree char *file = g_build_filename(directory, "file", NULL);
    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
}

static void test_life(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Workspace) workspace = workspace_new(parent, &error);
    g_assert_no_error(error);
    g_autoptr(Workspace) second = workspace_new(parent, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(entries(parent), ==, 2);
    g_autofree char *directory = workspace_mkdir(workspace, "tree", &error);
    g_assert_no_error(error);
    struct stat st;
    g_assert_cmpint(stat(directory, &st), ==, 0);
    g_assert_cmpint(st.st_mode, ==, S_IFDIR | 0755);
    make_file(directory);
    g_assert_null(workspace_mkdir(workspace, "tree", &error));
    g_assert_nonnull(error);
    g_clear_pointer(&workspace, workspace_free);
    g_assert_cmpuint(entries(parent), ==, 1);
    g_clear_pointer(&second, workspace_free);
    g_assert_cmpuint(entries(parent), ==, 0);
}

static void test_keep(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Workspace) workspace = workspace_new(parent, &error);
    g_assert_no_error(error);
    workspace_keep(workspace);
    make_file(workspace_path(workspace));
    g_clear_pointer(&workspace, workspace_free);
    g_assert_cmpuint(entries(parent), ==, 1);
    /* Nobody holds it any more, so the next one takes it away. */
    workspace = workspace_new(parent, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(entries(parent), ==, 1);
    g_assert_cmpuint(entries(workspace_path(workspace)), ==, 0);
}

/* A process with a workspace and something mounted in it gets killed. */
static void test_killed(void) {
    g_autofree char *precious = g_dir_make_tmp("precious-XXXXXX", NULL);
    make_file(precious);
    int ready[2];
    g_assert_cmpint(pipe2(ready, O_CLOEXEC), ==, 0);
    pid_t pid = fork();
    if (pid == 0) {
        g_autoptr(Workspace) workspace = workspace_new(parent, NULL);
        g_autoptr(Workspace) second = workspace_new(parent, NULL);
        g_autofree char *target = workspace_mkdir(workspace, "mount ed", NULL);
        make_file(workspace_path(second));
        if (is_root && mount(precious, target, NULL, MS_BIND, NULL) < 0)
            _exit(1);
        if (write(ready[1], "r", 1) != 1)
            _exit(1);
        pause();
        _exit(0);
    }
    char byte;
    close(ready[1]);
    g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
    g_assert_cmpuint(entries(parent), ==, 2);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    for (int i = 0; entries(parent) > 0; i++) {
        g_assert_cmpint(i, <, 500);
        g_usleep(10000);
    }
    close(ready[0]);
    g_assert_cmpuint(entries(precious), ==, 1);
    g_assert_true(tree_remove(AT_FDCWD, precious, NULL));
}

static void test_missing_parent(void) {
    g_autoptr(GError) error = NULL;
    g_autofree char *deep = g_build_filename(parent, "a/b", NULL);
    g_autoptr(Workspace) workspace = workspace_new(deep, &error);
    g_assert_no_error(error);
    g_clear_pointer(&workspace, workspace_free);
    g_assert_true(g_file_test(deep, G_FILE_TEST_IS_DIR));
    g_assert_null(workspace_new("/proc/no/such", &error));
    g_assert_nonnull(error);
    g_autofree char *a = g_build_filename(parent, "a", NULL);
    g_assert_true(tree_remove(AT_FDCWD, a, NULL));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    is_root = sandbox_become_root(NULL);
    parent = g_strdup("/var/tmp/test-workspace-XXXXXX");
    g_assert_nonnull(g_mkdtemp(parent));
    g_test_add_func("/workspace/life", test_life);
    g_test_add_func("/workspace/keep", test_keep);
    g_test_add_func("/workspace/killed", test_killed);
    g_test_add_func("/workspace/missing-parent", test_missing_parent);
    int result = g_test_run();
    ignore_failure(tree_remove(AT_FDCWD, parent, NULL));
    g_free(parent);
    return result;
}
