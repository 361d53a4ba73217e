/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/volumes/fat.h"

#include "base/cleanup.h"
#include "base/compare.h"
#include "base/directory.h"
#include "base/errors.h"
#include "events/events.h"
#include "image/volumes/fat-limits.h"
#include "sandbox/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define IMAGE_IN_SANDBOX "/run/particleos/image"
#define SOURCES_IN_SANDBOX "/run/particleos/sources"

/* Room in a command line for the files of one mcopy. */
#define FILES_PER_COMMAND 200u

typedef struct {
    GTree *entries; /* path in the FAT file system → path of the file in the sandbox, "" for a directory */
    GPtrArray *read_only; /* char: paths of the files that nobody may write */
    FatLimits *limits;
} Listing;

static void listing_free(Listing *listing) {
    g_tree_unref(listing->entries);
    g_ptr_array_unref(listing->read_only);
    fat_limits_free(listing->limits);
    g_free(listing);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Listing, listing_free)

static void add_parents(Listing *listing, const char *path) {
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/'))
        g_tree_replace(listing->entries, g_strndup(path, slash - path), g_strdup(""));
}

static void add_entry(Listing *listing, const char *path, const char *origin) {
    if (g_str_equal(path, "/") || *path == '\0')
        return;
    add_parents(listing, path);
    g_tree_replace(listing->entries, g_strdup(path), g_strdup(origin));
}

/* Opens what an entry of a Listing comes from; -1 if that is no file. */
static int open_origin(const Volume *volume, const char *origin) {
    char *path = NULL;

    if (!origin || !g_str_has_prefix(origin, SOURCES_IN_SANDBOX "/"))
        return -1;
    guint64 index = g_ascii_strtoull(origin + strlen(SOURCES_IN_SANDBOX "/"), &path, 10);
    const ContentSource *source = volume->content->sources->pdata[index];
    return *path == '/' ? openat(source->fd, path + 1, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
                        : fcntl(source->fd, F_DUPFD_CLOEXEC, 0);
}

/* Whether TARGET is there already, from another source, with the content of NAME in DIR_FD: /efi and /boot
 * often hold the same small file. */
static gboolean is_repeated(
        const Volume *volume, const Listing *listing, const char *target, int dir_fd, const char *name) {
    AUTO_FD first_fd = open_origin(volume, g_tree_lookup(listing->entries, target));
    AUTO_FD second_fd = first_fd >= 0 ? openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;

    if (second_fd < 0)
        return FALSE;
    g_autoptr(GMappedFile) first = g_mapped_file_new_from_fd(first_fd, FALSE, NULL);
    g_autoptr(GMappedFile) second = g_mapped_file_new_from_fd(second_fd, FALSE, NULL);
    if (!first || !second)
        return FALSE;
    g_autoptr(GBytes) a = g_mapped_file_get_bytes(first), b = g_mapped_file_get_bytes(second);
    return g_bytes_equal(a, b);
}

static gboolean list_source_directory(const Volume *volume, const ContentSource *source, int parent_fd,
        const char *path, const char *origin, Listing *listing, GError **error);

static gboolean list_child(const Volume *volume, const ContentSource *source, int dir_fd, const char *path,
        const char *name, const char *origin, Listing *listing, GError **error) {
    g_autofree char *child = *path ? g_strconcat(path, "/", name, NULL) : g_strdup(name);
    g_autofree char *target =
            g_strconcat(g_str_equal(source->target, "/") ? "" : source->target, "/", child, NULL);
    g_autofree char *child_origin = g_strconcat(origin, "/", name, NULL);
    struct stat st;

    if (!content_wants(volume->content, source, child))
        return TRUE;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return set_errno_error(error, errno, "%s", child);
    if (S_ISDIR(st.st_mode)) {
        if (!fat_limits_add(listing->limits, target, TRUE, 0, source->source, error))
            return FALSE;
        add_entry(listing, target, "");
        return list_source_directory(volume, source, dir_fd, child, child_origin, listing, error);
    }
    if (!S_ISREG(st.st_mode)) {
        events_warning("%s: not copied, FAT holds directories and files only", target);
        return TRUE;
    }
    if (is_repeated(volume, listing, target, dir_fd, name))
        return TRUE;
    if (!fat_limits_add(listing->limits, target, FALSE, st.st_size, source->source, error))
        return FALSE;
    add_entry(listing, target, child_origin);
    if (!(st.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)))
        g_ptr_array_add(listing->read_only, g_steal_pointer(&target));
    return TRUE;
}

