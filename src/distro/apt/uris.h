/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What "apt-get install --print-uris" answers: the package files that it would fetch, a line each, as
 * 'http://deb.example/pool/x.deb' x_1_all.deb 1234 SHA256:... between lines for people. */

#include <glib.h>

/* The files in TEXT, sorted by name: elements DistroPackage. NULL with ERROR set when a line of that kind is
 * not understood, or names a file without a SHA-256 or outside of the cache: what cannot be checked is not
 * installed. */
GPtrArray *apt_uris_parse(const char *text, GError **error);
