/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a kernel command line says about the volumes that are mounted (kernel-command-line(7) and
 * systemd.image-policy(7)). Pure functions over text. */

#include <glib.h>

/* The words of COMMAND_LINE: it is split at spaces outside of double quotes, which are dropped. An array of
 * strings, owned by the caller. */
GPtrArray *command_line_split(const char *command_line);

/* The value of the last NAME=VALUE, without quotes, or NULL; owned by the caller. */
char *command_line_get(const char *command_line, const char *name);

/* Whether the volume DESIGNATOR ("usr", "root") is looked for by dissecting the disk. */
gboolean command_line_dissects(const char *command_line, const char *designator);

/* Whether an image policy accepts the volume DESIGNATOR only when it is verity protected with a signature:
 * one that may also be absent, encrypted or unsigned does not. A policy that does not name it is taken at
 * its default for others ("=..."), or accepts anything. */
gboolean image_policy_wants_signed(const char *policy, const char *designator);
