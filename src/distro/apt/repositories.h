/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which repositories apt's sources name, for who wants to know when one of them changes. */

#include "distro/driver/driver.h"

/* Adds the repositories that TEXT names, sources in one-line style or (DEB822) as paragraphs, to
 * REPOSITORIES (elements DistroRepository, without digests). What is disabled, of sources alone, or no
 * address of the network is left out; so is what is not understood, which apt itself complains about.
 * ARCHITECTURE stands for "$(ARCH)". */
void apt_repositories_parse(
        const char *text, gboolean deb822, const char *architecture, GPtrArray *repositories);

/* What apt calls the file that it fetched from URL; owned by the caller. */
char *apt_repositories_list_name(const char *url);

/* Operation of the driver; see distro.h. */
GPtrArray *apt_list_repositories(DistroSession *session, GError **error);
