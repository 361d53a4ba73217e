/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/volumes/mkfs.h"

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/events.h"
#include "image/definitions/disk-error.h"
#include "image/volumes/stage.h"
#include "sandbox/sandbox.h"
#include "text/size.h"
#include "tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define IMAGE_IN_SANDBOX "/run/particleos/image"
#define STAGE_IN_SANDBOX "/run/particleos/stage"
#define SCRIPT_IN_SANDBOX "/run/particleos/script"

#define MIB (G_GUINT64_CONSTANT(1024) * 1024)

static gboolean set_size(const char *image, guint64 size, GError **error) {
    if (truncate(image, size) == 0)
        return TRUE;
    return set_errno_error(error, errno, "%s", image);
}

static Sandbox *new_sandbox(const Volume *volume, const char *image, const char *stage) {
    Sandbox *sandbox = sandbox_new_for_tools(volume->tools_tree);
    g_autofree char *time = g_strdup_printf("%" G_GINT64_FORMAT, volume_time(volume));

    sandbox_bind(sandbox, image, IMAGE_IN_SANDBOX, 0);
    if (stage)
        sandbox_bind(sandbox, stage, STAGE_IN_SANDBOX, SANDBOX_READ_ONLY);
    sandbox_setenv(sandbox, "SOURCE_DATE_EPOCH", time);
    sandbox_setenv(sandbox, "E2FSPROGS_FAKE_TIME", time);
    sandbox_setenv(sandbox, "TZ", "UTC");
    return sandbox;
}

/* At most BYTES of LABEL, not cutting a character in two. */
static char *cut_label(const char *label, gsize bytes) {
    gsize length = strlen(label);

    if (length > bytes) {
        const char *end = g_utf8_find_prev_char(label, label + bytes + 1);
        length = end ? end - label : 0;
    }
    return g_strndup(label, length);
}

static guint64 estimate_ext4(const StageSize *size) {
    guint64 estimate = size->bytes + size->inodes * 512;

    return (estimate + estimate / 8 + 48 * MIB + 4095) / 4096 * 4096;
}

/* mke2fs -d takes over change and access times of the files, which depend on when the tree was made. */
static gboolean fix_ext4_times(const Volume *volume, Sandbox *sandbox, guint64 inodes, GError **error) {
    static const char *const fields[] = {"atime", "ctime", "crtime"};
    static const char *const extra_fields[] = {"atime_extra", "ctime_extra", "crtime_extra"};
    g_autoptr(GString) script = g_string_new(NULL);

    /* Inode 2 is the root; files are numbered from 11 on without gaps. */
    for (guint64 inode = 2; inode < 12 + inodes; inode = inode == 2 ? 11 : inode + 1)
        for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
            g_string_append_printf(script, "sif <%" G_GUINT64_FORMAT "> %s @%" G_GINT64_FORMAT "\n", inode,
                    fields[i], volume_time(volume));
            g_string_append_printf(script, "sif <%" G_GUINT64_FORMAT "> %s 0\n", inode, extra_fields[i]);
        }
    sandbox_file(sandbox, SCRIPT_IN_SANDBOX, script->str, FALSE);
    return sandbox_run(sandbox,
            (const char *const[]){"debugfs", "-w", "-f", SCRIPT_IN_SANDBOX, IMAGE_IN_SANDBOX, NULL}, error);
}

/* What mke2fs makes of a file system of SIZE bytes unless it is told: see its types in mke2fs.conf(5). */
static guint64 ext4_default_inodes(guint64 size) {
    if (size < 3 * MIB)
        return size / 8192;
    return size / (size < 512 * MIB ? 4096 : 16384);
}

/* "-N" and a number for content that has more files than the default gives room for; NULL: it is enough. */
static char *ext4_inodes(const StageSize *content, guint64 size) {
    /* Some are reserved; a writable system gets a few more files than it came with. */
    guint64 needed = content->inodes + content->inodes / 8 + 64;

    return needed > ext4_default_inodes(size) ? g_strdup_printf("%" G_GUINT64_FORMAT, needed) : NULL;
}

