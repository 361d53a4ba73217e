/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What caches say about themselves: inputs of a layer (JSON), files that were verified, packs. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "distro/driver/verified.h"
#include "packs/pack-file.h"
#include "pipeline/layers/layer.h"
#include "tree/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *directory;

static void at_exit(void) {
    ignore_failure(tree_remove(AT_FDCWD, directory, NULL));
}

static void put(const char *name, const void *data, size_t size) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    FILE *file = fopen(path, "we");

    g_assert_nonnull(file);
    g_assert_true(fwrite(data, 1, size, file) == size);
    g_assert_true(fclose(file) == 0);
}

static void set_up(void) {
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir();
    g_autofree char *layer = NULL;

    directory = g_build_filename(memory, "fuzz-records-XXXXXX", NULL);
    g_assert_nonnull(g_mkdtemp(directory));
    atexit(at_exit);
    layer = g_build_filename(directory, "x.cache", NULL);
    g_assert_true(g_mkdir(layer, 0700) == 0);
    put("file", "content", 7);
}

static void check_layer(void) {
    g_autoptr(LayerInputs) inputs = layer_inputs_new();
    g_autofree char *layer = NULL;

    layer_inputs_add(inputs, "packages", "one");
    layer = layer_lookup(directory, "x", inputs, "fuzz");
    g_assert_true(!layer || g_str_has_suffix(layer, "/x.cache"));
}

static void check_record(void) {
    g_autoptr(Verified) verified = verified_read(directory, "record");
    g_autoptr(GPtrArray) files = verified_files(verified);
    g_autofree char *digest = NULL;

    for (guint i = 0; i < files->len; i++)
        g_assert_true(strlen(verified_recorded(verified, files->pdata[i])) == 64);
    digest = verified_digest(verified, "file", NULL);
    g_assert_nonnull(digest);
    g_assert_true(strlen(digest) == 64);
}

static void check_pack(size_t size) {
    g_autofree char *path = g_build_filename(directory, "record", NULL);
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    g_autoptr(GArray) entries = pack_file_read_index(fd, size, NULL);

    for (guint i = 0; entries && i < entries->len; i++) {
        const PackEntry *entry = &g_array_index(entries, PackEntry, i);
        g_assert_true(entry->offset <= size && entry->size <= size - entry->offset);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static gsize done;

    if (g_once_init_enter(&done)) {
        set_up();
        g_once_init_leave(&done, 1);
    }
    put("x.cache.json", data, size);
    put("record", data, size);
    check_layer();
    check_record();
    check_pack(size);
    return 0;
}
