/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What keys of a recipe are for: how their files are called, and which settings name them. */

#include "crypto/generate/genkey-options.h"

typedef struct {
    const char *word;            /* stands for %p */
    const char *stem;            /* of the files' names: STEM.key, STEM.crt */
    const char *const *settings; /* what their names begin with ("SecureBoot"); NULL-terminated */
    GenkeyPurpose purpose;
    gboolean found;   /* the recipe language finds the files by their names */
    const char *loss; /* what it means to lose the key, and what somebody can do who has it */
} GenkeyUse;

/* One key for all that is in an image, and the one for manifests. */
extern const GenkeyUse genkey_use_images, genkey_use_manifests;

/* A key for each purpose (--genkey-per-purpose); the last one is that for manifests. */
#define GENKEY_VERITY 1 /* its place */
#define N_GENKEY_PURPOSES 4
extern const GenkeyUse *const genkey_uses[N_GENKEY_PURPOSES];

/* PATTERN with %p as the word of USE and %u as the user; owned by the caller. */
char *genkey_use_expand(const GenkeyUse *use, const char *pattern);

/* The directory of certificates that firmware shall trust as well, and what the verity certificate is called there. */
#define GENKEY_DB_DIRECTORY "mkosi.uefi.db"
#define GENKEY_DB_VERITY GENKEY_DB_DIRECTORY "/verity.crt"
