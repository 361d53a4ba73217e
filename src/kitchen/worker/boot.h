/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A start of the image in a virtual machine before it is published. */

#include "kitchen/worker/result.h"

/* Starts what was built until somebody could log in, in a copy that is thrown away; the artifacts must stay as they are, byte
 * by byte. COMMON: arguments of every call of the builder. FALSE: RESULT is complete. */
gboolean boot_check(WorkerJob *job, GPtrArray *common, WorkResult *result) G_GNUC_WARN_UNUSED_RESULT;
