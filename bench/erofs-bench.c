/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes a directory as EROFS with verity and prints what that took, to be compared with other writers. */

#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "format/erofs/writer/erofs-writer.h"

static char *store_directory = NULL;
static gint level = 0, cluster_kib = 0, threads = 0;
static gboolean uncompressed = FALSE, no_verity = FALSE, json = FALSE;

static const GOptionEntry entries[] = {
        {"level", 0, 0, G_OPTION_ARG_INT, &level, "Level of zstd", "N"},
        {"cluster", 0, 0, G_OPTION_ARG_INT, &cluster_kib, "Input of a cluster", "KIB"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &threads, "Threads, 0 for all processors", "N"},
        {"uncompressed", 0, 0, G_OPTION_ARG_NONE, &uncompressed, "Do not compress", NULL},
        {"no-verity", 0, 0, G_OPTION_ARG_NONE, &no_verity, "Only the file system", NULL},
        {"store", 0, 0, G_OPTION_ARG_FILENAME, &store_directory, "Where compressed clusters are kept", "DIRECTORY"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print an object", NULL},
        {NULL},
};

typedef struct {
    guint64 erofs_size;
    guint64 verity_size;
    guint8 root_hash[VERITY_DIGEST_SIZE];
} Result;

static gboolean write_image(const char *directory, const char *output, Result *result, GError **error) {
    static const guint8 salt[32] = {0};
    g_autoptr(VerityTree) tree = no_verity ? NULL : verity_tree_new(salt, sizeof salt);
    ErofsOptions options = {
            .compression = uncompressed ? EROFS_COMPRESSION_NONE : EROFS_COMPRESSION_ZSTD,
            .level = level,
            .cluster_size = cluster_kib * 1024,
            .clamp_mtime = -1,
            .threads = threads,
            .verity = tree,
    };
    AUTO_FD root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD fd = open(output, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (root < 0 || fd < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot open %s", root < 0 ? directory : output);
        return FALSE;
    }
    g_autoptr(PackStore) store = store_directory ? pack_store_open(store_directory, G_MAXINT64, 0, error) : NULL;
    if (store_directory && !store)
        return FALSE;
    options.store = store;
    g_autoptr(ErofsWriter) writer = erofs_writer_new(fd, &options, error);
    if (!writer || !erofs_writer_add_tree(writer, root, "", "", NULL, NULL, error) ||
            !erofs_writer_finish(writer, &result->erofs_size, error))
        return FALSE;
    return !tree || verity_tree_write(tree, result->erofs_size / EROFS_BLOCK_SIZE, fd, result->erofs_size,
                            options.uuid, result->root_hash, &result->verity_size, error);
}

static double seconds(struct timeval tv) {
    return tv.tv_sec + tv.tv_usec / 1e6;
}

int main(int argc, char **argv) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new("DIRECTORY OUTPUT");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 3) {
        g_printerr("%s\n", error ? error->message : "Give a directory and an output file.");
        return 2;
    }

    Result result = {0};
    gint64 start = g_get_monotonic_time();
    if (!write_image(argv[1], argv[2], &result, &error)) {
        g_printerr("%s\n", error->message);
        return 1;
    }
    double wall = (g_get_monotonic_time() - start) / 1e6;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    g_print(json ? "{\"wall\": %.2f, \"user\": %.2f, \"system\": %.2f, \"peak_mb\": %.0f, \"erofs\": "
                   "%" G_GUINT64_FORMAT ", \"verity\": %" G_GUINT64_FORMAT ", \"root_hash\": \""
                 : "wall %.2f s, user %.2f s, system %.2f s, peak memory %.0f MB, erofs %" G_GUINT64_FORMAT
                   " bytes, verity %" G_GUINT64_FORMAT " bytes, root hash ",
            wall, seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss / 1024.0,
            result.erofs_size, result.verity_size);
    for (guint i = 0; i < sizeof result.root_hash; i++)
        g_print("%02x", result.root_hash[i]);
    g_print(json ? "\"}\n" : "\n");
    return 0;
}
