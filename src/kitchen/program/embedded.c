/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "embedded.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/errors.h"
#include "config.h"
#include "kitchen/model/builds/requests.h"
#include "kitchen/model/people/members.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/process/process.h"

#define SPACE "demo"
#define PROJECT "particleos"
#define TARGET "minimal"
#define CHANNEL "stable"
/* QEMU's name for the host, seen from a guest. */
#define GUEST_VIEW "10.0.2.2"
#define SIGNER_PATIENCE 30

/* Keys and what builds leave behind stay out of the repository, whatever the recipe's own .gitignore says. */
static const char excluded[] =
        "*.key\n*.key.old\n*.crt\n*.csr\n*.gpg\n*.pgp\nmkosi.local*\nmkosi.output*\nmkosi.cache*\nmkosi.pkgcache*\n"
        "mkosi.workspace*\nmkosi.builddir*\nmkosi.uefi.db\nmkosi.history\nmkosi.passphrase\nmkosi.rootpw\n";

static char *write_configuration(const char *directory, guint port, GError **error) {
    g_autofree char *path = g_build_filename(directory, "kitchen.conf", NULL);
    g_autofree char *text =
            g_strdup_printf("# A build service to look at. docs/kitchen.md says what it does not protect.\n"
                            "[Web]\nListen=127.0.0.1:%u\nHost=" GUEST_VIEW ":%u\nDevelopment=yes\n"
                            "[Store]\nDirectory=%s\n"
                            "[Executor]\nSlots=2\n"
                            "# Where machines find it that QEMU runs on this host.\n"
                            "[Publish]\nBaseURL=http://" GUEST_VIEW ":%u/pub\nSigner=%s/signer.sock\n"
                            "[Git]\nLocalRoots=%s\n",
                    port, port, directory, port, directory, directory);

    if (!g_file_test(path, G_FILE_TEST_EXISTS) &&
            !g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error))
        return NULL;
    return g_steal_pointer(&path);
}

char *embedded_set_up(const char *directory, guint port, GError **error) {
    if (strpbrk(directory, " \t\n")) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "%s: a directory with spaces in its name cannot stand in kitchen.conf", directory);
        return NULL;
    }
    if (g_mkdir_with_parents(directory, 0700) < 0) {
        set_errno_error(error, errno, "Cannot make the directory %s", directory);
        return NULL;
    }
    return write_configuration(directory, port, error);
}

/* A program of this project: beside the build, or installed. */
static char *find_program(const char *built, const char *name) {
    g_autofree char *path = g_build_filename(PARTICLEOS_BUILD_DIR, built, NULL);

    return g_file_test(path, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer(&path) : g_strdup(name);
}

pid_t embedded_start_signer(const char *directory, GError **error) {
    g_autofree char *program = find_program("src/signer/particleos-signer", "particleos-signer");
    g_autofree char *state = g_strdup_printf("--state=%s/signer", directory);
    g_autofree char *path = g_strdup_printf("%s/signer.sock", directory);
    g_autofree char *socket = g_strconcat("--socket=", path, NULL);
    const char *argv[] = {program, state, socket, NULL};
    const ProcessPlan plan = {
            .argv = argv, .in = -1, .out = STDERR_FILENO, .err = STDERR_FILENO, .events = -1, .dies_with_us = TRUE};
    pid_t pid = 0;

    (void) g_unlink(path);
    pid = process_start(&plan, error);
    for (guint i = 0; pid > 0 && i < SIGNER_PATIENCE * 20; i++) {
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            return pid;
        if (process_reap(pid, FALSE, NULL))
            break;
        g_usleep(G_USEC_PER_SEC / 20);
    }
    if (pid > 0)
        g_set_error(
                error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "particleos-signer does not start: see what it says above");
    return -1;
}

static gboolean git(const char *repository, const char *work_tree, const char *const *words, GError **error) {
    g_autofree char *git_dir = g_strconcat("--git-dir=", repository, NULL);
    g_autofree char *tree = work_tree ? g_strconcat("--work-tree=", work_tree, NULL) : NULL;
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    int status = 0;

    g_ptr_array_add(argv, (char *) "git");
    g_ptr_array_add(argv, git_dir);
    if (tree)
        g_ptr_array_add(argv, tree);
    for (guint i = 0; words[i]; i++)
        g_ptr_array_add(argv, (char *) words[i]);
    g_ptr_array_add(argv, NULL);
    const ProcessPlan plan = {
            .argv = (const char *const *) argv->pdata, .in = -1, .out = -1, .err = STDERR_FILENO, .events = -1};
    pid_t pid = process_start(&plan, error);
    if (pid < 0)
        return FALSE;
    (void) process_reap(pid, TRUE, &status);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "git %s failed: see what it says above", words[0]);
    return FALSE;
}

