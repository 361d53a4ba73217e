/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a recipe to the command line of systemd-vmspawn(1), the other way to run a virtual machine
 * (VirtualMachineMonitor=vmspawn). Nothing here looks at the host. */

#include <glib.h>

#include "recipe/result/image-config.h"
#include "vm/host/credentials.h"
#include "vm/qemu/direct-boot.h"

typedef struct {
    const char *program; /* systemd-vmspawn */
    const char *path;    /* of the image */
    gboolean ephemeral;
    guint cpus;
    const VmDirectBoot *boot;
    const GPtrArray *credentials; /* of VmCredential */
    const char *credential_directory;
    const char *user;       /* BindUser= */
    char *const *arguments; /* of the verb */
} VmSpawn;

/* Fails for what systemd-vmspawn cannot do. */
gboolean vm_vmspawn_check(const ImageConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* NULL-terminated argument vector, owned by the caller (g_strfreev). */
char **vm_vmspawn_arguments(const ImageConfig *config, const VmSpawn *spawn);

/* For $SYSTEMD_VMSPAWN_QEMU_EXTRA; NULL: nothing. Owned by the caller. */
char *vm_vmspawn_extra(const ImageConfig *config);
