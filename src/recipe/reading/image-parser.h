/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The state of reading one image: its namespaces (reference, chapter 4), and what was read. Internal. */

#include <glib.h>

#include "recipe/language/settings.h"
#include "recipe/reading/includes.h"
#include "recipe/reading/request.h"
#include "recipe/result/image-values.h"
#include "recipe/result/recipe.h"
#include "recipe/values/value-parse.h"

typedef struct {
    Slot slots[_SETTING_MAX];
} Namespace;

/* What all images of a run share. */
typedef struct {
    const RecipeRequest *request;
    const char *directory;  /* of the request */
    char *config_directory; /* NULL without recipe */
    char *seed;             /* the random default of Seed= */
    GPtrArray *trace;       /* RecipeRead, in the order of reading; NULL: not wanted */
} ParserRun;

typedef struct {
    const ParserRun *run;
    char *image;         /* main, default-initrd, tools, or a subimage */
    char *directory;     /* what relative paths are relative to at this moment */
    Namespace cli;       /* options, and what outranks this image's files */
    Namespace files;     /* configuration files and companions */
    Namespace inherited; /* what the files begin with: values of the main image */
    Value *defaults[_SETTING_MAX];
    gboolean default_known[_SETTING_MAX];
    GPtrArray *files_read; /* absolute paths */
    Includes *includes;
} ImageParser;

ImageParser *image_parser_new(const ParserRun *run, const char *image);
void image_parser_free(ImageParser *parser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImageParser, image_parser_free)

/* The final value of a setting as things stand; computes and freezes its default if it needs that. The
 * caller owns the reference; NULL is the value null. */
Value *image_parser_value(ImageParser *parser, SettingId id);

/* ... as text that lives as long as g_intern_string() does: NULL for null. */
const char *image_parser_text(ImageParser *parser, SettingId id);
gboolean image_parser_bool(ImageParser *parser, SettingId id);

/* TRUE when the setting was assigned on the command line or in a file, even to nothing. */
gboolean image_parser_given(const ImageParser *parser, SettingId id);

/* All final values, as things stand; owned by the caller. */
ImageValues *image_parser_get_values(ImageParser *parser);

/* Moves what the files have set to the namespace that outranks files (local configuration). */
void image_parser_promote_files(ImageParser *parser);

/* Puts VALUE (borrowed) into a slot. */
void namespace_set(Namespace *namespace, SettingId id, Value *value, const char *origin);

/* Notes that PATH was read, picked up or skipped, if somebody wants to know. */
void image_parser_trace(ImageParser *parser, RecipeReadKind kind, const char *path, const char *note);

/* The computed or fixed default (defaults.c); the caller owns the reference. */
Value *setting_default(ImageParser *parser, SettingId id);

/* TEXT with its %-specifiers replaced (specifiers.c). FILE and LINE are for warnings and %C. */
char *expand_specifiers(ImageParser *parser, const char *text, const char *file, guint line);

typedef enum {
    READ_LOCAL = 1 << 0,    /* mkosi.local/ and mkosi.local.conf */
    READ_PROFILES = 1 << 1, /* mkosi.profiles/ */
} ReadFlags;

/* Reads the directory or file PATH with everything that belongs to it (parser.c). RET_MATCHED (or NULL) is
 * whether its conditions held. */
gboolean image_parser_read(
        ImageParser *parser, const char *path, ReadFlags flags, gboolean *ret_matched, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads what Include= and --include have named and was not read, each file once (parser.c). */
gboolean image_parser_include_pending(ImageParser *parser, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Picks up what stands beside mkosi.conf by name (companions.c). */
gboolean image_parser_read_companions(ImageParser *parser, GHashTable *names, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the program PATH prints when it runs in DIRECTORY (programs.c). */
char *run_program(const ParserRun *run, const char *directory, const char *path, GError **error);

/* Whether this image's files may set SETTING. */
gboolean setting_allowed(const ImageParser *parser, const Setting *setting);

/* Interned "FILE:LINE" as people see it. */
const char *origin_of(const char *file, guint line);
