/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How answers of a build service look in a terminal. */

#include <json-glib/json-glib.h>

/* Prints ANSWER for people. */
typedef void (*KitchenShow)(JsonNode *answer);

/* Prints ANSWER: as JSON, or by SHOW (may be NULL). */
void kitchen_show(JsonNode *answer, gboolean json, KitchenShow show);

void kitchen_show_projects(JsonNode *answer);
void kitchen_show_queue(JsonNode *answer);
void kitchen_show_channels(JsonNode *answer);
void kitchen_show_channel(JsonNode *answer);
void kitchen_show_sources(JsonNode *answer);
void kitchen_show_why(JsonNode *answer);
void kitchen_show_user(JsonNode *answer);
void kitchen_show_created(JsonNode *answer);

/* Where BUILD is, in a line; owned by the caller. */
char *kitchen_show_progress(JsonObject *build);

/* Nothing follows; and it went well. */
gboolean kitchen_build_is_over(JsonObject *build);
gboolean kitchen_build_is_good(JsonObject *build);
