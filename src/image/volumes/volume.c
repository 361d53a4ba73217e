/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/volumes/volume.h"

#define OLDEST_TIME 315532800 /* 1980-01-01 00:00:00 UTC */

gint64 volume_time(const Volume *volume) {
    return MAX(volume->epoch, OLDEST_TIME);
}
