/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Patterns of MatchPattern= (sysupdate.d(5)): how names of files and labels of partitions tell a version, and more. */

#include <glib.h>

#include "base/sha256.h"
#include "base/uuid.h"

/* What a name tells; numbers are -1 where it does not. */
typedef struct {
    char *version;     /* @v */
    gboolean has_uuid; /* @u */
    Uuid uuid;
    gboolean has_flags; /* @f, attributes of a partition */
    guint64 flags;
    gint64 mtime;        /* @t, in microseconds since 1970 */
    gint mode;           /* @m */
    gint64 size;         /* @s, in bytes */
    gint64 tries_done;   /* @d */
    gint64 tries_left;   /* @l */
    gint no_auto;        /* @a: 0, 1 */
    gint read_only;      /* @r */
    gint grow;           /* @g */
    gboolean has_sha256; /* @h */
    guint8 sha256[SHA256_SIZE];
} PatternFields;

void pattern_fields_init(PatternFields *fields);
void pattern_fields_clear(PatternFields *fields);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PatternFields, pattern_fields_clear)

typedef struct Pattern Pattern;

/* TEXT has to have @v, no mark twice, and something between two marks. */
Pattern *pattern_new(const char *text, GError **error);
void pattern_free(Pattern *pattern);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pattern, pattern_free)

/* The pattern as it was given; owned by it. */
const char *pattern_get_text(const Pattern *pattern);

/* Whether NAME is of that pattern, all of it. Each mark ends where the text behind it first occurs, as for
 * systemd-sysupdate. RET (cleared by the caller) is set only then. */
gboolean pattern_match(const Pattern *pattern, const char *name, PatternFields *ret) G_GNUC_WARN_UNUSED_RESULT;

/* The first of PATTERNS (an array of Pattern) that NAME is of; NULL: none. */
const Pattern *pattern_match_any(const GPtrArray *patterns, const char *name, PatternFields *ret);

/* The name that FIELDS give; owned by the caller. NULL and ERROR when one that the pattern wants is not set. */
char *pattern_format(const Pattern *pattern, const PatternFields *fields, GError **error);

/* Whether TEXT can be a version. */
gboolean pattern_is_version(const char *text);
