/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archives and Debian packages: nothing is made outside of the tree that they are unpacked to. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "distro/apt/dpkg-bootstrap.h"
#include "tree/tree.h"

#define FILE_SIZE_MAX (16 * 1024 * 1024)
#define OUTSIDE "outside"
#define TREE "tree"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *directory;
static int directory_fd = -1;

static void at_exit(void) {
    ignore_failure(tree_remove(AT_FDCWD, directory, NULL));
}

static void set_up(void) {
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir();
    struct rlimit limit = {FILE_SIZE_MAX, FILE_SIZE_MAX};

    directory = g_build_filename(memory, "fuzz-archive-XXXXXX", NULL);
    g_assert_nonnull(g_mkdtemp(directory));
    atexit(at_exit);
    directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_true(tree_write_file(directory_fd, OUTSIDE, "untouched", -1, 0600, NULL));
    /* A few bytes can stand for gigabytes. */
    (void) setrlimit(RLIMIT_FSIZE, &limit);
    (void) signal(SIGXFSZ, SIG_IGN);
}

/* What there was beside the tree is what there is now. */
static void check_outside(void) {
    g_autoptr(GPtrArray) names =
            tree_list(openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), NULL);
    g_autofree char *content = tree_read_file(directory_fd, OUTSIDE, NULL, NULL);
    struct stat info;

    g_assert_true(names && names->len == 2);
    g_assert_cmpstr(content, ==, "untouched");
    g_assert_true(fstatat(directory_fd, OUTSIDE, &info, AT_SYMLINK_NOFOLLOW) == 0);
    g_assert_true(S_ISREG(info.st_mode) && info.st_nlink == 1 && (info.st_mode & 07777) == 0600);
}

static int open_data(int fd, gboolean package) {
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    return package ? dpkg_open_data(path, NULL) : open(path, O_RDONLY | O_CLOEXEC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const exclude[] = {"/usr/share/doc/*", NULL};
    static gsize done;
    g_autoptr(GError) error = NULL;

    if (g_once_init_enter(&done)) {
        set_up();
        g_once_init_leave(&done, 1);
    }
    gboolean package = size > 8 && memcmp(data, "!<arch>\n", 8) == 0;
    AUTO_FD fd = memfd_create("archive", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t) size)
        return 0;
    AUTO_FD content = open_data(fd, package);
    if (content < 0)
        return 0;
    g_assert_true(mkdirat(directory_fd, TREE, 0755) == 0);
    AUTO_FD tree = openat(directory_fd, TREE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    TreeCopyFlags flags = package && getuid() == 0 ? TREE_COPY_KEEP_OWNER : 0;
    gboolean good = tree_extract_except(content, tree, size % 2 ? "." : "usr", exclude, flags, &error);
    g_assert_true(good == !error);
    check_outside();
    g_assert_true(tree_remove(directory_fd, TREE, NULL));
    return 0;
}
