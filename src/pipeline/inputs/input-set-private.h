/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An input set in the making, which the files of this folder share. */

#include "pipeline/inputs/commits.h"
#include "pipeline/state/image-build.h"
#include "recipe/language/settings.h"
#include "recipe/values/value.h"

typedef struct {
    Build *build;
    Commits *commits;  /* or NULL */
    char *folder;      /* of the recipe, without links; NULL without recipe */
    char *resources;   /* where the built-in configurations are */
    GHashTable *known; /* absolute paths that are inputs of their own, or none */
} InputSet;

/* PATH (absolute) as it is called wherever the recipe lies: relative to the recipe, "%G/..." in
 * the rest of its repository, "%R/..." for what belongs to the program. Owned by the caller; always UTF-8.
 */
char *input_set_name(const InputSet *set, const char *path);

/* Sets the member KEY of MAP to a string, unless TEXT is NULL. */
void input_set_string(Value *map, const char *key, const char *text);

/* Adds what git says of the file PATH to the map FACT. */
void input_set_add_commit(const InputSet *set, Value *fact, const char *path);
