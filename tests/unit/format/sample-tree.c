/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sample-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/compare.h"
#include "base/io.h"

#define CHECK(call)                                                                                         \
    do {                                                                                                    \
        if ((call) < 0)                                                                                     \
            g_error("%s: %s", #call, g_strerror(errno));                                                    \
    } while (0)

/* Contents. */

static guint32 next_random(guint32 *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void fill(guint8 *data, SampleKind kind, guint32 seed, gsize size) {
    static const char *const words[] = {
            "kernel ", "verity ", "root hash ", "partition ", "\n", "0x7f", "usr/"};
    guint32 state = seed * 2654435761u + 1;
    gsize at = 0;
    while (at < size) {
        gboolean text = kind == SAMPLE_TEXT || (kind == SAMPLE_MIXED && (at / 100000) % 2 == 0);
        guint32 random = next_random(&state);
        const char *word = words[(random >> 8) % G_N_ELEMENTS(words)];
        const guint8 *piece = text ? (const guint8 *) word : (const guint8 *) &random;
        gsize n = MIN(text ? strlen(word) : sizeof random, size - at);
        memcpy(data + at, piece, n);
        at += n;
    }
}

void sample_write(const char *path, const char *name, SampleKind kind, guint32 seed, gsize size) {
    g_autofree guint8 *data = g_malloc0(size + 1);
    if (kind != SAMPLE_ZERO)
        fill(data, kind, seed, size);
    g_autofree char *file = g_build_filename(path, name, NULL);
    AUTO_FD fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CHECK(fd);
    g_assert_true(pwrite_all(fd, data, size, 0, NULL));
}

/* The parts of the sample. */

static char *make_directory(const char *path, const char *name) {
    char *directory = g_build_filename(path, name, NULL);
    CHECK(mkdir(directory, 0755));
    return directory;
}

static void make_sizes(const char *path) {
    g_autofree char *directory = make_directory(path, "sizes");
    static const gsize sizes[] = {0, 1, 59, 4000, 4031, 4032, 4033, 4095, 4096, 4097, 32767, 32768, 32769,
            65535, 65536, 65537, 69632, 98304, 131072, 1048575, 1048576, 1048577, 1100000, 5000000};
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (SampleKind kind = SAMPLE_ZERO; kind <= SAMPLE_MIXED; kind++) {
            g_autofree char *name = g_strdup_printf("%zu-%d", sizes[i], kind);
            sample_write(directory, name, kind, i + 1, sizes[i]);
        }
    /* Every way in which an index can be divided into packs. */
    for (guint blocks = 1; blocks < 90; blocks++) {
        g_autofree char *name = g_strdup_printf("blocks-%u", blocks);
        sample_write(directory, name, SAMPLE_MIXED, 1000 + blocks, blocks * 4096 - blocks * 31 % 4000);
    }
}

static void make_few_sizes(const char *path) {
    g_autofree char *directory = make_directory(path, "sizes");
    static const gsize sizes[] = {0, 1, 4032, 4095, 4096, 4097, 65536, 69632, 300000};
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (SampleKind kind = SAMPLE_ZERO; kind <= SAMPLE_MIXED; kind++) {
            g_autofree char *name = g_strdup_printf("%zu-%d", sizes[i], kind);
            sample_write(directory, name, kind, i + 1, sizes[i]);
        }
    for (guint blocks = 1; blocks < 60; blocks += 7) {
        g_autofree char *name = g_strdup_printf("blocks-%u", blocks);
        sample_write(directory, name, SAMPLE_MIXED, 1000 + blocks, blocks * 4096 - blocks * 31 % 4000);
    }
    /* The same start, so that writers can share it. */
    sample_write(directory, "long", SAMPLE_TEXT, 78, 900000);
    sample_write(directory, "longer", SAMPLE_TEXT, 78, 1500000);
    sample_write(directory, "zeros", SAMPLE_ZERO, 0, 1 << 20);
    for (guint i = 0; i < 50; i++) {
        g_autofree char *name = g_strdup_printf("small-%u", i);
        sample_write(directory, name, SAMPLE_TEXT, i, i * 40);
    }
    g_autofree char *from = g_build_filename(directory, "long", NULL);
    g_autofree char *link_path = g_build_filename(path, "link-to-long", NULL);
    CHECK(link(from, link_path));
}

static void make_same(const char *path) {
    g_autofree char *directory = make_directory(path, "same");
    for (guint i = 0; i < 4; i++) {
        g_autofree char *small = g_strdup_printf("small-%u", i), *large = g_strdup_printf("large-%u", i);
        sample_write(directory, small, SAMPLE_RANDOM, 77, 3000);
        sample_write(directory, large, SAMPLE_RANDOM, 78, 2500000);
    }
    g_autofree char *from = g_build_filename(directory, "small-0", NULL);
    g_autofree char *to = g_build_filename(path, "link-to-small-0", NULL);
    g_autofree char *again = g_build_filename(directory, "a-link", NULL);
    CHECK(link(from, to));
    CHECK(link(from, again));
}

static void make_sparse(const char *path) {
    g_autofree char *file = g_build_filename(path, "sparse", NULL);
    AUTO_FD fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd);
    CHECK(ftruncate(fd, 20 << 20));
    CHECK(pwrite(fd, "in the middle", 13, (10 << 20) + 5));
}

static void make_directories(const char *path, guint n_many) {
    g_autofree char *empty = make_directory(path, "empty");
    g_autofree char *many = make_directory(path, "many");
    for (guint i = 0; i < n_many; i++) {
        g_autofree char *name = g_strdup_printf("%u-name-%0*u", i % 97, (int) (i % 60) + 1, i);
        g_autofree char *file = g_build_filename(many, name, NULL);
        CHECK(mknod(file, S_IFREG | 0640, 0));
    }
    /* Names on both sides of "." and "..", bytes over 127, and as long as can be. */
    g_autofree char *odd = make_directory(path, "odd");
    static const char *const names[] = {"!", "+x", "-", ".a", "...", "..a", "/" + 1, "\xff\xfe", "ä", " "};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (*names[i])
            sample_write(odd, names[i], SAMPLE_TEXT, i, 10 * i);
    for (guint i = 0; i < 40; i++) {
        g_autofree char *name = g_strnfill(255, 'a' + i % 26);
        name[0] = 'A' + i;
        sample_write(odd, name, SAMPLE_TEXT, i, i);
    }
    /* A directory whose entries fill exactly one block: 27 bytes for "." and "..", 4069 for the others. */
    g_autofree char *full = make_directory(path, "full");
    for (guint i = 0; i < 16; i++) {
        g_autofree char *name = g_strnfill(i < 15 ? 255 : 4069 - 15 * 267 - 12, 'x');
        name[0] = 'a' + i;
        sample_write(full, name, SAMPLE_TEXT, i, 5);
    }
    g_autofree char *deep = g_strdup(path);
    for (guint i = 0; i < 60; i++) {
        char *next = make_directory(deep, "deep");
        g_free(deep);
        deep = next;
    }
}

static void make_special(const char *path) {
    g_autofree char *short_link = g_build_filename(path, "symlink", NULL);
    g_autofree char *long_link = g_build_filename(path, "long-symlink", NULL);
    g_autofree char *target = g_strnfill(4095, 't');
    g_autofree char *fifo = g_build_filename(path, "fifo", NULL);
    g_autofree char *socket = g_build_filename(path, "socket", NULL);
    CHECK(symlink("../same/where", short_link));
    CHECK(symlink(target, long_link));
    CHECK(mkfifo(fifo, 0620));
    CHECK(mknod(socket, S_IFSOCK | 0777, 0));
}

static void make_modes(const char *path, gboolean root) {
    g_autofree char *directory = make_directory(path, "modes");
    static const mode_t modes[] = {0, 0400, 0755, 04755, 02755, 01777, 07777};
    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        if (!root && !(modes[i] & 0400))
            continue; /* could not be read again */
        g_autofree char *name = g_strdup_printf("%04o", modes[i]);
        sample_write(directory, name, SAMPLE_TEXT, i, 100);
        g_autofree char *file = g_build_filename(directory, name, NULL);
        CHECK(chmod(file, modes[i]));
    }
    CHECK(chmod(directory, 03775));
}

