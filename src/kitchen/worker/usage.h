/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How much of the disk a directory takes. */

#include <glib.h>

/* Bytes of all files below the directory PATH, holes not counted. What cannot be read, or goes away meanwhile, takes nothing. */
gint64 usage_of(const char *path);
