/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* UEFI firmware for virtual machines, found through QEMU's firmware descriptors (docs/interop/firmware.json
 * of QEMU). */

#include <glib.h>

#define VM_FIRMWARE_ERROR vm_firmware_error_quark()
GQuark vm_firmware_error_quark(void);

typedef enum {
    VM_FIRMWARE_ERROR_INVALID,  /* a descriptor that does not follow the specification */
    VM_FIRMWARE_ERROR_UNUSABLE, /* firmware of a kind that we cannot start (BIOS, one file for code and
                                   variables) */
    VM_FIRMWARE_ERROR_MISSING,  /* nothing suitable is installed */
} VmFirmwareError;

typedef struct {
    char *code;        /* read-only flash image, absolute */
    char *code_format; /* "raw" or "qcow2" */
    char *variables;   /* template of the variable store, absolute */
    char *variables_format;
    char **targets; /* "ARCHITECTURE/MACHINE-GLOB", in the order of the file */
    gboolean secure_boot;
    gboolean requires_smm;
    gboolean enrolled_keys; /* the template has somebody's keys already */
    gboolean confidential;  /* only for SEV-SNP, TDX and the like */
} VmFirmware;

void vm_firmware_free(VmFirmware *firmware);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmFirmware, vm_firmware_free)

/* Reads one descriptor from a buffer of foreign bytes. Returns NULL with VM_FIRMWARE_ERROR_INVALID or
 * VM_FIRMWARE_ERROR_UNUSABLE. */
VmFirmware *vm_firmware_parse(const char *data, gsize length, GError **error);

/* What is asked of the firmware. */
typedef struct {
    const char *architecture; /* QEMU's name: "x86_64" */
    gboolean secure_boot;     /* TRUE: must verify what it starts; FALSE: must not be able to */
    gboolean enrolled_keys; /* TRUE: with the keys of the distribution and Microsoft; FALSE: in setup mode */
} VmFirmwareWish;

gboolean vm_firmware_suits(const VmFirmware *firmware, const VmFirmwareWish *wish);

/* The first suitable firmware whose files exist. DIRECTORIES (NULL: those of QEMU: the user's, the
 * administrator's, the vendor's) are searched as the specification says: a file name in an earlier directory
 * hides the same name in later ones, and the names sort the preference. Falls back to where Debian puts
 * OVMF. The error names the package to install. */
VmFirmware *vm_firmware_find(const VmFirmwareWish *wish, const char *const *directories, GError **error);
