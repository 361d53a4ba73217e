/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What whoever reads a recipe wants of it. */

#include <glib.h>

/* One setting that comes with the request: it outranks files. */
typedef struct {
    const char *setting; /* its name (interned) */
    char *text;          /* as it would stand behind "NAME="; specifiers are not expanded */
    char *option;        /* as the caller wrote it ("--format", "-t"): errors begin with it */
    char *directory;     /* what relative paths are relative to; absolute */
} RecipeAssignment;

/* Copies everything; SETTING is the name of one, not an old name. */
RecipeAssignment *recipe_assignment_new(
        const char *setting, const char *text, const char *option, const char *directory);
void recipe_assignment_free(RecipeAssignment *assignment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RecipeAssignment, recipe_assignment_free)

typedef enum {
    RECIPE_WANTS_IMAGES = 1 << 0,       /* files are read; without it, only the assignments are checked */
    RECIPE_WANTS_CONTENT = 1 << 1,      /* it is an error when nothing says what to make */
    RECIPE_WANTS_NEXT_VERSION = 1 << 2, /* ImageVersion= is the version after this one */
    RECIPE_WANTS_HISTORY = 1 << 3,      /* what the last build was told counts, too */
    RECIPE_WANTS_NEW_HISTORY = 1 << 4,  /* a build starts: what it is told is written down, if History= says so */
} RecipeWants;

/* A program that the recipe brings and whose output is wanted while the recipe is read: an executable
 * mkosi.version and its like, or mkosi.bump. */
typedef struct {
    const char *path;             /* absolute */
    const char *directory;        /* where it runs; absolute */
    const char *config_directory; /* as in Recipe; NULL without a recipe of one's own */
} RecipeProgram;

/* Runs PROGRAM and returns what it prints, owned by the caller; NULL with ERROR set when it does not end with success. What
 * such a program may do is decided by whoever reads a recipe. */
typedef char *(*RecipeRun)(const RecipeProgram *program, gpointer data, GError **error);

typedef struct {
    const char *directory;        /* of the recipe: absolute, without symbolic links; NULL: there is none */
    const GPtrArray *assignments; /* RecipeAssignment, in order; NULL: none */
    RecipeWants wants;
    RecipeRun run; /* NULL: a program that would have to run is an error */
    gpointer run_data;
} RecipeRequest;
