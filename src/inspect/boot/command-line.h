/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a kernel command line says about the volumes that are mounted (kernel-command-line(7) and
 * systemd.image-policy(7)). Pure functions over text. */

#include <glib.h>

/* The words of COMMAND_LINE as systemd reads them: it is split at white space outside of quotes, single or double ones, which
 * are dropped. An array of strings, owned by the caller. */
GPtrArray *command_line_split(const char *command_line);

/* What makes the kernel read other words than systemd does (lib/cmdline.c knows no single quotes, and drops double ones at the
 * ends of words and values only), in words that follow "the command line"; NULL: they agree. Not owned by the caller. */
const char *command_line_ambiguity(const char *command_line);

/* The value of the last NAME=VALUE, without quotes, or NULL; owned by the caller. */
char *command_line_get(const char *command_line, const char *name);

/* Whether the volume DESIGNATOR ("usr", "root") is looked for by dissecting the disk. */
gboolean command_line_dissects(const char *command_line, const char *designator);

/* Whether an image policy accepts the volume DESIGNATOR only when it is verity protected with a signature:
 * one that may also be absent, encrypted or unsigned does not. A policy that does not name it is taken at
 * its default for others ("=..."), or accepts anything. */
gboolean image_policy_wants_signed(const char *policy, const char *designator);
