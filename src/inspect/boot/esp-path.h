/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of an ESP are, by their places (UAPI.1 Boot Loader Specification, systemd-boot(7),
 * systemd-stub(7)). Pure functions over text. */

#include <glib.h>

typedef enum {
    ESP_FILE_UNKNOWN, /* nobody knows who reads it */
    ESP_FILE_LOADER,  /* firmware or boot loader start it */
    ESP_FILE_UKI,
    ESP_FILE_ADDON,
    ESP_FILE_EXTENSION, /* disk image that the initrd merges */
    ESP_FILE_CREDENTIAL,
    ESP_FILE_KEY,    /* enrolment variable */
    ESP_FILE_CONF,   /* loader.conf */
    ESP_FILE_ENTRY,  /* boot entry, type 1 */
    ESP_FILE_SEED,   /* random seed */
    ESP_FILE_MARKER, /* which kinds of entries are in use */
} EspFileKind;

/* What the file PATH ("EFI/Linux/x.efi", from the root of the file system, in any case) is. */
EspFileKind esp_file_classify(const char *path);

/* The name of a UKI without the counter of its boot attempts ("x+2-1.efi": "x.efi"), in lower case; owned by
 * the caller. */
char *esp_uki_name(const char *path);
