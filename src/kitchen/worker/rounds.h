/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signatures: what OUTPUT.signing asks for is asked of the service, and `particleos attach` puts the answers in, round after
 * round. */

#include "kitchen/worker/job.h"

/* Whether a directory OUTPUT.signing waits. */
gboolean rounds_wait(const WorkerJob *job);

/* Until nothing waits any more; COMMON are the arguments of the builder without verb. RET_AGAIN: what was signed comes into
 * the image by another build. HTTP_ERROR_REFUSED: the signer refuses. */
gboolean rounds_run(WorkerJob *job, GPtrArray *common, gboolean *ret_again, GError **error) G_GNUC_WARN_UNUSED_RESULT;
