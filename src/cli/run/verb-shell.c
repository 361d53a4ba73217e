/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs shell and boot: the image in a container. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cli/make/built-image.h"
#include "cli/run/host-program.h"
#include "cli/verbs.h"
#include "pipeline/scripts/script-configure.h"
#include "pipeline/state/output-names.h"
#include "tree/tree.h"
#include "tree/workspace.h"
#include "vm/console/journal.h"
#include "vm/container/container.h"

/* The first version that starts containers without root. */
#define NSPAWN_UNPRIVILEGED 257
#define NSPAWN_FORWARDS_JOURNAL 261

typedef struct {
    const Arguments *arguments;
    const ImageConfig *config;
    gboolean boot;
    Workspace *workspace;
    char *path; /* of the image, or of its copy */
    gboolean is_directory;
    int lock_fd;
    GPtrArray *credentials;
    char *credential_directory;
    VmJournal *journal;
} Container;

static void container_clear(Container *container) {
    vm_journal_free(container->journal);
    g_free(container->path);
    cleanup_fd(&container->lock_fd);
    g_clear_pointer(&container->credentials, g_ptr_array_unref);
    g_free(container->credential_directory);
    workspace_free(container->workspace);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Container, container_clear)

static gboolean check_format(const ImageConfig *config, gboolean boot, GError **error) {
    const char *what = boot ? "booted in a container" : "entered with a shell";
    if (config->format != OUTPUT_FORMAT_DIRECTORY && config->format != OUTPUT_FORMAT_DISK) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "An image with Format=%s cannot be %s; Format=directory and Format=disk can",
                output_format_to_string(config->format), what);
        return FALSE;
    }
    if (config->format == OUTPUT_FORMAT_DISK && config->compress_output != COMPRESSION_NONE) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "A compressed disk image cannot be %s: build it with CompressOutput=no", what);
        return FALSE;
    }
    return TRUE;
}

/* The image itself, locked, or a copy of it. */
static gboolean prepare_image(Container *container, GError **error) {
    const ImageConfig *config = container->config;
    g_autofree char *path = outputs_main_path(config);
    container->is_directory = g_file_test(path, G_FILE_TEST_IS_DIR);
    if (config->ephemeral)
        container->path = built_image_copy(path, workspace_path(container->workspace), error);
    else if ((container->lock_fd = built_image_lock(path, error)) >= 0)
        container->path = g_steal_pointer(&path);
    return container->path != NULL;
}

/* systemd-nspawn looks for settings beside the image, under the name of the machine. */
static gboolean prepare_settings(const Container *container, char **ret_made, GError **error) {
    if (!container->config->nspawn_settings)
        return TRUE;
    g_autofree char *machine = vm_machine_name(container->config);
    g_autofree char *name = g_strconcat(machine, ".nspawn", NULL);
    g_autofree char *directory = g_path_get_dirname(container->path);
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *text = NULL;
    gsize length;
    if (!g_file_get_contents(container->config->nspawn_settings, &text, &length, error)) {
        g_prefix_error(error, "NSpawnSettings=: ");
        return FALSE;
    }
    gboolean existed = g_file_test(path, G_FILE_TEST_EXISTS);
    if (!g_file_set_contents(path, text, length, error))
        return FALSE;
    *ret_made = existed ? NULL : g_steal_pointer(&path);
    return TRUE;
}

static gboolean prepare(Container *container, GError **error) {
    const ImageConfig *config = container->config;
    g_autofree char *parent = workspace_parent(config->workspace_directory, WORKSPACE_FALLBACK, error);
    g_autoptr(GPtrArray) trees = vm_runtime_trees(config);
    for (guint i = 0; i < trees->len; i++) {
        const RecipeTree *tree = trees->pdata[i];
        if (!g_file_test(tree->source, G_FILE_TEST_EXISTS)) {
            g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING, "RuntimeTrees=: %s does not exist", tree->source);
            return FALSE;
        }
    }
    if (!parent || !(container->workspace = workspace_new(parent, error)) ||
            !(container->credential_directory = workspace_mkdir(container->workspace, "credentials", error)))
        return FALSE;
    container->credentials = vm_credentials_collect(config, error);
    return container->credentials &&
           vm_credentials_write(container->credentials, container->credential_directory, error) &&
           prepare_image(container, error);
}

