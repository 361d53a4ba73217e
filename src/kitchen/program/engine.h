/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the pages ask for, by the model: wishes that the coordinator answers. */

#include "kitchen/model/database/model.h"
#include "kitchen/site/site.h"

typedef struct Engine Engine;

/* DIRECTORY has logs/ and objects/. The model has to outlive the engine. */
Engine *engine_new(Model *model, const char *directory);
void engine_free(Engine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Engine, engine_free)

/* Owned by the engine. */
const SiteEngine *engine_interface(const Engine *engine);
