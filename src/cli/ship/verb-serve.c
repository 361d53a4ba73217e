/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib-unix.h>
#include <signal.h>

#include "cli/make/built-image.h"
#include "cli/run/host-program.h"
#include "cli/verbs.h"
#include "events/events.h"
#include "modules/file-server.h"
#include "pipeline/state/output-names.h"

/* As mkosi. */
#define PORT 8081
#define STORAGE_TARGET "systemd-storagetm"

static gboolean on_signal(gpointer loop) {
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

/* The disk as an NVMe-TCP target. RET_PROCESS is NULL when nobody asked for it or it is not possible. */
static gboolean start_storage_target(const ImageConfig *config, SandboxProcess **ret_process, GError **error) {
    gboolean wanted = config->storage_target_mode == FEATURE_ENABLED;
    if (config->storage_target_mode == FEATURE_DISABLED ||
            (!wanted && (config->format != OUTPUT_FORMAT_DISK || !sandbox_is_real_root())))
        return TRUE;
    if (config->format != OUTPUT_FORMAT_DISK) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "StorageTargetMode=yes is for Format=disk, not for Format=%s", output_format_to_string(config->format));
        return FALSE;
    }
    g_autofree char *program = host_program_find(config, STORAGE_TARGET, wanted ? error : NULL);
    if (!program)
        return !wanted;
    if (!host_program_need_root("StorageTargetMode=yes", error))
        return FALSE;
    g_autofree char *path = outputs_main_path(config);
    const char *const argv[] = {program, path, NULL};
    g_autoptr(Sandbox) sandbox = host_program_sandbox(config, error);
    *ret_process = sandbox ? sandbox_spawn(sandbox, argv, error) : NULL;
    return *ret_process != NULL;
}

static void tell_request(const char *line) {
    events_info("%s", line);
}

/* Until a signal ends it. */
static void run(const FileServerFunctions *files, const FileServer *server, const char *directory, gboolean local) {
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autofree char *addresses = files->addresses(server);

    events_info("Serving %s on %s; Ctrl-C ends it", directory, addresses);
    if (local)
        events_info("Only this machine reaches it; --listen=all lets others");
    g_unix_signal_add(SIGINT, on_signal, loop);
    g_unix_signal_add(SIGTERM, on_signal, loop);
    g_main_loop_run(loop);
}

gboolean verb_serve(const VerbCall *call, int *ret_exit_status, GError **error) {
    const char *listen = call->arguments->listen;
    const FileServerFunctions *files = file_server_functions(error);
    g_autoptr(SandboxProcess) storage = NULL;

    if (!files || !configure_built_image(call->recipe, error))
        return FALSE;
    g_autofree char *path = outputs_main_path(call->recipe->main);
    g_autofree char *directory = g_path_get_dirname(path);
    FileServer *server = files->start(directory, listen ? listen : "localhost", PORT, tell_request, error);
    gboolean good = server && start_storage_target(call->recipe->main, &storage, error);
    if (good)
        run(files, server, directory, !listen);
    files->free(server);
    return good;
}
