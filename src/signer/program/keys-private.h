/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whose keys are where, for the sources that move them. An owner is "NAMESPACE/PROJECT", or the instance, whose keys are that of the log
 * and that of provenance. */

#include "base/cleanup.h"
#include "signer/policy/policy.h"

#define KEYS_INSTANCE "instance"

/* Names of files in a directory. */
typedef struct {
    const char *purpose, *key, *certificate;
} KeyFiles;

typedef struct {
    const char *owner; /* borrowed */
    char *directory;
    SignerPolicy *policy; /* NULL: the instance has none */
    GArray *keys;         /* of KeyFiles: those in files of the directory; strings of the policy */
} KeyPlace;

void key_place_clear(KeyPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(KeyPlace, key_place_clear)

/* Fills RET, which g_auto() or key_place_clear() frees. */
gboolean key_place_open(const char *state, const char *policies, const char *owner, KeyPlace *ret, GError **error)
        G_GNUC_WARN_UNUSED_RESULT;

/* The files of the key for PURPOSE; NULL: there are none. */
const KeyFiles *key_place_find(const KeyPlace *place, const char *purpose);

/* The directory of OWNER's keys; owned by the caller. */
char *keys_directory(const char *state, const char *owner);

/* Where it is written down that OWNER was exported: "DAY FINGERPRINT…". Owned by the caller. */
char *keys_mark_path(const char *state, const char *owner);
