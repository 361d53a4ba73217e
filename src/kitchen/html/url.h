/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Addresses of our own pages, and which addresses a page may name. */

#include <glib.h>

/* "/a/b": each of the words (up to a NULL) is one segment, whatever is in it. Owned by the caller. */
char *url_path(const char *first, ...) G_GNUC_NULL_TERMINATED;

/* PATH with "?NAME=VALUE", or "&" when it has a question mark already. Owned by the caller. */
char *url_with(const char *path, const char *name, const char *value);

/* TRUE for addresses of this service: a path, a query or a fragment, never another host. */
gboolean url_is_local(const char *url) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE for http and https addresses without a user and a password. */
gboolean url_is_web(const char *url) G_GNUC_WARN_UNUSED_RESULT;
