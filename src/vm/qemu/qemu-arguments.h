/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a description of a machine to the command line of QEMU. Nothing here looks at the host: every
 * decision (KVM or not, which firmware, which sockets) is in the description. */

#include <glib.h>

#include "recipe/language/enums.h"
#include "vm/host/firmware.h"

/* An SMBIOS OEM string (type 11): short and public as a value, else a file that holds it. */
typedef struct {
    char *value;
    char *path;
} VmOemString;

typedef struct {
    char *id;
    char *path;
    char *options; /* added to -blockdev, or NULL */
} VmDrive;

/* A directory of the host, through virtiofsd. */
typedef struct {
    char *tag;
    char *socket;
} VmShare;

typedef struct {
    const char *program;        /* absolute path of qemu-system-ARCHITECTURE */
    const char *architecture;   /* QEMU's name */
    const char *name;           /* of the machine, or NULL */
    const VmFirmware *firmware; /* NULL: QEMU's own BIOS, for direct boot */
    const char *variables;      /* writable variable store, with firmware */
    gboolean kvm;
    guint cpus;           /* at least 1 */
    guint64 ram, max_mem; /* bytes; max_mem 0: cannot grow */
    gboolean cxl;
    const char *disk;
    const char *disk_format; /* "raw" or "qcow2" */
    QemuDiskType disk_type;
    gboolean removable;
    gboolean read_only_disk; /* for optical drives */
    gboolean snapshot;       /* writes are thrown away by QEMU */
    Network network;
    guint32 vsock_cid; /* 0: no vsock */
    int vsock_fd;      /* of /dev/vhost-vsock */
    int tpm_fd;        /* control channel of swtpm, -1: no TPM */
    ConsoleMode console;
    int console_fd;              /* first serial port; -1: the terminal (native) or nothing (headless) */
    int report_fd;               /* second serial port, or -1 */
    int monitor_fd;              /* QMP */
    const char *kernel, *initrd; /* direct boot, or NULL */
    const char *kernel_command_line;
    GPtrArray *oem_strings; /* of VmOemString */
    GPtrArray *drives;      /* of VmDrive */
    GPtrArray *shares;      /* of VmShare; NULL or empty: none */
    char *const *extra;     /* QemuArgs=, last so that it can override */
} VmDescription;

VmOemString *vm_oem_string_new(const char *value, const char *path);
void vm_oem_string_free(VmOemString *string);
VmDrive *vm_drive_new(const char *id, const char *path, const char *options);
void vm_drive_free(VmDrive *drive);
VmShare *vm_share_new(const char *tag, const char *socket);
void vm_share_free(VmShare *share);

/* The name of the kernel's first serial console: "ttyS0". */
const char *vm_serial_console(const char *architecture);

/* NULL-terminated argument vector, owned by the caller (g_strfreev). */
char **vm_qemu_arguments(const VmDescription *description);
