/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "recipe/reading/image-parser.h"

/* The version that follows the one in mkosi.version, as "bump" computes it (reference, chapter 11). */
char *bump_version(const ParserRun *run, GError **error);
