/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What came out of reading a recipe (recipe/reading/load.h). */

#include <glib.h>

#include "recipe/language/error.h"
#include "recipe/result/image-config.h"
#include "text/style.h"

typedef enum {
    RECIPE_READ_FILE,      /* a configuration file */
    RECIPE_READ_COMPANION, /* something that sets NOTE by its name */
    RECIPE_READ_SKIPPED,   /* a configuration file whose conditions do not hold; NOTE says which */
} RecipeReadKind;

/* One thing that was looked at while the recipe was read. */
typedef struct {
    const char *image; /* interned */
    RecipeReadKind kind;
    char *path; /* absolute */
    char *note;
} RecipeRead;

/* An empty trace (of RecipeRead), and one more thing in it. */
GPtrArray *recipe_trace_new(void);
void recipe_trace_add(GPtrArray *trace, const char *image, RecipeReadKind kind, const char *path, const char *note);

typedef struct Recipe Recipe;
struct Recipe {
    char *directory;        /* working directory, absolute; NULL without recipe */
    char *config_directory; /* where the recipe is (may be DIRECTORY/mkosi) */
    ImageConfig **images;   /* in build order, the main image last; NULL-terminated */
    ImageConfig *main;      /* the last of them (borrowed); NULL when no files were read */
    ImageConfig *tools;     /* the tools image, or NULL */
    GPtrArray *trace;       /* of RecipeRead, in the order of reading; NULL without recipe */
    const Recipe *whole;    /* the recipe of which this one is a part (borrowed), or NULL */
};

void recipe_free(Recipe *recipe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recipe, recipe_free)

/* The object that "--json summary" prints; owned by the caller, ends with a newline. */
char *recipe_to_json(const Recipe *recipe);

/* The summary for people: only what differs from the defaults unless ALL. Owned by the caller. */
char *recipe_summary(const Recipe *recipe, gboolean all, const TextStyle *style);

/* Puts the images into build order again and drops those that are not needed any more, after Dependencies=
 * of some have changed. */
gboolean recipe_sort_images(Recipe *recipe, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* FALSE with ERROR set when an image of the recipe assigns a setting that this program knows but does not
 * implement yet. The error names file and line, or the option. */
gboolean recipe_check_implemented(const Recipe *recipe, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Calls VISIT for every setting of the language, in the order of the table. */
typedef void (*RecipeVisit)(const char *section, const char *name, gpointer data);
void recipe_each_setting(RecipeVisit visit, gpointer data);
