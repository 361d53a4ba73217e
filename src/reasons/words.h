/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values of others as words of a sentence. Internal to the room. */

#include <glib.h>
#include <json-glib/json-glib.h>

/* TEXT on one line, without characters that a terminal would act on, and not longer than a line can be;
 * owned by the caller. */
char *words_clean(const char *text);

/* NODE (NULL: not there) as people write it: "yes", "12", "not set", a tree as SOURCE:TARGET. Owned by the
 * caller. */
char *words_of_node(JsonNode *node);

/* The first WORDS (elements char *), and how many there are besides: "a, b and 3 more". Owned by the caller.
 */
char *words_list(const GPtrArray *words);

/* ", and 3 more", or "" for none. Owned by the caller. */
char *words_and_more(guint more);
