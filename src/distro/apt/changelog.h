/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "distro/driver/driver.h"

/* The changelog that PACKAGE brought into the tree ROOT, unpacked; owned by the caller. NULL when it brought none. */
char *apt_changelog(DistroSession *session, const char *root, const char *package);
