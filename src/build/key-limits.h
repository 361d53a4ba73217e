/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether those who check the signatures of an image know its keys: known before anything is signed. */

#include "build/image-build.h"

/* An error that names the setting for a certificate of CONFIG whose algorithm cannot sign what it has to, a warning
 * for one that firmware or TPMs commonly do not know. */
gboolean key_limits_check(const ImageConfig *config, GError **error);
