/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* UUIDs in the order of their text (RFC 9562), and the way partition tools derive them from one seed, so
 * that equal inputs give equal disks. */

#include <glib.h>

typedef struct {
    guint8 bytes[16];
} Uuid;

#define UUID_TEXT_LENGTH 36

/* TEXT with or without hyphens and "urn:uuid:", any case. FALSE: not a UUID. */
gboolean uuid_parse_text(const char *text, Uuid *ret);

/* Lower case with hyphens. */
void uuid_format_text(const Uuid *uuid, char ret[UUID_TEXT_LENGTH + 1]);
char *uuid_to_text(const Uuid *uuid);
/* Lower case without hyphens. */
char *uuid_to_hex(const Uuid *uuid);

gboolean uuid_is_equal(const Uuid *a, const Uuid *b);
gboolean uuid_is_null(const Uuid *uuid);

/* HMAC-SHA256 of DATA under KEY (the bytes of a UUID). */
void uuid_hmac(const Uuid *key, const void *data, gsize length, guint8 ret[32]);

/* The UUID for PURPOSE ("disk-uuid", "file-system-uuid", ...) under BASE: first half of the HMAC-SHA256 of
 * the word, marked as version 4, as systemd-repart derives it. */
Uuid uuid_derive(const Uuid *base, const char *purpose);

/* The UUID of the COUNTER-th attempt for a partition of TYPE under SEED: HMAC-SHA256 of the type UUID, from
 * the second attempt on followed by the counter (64 bits, little endian), as systemd-repart derives it. */
Uuid uuid_derive_partition(const Uuid *seed, const Uuid *type, guint64 counter);
