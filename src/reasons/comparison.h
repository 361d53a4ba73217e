/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A comparison in the making. Internal to the room. */

#include "reasons/reasons.h"

typedef struct {
    GPtrArray *reasons;
    GHashTable *index;        /* kind and text -> Reason (borrowed): the same reason in several images is one */
    const char *image;        /* that is compared now; NULL: none */
    gboolean tools;           /* it is the tools tree */
    gboolean other_program;   /* the two were written by different ones, which may know different settings */
    gboolean settings_differ; /* some setting of some image does */
    GHashTable *trees_before, *trees_after; /* sources of the image that are no sources of scripts */
    GError *problem;                        /* the first thing that has not its shape */
} Comparison;

/* What the members KEY of two objects (NULL: there is none) are; NULL when they are not there. Another type
 * than the asked one is a problem. */
JsonObject *comparison_object(Comparison *comparison, JsonObject *object, const char *key);
const char *comparison_string(Comparison *comparison, JsonObject *object, const char *key);

/* Notes that something, which WHAT names, has not its shape. */
void comparison_reject(Comparison *comparison, const char *what);

/* The names of the members of both, each once, sorted. Owned by the caller, the names are borrowed. */
GPtrArray *comparison_members(JsonObject *before, JsonObject *after);

/* Adds a reason of KIND with TEXT (taken), or the present image to one that is there already. BEFORE and
 * AFTER may be NULL. */
void comparison_add(Comparison *comparison, ReasonKind kind, char *text, const char *subject, const char *before,
        const char *after);

/* packages.c, settings.c, files.c: the parts of an image; each may be NULL. */
void compare_packages(Comparison *comparison, JsonObject *before, JsonObject *after, JsonObject *settings);
void compare_settings(Comparison *comparison, JsonObject *before, JsonObject *after);
void compare_files(Comparison *comparison, JsonObject *before, JsonObject *after);

/* Files of which only the effect counts. */
void compare_recipe(Comparison *comparison, JsonObject *before, JsonObject *after);
