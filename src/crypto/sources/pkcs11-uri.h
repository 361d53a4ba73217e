/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a PKCS#11 URI (RFC 7512) says: "pkcs11:token=NAME;object=LABEL?pin-value=SECRET". */

#include <glib.h>

gboolean pkcs11_uri_check(const char *text);

/* The value of the attribute NAME, decoded; owned by the caller. NULL: it has none. */
char *pkcs11_uri_get(const char *uri, const char *name);

/* URI with the attribute NAME as VALUE (NULL: without it); owned by the caller. Those of the query are "pin-value" and
 * "pin-source". */
char *pkcs11_uri_with(const char *uri, const char *name, const char *value);
