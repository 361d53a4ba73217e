/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Hash trees and signatures of root hashes: fetched first, and believed only when all agree. */

#include "update/job/job.h"

#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "update/device/trust.h"
#include "update/transfer/error.h"

#define BLOCK VERITY_BLOCK_SIZE
#define SIGNATURE_MAX (64u * 1024)
/* Of 64 GiB of data. */
#define TREE_MAX (520u * 1024 * 1024)

/* The beginning of a file, as much as is wanted of it. */
typedef struct {
    Job *job;
    guint64 wanted;
} Beginning;

static gboolean on_bytes(gpointer data, guint64 offset, const guint8 *bytes, gsize size, GError **error) {
    Beginning *beginning = data;
    GByteArray *content = beginning->job->content;

    if (offset > content->len || offset + size <= content->len)
        return TRUE;
    gsize skipped = (gsize) (content->len - offset);
    gsize n = MIN(size - skipped, beginning->wanted - MIN(content->len, beginning->wanted));
    g_byte_array_append(content, bytes + skipped, (guint) n);
    /* The superblock says how much of the file is the tree. */
    if (job_is_tree(beginning->job) && content->len >= BLOCK && beginning->wanted == BLOCK) {
        VeritySuperblock superblock;
        g_autoptr(GError) failure = NULL;
        if (!verity_superblock_parse(content->data, content->len, &superblock, &failure))
            return update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s: %s", beginning->job->file, failure->message);
        guint64 area = verity_hash_area_size(superblock.data_blocks);
        if (area > TREE_MAX || area > beginning->job->size)
            return update_fail(error, UPDATE_ERROR_UNTRUSTED,
                    "%s: its superblock tells of a tree that it does not have", beginning->job->file);
        beginning->wanted = area;
        /* A server that sends everything goes on with the rest of these bytes. */
        return on_bytes(data, offset, bytes, size, error);
    }
    return TRUE;
}

static gboolean fetch_until(Beginning *beginning, guint64 end, GError **error) {
    Job *job = beginning->job;
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(HttpRange));
    HttpRange range = {job->content->len - job->content->len % BLOCK, 0};

    if (job->content->len >= end)
        return TRUE;
    g_byte_array_set_size(job->content, (guint) range.offset);
    range.size = MIN(end, job->size) - range.offset;
    g_array_append_val(ranges, range);
    return update_source_fetch(job->source, job->file, job->size, ranges, on_bytes, beginning, error);
}

/* The digest of the file, if zeros are behind what was fetched of it. */
static gboolean check_digest(const Job *job, GError **error) {
    static const guint8 zeros[BLOCK];
    g_autoptr(Sha256) sha = sha256_new();
    guint8 digest[SHA256_SIZE];

    if (!job->digest)
        return TRUE;
    sha256_update(sha, job->content->data, job->content->len);
    for (guint64 left = job->size - job->content->len; left > 0;) {
        gsize n = MIN(left, sizeof zeros);
        sha256_update(sha, zeros, n);
        left -= n;
    }
    sha256_finish(sha, digest);
    return memcmp(digest, job->digest, SHA256_SIZE) == 0 ||
           update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s is not what the signed manifest says", job->file);
}

static gboolean fetch_beginning(Job *job, GError **error) {
    Beginning beginning = {job, job_is_tree(job) ? BLOCK : job->size};

    job->content = g_byte_array_new();
    if (!job_is_tree(job) && job->size > SIGNATURE_MAX)
        return update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s is too long for a signature", job->file);
    if (job_is_tree(job) && job->size < BLOCK)
        return update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s is too short for a hash tree", job->file);
    if (!fetch_until(&beginning, beginning.wanted, error))
        return FALSE;
    /* With the superblock more is wanted. */
    return fetch_until(&beginning, beginning.wanted, error) && check_digest(job, error);
}

/* Names of files carry halves of the root hash, as UUIDs of partitions. */
static gboolean check_uuid(const Job *job, const guint8 *half, GError **error) {
    return !job || !job->fields.has_uuid || memcmp(job->fields.uuid.bytes, half, sizeof job->fields.uuid.bytes) == 0 ||
           update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s: its UUID is not that of the root hash", job->file);
}

static gboolean check_volume(const GPtrArray *jobs, PartitionRole role, const GPtrArray *certificates, GError **error) {
    const Job *volume = jobs_find(jobs, role);
    const Job *tree = jobs_find(jobs, role == PARTITION_USR ? PARTITION_USR_VERITY : PARTITION_ROOT_VERITY);
    const Job *sig = jobs_find(jobs, role == PARTITION_USR ? PARTITION_USR_VERITY_SIG : PARTITION_ROOT_VERITY_SIG);
    g_auto(TrustSignature) signature = {.signature = NULL};
    guint8 root_hash[VERITY_DIGEST_SIZE];
    VeritySuperblock superblock;
    g_autoptr(GError) failure = NULL;
    Uuid first, last;

    if (!tree || !tree->content)
        return TRUE;
    if (!verity_area_check(tree->content->data, tree->content->len, &superblock, root_hash, &failure))
        return update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s: %s", tree->file, failure->message);
    verity_partition_uuids(root_hash, first.bytes, last.bytes);
    if (!check_uuid(volume, first.bytes, error) || !check_uuid(tree, last.bytes, error))
        return FALSE;
    if (!sig || !sig->content)
        return certificates->len == 0 ||
               update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s has no signature, and this device wants one", tree->file);
    if (!trust_signature_parse(sig->content->data, sig->content->len, &signature, error)) {
        g_prefix_error(error, "%s: ", sig->file);
        return FALSE;
    }
    if (memcmp(signature.root_hash, root_hash, sizeof root_hash) != 0)
        return update_fail(
                error, UPDATE_ERROR_UNTRUSTED, "%s is about another root hash than that of %s", sig->file, tree->file);
    return trust_check(&signature, certificates, error);
}

gboolean jobs_check_trust(Update *update, GPtrArray *jobs, GError **error) {
    g_autoptr(GPtrArray) certificates = trust_load(update->machine, error);

    if (!certificates)
        return FALSE;
    for (guint i = 0; i < jobs->len; i++) {
        Job *job = jobs->pdata[i];
        if ((job_is_tree(job) || job_is_signature(job)) && !job->zstd && !fetch_beginning(job, error))
            return FALSE;
    }
    return check_volume(jobs, PARTITION_USR, certificates, error) &&
           check_volume(jobs, PARTITION_ROOT, certificates, error);
}
