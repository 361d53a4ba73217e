/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Texts inside a UKI and its parts: revocation data (.sbat, specification of shim), versions, profiles. The
 * functions that users of uki.h call are declared there. */

#include "format/efi/pe/pe.h"

/* What a UKI says about itself unless the caller says something else. */
extern const char uki_default_sbat[];
/* What an addon says about itself. */
extern const char uki_addon_sbat[];

/* Text of the .sbat section, or NULL; owned by the caller. */
char *uki_read_sbat(const PeImage *pe);
