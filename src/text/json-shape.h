/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Parsers of JSON go as deep as the text does, and let pass what JSON does not have. Foreign text is looked at before
 * it is parsed. */

#include <glib.h>

/* Sets ERROR and returns FALSE unless the SIZE bytes of TEXT are UTF-8, made of JSON's words and signs alone, with
 * brackets that match and are at most MAX_DEPTH deep. It may still be no JSON. */
gboolean json_shape_check(const char *text, gsize size, guint max_depth, GError **error) G_GNUC_WARN_UNUSED_RESULT;
