/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/archive/cpio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"

G_DEFINE_QUARK(cpio - error - quark, cpio_error)

#define HEADER_SIZE 110
#define READ_SIZE (256u << 10)

struct CpioWriter {
    Compressor *compressor;
    CpioOptions options;
    guint64 position; /* bytes of archive so far */
    guint32 next_inode;
    GHashTable *written; /* names of directories that are in the archive */
    guint8 *buffer;      /* READ_SIZE bytes */
};

/* A file that waits to be written. */
typedef struct {
    char *path; /* in the tree; "." for its root */
    struct stat st;
} Entry;

/* The archive's idea of a file that has several names. */
typedef struct {
    dev_t device;
    ino_t inode;
    guint n_names;   /* in the archive */
    guint n_written; /* of them */
    guint32 number;  /* inode number in the archive */
} Link;

static gboolean io_failed(GError **error, const char *what, const char *path) {
    return set_errno_error(error, errno, "%s %s", what, path);
}

CpioWriter *cpio_writer_new(int fd, const CpioOptions *options, GError **error) {
    static const CpioOptions plain = {.compression = COMPRESSOR_NONE, .clamp_time = -1};
    g_autoptr(CpioWriter) writer = g_new0(CpioWriter, 1);
    writer->options = options ? *options : plain;
    writer->written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    writer->buffer = g_malloc(READ_SIZE);
    writer->next_inode = 1;
    writer->compressor = compressor_new(
            fd, writer->options.compression, writer->options.level, writer->options.threads, error);
    return writer->compressor ? g_steal_pointer(&writer) : NULL;
}

void cpio_writer_free(CpioWriter *writer) {
    if (!writer)
        return;
    compressor_free(writer->compressor);
    g_hash_table_unref(writer->written);
    g_free(writer->buffer);
    g_free(writer);
}

static gboolean put(CpioWriter *writer, const void *data, gsize size, GError **error) {
    writer->position += size;
    return compressor_write(writer->compressor, data, size, error);
}

static gboolean put_padding(CpioWriter *writer, GError **error) {
    return put(writer, "\0\0\0", -writer->position & 3, error);
}

/* Header and name of an entry, up to where its data begins. */
static gboolean put_header(CpioWriter *writer, const char *name, const struct stat *st, guint32 inode,
        guint n_links, gsize size, GError **error) {
    gint64 mtime = st->st_mtime;
    if (writer->options.clamp_time >= 0)
        mtime = MIN(mtime, writer->options.clamp_time);
    gboolean is_device = S_ISBLK(st->st_mode) || S_ISCHR(st->st_mode);

    char header[HEADER_SIZE + 1];
    g_snprintf(header, sizeof header, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", inode,
            (guint) st->st_mode, (guint) st->st_uid, (guint) st->st_gid, n_links,
            (guint) CLAMP(mtime, 0, (gint64) G_MAXUINT32), (guint) size, 0u, 0u,
            is_device ? major(st->st_rdev) : 0u, is_device ? minor(st->st_rdev) : 0u,
            (guint) strlen(name) + 1, 0u);
    return put(writer, header, HEADER_SIZE, error) && put(writer, name, strlen(name) + 1, error) &&
           put_padding(writer, error);
}

/* ---- one entry ---- */

