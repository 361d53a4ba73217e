/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of the parser of partition definitions share. */

#include "image/definitions/partition-definition.h"

/* Where in which file a value stands, and what it may refer to. */
typedef struct {
    PartitionDefinition *definition;
    const char *path;
    guint line;
    const char *setting; /* NULL: the line itself is meant */
    const char *architecture;
    const Specifiers *specifiers;
} Place;

/* Sets ERROR to "PATH:LINE: SETTING=: ..." and returns FALSE. */
gboolean definition_fail(const Place *place, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* What a value is for: it has been trimmed, FIELD is where it goes. */
typedef gboolean (*DefinitionSetter)(const Place *place, const char *value, void *field, GError **error);

/* Applies one setting; one that nobody knows is a warning. */
gboolean definition_assign(Place *place, const char *name, const char *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ---- the grammar of values (definition-values.c) ---- */

/* How definition_next_word() separates words and what quotes and backslashes mean in them. */
typedef enum {
    WORD_UNQUOTE = 1 << 0,    /* quotes keep a word together and fall away */
    WORD_UNESCAPE = 1 << 1,   /* backslash sequences as in C become what they stand for */
    WORD_KEEP_EMPTY = 1 << 2, /* two separators have an empty word between them */
} WordFlags;

/* The next word of *AT, which is advanced past it and its separator (one of SEPARATORS); NULL at the end. An open
 * quote or an escape that means nothing sets BAD. */
char *definition_next_word(const char **at, const char *separators, WordFlags flags, gboolean *bad);

/* A list of words in quotes where they have blanks; NULL (and ERROR) for an open quote. */
GPtrArray *definition_split_words(const Place *place, const char *value, GError **error);

/* TEXT with its specifiers replaced. */
char *definition_expand(const Place *place, const char *text, GError **error);

/* The same as an absolute path without "..", "." and doubled slashes. */
char *definition_expand_path(const Place *place, const char *text, GError **error);

/* ---- settings that list files (definition-lists.c) ---- */

gboolean definition_set_copy_files(const Place *place, const char *value, void *field, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean definition_set_excludes(const Place *place, const char *value, void *field, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean definition_set_directories(const Place *place, const char *value, void *field, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean definition_set_symlinks(const Place *place, const char *value, void *field, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean definition_set_subvolumes(const Place *place, const char *value, void *field, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean definition_set_mount_point(const Place *place, const char *value, void *field, GError **error) G_GNUC_WARN_UNUSED_RESULT;
