/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/state/own-programs.h"

#include "events/events.h"
#include "sandbox/sandbox.h"
#include "tree/tree.h"

gboolean own_program_exists(const ImageBuild *image, const char *path) {
    if (tree_exists(image->root_fd, path))
        return TRUE;
    events_debug("%s: the image has no /%s", image->name, path);
    return FALSE;
}

Sandbox *own_program_sandbox(const ImageBuild *image) {
    Sandbox *sandbox = sandbox_new_for_tree(image->root, FALSE);

    sandbox_suppress_sync(sandbox);
    sandbox_setenv(sandbox, "SYSTEMD_OFFLINE", "1");
    sandbox_setenv(sandbox, "SYSTEMD_TMPFILES_FORCE_SUBVOL", "0");
    /* systemd-sysusers writes the day into /etc/shadow. */
    if (image->config->source_date_epoch >= 0) {
        g_autofree char *epoch = g_strdup_printf("%" G_GINT64_FORMAT, image->config->source_date_epoch);
        sandbox_setenv(sandbox, "SOURCE_DATE_EPOCH", epoch);
    }
    return sandbox;
}

gboolean own_program_run(ImageBuild *image, const char *const *argv, GError **error) {
    g_autoptr(Sandbox) sandbox = own_program_sandbox(image);
    return sandbox_run(sandbox, argv, error);
}