static gboolean list_source_directory(const Volume *volume, const ContentSource *source, int parent_fd,
        const char *path, const char *origin, Listing *listing, GError **error) {
    const char *slash = strrchr(path, '/');
    const char *name = *path ? (slash ? slash + 1 : path) : ".";
    AUTO_FD fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    g_autoptr(GPtrArray) names = NULL;

    if (fd < 0)
        return set_errno_error(error, errno, "%s", path);
    if (!(names = list_directory_at(fd, ".", error))) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    for (guint i = 0; i < names->len; i++)
        if (!list_child(volume, source, fd, path, names->pdata[i], origin, listing, error))
            return FALSE;
    return TRUE;
}

/* Everything that goes in, and binds the sources into SANDBOX. */
static Listing *list_content(const Volume *volume, Sandbox *sandbox, GError **error) {
    const PartitionDefinition *definition = volume->content->definition;
    g_autoptr(Listing) listing = g_new0(Listing, 1);

    listing->limits = fat_limits_new();
    listing->entries = g_tree_new_full(compare_tree_keys, NULL, g_free, g_free);
    listing->read_only = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < volume->content->sources->len; i++) {
        const ContentSource *source = volume->content->sources->pdata[i];
        g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", source->fd);
        g_autofree char *origin = g_strdup_printf(SOURCES_IN_SANDBOX "/%u", i);
        g_autofree char *path = g_file_read_link(link, error);
        if (!path)
            return NULL;
        sandbox_bind(sandbox, path, origin, SANDBOX_READ_ONLY);
        struct stat st;
        if (fstat(source->fd, &st) < 0) {
            set_errno_error(error, errno, "%s", source->source);
            return NULL;
        }
        if (!fat_limits_add(listing->limits, source->target, source->is_directory,
                    source->is_directory ? 0 : st.st_size, source->source, error))
            return NULL;
        if (!source->is_directory)
            add_entry(listing, source->target, origin);
        else {
            add_entry(listing, source->target, "");
            if (!list_source_directory(volume, source, source->fd, "", origin, listing, error))
                return NULL;
        }
    }
    for (guint i = 0; i < definition->make_directories->len; i++) {
        const char *path = definition->make_directories->pdata[i];
        if (!fat_limits_add(listing->limits, path, TRUE, 0, "MakeDirectories=", error))
            return NULL;
        if (!g_tree_lookup(listing->entries, path))
            add_entry(listing, path, "");
    }
    if (definition->make_symlinks->len > 0)
        events_warning(
                "%s: MakeSymlinks= has no effect, FAT holds directories and files only", definition->path);
    return g_steal_pointer(&listing);
}

/* FAT labels: 11 bytes, upper case, few characters. */
static char *make_label(const char *label) {
    GString *out = g_string_new(NULL);

    for (const char *at = label; *at && out->len < 11; at++)
        if (g_ascii_isalnum(*at) || *at == '-' || *at == '_')
            g_string_append_c(out, g_ascii_toupper(*at));
    if (out->len == 0)
        g_string_append(out, "BOOT");
    return g_string_free(out, FALSE);
}

static gboolean make_file_system(const Volume *volume, Sandbox *sandbox, GError **error) {
    g_autofree char *label = make_label(volume->label);
    g_autofree char *sector_size = g_strdup_printf("%u", volume->sector_size);
    g_autofree char *serial = g_strdup_printf("%02x%02x%02x%02x", volume->uuid.bytes[0],
            volume->uuid.bytes[1], volume->uuid.bytes[2], volume->uuid.bytes[3]);
    /* --invariant sets a serial of its own, which -i overrides when it comes later. */
    const char *const command[] = {"mkfs.vfat", "--invariant", "-F", "32", "-S", sector_size, "-i", serial,
            "-n", label, IMAGE_IN_SANDBOX, NULL};

    return sandbox_run(sandbox, command, error);
}

/* One mtools command that is filled until it is long enough. */
typedef struct {
    Sandbox *sandbox;
    GPtrArray *arguments; /* char */
    guint fixed;          /* how many are the command itself */
    char *directory;      /* target of mcopy, or NULL for mmd */
    GError *error;
} Batch;

