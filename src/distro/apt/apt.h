/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "distro/driver/driver.h"

/* Debian and what is made like it: apt and dpkg. */
extern const DistroOps distro_apt_ops;
