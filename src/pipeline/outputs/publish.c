/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of outputs from staging into the output directory. */

#include "pipeline/outputs/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/errors.h"
#include "base/sha256sums.h"
#include "events/events.h"
#include "pipeline/state/output-names.h"
#include "tree/tree.h"

gboolean step_link(ImageBuild *image, GError **error) {
    g_autofree char *name = outputs_main_name(image->config);
    g_autofree char *link = g_build_filename(image->places.staging, image->config->output, NULL);

    if (g_str_equal(name, image->config->output) || image->config->format == OUTPUT_FORMAT_NONE ||
            symlink(name, link) == 0)
        return TRUE;
    return set_errno_error(error, errno, "Cannot link %s to %s", link, name);
}

/* Of files; a directory's mode is that of the tree's root. */
static gboolean apply_mode(const ImageConfig *config, const char *path, GError **error) {
    struct stat info;

    if (config->output_mode < 0 || lstat(path, &info) < 0 || !S_ISREG(info.st_mode) ||
            chmod(path, config->output_mode & 07777) == 0)
        return TRUE;
    return set_errno_error(error, errno, "OutputMode=: cannot change the mode of %s", path);
}

static gboolean move_output(const ImageConfig *config, const char *staging, const char *name,
        const char *directory, GError **error) {
    g_autofree char *from = g_build_filename(staging, name, NULL);
    g_autofree char *to = g_build_filename(directory, name, NULL);

    if (!apply_mode(config, from, error))
        return FALSE;
    if (rename(from, to) == 0)
        return TRUE;
    /* A directory is only replaced when it is empty, a subvolume of btrfs never. */
    if ((errno == ENOTEMPTY || errno == EXDEV || errno == EEXIST || errno == EISDIR || errno == ENOTDIR) &&
            tree_remove(AT_FDCWD, to, NULL) && rename(from, to) == 0)
        return TRUE;
    return set_errno_error(error, errno, "Cannot move %s to %s", from, to);
}

/* What the link called like the output leads to in DIRECTORY: the main output of the last build, whatever
 * its format was. NULL: there is none. */
static char *linked_output(const ImageConfig *config, const char *directory) {
    g_autofree char *link = g_build_filename(directory, config->output, NULL);
    g_autofree char *target = g_file_read_link(link, NULL);
    g_autofree char *prefix = g_strconcat(config->output, ".", NULL);

    return target && !strchr(target, '/') && g_str_has_prefix(target, prefix) ? g_steal_pointer(&target)
                                                                              : NULL;
}

/* Whether NAME, which begins like the outputs of CONFIG, belongs to an output with a longer name, as those
 * of version 1.2 begin like those of version 1. PRESENT: all names in DIRECTORY. */
static gboolean belongs_to_other(
        const ImageConfig *config, const char *directory, GPtrArray *present, const char *name) {
    g_autofree char *mine = g_strconcat(config->output, ".", NULL);

    for (guint i = 0; i < present->len; i++) {
        const char *other = present->pdata[i];
        gsize length = strlen(other);
        g_autofree char *path = g_build_filename(directory, other, NULL);

        if (g_str_has_prefix(other, mine) && g_str_has_prefix(name, other) && name[length] == '.' &&
                g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            return TRUE;
    }
    return FALSE;
}

static gboolean is_output(const ImageConfig *config, const char *directory, GPtrArray *present,
        char *const *patterns, const char *name) {
    for (char *const *pattern = patterns; *pattern; pattern++)
        if (g_str_equal(*pattern, name) ||
                (strchr(*pattern, '*') && g_pattern_match_simple(*pattern, name) &&
                        !belongs_to_other(config, directory, present, name)))
            return TRUE;
    return FALSE;
}

/* Removes what matches the names of outputs and LINKED (may be NULL), except KEEP (names, may be NULL). */
static gboolean remove_outputs(const ImageConfig *config, const char *directory, const char *linked,
        GPtrArray *keep, GError **error) {
    g_autoptr(GPtrArray) present = list_directory(directory, NULL);
    g_auto(GStrv) patterns = outputs_names(config);

    for (guint i = 0; present && i < present->len; i++) {
        const char *name = present->pdata[i];

        if ((g_strcmp0(name, linked) != 0 && !is_output(config, directory, present, patterns, name)) ||
                (keep && g_ptr_array_find_with_equal_func(keep, name, g_str_equal, NULL)))
            continue;
        g_autofree char *path = g_build_filename(directory, name, NULL);
        if (!tree_remove(AT_FDCWD, path, error))
            return FALSE;
    }
    return TRUE;
}

/* Those of the build, where it has computed them; NULL: none. Before they are moved. */
static char *read_checksums(const ImageBuild *image) {
    g_autofree char *name = g_strconcat(image->config->output, ".SHA256SUMS", NULL);
    g_autofree char *path = g_build_filename(image->places.staging, name, NULL);
    char *text = NULL;

    if (image->config->checksum)
        (void) g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static void tell_artifact(const ImageBuild *image, const char *directory, const char *name, const char *checksums) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *digest = checksums ? sha256sums_find(checksums, name) : NULL;
    struct stat info;

    if (lstat(path, &info) == 0 && !S_ISLNK(info.st_mode))
        events_artifact(image->name, path, S_ISREG(info.st_mode) ? info.st_size : 0, digest);
}

gboolean outputs_publish(ImageBuild *image, GError **error) {
    const char *directory = image_config_output_directory(image->config);
    g_autofree char *linked = linked_output(image->config, directory);
    g_autoptr(GPtrArray) names = list_directory(image->places.staging, error);
    g_autofree char *checksums = read_checksums(image);

    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++)
        if (!move_output(image->config, image->places.staging, names->pdata[i], directory, error))
            return FALSE;
    for (guint i = 0; i < names->len; i++)
        tell_artifact(image, directory, names->pdata[i], checksums);
    /* State of a machine that ran the image before belongs to the old image. */
    return remove_outputs(image->config, directory, linked, names, error);
}

gboolean outputs_remove(const ImageConfig *config, const char *directory, GError **error) {
    g_autofree char *linked = linked_output(config, directory);
    return remove_outputs(config, directory, linked, NULL, error);
}
