/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a build is built from besides its recipe, as inputs of it. */

#include "kitchen/model/builds/builds.h"

/* Kinds of sources (kitchen/model/builds/sources.h). */
#define SOURCE_GIT "git"
#define SOURCE_URL "url"
#define SOURCE_BASE "base"

/* Writes down what BUILD of PROJECT is built from. MODEL_ERROR_STATE: a base has published nothing that can be built on. */
gboolean build_take_sources(Model *model, gint64 project, gint64 build, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a build took. */
typedef struct {
    char *name, *kind, *url, *branch, *revision;
    char *object, *file; /* of a base: digest and name; else NULL */
} BuildSource;

void build_source_free(BuildSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BuildSource, build_source_free)

/* An array of BuildSource, by name. */
GPtrArray *build_sources(Model *model, gint64 build, GError **error);

/* Adds what differs between the sources of the builds BEFORE and AFTER to REASONS (of BuildReason). */
gboolean build_sources_compare(
        Model *model, gint64 before, gint64 after, GPtrArray *reasons, GError **error) G_GNUC_WARN_UNUSED_RESULT;
