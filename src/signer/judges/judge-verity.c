/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Root hashes: whoever has one signed has the volume that it is of. */

#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "format/verity/signature/verity-signature.h"
#include "format/verity/verity.h"
#include "signer/judges/judges.h"
#include "signer/text/error.h"

#define THING_SIZE_MAX (64 * 1024)
/* 1/128 of the volume. */
#define TREE_SIZE_MAX (1024ull * 1024 * 1024)

static gboolean check_report(const VerityReport *report, GBytes *root_hash, GError **error) {
    gsize size;
    const guint8 *wanted = g_bytes_get_data(root_hash, &size);

    if (report->bad_hash_block != VERITY_NO_BLOCK)
        return signer_refuse(error, SIGNER_ERROR_CONTENT,
                "The hash tree does not hold: its block %" G_GUINT64_FORMAT " is not what the one above says",
                report->bad_hash_block);
    if (report->bad_data_block != VERITY_NO_BLOCK)
        return signer_refuse(error, SIGNER_ERROR_CONTENT,
                "The data differ from the hash tree in block %" G_GUINT64_FORMAT, report->bad_data_block);
    if (size != VERITY_DIGEST_SIZE || memcmp(wanted, report->root_hash, size) != 0)
        return signer_refuse(error, SIGNER_ERROR_CONTENT,
                "The signature partition names another root hash than that of the data and their tree");
    return TRUE;
}

static gboolean verify(SignerObject *data, const SignerObject *hash, GBytes *root_hash, GError **error) {
    AUTO_FD tree = signer_object_copy(hash, TREE_SIZE_MAX, error);
    g_autoptr(GError) problem = NULL;
    VerityReport report;

    if (tree < 0)
        return FALSE;
    if (!verity_verify(data->fd, data->offset, data->size, tree, 0, hash->size, 0, &report, &problem))
        return signer_refuse_because(
                error, g_steal_pointer(&problem), SIGNER_ERROR_CONTENT, "The hash tree cannot be verified");
    return check_report(&report, root_hash, error);
}

/* The root hash stands for all of the data and their tree. */
static void set_digests(SignerCase *this, SignerObject *data, SignerObject *hash, GBytes *root_hash) {
    g_autofree char *hex = hex_encode(g_bytes_get_data(root_hash, NULL), g_bytes_get_size(root_hash));

    g_strlcpy(data->digest, hex, sizeof data->digest);
    g_strlcpy(hash->digest, hex, sizeof hash->digest);
    json_object_set_string_member(this->facts, "rootHash", hex);
    json_object_set_int_member(this->facts, "dataSize", (gint64) data->size);
}

gboolean signer_judge_verity(SignerCase *this, GError **error) {
    g_autoptr(GError) problem = NULL;
    gsize size;

    if (!signer_case_take_thing(this, SIGNING_VERITY, THING_SIZE_MAX, SIGNER_PURPOSE_VERITY, error))
        return FALSE;
    const guint8 *content = g_bytes_get_data(this->thing->content, &size);
    g_autoptr(VeritySignature) signature = verity_signature_parse(content, size, &problem);
    if (!signature)
        return signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_CONTENT, "The signature partition");
    SignerObject *data = signer_objects_find(this->objects, "data", error);
    SignerObject *hash = data ? signer_objects_find(this->objects, "hash", error) : NULL;
    if (!hash || !verify(data, hash, signature->root_hash, error))
        return FALSE;
    set_digests(this, data, hash, signature->root_hash);
    return TRUE;
}
