/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The options that are no settings. Help, manual and completion are made from this table, too. */

#include <glib.h>

typedef enum {
    OPTION_COUNTER = 1 << 0, /* a flag that counts how often it was given */
    OPTION_PATH = 1 << 1,    /* the value is a path, relative to the directory in which the recipe is read */
    OPTION_URI = 1 << 2,     /* ... unless it is a URI */
    OPTION_FILE = 1 << 3,    /* shells complete the value to a file */
} OptionFlags;

typedef struct {
    const char *name;  /* without "--" */
    char letter;       /* 0: none */
    const char *value; /* what stands for its value in the help, or NULL for a flag */
    gsize offset;      /* of a gboolean, int (counter) or string in Arguments */
    OptionFlags flags;
    const char *help; /* begins in lower case, has no full stop */
} Option;

/* In the order of the help; ends with an entry without name. */
extern const Option options[];

/* By its name of LENGTH bytes; NULL if there is none. */
const Option *option_by_name(const char *name, gsize length);

/* By its letter; NULL if there is none. */
const Option *option_by_letter(char letter);