static void make_times(const char *path) {
    g_autofree char *directory = make_directory(path, "times");
    static const struct timespec times[] = {
            {0, 0}, {1, 1}, {-86400, 5}, {1700000000, 999999999}, {8000000000, 1}};
    for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
        g_autofree char *name = g_strdup_printf("%zu", i);
        sample_write(directory, name, SAMPLE_TEXT, i, 10);
        g_autofree char *file = g_build_filename(directory, name, NULL);
        CHECK(utimensat(AT_FDCWD, file, (struct timespec[]){{0, 0}, times[i]}, 0));
    }
}

static void set_xattr(const char *path, const char *name, const void *value, gsize size) {
    if (lsetxattr(path, name, value, size, 0) < 0 && errno != ENOTSUP)
        g_error("setting %s of %s: %s", name, path, g_strerror(errno));
}

static void make_xattrs(const char *path, gboolean root) {
    g_autofree char *directory = make_directory(path, "xattrs");
    g_autofree char *large = g_strnfill(3000, 'v');
    for (guint i = 0; i < 30; i++) {
        g_autofree char *name = g_strdup_printf("%u", i), *number = g_strdup_printf("%u", i);
        sample_write(directory, name, SAMPLE_TEXT, i, i * 700);
        g_autofree char *file = g_build_filename(directory, name, NULL);
        set_xattr(file, "user.everywhere", "the same in all of them", 23);
        set_xattr(file, "user.number", number, strlen(number));
        set_xattr(file, "user.empty", "", 0);
        if (i % 7 == 0)
            set_xattr(file, "user.large", large, i * 100);
    }
    set_xattr(directory, "user.of-a-directory", "yes", 3);
    set_xattr(directory, "user.overlay.origin", "not to be stored", 16);
    if (!root)
        return;
    static const guint8 capability[20] = {1, 0, 0, 2, 0, 4};
    static const guint8 acl[] = {2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0x39, 5, 0, 0, 4, 0,
            4, 0, 255, 255, 255, 255, 0x10, 0, 4, 0, 255, 255, 255, 255, 0x20, 0, 4, 0, 255, 255, 255, 255};
    g_autofree char *first = g_build_filename(directory, "1", NULL);
    set_xattr(first, "security.capability", capability, sizeof capability);
    set_xattr(first, "trusted.something", "else", 4);
    set_xattr(first, "system.posix_acl_access", acl, sizeof acl);
    set_xattr(first, "trusted.overlay.opaque", "y", 1);
}

