/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Headers of packages as rpm's database holds them: numbers of entries and of bytes, the entries, the bytes
 * (https://rpm-software-management.github.io/rpm/manual/format_header.html, without the magic at the start). */

#include <glib.h>

#define RPM_TAG_INSTALLTIME 1008
#define RPM_TAG_INSTALLTID 1128

/* Writes VALUE in place of the first 32-bit number of each entry TAG. FALSE when HEADER is no header. */
gboolean rpm_header_set_number(guint8 *header, gsize length, guint32 tag, guint32 value) G_GNUC_WARN_UNUSED_RESULT;
