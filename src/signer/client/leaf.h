/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lines of the signer's log, and what others see of them.
 *
 * A line is canonical JSON (signer_packet_to_text()) and says everything; the log that is published (format/tlog) has one
 * entry for each line, in the same order. The entry of a line is the line itself. That of a private one, which has a random
 * member "salt", is {"digest":SHA-256 of the line,"n":N,"private":true,"version":2}, so that nobody can guess what it says,
 * and whoever is given the line can check it. Lines of "version" 1 are of a time when nothing was published, and are treated
 * as private ones. */

#include <json-glib/json-glib.h>

#define SIGNER_LEAF_SIZE_MAX (64 * 1024)
/* "version" of lines that are written now. */
#define SIGNER_LEAF_VERSION 2

/* The entry of LINE (SIZE bytes without the newline), which has been parsed as LEAF. */
GBytes *signer_leaf_entry_of(JsonObject *leaf, const char *line, gsize size);

/* The same for a line that comes from anywhere: SIGNER_CLIENT_ERROR_MALFORMED when it is none. RET_LEAF (may be NULL)
 * receives what it says. */
GBytes *signer_leaf_entry(const char *line, gsize size, JsonObject **ret_leaf, GError **error);
