/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The stylesheet and the script. Their addresses change with what is in them, so that browsers may keep them. */

#include "kitchen/site/visit.h"

/* The address of the asset NAME ("style.css"); owned by the caller. */
char *asset_path(const char *name);

/* GET /static/DIGEST-NAME. */
void asset(Visit *visit);
