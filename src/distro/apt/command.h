/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Command lines of apt's programs that make them act on the tree at /buildroot of a sandbox. */

#include "distro/driver/driver.h"

#define BUILDROOT "/buildroot"
#define APT_CONFIG_FILE "/etc/apt.conf"

/* Patterns of the paths that WithDocs=no leaves out (dpkg keeps copyright files all the same);
 * NULL-terminated. */
extern const char *const apt_documentation[];

/* PROGRAM (apt-get, ...) with all options that the image's configuration asks for: an array of strings that
 * owns them, not terminated yet. */
GPtrArray *apt_command(DistroSession *session, const char *program);

/* Appends "-o" and the option. */
void apt_add_option(GPtrArray *argv, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Appends words up to NULL. */
void apt_add_words(GPtrArray *argv, const char *first, ...) G_GNUC_NULL_TERMINATED;
