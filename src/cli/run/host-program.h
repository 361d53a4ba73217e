/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Programs of the host that verbs hand their work to, with the terminal of the caller. */

#include <glib.h>

#include "recipe/result/recipe.h"
#include "sandbox/sandbox.h"

/* Where PROGRAM is: ExtraSearchPaths= of CONFIG (may be NULL), PATH, /usr/sbin, /usr/lib/systemd. Owned by
 * the caller. The error names the package that has it. */
char *host_program_find(const ImageConfig *config, const char *program, GError **error);

/* The version of a program of systemd ("systemd 252 (...)"); 0 when it does not say. */
guint host_program_systemd_version(const char *path);

/* A sandbox without walls (sandbox_new_for_host()) on the caller's terminal, with Environment= and
 * EnvironmentFiles= of CONFIG. */
Sandbox *host_program_sandbox(const ImageConfig *config, GError **error);

/* Runs ARGV to its end; its exit status is a result. Keys that interrupt are for the program alone. */
gboolean host_program_run(Sandbox *sandbox, const char *const *argv, int *ret_exit_status, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Fails unless this is real root, with WHAT ("systemd-nspawn", ...) in the message. */
gboolean host_program_need_root(const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lets systemd's programs mount a disk image whose verity volumes the kernel of this host cannot check: says
 * so and goes on. Does nothing where it can. */
void host_program_allow_unverified(Sandbox *sandbox);
