/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which package of a distribution brings a program, and how the program tells its version: the one place
 * where that is written down. */

#include <glib.h>

typedef enum {
    PROGRAM_OF_HOST,          /* works on the host or shows it, so that a tools tree does not help */
    PROGRAM_OF_TOOLS,         /* a default tools tree has it */
    PROGRAM_OF_CHOSEN_TOOLS,  /* a tools tree has it when ToolsTreePackages= names its package */
    PROGRAM_OF_IMAGE,         /* runs from the image */
} ProgramPlace;

typedef struct {
    const char *program;
    /* NULL where the distribution has no such package, or where we do not know it. */
    const char *debian, *fedora, *arch, *opensuse;
    const char *version; /* the argument that makes the program print its version and end */
    ProgramPlace place;
} ProgramPackages;

/* What is known of PROGRAM, a name or a path; NULL for a stranger. */
const ProgramPackages *program_packages_find(const char *program);

/* The package that has it in the distribution whose tree ROOT ("/" for the host) is; that of Debian where the
 * distribution is unknown. NULL where there is none. */
const char *program_packages_in(const ProgramPackages *packages, const char *root);

/* "install the package X" and what else brings PROGRAM (a name or a path) to the host; owned by the caller. */
char *program_packages_advice(const char *program);
