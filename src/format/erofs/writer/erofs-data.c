/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/erofs/writer/erofs-data.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/sha256.h"
#include "base/work-pool.h"
#include "format/erofs/erofs-format.h"
#include "format/erofs/writer/erofs-cluster.h"
#include "format/erofs/writer/erofs-metadata.h"

/* Bytes of input of one job: enough to make the cost of handing it over disappear. */
#define JOB_SIZE ((gsize) EROFS_CLUSTER_SIZE_MAX)
/* Jobs of one kind under way at a time: bounds memory on machines with very many processors. */
#define JOBS_MAX 96
/* Above this offset only whole files go into the packed inode: the tail of a file has 32 bits to say where.
 */
#define PACKED_TAIL_LIMIT (G_GUINT64_CONSTANT(3) << 30)

/* Identity of content. */
typedef struct {
    guint8 digest[SHA256_SIZE];
    guint64 size;
} ContentKey;

typedef struct {
    WorkJob work;
    const struct Writer *writer;
    GError *error;
    guint8 *input;  /* JOB_SIZE bytes */
    guint8 *output; /* JOB_SIZE bytes */
    gsize n_blocks; /* of output */
    GArray *clusters;
    GByteArray *digests; /* verity: of each block; when reading fragments: content of each */

    /* Part of the body of a file. */
    ErofsInode *inode;
    guint64 offset;
    gsize size; /* also of a cluster of the packed inode, whose input is there already */
    gboolean last;
    gboolean identify; /* the content is a candidate for sharing */
    guint8 digest[SHA256_SIZE];

    /* Tails of several files. */
    guint first_fragment;
    guint n_fragments;
} DataJob;

typedef struct {
    ErofsClusterMaker *maker;
    Sha256 *sha;
} DataContext;

typedef struct Writer {
    ErofsOutput *output;
    const ErofsDataOptions *options;
    WorkPool *pool;
    guint jobs_max;  /* under way at a time, of one kind */
    GQueue bodies;   /* jobs under way, oldest first */
    GQueue reads;    /* likewise */
    GQueue clusters; /* likewise */
    GQueue idle;     /* jobs to use again */

    GHashTable *body_sizes;   /* size -> how many files have a body of that size */
    GHashTable *bodies_known; /* ContentKey -> ErofsInode */
    GByteArray *body_digest;  /* digests of the parts of the current body */

    GPtrArray *fragments;        /* inodes with a tail outside of their body */
    GHashTable *fragments_known; /* ContentKey -> guint64 offset in the packed inode */
    DataJob *filling;            /* the cluster of the packed inode that is being filled */
    ErofsInode *packed;
} Writer;

static guint content_key_hash(gconstpointer data) {
    guint hash;
    memcpy(&hash, ((const ContentKey *) data)->digest, sizeof hash);
    return hash;
}

static gboolean content_key_equal(gconstpointer a, gconstpointer b) {
    const ContentKey *x = a, *y = b;
    return x->size == y->size && memcmp(x->digest, y->digest, SHA256_SIZE) == 0;
}

gboolean erofs_output_write(ErofsOutput *output, guint32 block, const void *data, gsize n_blocks,
        const guint8 *digests, GError **error) {
    if (n_blocks > output->max_blocks || block > output->max_blocks - n_blocks) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                "the file system needs more than the %" G_GUINT64_FORMAT " bytes that it may have",
                output->max_blocks * EROFS_BLOCK_SIZE);
        return FALSE;
    }
    if (output->verity && digests)
        verity_tree_set_digests(output->verity, block, digests, n_blocks);
    output->end_block = MAX(output->end_block, block + n_blocks);
    return pwrite_all(output->fd, data, n_blocks * EROFS_BLOCK_SIZE,
            output->offset + (guint64) block * EROFS_BLOCK_SIZE, error);
}

gboolean erofs_output_clear_rest(ErofsOutput *output, GError **error) {
    static const guint8 zeros[64 * EROFS_BLOCK_SIZE];
    for (guint32 block = output->next_block; block < output->end_block; block += 64)
        if (!erofs_output_write(output, block, zeros, MIN(64, output->end_block - block), NULL, error))
            return FALSE;
    return TRUE;
}

/* In the threads of the pool. */

