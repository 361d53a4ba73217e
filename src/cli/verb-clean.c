/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include "build/build.h"
#include "sandbox/sandbox.h"

gboolean verb_clean(Recipe *recipe, int *ret_exit_status, GError **error) {
    return sandbox_become_root(error) && build_clean(recipe, recipe->arguments->force, error);
}
