/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is checked of every request before anybody looks at what it wants. */

#include <glib.h>

/* TRUE when HOST ("name", "name:port"; the header as it came, may be NULL) is one of HOSTS (names and addresses without
 * a port). Others are names that somebody made point to this machine (DNS rebinding). */
gboolean guard_host(const char *const *hosts, const char *host) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE when a request that changes something comes from a page of ours, by the headers ORIGIN and Sec-Fetch-Site
 * (either may be NULL): ORIGIN is "http://HOST" or "https://HOST". */
gboolean guard_origin(const char *host, const char *origin, const char *fetch_site) G_GNUC_WARN_UNUSED_RESULT;

/* The segments of the raw path PATH, decoded. NULL when one of them is empty (but the last), "." or "..", or holds a
 * slash, a control character or no UTF-8. Owned by the caller. */
char **guard_path(const char *path);

/* Who asks, for limits: the address PEER, or FORWARDED (the header X-Real-IP, may be NULL) when PEER is this machine, where the
 * front listens. Of IPv6 it is the network of 64 bits, of which somebody has all addresses. Owned by the caller. */
char *guard_client(const char *peer, const char *forwarded);

/* VALUE if it may stand in a header of an answer: printable ASCII. Otherwise NULL. */
const char *guard_header(const char *value);
