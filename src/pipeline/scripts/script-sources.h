/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Build sources as scripts see them. */

#include "pipeline/scripts/script-run.h"

/* Makes build sources ready to be mounted: themselves, or overlays over them as
 * BuildSourcesEphemeral= says. */
ScriptSources *script_sources_new(
        const ScriptKind *kind, const Recipe *recipe, const ImageConfig *config, GError **error);
void script_sources_free(ScriptSources *sources);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScriptSources, script_sources_free)
void script_sources_bind(const ScriptSources *sources, Sandbox *sandbox, SandboxMountFlags flags);

/* Covers what scripts shall not see below PATH of the host, which is mounted at TARGET of SANDBOX. */
void script_sources_mask(const ScriptSources *sources, Sandbox *sandbox, const char *path, const char *target);
