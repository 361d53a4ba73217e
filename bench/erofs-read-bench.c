/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads every byte of an EROFS image and prints what that took, to be compared with other readers. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/erofs/erofs-reader.h"

static gint n_threads = 0;
static gboolean json = FALSE, list = FALSE;

static const GOptionEntry entries[] = {
        {"threads", 0, 0, G_OPTION_ARG_INT, &n_threads, "Threads, 0 for all processors", "N"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print an object", NULL},
        {"list", 0, 0, G_OPTION_ARG_NONE, &list, "Print what is in the image, with SHA-256 of files", NULL},
        {NULL},
};

typedef struct {
    const ErofsImage *image;
    GArray *nodes; /* of ErofsNode: files to read */
    gint next;     /* atomic */
    GMutex lock;
    guint64 bytes;
    GError *error;
} Job;

static gboolean count(gpointer data, const void *bytes, guint64 size, GError **error) {
    *(guint64 *) data += size;
    return TRUE;
}

/* Files next to each other are often in one cluster, so a thread takes several. */
#define AT_ONCE 64

static gpointer work(gpointer data) {
    Job *job = data;
    g_autoptr(ErofsReader) reader = erofs_reader_new(job->image);
    g_autoptr(GError) error = NULL;
    guint64 bytes = 0;
    for (guint first; !error && (first = g_atomic_int_add(&job->next, AT_ONCE)) < job->nodes->len;)
        for (guint i = first; i < MIN(first + AT_ONCE, job->nodes->len); i++)
            if (!erofs_reader_stream(
                        reader, &g_array_index(job->nodes, ErofsNode, i), count, &bytes, &error))
                break;
    g_mutex_lock(&job->lock);
    job->bytes += bytes;
    if (error && !job->error)
        job->error = g_steal_pointer(&error);
    g_mutex_unlock(&job->lock);
    return NULL;
}

static gboolean hash(gpointer data, const void *bytes, guint64 size, GError **error) {
    static const guint8 zeros[65536];
    for (guint64 done = 0; !bytes && done < size; done += MIN(size - done, sizeof zeros))
        g_checksum_update(data, zeros, MIN(size - done, sizeof zeros));
    if (bytes)
        g_checksum_update(data, bytes, size);
    return TRUE;
}

static gboolean print_node(ErofsReader *reader, const char *path, const ErofsNode *node, GError **error) {
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(GPtrArray) attributes = erofs_reader_attributes(reader, node, error);
    if (!attributes || (!S_ISDIR(node->mode) && !erofs_reader_stream(reader, node, hash, checksum, error)))
        return FALSE;
    printf("%06o %u:%u %" G_GUINT64_FORMAT " %s %u /%s\n", node->mode, node->uid, node->gid,
            S_ISDIR(node->mode) ? 0 : node->size,
            S_ISDIR(node->mode) ? "-" : g_checksum_get_string(checksum), attributes->len, path);
    return TRUE;
}

/* Collects the files; each inode once. */
static gboolean collect(const ErofsImage *image, GArray *nodes, GError **error) {
    g_autoptr(ErofsReader) reader = erofs_reader_new(image);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    ErofsNode node;
    if (!erofs_reader_get(reader, erofs_image_get_info(image)->root_nid, &node, error))
        return FALSE;
    g_autoptr(ErofsWalk) walk = erofs_walk_new(reader, &node);
    g_autoptr(GError) local = NULL;
    for (const char *path; (path = erofs_walk_next(walk, &node, &local));) {
        if (list && !print_node(reader, path, &node, error))
            return FALSE;
        if (!S_ISDIR(node.mode) && node.size > 0 &&
                (node.nlink < 2 || g_hash_table_add(seen, g_memdup2(&node.nid, sizeof node.nid))))
            g_array_append_val(nodes, node);
    }
    if (local)
        g_propagate_error(error, g_steal_pointer(&local));
    return !local && !(error && *error);
}

static gboolean read_image(const char *path, guint64 *ret_files, guint64 *ret_bytes, GError **error) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    if (size < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot open %s", path);
        return FALSE;
    }
    g_autoptr(ErofsImage) image = erofs_image_new_fd(fd, 0, size, error);
    g_autoptr(GArray) nodes = g_array_new(FALSE, FALSE, sizeof(ErofsNode));
    if (!image || !collect(image, nodes, error))
        return FALSE;
    Job job = {.image = image, .nodes = nodes};
    g_mutex_init(&job.lock);
    guint n = n_threads > 0 ? (guint) n_threads : g_get_num_processors();
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    for (guint i = 0; i < n && !list; i++)
        g_ptr_array_add(threads, g_thread_new("read", work, &job));
    for (guint i = 0; i < threads->len; i++)
        g_thread_join(threads->pdata[i]);
    *ret_files = nodes->len;
    *ret_bytes = job.bytes;
    close(fd);
    if (job.error)
        g_propagate_error(error, job.error);
    return !job.error;
}

static double seconds(struct timeval tv) {
    return tv.tv_sec + tv.tv_usec / 1e6;
}

int main(int argc, char **argv) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("IMAGE");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2) {
        g_printerr("%s\n", error ? error->message : "Give an image.");
        return 2;
    }
    guint64 files = 0, bytes = 0;
    gint64 start = g_get_monotonic_time();
    if (!read_image(argv[1], &files, &bytes, &error)) {
        g_printerr("%s: %s\n", argv[1], error->message);
        return 1;
    }
    if (list)
        return 0;
    double wall = (g_get_monotonic_time() - start) / 1e6;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    g_print(json ? "{\"wall\": %.3f, \"user\": %.3f, \"system\": %.3f, \"peak_mb\": %.0f, \"files\": "
                   "%" G_GUINT64_FORMAT ", \"bytes\": %" G_GUINT64_FORMAT "}\n"
                 : "%.3f s (user %.3f, system %.3f), %.0f MB at most, %" G_GUINT64_FORMAT
                   " files, %" G_GUINT64_FORMAT " bytes\n",
            wall, seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss / 1024.0, files, bytes);
    return 0;
}
