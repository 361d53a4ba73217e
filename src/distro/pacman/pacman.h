/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "distro/driver/driver.h"

/* Arch Linux and Arch Linux ARM: pacman. */
extern const DistroOps distro_pacman_ops;
