/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of the command line, as far as reading a recipe depends on them. */

#include <glib.h>

typedef enum {
    VERB_TAKES_ARGUMENTS = 1 << 0,
    VERB_READS_RECIPE = 1 << 1,
    VERB_NEEDS_BUILD = 1 << 2,        /* works on a built image, or builds it */
    VERB_NEEDS_TOOLS = 1 << 3,        /* works with the tools tree */
    VERB_NO_HISTORY = 1 << 4,         /* never looks at what an earlier build was told */
    VERB_RECIPE_OR_ARGUMENT = 1 << 6, /* an argument takes the place of the recipe */
    VERB_MISSING = 1 << 5,            /* part of the language, not of this version of the program */
} VerbFlags;

typedef struct {
    const char *name;
    VerbFlags flags;
    const char *help;
} VerbName;

/* Ends with an entry without name. */
extern const VerbName verb_names[];

/* By name or old name; NULL if there is none. */
const VerbName *verb_by_name(const char *name);
