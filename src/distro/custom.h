/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "distro/driver/driver.h"

/* Distribution=custom. */
extern const DistroOps distro_custom_ops;
