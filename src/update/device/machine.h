/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The system that is updated: the one that runs, or one whose files and disk somebody names. */

#include <glib.h>

#include "update/transfer/transfer.h"

typedef struct {
    char *root;           /* "" for the system that runs, else the directory its files are in */
    char *disk;           /* that /usr is on; NULL: not found yet */
    char *esp, *xbootldr; /* directories; NULL: there is none */
    char *image_id, *image_version;
    TransferSpecifiers specifiers;
    GPtrArray *texts; /* what specifiers point to */
} Machine;

/* ROOT, DISK and BOOT (where the boot partition is mounted) may be NULL: what runs. SYSTEMD_ESP_PATH and
 * SYSTEMD_XBOOTLDR_PATH are heard, as by systemd-sysupdate. */
Machine *machine_new(const char *root, const char *disk, const char *boot);
void machine_free(Machine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Machine, machine_free)

/* The path of NAME in it; owned by the caller. */
char *machine_path(const Machine *machine, const char *name);

/* The directories of transfer files, the one that counts most first; free with g_strfreev(). */
char **machine_definitions(const Machine *machine);

/* The disk for Path=auto: the one that /usr is on, else /. */
const char *machine_find_disk(Machine *machine, GError **error);

/* Where files of TRANSFER's target are; owned by the caller. */
char *machine_target_directory(const Machine *machine, const Transfer *transfer, GError **error);
