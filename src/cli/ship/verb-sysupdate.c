/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "cli/make/built-image.h"
#include "cli/run/host-program.h"
#include "cli/verbs.h"
#include "pipeline/state/output-names.h"

/* The first version with --transfer-source. */
#define SYSUPDATE_VERSION 257

/* The regular files in PATH. */
static GHashTable *list_files(const char *path) {
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));)
        g_hash_table_add(names, g_strdup(name));
    return names;
}

static void remove_new_files(const char *path, GHashTable *old) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (!g_hash_table_contains(old, name) && g_file_test(file, G_FILE_TEST_IS_REGULAR))
            (void) unlink(file);
    }
}

/* A build that was not asked for its partitions as files: systemd-repart cuts them out of the disk. */
static gboolean split(const ImageConfig *config, const char *image, GError **error) {
    g_autofree char *repart = host_program_find(config, "systemd-repart", error);
    g_autoptr(Sandbox) sandbox = sandbox_new_for_host();
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    if (!repart) {
        g_prefix_error(error, "The partitions are needed as files (SplitArtifacts=partitions): ");
        return FALSE;
    }
    static const char *const options[] = {"--no-pager", "--pretty=no", "--split=yes"};
    g_ptr_array_add(words, g_strdup(repart));
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++)
        g_ptr_array_add(words, g_strdup(options[i]));
    for (char **directory = config->repart_directories; *directory; directory++)
        g_ptr_array_add(words, g_strconcat("--definitions=", *directory, NULL));
    g_ptr_array_add(words, g_strdup(image));
    g_ptr_array_add(words, NULL);
    return sandbox_run(sandbox, (const char *const *) words->pdata, error);
}

static char *find_sysupdate(const ImageConfig *config, GError **error) {
    g_autofree char *program = host_program_find(config, "systemd-sysupdate", error);
    if (!program)
        return NULL;
    guint version = host_program_systemd_version(program);
    if (version >= SYSUPDATE_VERSION)
        return g_steal_pointer(&program);
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING, "%s is of version %u, but sysupdate needs %d or newer",
            program, version, SYSUPDATE_VERSION);
    return NULL;
}

static gboolean run(const ImageConfig *config, const char *program, const char *source, char *const *arguments,
        int *ret_exit_status, GError **error) {
    g_autofree char *definitions = g_strconcat("--definitions=", config->sysupdate_directory, NULL);
    g_autofree char *transfer = g_strconcat("--transfer-source=", source, NULL);
    g_autoptr(Sandbox) sandbox = host_program_sandbox(config, error);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    if (!sandbox)
        return FALSE;
    g_ptr_array_add(words, (gpointer) program);
    g_ptr_array_add(words, definitions);
    g_ptr_array_add(words, transfer);
    for (; *arguments; arguments++)
        g_ptr_array_add(words, *arguments);
    g_ptr_array_add(words, NULL);
    return host_program_run(sandbox, (const char *const *) words->pdata, ret_exit_status, error);
}

gboolean verb_sysupdate(const VerbCall *call, int *ret_exit_status, GError **error) {
    if (!configure_built_image(call->recipe, error))
        return FALSE;
    const ImageConfig *config = call->recipe->main;
    if (!config->sysupdate_directory) {
        g_set_error_literal(error, RECIPE_ERROR, RECIPE_ERROR_MISSING,
                "There are no transfer definitions: put them into mkosi.sysupdate/, or name their directory "
                "with SysupdateDirectory=");
        return FALSE;
    }
    g_autofree char *program = find_sysupdate(config, error);
    if (!program || !host_program_need_root("systemd-sysupdate", error))
        return FALSE;
    g_autofree char *image = outputs_main_path(config);
    g_autofree char *directory = g_path_get_dirname(image);
    gboolean cut = config->format == OUTPUT_FORMAT_DISK && !(config->split_artifacts & ARTIFACT_PARTITIONS);
    g_autoptr(GHashTable) before = list_files(directory);
    gboolean good = (!cut || split(config, image, error)) &&
                    run(config, program, directory, call->arguments->words, ret_exit_status, error);
    if (cut)
        remove_new_files(directory, before);
    return good;
}