static void make_owned(const char *path) {
    g_autofree char *directory = make_directory(path, "owned");
    const struct {
        const char *name;
        mode_t type;
        guint32 uid, gid;
        dev_t device;
    } nodes[] = {
            {"null", S_IFCHR, 0, 5, makedev(1, 3)},
            {"minor", S_IFBLK, 0, 6, makedev(259, 70000)},
            {"major", S_IFCHR, 0, 0, makedev(4095, 255)},
            {"uid", S_IFREG, 70000, 12, 0},
            {"gid", S_IFREG, 12, 4000000000u, 0},
            {"both", S_IFREG, 65535, 65535, 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++) {
        g_autofree char *file = g_build_filename(directory, nodes[i].name, NULL);
        if (mknod(file, nodes[i].type | 0660, nodes[i].device) < 0 && errno == EPERM)
            continue; /* a container without devices */
        CHECK(lchown(file, nodes[i].uid, nodes[i].gid));
    }
}

void sample_tree_make(const char *path) {
    gboolean root = geteuid() == 0;
    make_sizes(path);
    make_same(path);
    make_sparse(path);
    make_directories(path, 2500);
    make_special(path);
    make_modes(path, root);
    make_times(path);
    make_xattrs(path, root);
    if (root)
        make_owned(path);
}

void sample_tree_make_small(const char *path) {
    gboolean root = geteuid() == 0;
    make_few_sizes(path);
    make_directories(path, 300);
    make_special(path);
    make_modes(path, root);
    make_times(path);
    make_xattrs(path, root);
    if (root)
        make_owned(path);
}

/* Comparison. */

static GHashTable *read_xattrs(const char *path) {
    GHashTable *xattrs =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_bytes_unref);
    char names[16384], value[65536];
    ssize_t size = llistxattr(path, names, sizeof names);
    for (ssize_t at = 0; at < size; at += strlen(names + at) + 1) {
        if (strstr(names + at, ".overlay."))
            continue;
        ssize_t n = lgetxattr(path, names + at, value, sizeof value);
        CHECK(n);
        g_hash_table_insert(xattrs, g_strdup(names + at), g_bytes_new(value, n));
    }
    return xattrs;
}

static void compare_xattrs(const char *expected, const char *actual) {
    g_autoptr(GHashTable) a = read_xattrs(expected);
    g_autoptr(GHashTable) b = read_xattrs(actual);
    if (g_hash_table_size(a) != g_hash_table_size(b))
        g_error("%s: %u xattrs instead of %u", actual, g_hash_table_size(b), g_hash_table_size(a));
    GHashTableIter iter;
    gpointer name, value;
    g_hash_table_iter_init(&iter, a);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        GBytes *other = g_hash_table_lookup(b, name);
        if (!other || !g_bytes_equal(value, other))
            g_error("%s: xattr %s differs", actual, (char *) name);
    }
    /* The overlay's own must not be there at all. */
    if (lgetxattr(actual, "user.overlay.origin", NULL, 0) >= 0)
        g_error("%s: has an attribute of overlayfs", actual);
}

