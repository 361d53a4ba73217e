/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of the command line, one file each. A verb returns FALSE with ERROR set when it could not do its
 * work (the program prints the error and exits with 1), else TRUE with the exit status in RET_EXIT_STATUS
 * (0 unless the verb passes on somebody else's, like that of a virtual machine). Verbs never exit. */

#include <glib.h>

#include "recipe/result/recipe.h"

typedef gboolean (*VerbFunc)(Recipe *recipe, int *ret_exit_status, GError **error);

/* Remembers under which name the program runs. Fails for names of programs that it is not. */
gboolean set_program_name(const char *argv0, GError **error);

/* Whether that name is mkosi: what differs between the two programs is then done as mkosi does it. */
gboolean called_as_mkosi(void);

gboolean verb_attach(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_boot(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_box(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_build(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_bump(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_burn(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_cat_config(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_clean(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_completion(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_coredumpctl(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_dependencies(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_documentation(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_genkey(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_help(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_init(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_inputs(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_kitchen(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_inspect(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_journalctl(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_latest_snapshot(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_revoke(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_serve(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_shell(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_sign(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_ssh(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_summary(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_sysupdate(Recipe *recipe, int *ret_exit_status, GError **error);
gboolean verb_vm(Recipe *recipe, int *ret_exit_status, GError **error);
