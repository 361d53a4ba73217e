/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Options of a signed command line that undo what the rest of the chain promises (kernel-parameters,
 * kernel-command-line(7), systemd.image-policy(7)). Pure functions over text. */

#include <glib.h>

typedef struct {
    GPtrArray *broken; /* strings: switches verification off, or names another root, /usr, initrd or init */
    GPtrArray *weak;   /* strings: opens what a running system closes; meant where a recipe has it */
} CommandLineVerdict;

void command_line_judge(const char *command_line, CommandLineVerdict *ret);
void command_line_verdict_clear(CommandLineVerdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CommandLineVerdict, command_line_verdict_clear)
