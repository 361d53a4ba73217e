/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Command lines of dnf 4 and 5 that make them act on the tree at BUILDROOT of a sandbox. */

#include "distro/driver/driver.h"

typedef enum {
    DNF_FETCHES,  /* metadata is fetched, so signatures of it are checked; it is recorded as it was then */
    DNF_READS,    /* nothing is installed, so nothing is written into the tree */
    DNF_INSTALLS, /* what is installed as a dependency is noted in the tree, for removing it again */
} DnfWork;

/* dnf with all options that the image's configuration asks for: an array of strings that owns them, not terminated
 * yet. */
GPtrArray *dnf_command(DistroSession *session, DnfWork work);

/* The program's name. */
const char *dnf_program(DistroSession *session);

/* The package manager's programs for scripts: as distro_script_helpers(). */
char **dnf_script_helpers(DistroSession *session);