static gboolean put_file_data(
        CpioWriter *writer, int tree_fd, const char *path, gsize size, GError **error) {
    AUTO_FD fd = openat(tree_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return io_failed(error, "opening", path);
    while (size > 0) {
        gssize n = read(fd, writer->buffer, MIN(size, READ_SIZE));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_failed(error, "reading", path);
        if (n == 0) {
            g_set_error(
                    error, CPIO_ERROR, CPIO_ERROR_FAILED, "%s became shorter while it was archived", path);
            return FALSE;
        }
        if (!put(writer, writer->buffer, n, error))
            return FALSE;
        size -= n;
    }
    return put_padding(writer, error);
}

static gboolean put_link_target(
        CpioWriter *writer, int tree_fd, const char *path, gsize size, GError **error) {
    g_autofree char *target = g_malloc(size + 1);
    gssize n = readlinkat(tree_fd, path, target, size + 1);
    if (n < 0)
        return io_failed(error, "reading the link", path);
    if ((gsize) n != size) {
        g_set_error(error, CPIO_ERROR, CPIO_ERROR_FAILED, "%s changed while it was archived", path);
        return FALSE;
    }
    return put(writer, target, n, error) && put_padding(writer, error);
}

static gboolean put_entry(CpioWriter *writer, int tree_fd, const char *prefix, const Entry *entry,
        Link *link, GError **error) {
    const struct stat *st = &entry->st;
    g_autofree char *joined = NULL;
    const char *name = entry->path;
    if (*prefix)
        name = joined = g_str_equal(name, ".") ? g_strdup(prefix) : g_build_filename(prefix, name, NULL);

    guint32 inode = link ? link->number : writer->next_inode++;
    guint n_links = link ? link->n_names : S_ISDIR(st->st_mode) ? 2 : 1;
    gsize size = S_ISREG(st->st_mode) || S_ISLNK(st->st_mode) ? st->st_size : 0;
    if (size > G_MAXUINT32) {
        g_set_error(error, CPIO_ERROR, CPIO_ERROR_UNSUPPORTED,
                "%s has 4 GiB or more, which a cpio archive cannot hold", entry->path);
        return FALSE;
    }
    /* Readers expect the data of a file with several names at its last name. */
    if (link && ++link->n_written < link->n_names)
        size = 0;
    if (S_ISDIR(st->st_mode))
        g_hash_table_add(writer->written, g_strdup(name));
    if (!put_header(writer, name, st, inode, n_links, size, error))
        return FALSE;
    if (S_ISLNK(st->st_mode))
        return put_link_target(writer, tree_fd, entry->path, size, error);
    return size == 0 || put_file_data(writer, tree_fd, entry->path, size, error);
}

/* ---- many entries ---- */

static void entry_clear(gpointer data) {
    Entry *entry = data;
    g_free(entry->path);
}

static GArray *entries_new(void) {
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    g_array_set_clear_func(entries, entry_clear);
    return entries;
}

static guint link_hash(gconstpointer key) {
    const Link *link = key;
    guint64 mixed = link->inode * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) ^ link->device;
    return mixed >> 32;
}

static gboolean link_equal(gconstpointer a, gconstpointer b) {
    const Link *x = a, *y = b;
    return x->device == y->device && x->inode == y->inode;
}

/* Files with several names among ENTRIES. Names outside of the archive do not count. */
static GHashTable *find_links(CpioWriter *writer, GArray *entries) {
    GHashTable *links = g_hash_table_new_full(link_hash, link_equal, g_free, NULL);
    for (guint i = 0; i < entries->len; i++) {
        const struct stat *st = &g_array_index(entries, Entry, i).st;
        if (!S_ISREG(st->st_mode) || st->st_nlink < 2)
            continue;
        Link key = {.device = st->st_dev, .inode = st->st_ino};
        Link *link = g_hash_table_lookup(links, &key);
        if (!link) {
            key.number = writer->next_inode++;
            link = g_memdup2(&key, sizeof key);
            g_hash_table_add(links, link);
        }
        link->n_names++;
    }
    return links;
}

static gboolean put_entries(
        CpioWriter *writer, int tree_fd, const char *prefix, GArray *entries, GError **error) {
    g_autoptr(GHashTable) links = find_links(writer, entries);
    for (guint i = 0; i < entries->len; i++) {
        const Entry *entry = &g_array_index(entries, Entry, i);
        if (S_ISSOCK(entry->st.st_mode))
            continue;
        Link key = {.device = entry->st.st_dev, .inode = entry->st.st_ino};
        Link *link = g_hash_table_lookup(links, &key);
        if (!put_entry(writer, tree_fd, prefix, entry, link, error))
            return FALSE;
    }
    return TRUE;
}

static GPtrArray *list_entries(int tree_fd, const char *path, GError **error) {
    GPtrArray *names = list_directory_at(tree_fd, path, error);
    if (!names)
        g_prefix_error(error, "opening %s: ", path);
    return names;
}

static gboolean collect(GArray *entries, int tree_fd, const char *path, CpioFilter filter,
        gpointer user_data, GError **error) {
    Entry entry = {0};
    if (fstatat(tree_fd, path, &entry.st, AT_SYMLINK_NOFOLLOW) < 0)
        return io_failed(error, "looking at", path);
    gboolean is_root = g_str_equal(path, ".");
    if (filter && !is_root && !filter(path, entry.st.st_mode, user_data))
        return TRUE;
    entry.path = g_strdup(path);
    g_array_append_val(entries, entry);
    if (!S_ISDIR(entry.st.st_mode))
        return TRUE;

    g_autoptr(GPtrArray) names = list_entries(tree_fd, path, error);
    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *child =
                is_root ? g_strdup(names->pdata[i]) : g_build_filename(path, names->pdata[i], NULL);
        if (!collect(entries, tree_fd, child, filter, user_data, error))
            return FALSE;
    }
    return names != NULL;
}

