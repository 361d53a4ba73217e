/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a size is written for people. */

#include <glib.h>

/* "403.0 MB"; owned by the caller. */
char *text_format_size(guint64 bytes);
