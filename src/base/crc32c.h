/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* CRC-32C (Castagnoli). */

#include <glib.h>

/* Goes on with CRC over SIZE bytes of DATA. Neither the first value nor the last is inverted: a whole CRC-32C
 * starts with ~0u and ends with ~ of the result; EROFS leaves out the latter. */
guint32 crc32c_update(guint32 crc, const void *data, gsize size);
