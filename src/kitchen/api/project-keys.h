/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The public halves of a project's keys, which the signer makes when they are asked for first. */

#include "kitchen/model/projects/projects.h"
#include "kitchen/signing/sign-service.h"

/* {"certificates": {PURPOSE: PEM}, "keyRing": BASE64, "development": true}, a new reference. TARGETS (of Target) are those
 * that the project has; the signer hears of them. DEVELOPMENT: keys that are made now trust the first program of each name.
 * Blocks; may run in a thread. */
JsonObject *project_keys_fetch(
        SignService *signer, const Project *project, GPtrArray *targets, gboolean development, GError **error);
