/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GET /pub/…: what devices update from, for a service without another server in front. */

#include "kitchen/site/visit.h"

void published(Visit *visit);
