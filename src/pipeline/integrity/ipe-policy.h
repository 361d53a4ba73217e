/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Whether TEXT is a policy called NAME that the kernel's parser takes: the header with name and version, a
 * default for everything or for every operation, and rules of known operations, properties and actions. The
 * kernel itself only says that a policy is bad, and only when the machine boots; the error here names ORIGIN
 * and the line, and is a BUILD_ERROR_INPUT. TEXT need not end with a null byte and may hold any bytes. */
gboolean ipe_policy_check(
        const char *origin, const char *text, gsize length, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