/* Without a system manager nobody can make a scope, without systemd-machined nobody registers. */
static gboolean decide_registration(const ImageConfig *config, VmContainer *description, GError **error) {
    gboolean manager = g_file_test("/run/systemd/system", G_FILE_TEST_IS_DIR);
    description->keep_unit = !manager;
    description->register_machine = manager && config->register_machine != FEATURE_DISABLED;
    if (!manager && config->register_machine == FEATURE_ENABLED) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING,
                "Register=yes, but systemd does not run on this host: use Register=auto");
        return FALSE;
    }
    return TRUE;
}

static char *core_limit(void) {
    struct rlimit limit = {0};
    getrlimit(RLIMIT_CORE, &limit);
    g_autofree char *soft = limit.rlim_cur == RLIM_INFINITY
                                    ? g_strdup("infinity")
                                    : g_strdup_printf("%llu", (unsigned long long) limit.rlim_cur);
    g_autofree char *hard = limit.rlim_max == RLIM_INFINITY
                                    ? g_strdup("infinity")
                                    : g_strdup_printf("%llu", (unsigned long long) limit.rlim_max);
    return g_strdup_printf("%s:%s", soft, hard);
}

static gboolean run_nspawn(
        Container *container, const char *program, guint version, int *ret_exit_status, GError **error) {
    const ImageConfig *config = container->config;
    g_autofree char *limit = core_limit();
    g_autofree char *settings = NULL;
    VmContainer description = {
            .program = program,
            .path = container->path,
            .is_directory = container->is_directory,
            .boot = container->boot,
            .core_limit = limit,
            .credentials = container->credentials,
            .credential_directory = container->credential_directory,
            .user = g_get_user_name(),
            .forward_journal = version >= NSPAWN_FORWARDS_JOURNAL,
            .arguments = container->arguments->words,
    };
    g_autoptr(Sandbox) sandbox = host_program_sandbox(config, error);
    if (!sandbox || !decide_registration(config, &description, error))
        return FALSE;
    if (container->boot && config->forward_journal && !description.forward_journal) {
        container->journal = vm_journal_new_unix(config->forward_journal, workspace_path(container->workspace), error);
        if (!container->journal)
            return FALSE;
        description.journal_socket = vm_journal_address(container->journal);
    }
    if (!prepare_settings(container, &settings, error))
        return FALSE;
    sandbox_relay_files(sandbox);
    if (!container->is_directory)
        host_program_allow_unverified(sandbox);
    g_auto(GStrv) arguments = vm_container_arguments(config, &description);
    gboolean good = host_program_run(sandbox, (const char *const *) arguments, ret_exit_status, error);
    if (settings)
        (void) unlink(settings);
    return good;
}

/* The shell of root, as far as one exists. */
static const char *find_shell(const char *tree) {
    static const char *const shells[] = {"/bin/bash", "/bin/sh"};
    AUTO_FD fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (gsize i = 0; fd >= 0 && i < G_N_ELEMENTS(shells); i++) {
        AUTO_FD shell = tree_open(fd, shells[i], O_PATH | O_CLOEXEC, 0, NULL);
        if (shell >= 0)
            return shells[i];
    }
    return "/bin/sh";
}

