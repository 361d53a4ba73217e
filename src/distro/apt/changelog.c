/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/changelog.h"

#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <string.h>

#include "base/cleanup.h"
#include "tree/tree.h"

#define MAX_CHANGELOG (64u << 20)

/* Unpacks a gzip file of the tree; NULL when it is not there or damaged. */
static char *read_gzip(int root_fd, const char *path) {
    int fd = tree_open(root_fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0, NULL);
    if (fd < 0)
        return NULL;
    g_autoptr(GInputStream) file = g_unix_input_stream_new(fd, TRUE);
    g_autoptr(GZlibDecompressor) decompressor = g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
    g_autoptr(GInputStream) stream = g_converter_input_stream_new(file, G_CONVERTER(decompressor));
    g_autoptr(GByteArray) text = g_byte_array_new();
    guint8 buffer[65536];

    for (;;) {
        gssize n = g_input_stream_read(stream, buffer, sizeof buffer, NULL, NULL);
        if (n < 0 || text->len > MAX_CHANGELOG)
            return NULL;
        if (n == 0)
            return g_strndup((const char *) text->data, text->len);
        g_byte_array_append(text, buffer, n);
    }
}

/* Where Debian's policy puts it (section 12.7); packages made for Debian alone have no Debian changelog of
 * their own. */
char *apt_changelog(DistroSession *session, const char *root, const char *package) {
    AUTO_FD root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autofree char *debian = g_strdup_printf("usr/share/doc/%s/changelog.Debian.gz", package);
    g_autofree char *native = g_strdup_printf("usr/share/doc/%s/changelog.gz", package);
    char *text = root_fd < 0 ? NULL : read_gzip(root_fd, debian);

    if (root_fd >= 0 && !text)
        text = read_gzip(root_fd, native);
    return text ? g_strstrip(text) : NULL;
}
