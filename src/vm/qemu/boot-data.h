/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a machine is told at boot from outside: credentials and kernel arguments, as SMBIOS OEM strings that
 * systemd reads (systemd.system-credentials(7), systemd-stub(7), systemd-boot(7)). */

#include <glib.h>

#include "recipe/result/image-config.h"

/* Adds one credential to OEM_STRINGS (of VmOemString). The value goes through a file in SCRATCH, because
 * everybody on the host can read a command line. */
gboolean vm_add_credential(GPtrArray *oem_strings, const char *name, const char *value, gsize length,
        const char *scratch, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds kernel arguments, for systemd-stub and for systemd-boot. */
void vm_add_command_line(GPtrArray *oem_strings, const char *command_line);