/* Explains a failure of mke2fs where the content is about as large as the file system. */
static void explain_full(const StageSize *content, guint64 size, GError **error) {
    guint64 needed = estimate_ext4(content) - 48 * MIB;

    if (needed < size - size / 8 || (error && g_error_matches(*error, SANDBOX_ERROR, SANDBOX_ERROR_START)))
        return;
    g_autofree char *bytes = text_format_size(needed), *room = text_format_size(size);
    g_prefix_error(error,
            "the content (%" G_GUINT64_FORMAT " files and directories) needs about %s, the partition has %s "
            "(raise SizeMinBytes= and SizeMaxBytes=, or set Minimize=guess): ",
            content->inodes, bytes, room);
}

/* The same for those who call it as they call a full disk. The disk of IMAGE has room, or it is to blame. */
static void explain_no_room(const char *image, const StageSize *content, guint64 size, GError **error) {
    g_autofree char *bytes = text_format_size(content->bytes), *room = text_format_size(size);
    struct statvfs disk;

    if (!error || !strstr((*error)->message, g_strerror(ENOSPC)) || statvfs(image, &disk) < 0 ||
            (guint64) disk.f_bavail * disk.f_frsize < MIB)
        return;
    g_autoptr(GError) cause = g_steal_pointer(error);
    g_set_error(error, DISK_ERROR, DISK_ERROR_CONTENT,
            "the content (%" G_GUINT64_FORMAT " files and directories, %s) does not fit into %s (raise "
            "SizeMinBytes= and SizeMaxBytes=, or set Minimize=guess): %s",
            content->inodes, bytes, room, cause->message);
}

gboolean mkfs_ext4(
        const Volume *volume, const char *image, guint64 size, guint64 *ret_size, GError **error) {
    g_autofree char *uuid = uuid_to_text(&volume->uuid), *label = cut_label(volume->label, 16);
    Uuid hash_seed = uuid_derive(&volume->uuid, "hash-seed");
    g_autofree char *seed = uuid_to_text(&hash_seed);
    g_autofree char *extended =
            g_strdup_printf("hash_seed=%s,lazy_itable_init=1,nodiscard,root_owner=0:0", seed);
    StageSize content;
    g_autofree char *stage = stage_content(volume, &content, error);

    if (!stage)
        return FALSE;
    *ret_size = size ? size : estimate_ext4(&content);
    if (!set_size(image, *ret_size, error))
        return FALSE;
    g_autoptr(Sandbox) sandbox = new_sandbox(volume, image, stage);
    g_autofree char *inodes = ext4_inodes(&content, *ret_size);
    const char *command[24] = {"mkfs.ext4", "-q", "-F", "-b", "4096", "-I", "256", "-m", "0", "-L", label,
            "-U", uuid, "-E", extended, "-d", STAGE_IN_SANDBOX};
    gsize n = 17;
    if (inodes) {
        command[n++] = "-N";
        command[n++] = inodes;
    }
    command[n] = IMAGE_IN_SANDBOX;
    if (!sandbox_run(sandbox, command, error)) {
        explain_full(&content, *ret_size, error);
        return FALSE;
    }
    return fix_ext4_times(volume, sandbox, content.inodes, error) &&
           stage_remove(volume, error);
}

static void add_subvolumes(const PartitionDefinition *definition, GPtrArray *arguments) {
    for (guint i = 0; i < definition->subvolumes->len; i++) {
        const DefinitionPair *pair = definition->subvolumes->pdata[i];
        gboolean is_default = g_strcmp0(definition->default_subvolume, pair->source) == 0;
        const char *kind =
                pair->target ? (is_default ? "default-ro:" : "ro:") : (is_default ? "default:" : "rw:");

        g_ptr_array_add(arguments, g_strdup("--subvol"));
        g_ptr_array_add(arguments, g_strconcat(kind, pair->source + 1, NULL));
    }
}

static GPtrArray *btrfs_command(const Volume *volume, const char *compression, int level, gboolean shrink) {
    GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *label = cut_label(volume->label, 255);
    const char *const fixed[] = {"mkfs.btrfs", "--quiet", "--force", "--nodiscard", "--rootdir",
            STAGE_IN_SANDBOX, "--label", label};

    for (gsize i = 0; i < G_N_ELEMENTS(fixed); i++)
        g_ptr_array_add(arguments, g_strdup(fixed[i]));
    g_ptr_array_add(arguments, g_strdup("--uuid"));
    g_ptr_array_add(arguments, uuid_to_text(&volume->uuid));
    if (shrink)
        g_ptr_array_add(arguments, g_strdup("--shrink"));
    if (compression && !g_str_equal(compression, "none")) {
        g_ptr_array_add(arguments, g_strdup("--compress"));
        g_ptr_array_add(arguments,
                level >= 0 ? g_strdup_printf("%s:%d", compression, level) : g_strdup(compression));
    }
    add_subvolumes(volume->content->definition, arguments);
    g_ptr_array_add(arguments, g_strdup(IMAGE_IN_SANDBOX));
    g_ptr_array_add(arguments, NULL);
    return arguments;
}

