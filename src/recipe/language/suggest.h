/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What somebody may have meant who mistyped a word. */

#include <glib.h>

typedef struct {
    const char *wanted;
    const char *best; /* borrowed, or NULL */
    guint distance;
} Suggestion;

/* Offers CANDIDATE; the nearest one wins, the first of several. */
void suggestion_offer(Suggestion *suggestion, const char *candidate);

/* "; did you mean BEST?" with PREFIX and SUFFIX around it, or "" when nothing is near; owned by the caller.
 */
char *suggestion_text(const Suggestion *suggestion, const char *prefix, const char *suffix);

/* The same for the name of a setting. */
char *suggest_setting(const char *name);
