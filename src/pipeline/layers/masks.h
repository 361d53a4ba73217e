/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What of the build sources nobody but the program itself sees. Two kinds of things are hidden: what is secret
 * (private keys, passphrases, credentials, local configuration) and what builds make (outputs, layers,
 * packages, build directories, workspaces, tools trees). One list decides what scripts find below their mounts
 * and what counts as input of layers, so that what a script can see is what its layer depends on. */

#include <glib.h>

#include "recipe/result/recipe.h"
#include "sandbox/sandbox.h"

typedef struct Masks Masks;

/* What RECIPE hides: what its settings name, and what is known by its name anywhere below the build sources of
 * CONFIG. The sources are looked through now; what appears in them later is not in the list. */
Masks *masks_new(const Recipe *recipe, const ImageConfig *config);

/* Before a recipe is read: what is known by its name below DIRECTORY, what holds a private key, sockets. KEPT, a
 * directory at or below DIRECTORY, is not hidden, whatever the names above it are. Both are absolute and without
 * links. */
Masks *masks_new_by_name(const char *directory, const char *kept);
void masks_free(Masks *masks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Masks, masks_free)

/* Whether PATH (absolute, without links) is hidden. What lies below it is not asked about. */
gboolean masks_hide(const Masks *masks, const char *path);

/* Covers everything that is hidden below SOURCE, a path of the host that is mounted at TARGET of SANDBOX. Comes
 * after that mount. The file KEPT of the host (absolute, without links) stays; NULL: none. */
void masks_apply(
        const Masks *masks, Sandbox *sandbox, const char *source, const char *target, const char *kept);

/* Whether DIRECTORY holds nothing but what builds make: it is not the place of the recipe or of a source, nor
 * above one. */
gboolean masks_is_dedicated(const Recipe *recipe, const char *directory);

/* The name of the directory, in an output directory that holds other things, in which builds keep what is not
 * finished. */
#define MASKS_UNFINISHED ".particleos"
