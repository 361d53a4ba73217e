/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The verbs of the command line, one file each. A verb returns FALSE with ERROR set when it could not do its
 * work (the program prints the error and exits with 1), else TRUE with the exit status in RET_EXIT_STATUS
 * (0 unless the verb passes on somebody else's, like that of a virtual machine). Verbs never exit. */

#include <glib.h>

#include "cli/arguments/arguments.h"
#include "recipe/result/recipe.h"

typedef struct {
    const Arguments *arguments; /* the command line */
    Recipe *recipe;             /* without images for verbs that read none */
} VerbCall;

typedef gboolean (*VerbFunc)(const VerbCall *call, int *ret_exit_status, GError **error);

/* Remembers under which name the program runs. Fails for names of programs that it is not. */
gboolean set_program_name(const char *argv0, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether that name is mkosi: what differs between the two programs is then done as mkosi does it. */
gboolean called_as_mkosi(void);

gboolean verb_attach(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_boot(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_box(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_build(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_bump(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_burn(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_cat_config(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_clean(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_completion(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_coredumpctl(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_delta(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_dependencies(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_documentation(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_genkey(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_help(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_init(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_inputs(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_kitchen(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_inspect(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_journalctl(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_latest_snapshot(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_revoke(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_serve(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_shell(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_sign(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_ssh(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_summary(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_sysupdate(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_verify(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean verb_vm(const VerbCall *call, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;