/* An ordinary user's container: a shell in the tree, in the user's own namespaces. */
static gboolean run_sandbox(Container *container, int *ret_exit_status, GError **error) {
    const ImageConfig *config = container->config;
    g_autoptr(GPtrArray) trees = vm_runtime_trees(config);
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tree(container->path, FALSE);
    char **command = container->arguments->words;
    const char *const login[] = {find_shell(container->path), "-l", NULL};

    sandbox_interactive(sandbox);
    sandbox_relay_files(sandbox);
    sandbox_privileges(sandbox, SANDBOX_PRIVILEGES_SCRIPT);
    sandbox_network(sandbox, config->runtime_network != NETWORK_NONE);
    sandbox_setenv(sandbox, "HOME", "/root");
    sandbox_setenv(sandbox, "USER", "root");
    sandbox_setenv(sandbox, "LOGNAME", "root");
    sandbox_setenv(sandbox, "container", "particleos");
    sandbox_bind(sandbox, container->credential_directory, "/run/host/credentials", SANDBOX_READ_ONLY);
    sandbox_setenv(sandbox, "CREDENTIALS_DIRECTORY", "/run/host/credentials");
    for (guint i = 0; i < trees->len; i++) {
        const RecipeTree *tree = trees->pdata[i];
        sandbox_bind(sandbox, tree->source, tree->target, 0);
    }
    return host_program_run(
            sandbox, command && *command ? (const char *const *) command : login, ret_exit_status, error);
}

/* What only systemd-nspawn can do. */
static gboolean check_sandbox(const Container *container, GError **error) {
    const ImageConfig *config = container->config;
    g_autofree char *path = outputs_main_path(config);
    gboolean directory = g_file_test(path, G_FILE_TEST_IS_DIR);
    const char *obstacle = container->boot                                ? "the verb boot"
                           : !directory                                   ? "a disk image"
                           : config->nspawn_settings                      ? "NSpawnSettings="
                           : config->bind_user                            ? "BindUser=yes"
                           : config->register_machine == FEATURE_ENABLED  ? "Register=yes"
                           : config->runtime_network == NETWORK_INTERFACE ? "RuntimeNetwork=interface"
                                                                          : NULL;
    if (!obstacle)
        return TRUE;
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING,
            "%s needs systemd-nspawn as root here: run particleos with sudo or run0. As an ordinary user, "
            "'particleos shell' works for Format=directory, and 'particleos vm' boots disk images",
            obstacle);
    return FALSE;
}

/* systemd-nspawn asks systemd-nsresourced for user IDs when it has no privileges. */
static gboolean nspawn_needs_no_root(guint version) {
    return version >= NSPAWN_UNPRIVILEGED &&
           g_file_test("/run/systemd/io.systemd.NamespaceResource", G_FILE_TEST_EXISTS);
}

static gboolean run(const VerbCall *call, gboolean boot, int *ret_exit_status, GError **error) {
    if (!build_configure(call->recipe, error))
        return FALSE;
    const ImageConfig *config = call->recipe->main;
    g_auto(Container) container = {.arguments = call->arguments, .config = config, .boot = boot, .lock_fd = -1};
    gboolean real_root = sandbox_is_real_root();
    g_autofree char *program = NULL;
    guint version = 0;

    if (!check_format(config, boot, error))
        return FALSE;
    if (real_root) {
        program = host_program_find(config, "systemd-nspawn", error);
        if (!program)
            return FALSE;
    } else
        program = host_program_find(config, "systemd-nspawn", NULL);
    if (program)
        version = host_program_systemd_version(program);
    if (!real_root && !(program && nspawn_needs_no_root(version))) {
        g_clear_pointer(&program, g_free);
        if (!check_sandbox(&container, error) || !sandbox_become_root(error))
            return FALSE;
    }
    if (!prepare(&container, error))
        return FALSE;
    return program ? run_nspawn(&container, program, version, ret_exit_status, error)
                   : run_sandbox(&container, ret_exit_status, error);
}

gboolean verb_shell(const VerbCall *call, int *ret_exit_status, GError **error) {
    return run(call, FALSE, ret_exit_status, error);
}

gboolean verb_boot(const VerbCall *call, int *ret_exit_status, GError **error) {
    return run(call, TRUE, ret_exit_status, error);
}
