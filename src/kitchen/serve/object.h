/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GET /sha256/HEX: the file with this digest, for who sees a build that made it. */

#include "kitchen/site/visit.h"

void object(Visit *visit);
