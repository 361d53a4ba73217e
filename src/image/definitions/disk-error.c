/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/definitions/disk-error.h"

G_DEFINE_QUARK(disk - error - quark, disk_error)
