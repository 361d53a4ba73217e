/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The build service on one machine, for whoever wants to look: everything below one directory, with a signer of its own and a
 * first project. */

#include "kitchen/model/database/model.h"

/* Makes DIRECTORY, and kitchen.conf in it for a service at PORT of the loopback address, unless they are there. Returns the path of
 * the configuration, owned by the caller. */
char *embedded_set_up(const char *directory, guint port, GError **error);

/* Starts particleos-signer for DIRECTORY, which ends with this process, and waits until it listens. Returns its process. */
pid_t embedded_start_signer(const char *directory, GError **error);

/* The first project, when there is none yet: demo/particleos, whose repository DIRECTORY/demo.git gets the recipe of ParticleOS as its
 * first commit. Its owner is the user OWNER. */
gboolean embedded_add_project(
        Model *model, const char *directory, gint64 owner, GError **error) G_GNUC_WARN_UNUSED_RESULT;