static gpointer data_context_new(gpointer data) {
    const Writer *writer = data;
    const ErofsDataOptions *options = writer->options;
    const ErofsClusterOptions cluster = {
            .compression = options->compression,
            .level = options->level,
            .window = MAX(options->cluster_size, options->packed_max),
            .verity = writer->output->verity,
            .store = options->store,
            .maker = options->maker,
    };
    DataContext *context = g_new0(DataContext, 1);
    context->maker = erofs_cluster_maker_new(&cluster);
    context->sha = sha256_new();
    return context;
}

static void data_context_free(gpointer data) {
    DataContext *context = data;
    erofs_cluster_maker_free(context->maker);
    sha256_free(context->sha);
    g_free(context);
}

/* Makes the input to clusters of at most CLUSTER_SIZE bytes of it. */
static void make_clusters(DataJob *job, DataContext *context, gsize cluster_size) {
    job->n_blocks = 0;
    g_array_set_size(job->clusters, 0);
    g_byte_array_set_size(job->digests, JOB_SIZE / EROFS_BLOCK_SIZE * VERITY_DIGEST_SIZE);
    for (gsize at = 0; at < job->size; at += cluster_size) {
        ErofsCluster cluster = erofs_cluster_make(context->maker, job->input + at, MIN(cluster_size, job->size - at),
                job->output + job->n_blocks * EROFS_BLOCK_SIZE, job->digests->data + job->n_blocks * VERITY_DIGEST_SIZE);
        g_array_append_val(job->clusters, cluster);
        job->n_blocks += cluster.physical;
    }
}

static gboolean read_part(ErofsInode *inode, guint64 offset, gsize size, guint8 *out, GError **error) {
    AUTO_FD fd = erofs_inode_open(inode, error);
    if (fd < 0)
        return FALSE;
    if (!pread_all(fd, out, size, offset, error)) {
        g_prefix_error(error, "/%s: ", inode->source_path);
        return FALSE;
    }
    return TRUE;
}

static void run_body(WorkJob *work, gpointer data) {
    DataJob *job = (DataJob *) work;
    DataContext *context = data;
    if (!read_part(job->inode, job->offset, job->size, job->input, &job->error))
        return;
    if (job->identify)
        sha256_digest(context->sha, NULL, 0, job->input, job->size, job->digest);
    make_clusters(job, context, job->writer->options->cluster_size);
}

static void run_packed_cluster(WorkJob *work, gpointer data) {
    DataJob *job = (DataJob *) work;
    make_clusters(job, data, job->size);
}

static gsize tail_size(const ErofsInode *inode) {
    return inode->size - inode->data.body_size;
}

static void run_read_fragments(WorkJob *work, gpointer data) {
    DataJob *job = (DataJob *) work;
    DataContext *context = data;
    g_byte_array_set_size(job->digests, job->n_fragments * SHA256_SIZE);
    gsize at = 0;
    for (guint i = 0; i < job->n_fragments; i++) {
        ErofsInode *inode = job->writer->fragments->pdata[job->first_fragment + i];
        gsize size = tail_size(inode);
        if (!read_part(inode, inode->data.body_size, size, job->input + at, &job->error))
            return;
        sha256_digest(context->sha, NULL, 0, job->input + at, size, job->digests->data + i * SHA256_SIZE);
        at += size;
    }
}

/* In the thread that writes. */

static DataJob *take_job(Writer *writer, void (*run)(WorkJob *, gpointer)) {
    DataJob *job = g_queue_pop_head(&writer->idle);
    if (!job) {
        job = g_new0(DataJob, 1);
        job->writer = writer;
        job->input = g_malloc(JOB_SIZE);
        job->output = g_malloc(JOB_SIZE);
        job->clusters = g_array_new(FALSE, FALSE, sizeof(ErofsCluster));
        job->digests = g_byte_array_new();
    }
    job->work.run = run;
    return job;
}

static void job_free(gpointer data) {
    DataJob *job = data;
    if (!job)
        return;
    g_clear_error(&job->error);
    g_free(job->input);
    g_free(job->output);
    g_array_unref(job->clusters);
    g_byte_array_unref(job->digests);
    g_free(job);
}

/* Waits for the oldest job of QUEUE. Returns NULL if it failed, or if nobody wants the result any more. */
static DataJob *next_done(Writer *writer, GQueue *queue, GError **error) {
    DataJob *job = g_queue_pop_head(queue);
    work_pool_wait(writer->pool, &job->work);
    if (!job->error && writer->options->cancelled && writer->options->cancelled(writer->options->cancelled_data))
        g_set_error_literal(&job->error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "Cancelled");
    if (!job->error)
        return job;
    g_propagate_error(error, g_steal_pointer(&job->error));
    g_queue_push_tail(&writer->idle, job);
    return NULL;
}

