/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What forms send: application/x-www-form-urlencoded, in bodies and in queries. And cookies. */

#include <glib.h>

/* More fields, or longer names, are nobody's form. */
#define FORM_FIELDS_MAX 64
#define FORM_NAME_MAX 64

/* The fields in SIZE bytes of TEXT (NULL: none): names to values, both UTF-8 without NUL. A field that comes twice, or
 * that is no UTF-8, is an error. Owned by the caller. */
GHashTable *form_parse(const char *text, gsize size, GError **error);

/* The value of the cookie NAME in the header HEADER (may be NULL). NULL when it is not there, or there twice: somebody
 * else has set one of them. Owned by the caller. */
char *cookie_find(const char *header, const char *name);
