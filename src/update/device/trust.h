/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a device would start a volume: the signature of its root hash, as the kernel looks at it.
 *
 * The kernel takes signatures by keys of its own, of the machine owner (MOK) and of the firmware (db). Two places can be
 * read: the variable db, and the directories verity.d, where systemd looks for those that it checks itself. When these name
 * certificates, a volume has to be signed by one of them, or by a certificate that one of them issued; an update that could
 * not start is refused before its first byte is written. When nobody names any, only the manifest's signature counts. */

#include <glib.h>

#include "format/verity/verity.h"
#include "update/device/machine.h"

/* The certificates, an array of Certificate; empty: nobody names any. */
GPtrArray *trust_load(const Machine *machine, GError **error);

/* What a verity signature partition says. Foreign bytes. */
typedef struct {
    guint8 root_hash[VERITY_DIGEST_SIZE];
    GBytes *signature; /* DER */
} TrustSignature;

gboolean trust_signature_parse(
        const void *data, gsize size, TrustSignature *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void trust_signature_clear(TrustSignature *signature);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TrustSignature, trust_signature_clear)

/* Whether SIGNATURE is good for CERTIFICATES (none: TRUE). */
gboolean trust_check(
        const TrustSignature *signature, const GPtrArray *certificates, GError **error) G_GNUC_WARN_UNUSED_RESULT;