static void compare_contents(const char *expected, const char *actual) {
    static char a[1 << 16], b[1 << 16];
    AUTO_FD first = open(expected, O_RDONLY | O_CLOEXEC);
    AUTO_FD second = open(actual, O_RDONLY | O_CLOEXEC);
    if (first < 0 || second < 0)
        g_error("%s: %s", actual, g_strerror(errno));
    for (guint64 at = 0;;) {
        ssize_t n = read(first, a, sizeof a), m = read(second, b, sizeof b);
        if (n != m || n < 0 || memcmp(a, b, n) != 0)
            g_error("%s: content differs at or after %" G_GUINT64_FORMAT " (%zd and %zd bytes: %s)", actual,
                    at, n, m, g_strerror(errno));
        if (n == 0)
            return;
        at += n;
    }
}

static void compare_attributes(
        const char *path, const struct stat *a, const struct stat *b, CompareFlags flags) {
    if (a->st_mode != b->st_mode)
        g_error("%s: mode %o instead of %o", path, b->st_mode, a->st_mode);
    if (a->st_uid != b->st_uid || a->st_gid != b->st_gid)
        g_error("%s: owner %u:%u instead of %u:%u", path, b->st_uid, b->st_gid, a->st_uid, a->st_gid);
    if (!S_ISDIR(a->st_mode) && a->st_size != b->st_size)
        g_error("%s: size %jd instead of %jd", path, (intmax_t) b->st_size, (intmax_t) a->st_size);
    if ((S_ISCHR(a->st_mode) || S_ISBLK(a->st_mode)) && a->st_rdev != b->st_rdev)
        g_error("%s: device %jx instead of %jx", path, (uintmax_t) b->st_rdev, (uintmax_t) a->st_rdev);
    if (flags & COMPARE_TIMES &&
            (a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec))
        g_error("%s: time %jd.%09ld instead of %jd.%09ld", path, (intmax_t) b->st_mtim.tv_sec,
                b->st_mtim.tv_nsec, (intmax_t) a->st_mtim.tv_sec, a->st_mtim.tv_nsec);
    if (flags & COMPARE_LINKS && a->st_nlink != b->st_nlink)
        g_error("%s: %ju links instead of %ju", path, (uintmax_t) b->st_nlink, (uintmax_t) a->st_nlink);
}

static GPtrArray *list_names(const char *path) {
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    AUTO_DIR dir = opendir(path);
    if (!dir)
        g_error("%s: %s", path, g_strerror(errno));
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        if (!g_str_equal(entry->d_name, ".") && !g_str_equal(entry->d_name, ".."))
            g_ptr_array_add(names, g_strdup(entry->d_name));
    g_ptr_array_sort(names, compare_strings);
    return names;
}

static void compare_symlinks(const char *expected, const char *actual) {
    char a[4096], b[4096];
    ssize_t n = readlink(expected, a, sizeof a), m = readlink(actual, b, sizeof b);
    if (n < 0 || n != m || memcmp(a, b, n) != 0)
        g_error("%s: target differs", actual);
}

void compare_trees(const char *expected, const char *actual, CompareFlags flags) {
    struct stat a, b;
    CHECK(lstat(expected, &a));
    if (lstat(actual, &b) < 0)
        g_error("%s: %s", actual, g_strerror(errno));
    compare_attributes(actual, &a, &b, flags);
    if (flags & COMPARE_XATTRS)
        compare_xattrs(expected, actual);
    if (S_ISREG(a.st_mode))
        compare_contents(expected, actual);
    else if (S_ISLNK(a.st_mode))
        compare_symlinks(expected, actual);
    if (!S_ISDIR(a.st_mode))
        return;

    g_autoptr(GPtrArray) names = list_names(expected);
    g_autoptr(GPtrArray) others = list_names(actual);
    if (names->len != others->len)
        g_error("%s: %u entries instead of %u", actual, others->len, names->len);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *x = g_build_filename(expected, names->pdata[i], NULL);
        g_autofree char *y = g_build_filename(actual, names->pdata[i], NULL);
        compare_trees(x, y, flags);
    }
}

void remove_tree(const char *path) {
    struct stat st;
    if (lstat(path, &st) < 0)
        return;
    if (S_ISDIR(st.st_mode)) {
        chmod(path, 0700);
        g_autoptr(GPtrArray) names = list_names(path);
        for (guint i = 0; i < names->len; i++) {
            g_autofree char *child = g_build_filename(path, names->pdata[i], NULL);
            remove_tree(child);
        }
    }
    remove(path);
}