/* Appends the blocks of JOB to the output and its clusters to INODE. */
static gboolean append_blocks(Writer *writer, DataJob *job, ErofsInode *inode, GError **error) {
    ErofsOutput *output = writer->output;
    if (!erofs_output_write(
                output, output->next_block, job->output, job->n_blocks, job->digests->data, error))
        return FALSE;
    output->next_block += job->n_blocks;
    inode->data.n_blocks += job->n_blocks;
    if (!inode->data.clusters)
        inode->data.clusters = g_array_new(FALSE, FALSE, sizeof(ErofsCluster));
    g_array_append_vals(inode->data.clusters, job->clusters->data, job->clusters->len);
    return TRUE;
}

/*
 * The body of INODE is written. If another file has the same, its blocks are used instead and those just
 * written will be overwritten by what follows.
 */
static void share_body(Writer *writer, ErofsInode *inode) {
    g_autofree ContentKey *key = g_new0(ContentKey, 1);
    g_autoptr(Sha256) sha = sha256_new();
    sha256_digest(sha, NULL, 0, writer->body_digest->data, writer->body_digest->len, key->digest);
    key->size = inode->data.body_size;

    const ErofsInode *same = g_hash_table_lookup(writer->bodies_known, key);
    if (!same) {
        g_hash_table_insert(writer->bodies_known, g_steal_pointer(&key), inode);
        return;
    }
    writer->output->next_block = inode->data.first_block;
    inode->data.first_block = same->data.first_block;
}

/* A body none of which got smaller is stored like in a file system without compression, which is read
 * faster. */
static void drop_needless_clusters(ErofsInode *inode, ErofsCompression compression) {
    if (compression != EROFS_COMPRESSION_NONE && inode->data.body_size != inode->size)
        return;
    for (guint i = 0; i < inode->data.clusters->len; i++)
        if (!g_array_index(inode->data.clusters, ErofsCluster, i).raw)
            return;
    g_clear_pointer(&inode->data.clusters, g_array_unref);
}

static gboolean finish_body_part(Writer *writer, GError **error) {
    DataJob *job = next_done(writer, &writer->bodies, error);
    if (!job)
        return FALSE;
    ErofsInode *inode = job->inode;
    g_queue_push_tail(&writer->idle, job);
    if (job->offset == 0) {
        inode->data.first_block = writer->output->next_block;
        g_byte_array_set_size(writer->body_digest, 0);
    }
    if (!append_blocks(writer, job, inode, error)) {
        g_prefix_error(error, "/%s: ", inode->source_path);
        return FALSE;
    }
    g_byte_array_append(writer->body_digest, job->digest, SHA256_SIZE);
    if (job->last && job->identify)
        share_body(writer, inode);
    if (job->last)
        drop_needless_clusters(inode, writer->options->compression);
    return TRUE;
}

static gboolean submit_body(Writer *writer, ErofsInode *inode, GError **error) {
    guint64 body = inode->data.body_size;
    gboolean identify = GPOINTER_TO_UINT(g_hash_table_lookup(writer->body_sizes, &body)) > 1;
    for (guint64 offset = 0; offset < body; offset += JOB_SIZE) {
        if (g_queue_get_length(&writer->bodies) >= writer->jobs_max && !finish_body_part(writer, error))
            return FALSE;
        DataJob *job = take_job(writer, run_body);
        job->inode = inode;
        job->offset = offset;
        job->size = MIN(JOB_SIZE, body - offset);
        job->last = offset + job->size == body;
        job->identify = identify;
        g_queue_push_tail(&writer->bodies, job);
        work_pool_submit(writer->pool, &job->work);
    }
    return TRUE;
}

static gboolean write_bodies(Writer *writer, GPtrArray *inodes, GError **error) {
    for (guint i = 0; i < inodes->len; i++)
        if (S_ISREG(((ErofsInode *) inodes->pdata[i])->mode) &&
                !submit_body(writer, inodes->pdata[i], error))
            return FALSE;
    while (!g_queue_is_empty(&writer->bodies))
        if (!finish_body_part(writer, error))
            return FALSE;
    return TRUE;
}