static void batch_begin(Batch *batch, const char *program, const char *option) {
    g_ptr_array_set_size(batch->arguments, 0);
    g_ptr_array_add(batch->arguments, g_strdup(program));
    g_ptr_array_add(batch->arguments, g_strdup("-i"));
    g_ptr_array_add(batch->arguments, g_strdup(IMAGE_IN_SANDBOX));
    if (option)
        g_ptr_array_add(batch->arguments, g_strdup(option));
    batch->fixed = batch->arguments->len;
}

static void batch_run(Batch *batch) {
    if (batch->arguments->len > batch->fixed && !batch->error) {
        if (batch->directory)
            g_ptr_array_add(batch->arguments, g_strconcat("::", batch->directory, "/", NULL));
        g_ptr_array_add(batch->arguments, NULL);
        ignore_failure(sandbox_run(batch->sandbox, (const char *const *) batch->arguments->pdata, &batch->error));
        g_ptr_array_set_size(batch->arguments, batch->arguments->len - (batch->directory ? 2 : 1));
    }
    g_ptr_array_set_size(batch->arguments, batch->fixed);
}

static gboolean add_directory(gpointer key, gpointer value, gpointer data) {
    Batch *batch = data;

    if (*(const char *) value)
        return FALSE;
    g_ptr_array_add(batch->arguments, g_strconcat("::", key, NULL));
    if (batch->arguments->len >= FILES_PER_COMMAND)
        batch_run(batch);
    return batch->error != NULL;
}

/* mcopy names the copy like the source, so all files of one command share the target directory. */
static gboolean add_file(gpointer key, gpointer value, gpointer data) {
    Batch *batch = data;
    const char *path = key, *origin = value;

    if (*origin == '\0')
        return FALSE;
    g_autofree char *directory = g_path_get_dirname(path);
    if (g_str_equal(directory, "/"))
        *directory = '\0';
    g_autofree char *name = g_path_get_basename(path), *origin_name = g_path_get_basename(origin);
    gboolean renamed = !g_str_equal(name, origin_name);
    if (renamed || g_strcmp0(directory, batch->directory) != 0 ||
            batch->arguments->len >= FILES_PER_COMMAND) {
        batch_run(batch);
        g_free(batch->directory);
        batch->directory = g_strdup(directory);
    }
    g_ptr_array_add(batch->arguments, g_strdup(origin));
    if (renamed) {
        /* A single file: the target is its name instead of a directory. */
        g_ptr_array_add(batch->arguments, g_strconcat("::", path, NULL));
        g_clear_pointer(&batch->directory, g_free);
        batch_run(batch);
    }
    return batch->error != NULL;
}

static gboolean fill(const Volume *volume, Sandbox *sandbox, Listing *listing, GError **error) {
    g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
    Batch batch = {.sandbox = sandbox, .arguments = arguments};

    batch_begin(&batch, "mmd", NULL);
    g_tree_foreach(listing->entries, add_directory, &batch);
    batch_run(&batch);
    batch_begin(&batch, "mcopy", volume->epoch < 0 ? "-m" : NULL);
    g_tree_foreach(listing->entries, add_file, &batch);
    batch_run(&batch);
    g_clear_pointer(&batch.directory, g_free);
    batch_begin(&batch, "mattrib", "+r");
    for (guint i = 0; i < listing->read_only->len; i++) {
        g_ptr_array_add(batch.arguments, g_strconcat("::", listing->read_only->pdata[i], NULL));
        if (batch.arguments->len >= FILES_PER_COMMAND)
            batch_run(&batch);
    }
    batch_run(&batch);
    if (batch.error) {
        g_propagate_error(error, batch.error);
        return FALSE;
    }
    return TRUE;
}

gboolean fat_write(const Volume *volume, const char *image, guint64 size, GError **error) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(volume->tools_tree);
    g_autofree char *epoch = g_strdup_printf("%" G_GINT64_FORMAT, volume_time(volume));

    if (truncate(image, size) < 0)
        return set_errno_error(error, errno, "%s", image);
    sandbox_bind(sandbox, image, IMAGE_IN_SANDBOX, 0);
    sandbox_setenv(sandbox, "SOURCE_DATE_EPOCH", epoch);
    sandbox_setenv(sandbox, "TZ", "UTC");
    sandbox_setenv(sandbox, "MTOOLS_SKIP_CHECK", "1");
    g_autoptr(Listing) listing = list_content(volume, sandbox, error);
    return listing && fat_limits_check(listing->limits, size, error) &&
           make_file_system(volume, sandbox, error) && fill(volume, sandbox, listing, error);
}
