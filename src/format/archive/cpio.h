/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Archives in the "newc" cpio format, which the kernel unpacks as initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst), written deterministically: entries sorted by
 * name, inode numbers counted, times clamped. */

#include <glib.h>
#include <sys/types.h>

#include "format/compress/compressor.h"

typedef enum {
    CPIO_ERROR_FAILED,
    CPIO_ERROR_UNSUPPORTED, /* a file that newc cannot hold (4 GiB and more) */
} CpioError;

#define CPIO_ERROR cpio_error_quark()
GQuark cpio_error_quark(void);

typedef struct {
    CompressorKind compression;
    int level;         /* 0: the default of the compressor */
    guint threads;     /* 0: one per processor; the result does not depend on it */
    gint64 clamp_time; /* newer times become this (seconds); -1: times stay as they are */
} CpioOptions;

typedef struct CpioWriter CpioWriter;

/* Starts an archive that is written to FD (borrowed, at its position). OPTIONS NULL: not compressed. */
CpioWriter *cpio_writer_new(int fd, const CpioOptions *options, GError **error);
void cpio_writer_free(CpioWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CpioWriter, cpio_writer_free)

/* Decides whether PATH (relative, no leading slash) goes into the archive. A directory that does not is not
 * entered. */
typedef gboolean (*CpioFilter)(const char *path, mode_t mode, gpointer user_data);

/* Adds the tree TREE_FD: every directory, file, link, device, fifo (sockets are skipped), owners and modes
 * as they are, hard links as links. Content goes below PREFIX ("" for the root). FILTER may be NULL. */
gboolean cpio_writer_add_tree(CpioWriter *writer, int tree_fd, const char *prefix, CpioFilter filter,
        gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds PATHS of the tree TREE_FD (relative; an array of char *, sorted, each once) and nothing else;
 * directories without their content, so parents have to be listed too. */
gboolean cpio_writer_add_paths(CpioWriter *writer, int tree_fd, GPtrArray *paths, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds a regular file from memory, owned by 0:0; missing parents of PATH are added with mode 0755. */
gboolean cpio_writer_add_data(CpioWriter *writer, const char *path, mode_t mode, const void *data,
        gsize size, gint64 mtime, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the archive; nothing can be added afterwards. */
gboolean cpio_writer_finish(CpioWriter *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A whole tree in one call. */
gboolean cpio_write_tree(int tree_fd, int output_fd, const CpioOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The early, uncompressed archive with processor microcode (kernel/x86/microcode/AuthenticAMD.bin and
 * GenuineIntel.bin); either may be NULL. */
GBytes *cpio_microcode(GBytes *amd, GBytes *intel, GError **error);
