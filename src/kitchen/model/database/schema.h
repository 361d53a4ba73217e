/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The tables of the build service: schema-N.sql leads from version N - 1 to N. */

#include <glib.h>

/* The version that this program works with. */
#define SCHEMA_VERSION 3u

/* The SQL of schema-VERSION.sql. */
char *schema_step(guint version);
