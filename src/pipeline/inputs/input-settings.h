/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Settings as inputs: without what only says where something is, without secrets, without what is another
 * one in each build. */

#include "pipeline/inputs/input-set-private.h"

/* Settings by name, values made comparable. */
Value *input_settings(const InputSet *set, const ImageBuild *image, gboolean tools);

/* What SECRET, of the setting NAME, is, so that another one can be told from it and nobody can find out
 * which it is in reasonable time; owned by the caller. */
char *input_settings_seal(const char *name, const char *secret);
