/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

/* Prints the input set ROOT (pipeline/inputs/input-set.h) for people: in short, what there is of everything. */
void inputs_print_text(JsonNode *root);