gboolean mkfs_btrfs(const Volume *volume, const char *image, guint64 size, gboolean shrink,
        const char *compression, int level, guint64 *ret_size, GError **error) {
    StageSize content;
    struct stat st;
    g_autofree char *stage = stage_content(volume, &content, error);

    if (!stage)
        return FALSE;
    guint64 room = size ? size : content.bytes + content.bytes / 4 + content.inodes * 4096 + 256 * MIB;
    if (!set_size(image, room / 4096 * 4096, error))
        return FALSE;
    g_autoptr(Sandbox) sandbox = new_sandbox(volume, image, stage);
    g_autoptr(GPtrArray) command = btrfs_command(volume, compression, level, shrink);
    if (!sandbox_run(sandbox, (const char *const *) command->pdata, error)) {
        explain_no_room(image, &content, room, error);
        return FALSE;
    }
    if (!stage_remove(volume, error))
        return FALSE;
    if (stat(image, &st) < 0)
        return set_errno_error(error, errno, "%s", image);
    *ret_size = st.st_size;
    return TRUE;
}

static gboolean squashfs_keeps(const char *attribute) {
    return g_str_has_prefix(attribute, "user.") || g_str_has_prefix(attribute, "trusted.") ||
           g_str_has_prefix(attribute, "security.");
}

/* mksquashfs leaves access control lists out without a word. */
static gboolean warn_of_squashfs(const Volume *volume, const char *stage, GError **error) {
    g_autofree char *lost = NULL;
    AUTO_FD fd = open(stage, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return set_errno_error(error, errno, "%s", stage);
    if (!tree_find_lost_xattrs(fd, squashfs_keeps, &lost, error))
        return FALSE;
    if (lost)
        events_warning("%s: Format=squashfs holds no access control lists, so they are lost: %s (Format=erofs keeps "
                   "them)",
                volume->content->definition->path, lost);
    return TRUE;
}

gboolean mkfs_squashfs(const Volume *volume, const char *image, const char *compression, int level,
        guint64 *ret_size, GError **error) {
    g_autofree char *level_text = g_strdup_printf("%d", level);
    gboolean has_level =
            level >= 0 && (!compression || g_str_equal(compression, "gzip") ||
                                  g_str_equal(compression, "lzo") || g_str_equal(compression, "zstd"));
    StageSize content;
    struct stat st;
    g_autofree char *stage = stage_content(volume, &content, error);

    if (!stage || !warn_of_squashfs(volume, stage, error))
        return FALSE;
    g_autoptr(Sandbox) sandbox = new_sandbox(volume, image, stage);
    /* A second mksquashfs thread does not change the output, which is put into order before it is written.
     */
    const char *const command[] = {"mksquashfs", STAGE_IN_SANDBOX, IMAGE_IN_SANDBOX, "-noappend", "-quiet",
            "-no-progress", "-comp", compression ? compression : "gzip",
            has_level ? "-Xcompression-level" : NULL, level_text, NULL};
    if (!sandbox_run(sandbox, command, error) || !stage_remove(volume, error))
        return FALSE;
    if (stat(image, &st) < 0)
        return set_errno_error(error, errno, "%s", image);
    *ret_size = st.st_size;
    return TRUE;
}

gboolean mkfs_swap(const Volume *volume, const char *image, guint64 size, GError **error) {
    g_autofree char *uuid = uuid_to_text(&volume->uuid), *label = cut_label(volume->label, 15);
    g_autoptr(Sandbox) sandbox = new_sandbox(volume, image, NULL);

    if (!set_size(image, size, error) || chmod(image, 0600) < 0)
        return FALSE;
    return sandbox_run(sandbox,
            (const char *const[]){"mkswap", "--pagesize", "4096", "--uuid", uuid, "--label", label,
                    IMAGE_IN_SANDBOX, NULL},
            error);
}
