/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "distro/driver/driver.h"

/* openSUSE: zypper and rpm. */
extern const DistroOps distro_zypper_ops;