/* The packed inode. */

static gboolean finish_packed_cluster(Writer *writer, GError **error) {
    DataJob *job = next_done(writer, &writer->clusters, error);
    if (!job)
        return FALSE;
    g_queue_push_tail(&writer->idle, job);
    return append_blocks(writer, job, writer->packed, error);
}

/* Hands over the cluster that was filled. Its end is a block of the packed inode. */
static gboolean close_packed_cluster(Writer *writer, GError **error) {
    DataJob *job = g_steal_pointer(&writer->filling);
    gsize padded = (job->size + EROFS_BLOCK_SIZE - 1) / EROFS_BLOCK_SIZE * EROFS_BLOCK_SIZE;
    memset(job->input + job->size, 0, padded - job->size);
    job->size = padded;
    writer->packed->size += padded;
    writer->packed->data.body_size += padded;
    g_queue_push_tail(&writer->clusters, job);
    work_pool_submit(writer->pool, &job->work);
    return g_queue_get_length(&writer->clusters) <= writer->jobs_max || finish_packed_cluster(writer, error);
}

/*
 * Whether the cluster that is being filled ends in front of INODE. Where it can end depends on the path, so
 * that after a change somewhere before the clusters soon have the same contents again.
 */
static gboolean cluster_ends(const Writer *writer, const ErofsInode *inode) {
    const ErofsDataOptions *options = writer->options;
    gsize size = writer->filling->size;
    if (size + tail_size(inode) > options->packed_max)
        return TRUE;
    return size >= options->packed_min && (inode->path_hash >> 8) % 16 == 0;
}

static gboolean add_fragment(
        Writer *writer, ErofsInode *inode, const guint8 *content, const guint8 *digest, GError **error) {
    gsize size = tail_size(inode);
    ContentKey key = {.size = size};
    memcpy(key.digest, digest, SHA256_SIZE);
    const guint64 *known = g_hash_table_lookup(writer->fragments_known, &key);
    if (known) {
        inode->data.fragment = *known;
        return TRUE;
    }

    if (writer->filling && cluster_ends(writer, inode) && !close_packed_cluster(writer, error))
        return FALSE;
    if (!writer->filling) {
        writer->filling = take_job(writer, run_packed_cluster);
        writer->filling->size = 0;
    }
    DataJob *job = writer->filling;
    inode->data.fragment = writer->packed->size + job->size;
    memcpy(job->input + job->size, content, size);
    job->size += size;
    g_hash_table_insert(writer->fragments_known, g_memdup2(&key, sizeof key),
            g_memdup2(&inode->data.fragment, sizeof inode->data.fragment));
    return TRUE;
}

static gboolean add_tail(
        Writer *writer, ErofsInode *inode, const guint8 *content, const guint8 *digest, GError **error) {
    if (writer->options->compression == EROFS_COMPRESSION_NONE) {
        inode->data.inline_tail = g_memdup2(content, tail_size(inode));
        return TRUE;
    }
    if (!add_fragment(writer, inode, content, digest, error))
        return FALSE;
    if (inode->data.clusters) {
        ErofsCluster cluster = {(tail_size(inode) + EROFS_BLOCK_SIZE - 1) / EROFS_BLOCK_SIZE, 0, FALSE};
        g_array_append_val(inode->data.clusters, cluster);
    }
    return TRUE;
}

static gboolean finish_read(Writer *writer, GError **error) {
    DataJob *job = next_done(writer, &writer->reads, error);
    if (!job)
        return FALSE;
    gboolean ok = TRUE;
    gsize at = 0;
    for (guint i = 0; ok && i < job->n_fragments; i++) {
        ErofsInode *inode = writer->fragments->pdata[job->first_fragment + i];
        ok = add_tail(writer, inode, job->input + at, job->digests->data + i * SHA256_SIZE, error);
        at += tail_size(inode);
    }
    g_queue_push_tail(&writer->idle, job);
    return ok;
}

/* Submits a job that reads fragments from NEXT on. Returns the one after the last. */
static guint submit_read(Writer *writer, guint next) {
    DataJob *job = take_job(writer, run_read_fragments);
    job->first_fragment = next;
    gsize size = 0;
    for (; next < writer->fragments->len; next++) {
        gsize tail = tail_size(writer->fragments->pdata[next]);
        if (next > job->first_fragment && size + tail > JOB_SIZE / 4)
            break;
        size += tail;
    }
    job->n_fragments = next - job->first_fragment;
    g_queue_push_tail(&writer->reads, job);
    work_pool_submit(writer->pool, &job->work);
    return next;
}

