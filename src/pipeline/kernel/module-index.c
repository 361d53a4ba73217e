/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/kernel/module-index.h"

#include "events/step.h"
#include "pipeline/kernel/kernel-modules.h"
#include "pipeline/state/own-programs.h"
#include "tree/tree.h"

static gboolean needs_depmod(int root_fd, const char *version) {
    static const char *const outputs[] = {"modules.dep", "modules.dep.bin", "modules.symbols.bin"};

    for (size_t i = 0; i < G_N_ELEMENTS(outputs); i++) {
        g_autofree char *path = g_build_filename("usr/lib/modules", version, outputs[i], NULL);
        if (!tree_exists(root_fd, path))
            return TRUE;
    }
    return FALSE;
}

gboolean module_index_make(ImageBuild *image, gboolean always, GError **error) {
    if (!tree_exists(image->root_fd, "usr/lib/modules") || !own_program_exists(image, "usr/sbin/depmod"))
        return TRUE;

    g_auto(GStrv) versions = kernel_versions(image->root_fd, error);
    if (!versions)
        return FALSE;
    for (char **version = versions; *version; version++) {
        const char *const argv[] = {"depmod", "--all", *version, NULL};
        if (!always && !needs_depmod(image->root_fd, *version))
            continue;
        g_autoptr(EventsStep) step = events_step_begin(image->name, "Indexing kernel modules of %s", *version);
        if (!own_program_run(image, argv, error))
            return FALSE;
        events_step_done(g_steal_pointer(&step), NULL);
    }
    return TRUE;
}