/* Directories above PATH that the archive does not have yet. */
static gboolean put_parents(CpioWriter *writer, const char *path, gint64 mtime, GError **error) {
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        g_autofree char *parent = g_strndup(path, slash - path);
        if (g_hash_table_contains(writer->written, parent))
            continue;
        struct stat st = {.st_mode = S_IFDIR | 0755, .st_mtime = mtime};
        if (!put_header(writer, parent, &st, writer->next_inode++, 2, 0, error))
            return FALSE;
        g_hash_table_add(writer->written, g_steal_pointer(&parent));
    }
    return TRUE;
}

gboolean cpio_writer_add_tree(CpioWriter *writer, int tree_fd, const char *prefix, CpioFilter filter,
        gpointer user_data, GError **error) {
    g_autoptr(GArray) entries = entries_new();
    if (!collect(entries, tree_fd, ".", filter, user_data, error))
        return FALSE;
    return put_parents(writer, prefix, 0, error) && put_entries(writer, tree_fd, prefix, entries, error);
}

gboolean cpio_writer_add_paths(CpioWriter *writer, int tree_fd, GPtrArray *paths, GError **error) {
    g_autoptr(GArray) entries = entries_new();
    for (guint i = 0; i < paths->len; i++) {
        Entry entry = {0};
        if (fstatat(tree_fd, paths->pdata[i], &entry.st, AT_SYMLINK_NOFOLLOW) < 0)
            return io_failed(error, "looking at", paths->pdata[i]);
        entry.path = g_strdup(paths->pdata[i]);
        g_array_append_val(entries, entry);
    }
    return put_entries(writer, tree_fd, "", entries, error);
}

gboolean cpio_writer_add_data(CpioWriter *writer, const char *path, mode_t mode, const void *data,
        gsize size, gint64 mtime, GError **error) {
    struct stat st = {.st_mode = S_IFREG | (mode & 07777), .st_mtime = mtime};
    if (size > G_MAXUINT32) {
        g_set_error(error, CPIO_ERROR, CPIO_ERROR_UNSUPPORTED,
                "%s has 4 GiB or more, which a cpio archive cannot hold", path);
        return FALSE;
    }
    return put_parents(writer, path, mtime, error) &&
           put_header(writer, path, &st, writer->next_inode++, 1, size, error) &&
           put(writer, data, size, error) && put_padding(writer, error);
}

gboolean cpio_writer_finish(CpioWriter *writer, GError **error) {
    struct stat st = {0};
    return put_header(writer, "TRAILER!!!", &st, 0, 1, 0, error) &&
           compressor_finish(writer->compressor, error);
}

gboolean cpio_write_tree(int tree_fd, int output_fd, const CpioOptions *options, GError **error) {
    g_autoptr(CpioWriter) writer = cpio_writer_new(output_fd, options, error);
    return writer && cpio_writer_add_tree(writer, tree_fd, "", NULL, NULL, error) &&
           cpio_writer_finish(writer, error);
}

static gboolean add_microcode(CpioWriter *writer, const char *name, GBytes *content, GError **error) {
    if (!content)
        return TRUE;
    g_autofree char *path = g_build_filename("kernel/x86/microcode", name, NULL);
    gsize size;
    const void *data = g_bytes_get_data(content, &size);
    return cpio_writer_add_data(writer, path, 0644, data, size, 0, error);
}

GBytes *cpio_microcode(GBytes *amd, GBytes *intel, GError **error) {
    AUTO_FD fd = memfd_create("microcode", MFD_CLOEXEC);
    if (fd < 0) {
        io_failed(error, "making", "a file in memory");
        return NULL;
    }
    g_autoptr(CpioWriter) writer = cpio_writer_new(fd, NULL, error);
    if (!writer || !add_microcode(writer, "AuthenticAMD.bin", amd, error) ||
            !add_microcode(writer, "GenuineIntel.bin", intel, error) || !cpio_writer_finish(writer, error))
        return NULL;
    g_autoptr(GMappedFile) mapped = g_mapped_file_new_from_fd(fd, FALSE, error);
    return mapped ? g_mapped_file_get_bytes(mapped) : NULL;
}