/* The repository, made beside its name, so that it is there whole or not at all. */
static gboolean make_repository(const char *path, GError **error) {
    static const char *const begin[] = {"init", "--quiet", "--bare", "--initial-branch=main", NULL};
    static const char *const add[] = {"add", "--all", NULL};
    static const char *const commit[] = {"-c", "user.name=Kitchen", "-c", "user.email=kitchen@localhost", "commit",
            "--quiet", "-m", "The recipe of ParticleOS", NULL};
    g_autofree char *recipe = g_build_filename(PARTICLEOS_SOURCE_DIR, "recipes/particleos", NULL);
    g_autofree char *beside = g_strconcat(path, ".new", NULL);
    g_autofree char *exclude = g_build_filename(beside, "info/exclude", NULL);
    g_autofree char *index = g_build_filename(beside, "index", NULL);

    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return TRUE;
    if (!g_file_test(recipe, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                "There is no recipe to begin with: start the demo from a source tree (make kitchen)");
        return FALSE;
    }
    if (!git(beside, NULL, begin, error) || !g_file_set_contents(exclude, excluded, -1, error) ||
            !git(beside, recipe, add, error) || !git(beside, recipe, commit, error))
        return FALSE;
    (void) g_unlink(index);
    if (g_rename(beside, path) < 0)
        return set_errno_error(error, errno, "Cannot rename %s", beside);
    return TRUE;
}

static gint64 add_rows(Model *model, const char *repository, gint64 owner, GError **error) {
    g_autofree char *url = g_strconcat("file://", repository, NULL);
    gint64 space = namespace_create(model, SPACE, error);
    Project project = {.namespace_id = space,
            .name = (char *) PROJECT,
            .title = (char *) "ParticleOS, minimal",
            .url = url,
            .branch = (char *) "main",
            .directory = (char *) "",
            .is_public = TRUE,
            .poll = 10,
            .packages = (char *) "at-once",
            .timeout = 3 * 3600};
    gint64 id = 0;

    if (!space || !member_set_role(model_database(model), space, owner, ROLE_OWNER, error))
        return 0;
    id = project_create(model, &project, error);
    const Target target = {.project_id = id,
            .name = (char *) TARGET,
            .profiles = (char *) "minimal",
            .image_id = (char *) "ParticleOS",
            .required = TRUE,
            .options = (char *) "[]"};
    const Channel channel = {.project_id = id, .name = (char *) CHANNEL, .follows = TRUE};
    return id && target_create(model, &target, error) && channel_create(model, &channel, error) ? id : 0;
}

gboolean embedded_add_project(Model *model, const char *directory, gint64 owner, GError **error) {
    g_autofree char *repository = g_build_filename(directory, "demo.git", NULL);
    g_autoptr(GError) failure = NULL;
    gint64 there = database_integer(model_database(model), "SELECT count(*) FROM project", DB_NONE, 0, &failure);

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (there > 0)
        return TRUE;
    if (!make_repository(repository, error))
        return FALSE;
    g_autoptr(DatabaseTransaction) transaction = database_begin(model_database(model), error);
    gint64 project = transaction ? add_rows(model, repository, owner, error) : 0;
    const BuildWish wish = {.project_id = project, .cause = "first", .caused_by = "the first start"};
    return project && build_request_add(model, &wish, error) && database_commit(transaction, error);
}
