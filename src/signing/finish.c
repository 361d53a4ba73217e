/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signing/finish.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/compare.h"
#include "base/directory.h"
#include "base/errors.h"
#include "base/sha256sums.h"
#include "format/compress/compressor.h"

static const struct {
    const char *suffix;
    CompressorKind kind;
} kinds[] = {
        {"zst", COMPRESSOR_ZSTD},
        {"xz", COMPRESSOR_XZ},
        {"bz2", COMPRESSOR_BZIP2},
        {"gz", COMPRESSOR_GZIP},
        {"lz4", COMPRESSOR_LZ4},
        {"lzma", COMPRESSOR_LZMA},
};

static CompressorKind find_kind(const char *suffix) {
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_equal(kinds[i].suffix, suffix))
            return kinds[i].kind;
    return COMPRESSOR_NONE;
}

/* FROM makes room for the compressed file TO, which appears when it is whole. */
static gboolean compress_file(const SigningFinish *finish, const char *from, const char *to, GError **error) {
    g_autofree char *unfinished = g_strconcat(to, ".unfinished", NULL);
    AUTO_FD input = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    AUTO_FD output = -1;

    /* An earlier attempt came this far. */
    if (input < 0 && errno == ENOENT && g_file_test(to, G_FILE_TEST_IS_REGULAR))
        return TRUE;
    if (input < 0)
        return set_errno_error(error, errno, "Cannot open %s", from);
    (void) unlink(unfinished);
    output = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (output < 0)
        return set_errno_error(error, errno, "Cannot create %s", unfinished);
    g_autoptr(Compressor) compressor =
            compressor_new(output, find_kind(finish->compression), (int) finish->level, 0, error);
    if (!compressor || !compressor_write_fd(compressor, input, error) || fsync(output) < 0 ||
            rename(unfinished, to) < 0 || unlink(from) < 0) {
        if (error && !*error)
            set_errno_error(error, errno, "Cannot compress %s", from);
        return FALSE;
    }
    return TRUE;
}

static gboolean is_compressed(const SigningFinish *finish, const char *name) {
    return finish->compression && g_strv_contains((const char *const *) finish->compressed, name);
}

static gboolean compress_all(const SigningDirectory *directory, const char *files, GError **error) {
    const SigningFinish *finish = &directory->finish;

    if (!finish->compression)
        return TRUE;
    if (find_kind(finish->compression) == COMPRESSOR_NONE) {
        g_set_error(error, SIGNING_ERROR, SIGNING_ERROR_MALFORMED, "nobody knows the compression '%s'",
                finish->compression);
        return FALSE;
    }
    for (char **name = finish->compressed; *name; name++) {
        g_autofree char *from = g_build_filename(files, *name, NULL);
        g_autofree char *to = g_strdup_printf("%s.%s", from, finish->compression);
        if (!compress_file(finish, from, to, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean write_sums(const SigningDirectory *directory, const char *files, GError **error) {
    const SigningFinish *finish = &directory->finish;
    g_autofree char *name = g_strconcat(directory->image, ".SHA256SUMS", NULL);
    g_autofree char *path = g_build_filename(files, name, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    if (!finish->checksum)
        return TRUE;
    for (char **file = directory->files; *file; file++)
        g_ptr_array_add(names, is_compressed(finish, *file) ? g_strdup_printf("%s.%s", *file, finish->compression)
                                                            : g_strdup(*file));
    g_ptr_array_sort(names, compare_strings);
    g_autofree char *text = sha256sums_text(files, names, error);
    return text && g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
}

/* The files of our own; whatever else somebody put there stays, with the directory. */
static void remove_below(const char *path) {
    g_autoptr(GPtrArray) names = list_directory_if_any(path);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *file = g_build_filename(path, names->pdata[i], NULL);
        (void) unlink(file);
    }
    (void) rmdir(path);
}

void signing_finish_remove(const SigningDirectory *directory) {
    static const char *const parts[] = {"requests", "answers", "things"};

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *path = g_build_filename(directory->path, parts[i], NULL);
        remove_below(path);
    }
    remove_below(directory->path);
}

gboolean signing_finish(const SigningDirectory *directory, const char *files, GError **error) {
    return compress_all(directory, files, error) && write_sums(directory, files, error);
}
