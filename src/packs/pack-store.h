/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a build has computed and a later one may use again: values by the digest of everything that they were computed
 * from, in a directory of packs (pack-file.h). It only saves time. Whatever is wrong with it (damage, a full disk, no
 * right to write), the answer is that a value is not there.
 *
 * Builds may use a store at once: each reads the packs that were there when it began, and leaves a pack of its own, which
 * appears whole or not at all. Beyond its limit the packs that were used longest ago go.
 */

#include <glib.h>

#include "base/sha256.h"

typedef struct PackStore PackStore;

typedef enum {
    PACK_STORE_FORGET = 1 << 0, /* nothing that is there is used; what is added replaces it */
} PackStoreFlags;

/* Opens the store in DIRECTORY, which is made if it is missing; it keeps up to LIMIT bytes. NULL with ERROR set where there
 * can be none. */
PackStore *pack_store_open(const char *directory, guint64 limit, PackStoreFlags flags, GError **error);

/* Reads the value of KEY, of SIZE_MAX_ bytes at most, into OUT. FALSE: it is not there. Thread-safe. */
gboolean pack_store_find(PackStore *store, const guint8 key[static SHA256_SIZE], guint8 *out, gsize size_max,
        gsize *ret_size) G_GNUC_WARN_UNUSED_RESULT;

/* Keeps SIZE bytes of VALUE for KEY. Found by those who open the store after pack_store_close(). Thread-safe. */
void pack_store_add(PackStore *store, const guint8 key[static SHA256_SIZE], const void *value, gsize size);

typedef struct {
    guint64 found, added; /* values */
    guint damaged;        /* packs that were removed */
    guint forgotten;      /* likewise, to stay within the limit */
    char *failure;        /* why nothing was added, or NULL; owned by whoever asked */
} PackStoreReport;

/* Keeps what was added, forgets what is too much, and frees STORE (may be NULL). RET may be NULL. */
void pack_store_close(PackStore *store, PackStoreReport *ret);

static inline void pack_store_abandon(PackStore *store) {
    pack_store_close(store, NULL);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PackStore, pack_store_abandon)
