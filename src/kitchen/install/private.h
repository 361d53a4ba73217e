/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* For the sources of this room. */

#include "kitchen/install/install.h"

struct Install {
    const InstallOptions *options;
    int root;
};

/* The directory that PATH lies in, and RET_NAME, a part of PATH. MAKE: it is made when it is not there. -1 without ERROR set:
 * there is none. */
int install_open_parent(Install *install, const char *path, gboolean make, const char **ret_name, GError **error);

/* Writes TEXT beside NAME in DIR_FD and gives it that name; what has it already goes where REPLACE, else it is an error. */
gboolean install_write(int dir_fd, const char *name, guint mode, const char *text, gboolean replace,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
