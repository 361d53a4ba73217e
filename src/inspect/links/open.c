/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a path to the bytes that are judged. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "crypto/sources/error.h"
#include "format/archive/image-source.h"
#include "inspect/disk/gpt-audit.h"
#include "inspect/verdict/inspect-internal.h"

#define CHUNK_SIZE (1 << 20)

typedef struct {
    const char *suffix;
    const char *magic;
    gsize size;
} Compression;

static const Compression compressions[] = {
        {".zst", "\x28\xb5\x2f\xfd", 4},
        {".xz", "\xfd\x37zXZ", 5},
        {".gz", "\x1f\x8b", 2},
        {".bz2", "BZh", 3},
        {".lz4", "\x04\x22\x4d\x18", 4},
        {".lzma", "\x5d\0\0", 3},
};

static const Compression *find_compression(int fd) {
    char start[8];
    if (pread(fd, start, sizeof start, 0) != sizeof start)
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(compressions); i++)
        if (memcmp(start, compressions[i].magic, compressions[i].size) == 0)
            return &compressions[i];
    return NULL;
}

/* Whether somebody who does not unpack the file could take it for a disk: then what is inside says nothing
 * about what he starts. */
static gboolean looks_like_disk(int fd, guint64 size) {
    static const struct {
        gint64 offset; /* negative: from the end */
        const char *magic;
        gsize size;
    } marks[] = {
            {510, "\x55\xaa", 2},
            {-512, "EFI PART", 8},
            {-4096, "EFI PART", 8},
            {32769, "CD001", 5},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
        char found[8];
        gint64 offset = marks[i].offset < 0 ? (gint64) size + marks[i].offset : marks[i].offset;
        if (offset >= 0 && pread(fd, found, marks[i].size, offset) == (gssize) marks[i].size &&
                memcmp(found, marks[i].magic, marks[i].size) == 0)
            return TRUE;
    }
    return inspect_gpt_exists(fd);
}

static gboolean check_compressed(
        int fd, const char *path, const Compression *compression, guint64 size, GError **error) {
    if (looks_like_disk(fd, size))
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
                "%s begins like a compressed file and has marks of a disk as well: which one it is depends "
                "on "
                "who reads it",
                path);
    else if (!g_str_has_suffix(path, compression->suffix))
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
                "%s is compressed, but its name does not end in %s; unpack it first and inspect what comes "
                "out",
                path, compression->suffix);
    else
        return TRUE;
    return FALSE;
}

/* A file without a name where temporary files may be large. */
static int make_temporary(GError **error) {
    const char *directory = g_getenv("TMPDIR");
    g_autofree char *path =
            g_build_filename(directory && *directory ? directory : "/var/tmp", "particleos-XXXXXX", NULL);
    int fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                "Cannot make the temporary file %s: %s; TMPDIR says where there is room", path,
                g_strerror(errno));
    else
        (void) unlink(path);
    return fd;
}

/* Zeros become holes. */
static gboolean unpack_into(ImageSource *source, int fd, GError **error) {
    g_autofree guint8 *chunk = g_malloc(CHUNK_SIZE);
    guint64 at = 0;
    for (;;) {
        gsize length;
        gboolean zero;
        if (!image_source_read(source, chunk, CHUNK_SIZE, &length, &zero, error))
            return FALSE;
        if (length == 0)
            break;
        if (!zero && !pwrite_all(fd, chunk, length, at, error))
            return FALSE;
        at += length;
    }
    if (ftruncate(fd, at) == 0)
        return TRUE;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s", g_strerror(errno));
    return FALSE;
}

/* What is in COMPRESSED, the file PATH. */
static int unpack(int compressed, const char *path, GError **error) {
    g_autofree char *opened = g_strdup_printf("/proc/self/fd/%d", compressed);
    g_autoptr(ImageSource) source = image_source_open(opened, FALSE, error);
    AUTO_FD fd = source ? make_temporary(error) : -1;
    if (fd < 0)
        return -1;
    if (unpack_into(source, fd, error))
        return steal_fd(&fd);
    g_prefix_error(error, "Cannot unpack %s for inspection (TMPDIR says where): ", path);
    return -1;
}

int inspect_open(const char *path, guint64 *ret_size, GError **error) {
    struct stat st;
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0) {
        set_errno_error(error, errno, "Cannot open the image %s", path);
        return -1;
    }
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
                "%s is neither a file nor a disk; name the disk image (….raw)", path);
        return -1;
    }
    const Compression *compression = find_compression(fd);
    if (compression) {
        if (!check_compressed(fd, path, compression, MAX(lseek(fd, 0, SEEK_END), 0), error))
            return -1;
        int unpacked = unpack(fd, path, error);
        if (unpacked < 0)
            return -1;
        cleanup_fd(&fd);
        fd = unpacked;
    }
    *ret_size = MAX(lseek(fd, 0, SEEK_END), 0);
    return steal_fd(&fd);
}
