/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Cached layers. A layer's key is a digest over named inputs: everything that shaped it, and nothing else.
 * The inputs are stored beside the layer, so that a layer that cannot be reused can say which of them
 * changed. */

#include <glib.h>

typedef struct LayerInputs LayerInputs;

/* The linker's identifier of this program, hex: another build may make something else of the same inputs. Owned by
 * the caller. */
char *layer_program_build(void);

LayerInputs *layer_inputs_new(void);
void layer_inputs_free(LayerInputs *inputs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayerInputs, layer_inputs_free)

/* Adds an input; VALUE may be long (it is digested) and NULL (not the same as empty). Names are unique. */
void layer_inputs_add(LayerInputs *inputs, const char *name, const char *value);

/* Adds the content of the file or directory PATH (names, modes, content, xattrs; links are followed, below
 * it they are not); a missing one is recorded as such. With EPOCH >= 0 times of modification count, too, as
 * they will be in the image: nothing is newer than EPOCH. */
gboolean layer_inputs_add_path(
        LayerInputs *inputs, const char *name, const char *path, gint64 epoch, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The input NAME turned out to shape nothing in the layer that is about to be stored: any value of it fits. */
void layer_inputs_set_unused(LayerInputs *inputs, const char *name);

/* Whether that was said of it, here or of the layer that layer_lookup() found for these inputs. */
gboolean layer_inputs_is_unused(LayerInputs *inputs, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* The key, hex; owned by the inputs. Final after layer_lookup() or layer_store(). */
const char *layer_inputs_key(LayerInputs *inputs);

/* Layers are shared by builds that run at once. Whoever looks for a layer holds its lock until it has been put
 * into use or made, so that builds which need the same one make it once, and wait for each other (with a message,
 * as IMAGE). The lock goes when the process dies. Returns a descriptor to be closed, or -1 with ERROR set. */
int layer_lock(const char *cache, const char *name, const char *image, GError **error);

/* Keeps the layer (a directory) at PATH from being removed until the descriptor is closed, also when another one
 * takes its name. Call it with the lock held. "/proc/self/fd/N" is the layer from then on. -1 with ERROR set on
 * failure. */
int layer_use(const char *path, GError **error);

/* Removes the layer NAME from CACHE, with its lock; what is in use goes when nobody uses it any more. */
gboolean layer_remove(const char *cache, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The path of the layer NAME in CACHE when it was made from the same INPUTS, else NULL; owned by the caller.
 * With --debug it says why, with STEP_IMAGE as the image's name. */
char *layer_lookup(const char *cache, const char *name, LayerInputs *inputs, const char *step_image);

/* Moves the file or directory PATH into CACHE as the layer NAME, in place of an older one. Returns its new
 * path, owned by the caller. A crash at any moment leaves no layer that claims to be what it is not. */
char *layer_store(
        const char *cache, const char *name, LayerInputs *inputs, const char *path, GError **error);
