/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* CRC-32C (Castagnoli), as file systems use it: no inversion, neither of the start nor of the result. */

#include <glib.h>

/* CRC over SIZE bytes of DATA, going on from CRC (~0u to begin with). */
guint32 crc32c(guint32 crc, const guint8 *data, gsize size);
