/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the input set share. Internal to input-*.c. */

#include "pipeline/inputs/commits.h"
#include "pipeline/state/image-build.h"
#include "recipe/language/settings.h"
#include "recipe/values/value.h"

/* An input set in the making. */
typedef struct {
    Build *build;
    Commits *commits;  /* or NULL */
    char *folder;      /* of the recipe, without links; NULL without recipe */
    char *resources;   /* where the built-in configurations are */
    GHashTable *known; /* absolute paths that are inputs of their own, or none */
} InputSet;

/* input-set.c: PATH (absolute) as it is called wherever the recipe lies: relative to the recipe, "%G/..." in
 * the rest of its repository, "%R/..." for what belongs to the program. Owned by the caller; always UTF-8.
 */
char *input_set_name(const InputSet *set, const char *path);

/* Sets the member KEY of MAP to a string, unless TEXT is NULL. */
void input_set_string(Value *map, const char *key, const char *text);

/* Adds what git says of the file PATH to the map FACT. */
void input_set_add_commit(const InputSet *set, Value *fact, const char *path);

/* input-settings.c: settings by name, values made comparable. */
Value *input_settings(const InputSet *set, const ImageBuild *image, gboolean tools);

/* What SECRET, of the setting NAME, is, so that another one can be told from it and nobody can find out
 * which it is in reasonable time; owned by the caller. */
char *input_settings_seal(const char *name, const char *secret);

/* input-files.c: content of trees, scripts and other files that the settings of IMAGE name: setting -> name
 * of the source -> path below it ("": itself) -> fact. */
Value *input_files(const InputSet *set, const ImageBuild *image, gboolean tools, GError **error);

/* Notes what the settings of IMAGE name, so that it is told once, and not among the sources that scripts see
 * too. */
void input_files_note(const InputSet *set, const ImageBuild *image);

/* Whether what SETTING names is in there. */
gboolean input_files_have(const Setting *setting);

/* What is known of the file PATH alone. */
Value *input_files_single(const InputSet *set, const char *path, GError **error);

/* input-packages.c: packages that IMAGE gets: "install", "build", "volatile" -> name -> version and file.
 * NULL with ERROR set on failure. */
Value *input_packages(ImageBuild *image, GError **error);

/* The programs that install them, with their digests. */
Value *input_packages_programs(const ImageBuild *image);

/* Digest of what the packages configure for the package manager inside of IMAGE; NULL: nothing. Owned by the caller. */
char *input_packages_sources(const ImageBuild *image);

/* Whether scripts can install packages that nobody named. */
gboolean input_packages_are_chosen(const ImageConfig *config) G_GNUC_WARN_UNUSED_RESULT;

/* What scripts of IMAGE may install from: names of scripts, digests of repositories, and "unused" when the cached
 * layer shows that those scripts take nothing from them; NULL when they cannot.
 * Adds every repository of IMAGE to REPOSITORIES: URL of its metadata -> what is known of it. */
gboolean input_packages_repositories(
        const InputSet *set, ImageBuild *image, Value *repositories, Value **ret_metadata, GError **error);

/* input-certificates.c: by setting, SHA-256 of the certificates that IMAGE is signed with. */
Value *input_certificates(const InputSet *set, const ImageConfig *config);
