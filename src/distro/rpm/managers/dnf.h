/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "distro/driver/driver.h"

/* Fedora and what is made like it: dnf (4 and 5) and rpm. */
extern const DistroOps distro_dnf_ops;
