/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From what a package manager would install to files with digests. */

#include "distro/driver/driver.h"
#include "distro/rpm/metadata/table.h"

/* The files of CHOICES (RpmChoice) as the lists of their repositories have them: elements DistroPackage, sorted by file
 * name; owned by the caller. */
GPtrArray *rpm_find_files(DistroSession *session, GPtrArray *choices, GError **error);

/* The packages as text, and back: what is kept of an answer. */
char *rpm_packages_to_text(GPtrArray *packages);
GPtrArray *rpm_packages_from_text(const char *text);
