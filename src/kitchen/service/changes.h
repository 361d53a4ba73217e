/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reasons for builds, by what `particleos inputs` said before and says now. */

#include <glib.h>

/* Adds a BuildReason to REASONS for each difference of the input sets BEFORE and AFTER, what matters most first. */
gboolean changes_compare(
        gpointer user, GBytes *before, GBytes *after, GPtrArray *reasons, GError **error) G_GNUC_WARN_UNUSED_RESULT;
