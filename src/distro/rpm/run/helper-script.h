/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The package manager's programs made to act on the image, for scripts of recipes. */

#include "distro/driver/driver.h"

typedef struct {
    const char *name;
    const char *program;   /* "rpm", or that of ARGV */
    const char *operation; /* what comes after the options; NULL: what the script says */
} RpmHelper;

/* Scripts for the N HELPERS, as distro_script_helpers() has them; ARGV: the package manager and its options. */
char **rpm_helper_scripts(DistroSession *session, GPtrArray *argv, const RpmHelper *helpers, gsize n);