static gboolean write_fragments(Writer *writer, GError **error) {
    writer->packed->data.first_block = writer->output->next_block;
    guint next = 0;
    while (next < writer->fragments->len || !g_queue_is_empty(&writer->reads)) {
        if (next < writer->fragments->len && g_queue_get_length(&writer->reads) < writer->jobs_max)
            next = submit_read(writer, next);
        else if (!finish_read(writer, error))
            return FALSE;
    }
    if (writer->filling && !close_packed_cluster(writer, error))
        return FALSE;
    while (!g_queue_is_empty(&writer->clusters))
        if (!finish_packed_cluster(writer, error))
            return FALSE;
    return TRUE;
}

/* Planning. */

/* The last, partial block follows the inode if there is room for it. */
static void plan_uncompressed(Writer *writer, ErofsInode *inode) {
    gsize tail = inode->size % EROFS_BLOCK_SIZE;
    gboolean follows = tail > 0 && tail <= erofs_inline_max(inode);
    inode->data.body_size = follows ? inode->size - tail : inode->size;
    if (follows)
        g_ptr_array_add(writer->fragments, inode);
}

static void plan_compressed(Writer *writer, ErofsInode *inode, guint64 *fragments_size) {
    guint32 cluster_size = writer->options->cluster_size;
    gsize tail = inode->size % cluster_size;
    inode->data.body_size = inode->size - tail;
    gboolean whole = inode->data.body_size == 0;
    if (tail == 0 || tail > writer->options->fragment_max ||
            (!whole && *fragments_size > PACKED_TAIL_LIMIT)) {
        inode->data.body_size = inode->size;
        return;
    }
    *fragments_size += tail + EROFS_BLOCK_SIZE;
    g_ptr_array_add(writer->fragments, inode);
}

/* Decides for each file what goes where. */
static void plan(Writer *writer, GPtrArray *inodes) {
    guint64 fragments_size = 0;
    for (guint i = 0; i < inodes->len; i++) {
        ErofsInode *inode = inodes->pdata[i];
        if (!S_ISREG(inode->mode))
            continue;
        if (writer->options->compression == EROFS_COMPRESSION_NONE)
            plan_uncompressed(writer, inode);
        else
            plan_compressed(writer, inode, &fragments_size);
        guint64 *body = &inode->data.body_size;
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(writer->body_sizes, body));
        g_hash_table_insert(writer->body_sizes, body, GUINT_TO_POINTER(n + 1));
    }
}

static void writer_clear(Writer *writer) {
    work_pool_free(writer->pool);
    g_queue_clear_full(&writer->bodies, job_free);
    g_queue_clear_full(&writer->reads, job_free);
    g_queue_clear_full(&writer->clusters, job_free);
    g_queue_clear_full(&writer->idle, job_free);
    g_clear_pointer(&writer->filling, job_free);
    g_hash_table_unref(writer->body_sizes);
    g_hash_table_unref(writer->bodies_known);
    g_hash_table_unref(writer->fragments_known);
    g_byte_array_unref(writer->body_digest);
    g_ptr_array_unref(writer->fragments);
}

gboolean erofs_data_write(ErofsOutput *output, const ErofsDataOptions *options, GPtrArray *inodes,
        ErofsInode *packed, GError **error) {
    Writer writer = {
            .output = output,
            .options = options,
            .packed = packed,
            .body_sizes = g_hash_table_new(g_int64_hash, g_int64_equal),
            .bodies_known = g_hash_table_new_full(content_key_hash, content_key_equal, g_free, NULL),
            .fragments_known = g_hash_table_new_full(content_key_hash, content_key_equal, g_free, g_free),
            .body_digest = g_byte_array_new(),
            .fragments = g_ptr_array_new(),
    };
    writer.pool = work_pool_new(options->threads, data_context_new, data_context_free, &writer);
    writer.jobs_max = MIN(work_pool_get_threads(writer.pool) * 2 + 2, JOBS_MAX);
    plan(&writer, inodes);
    gboolean ok = write_bodies(&writer, inodes, error) && write_fragments(&writer, error);
    writer_clear(&writer);
    return ok;
}
