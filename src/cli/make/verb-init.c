/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"
#include "events/events.h"

/* tmpfiles.d(5): the cache of packages forgets what nobody used for three months. */
#define TMPFILES "# Written by particleos init\nd %C/mkosi - - - 90d\n"

static char *tmpfiles_directory(void) {
    return getuid() == 0 ? g_strdup("/etc/tmpfiles.d")
                         : g_build_filename(g_get_user_config_dir(), "user-tmpfiles.d", NULL);
}

gboolean verb_init(const VerbCall *call, int *ret_exit_status, GError **error) {
    g_autofree char *directory = tmpfiles_directory();
    g_autofree char *path = g_build_filename(directory, "mkosi.conf", NULL);
    if (g_mkdir_with_parents(directory, 0755) < 0)
        return set_errno_error(error, errno, "Cannot make %s", directory);
    if (!g_file_set_contents(path, TMPFILES, -1, error))
        return FALSE;
    events_info("%s removes packages from the cache that were not used for 90 days", path);
    return TRUE;
}
