/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/content/trees.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "events/step.h"
#include "pipeline/state/boot-rules.h"
#include "tree/tree.h"

static gboolean is_directory(int tree_fd, const char *path) {
    AUTO_FD fd = tree_open(tree_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, NULL);
    return fd >= 0;
}

static gboolean extract(const char *source, int tree_fd, GError **error) {
    AUTO_FD archive = open(source, O_RDONLY | O_CLOEXEC);

    if (archive >= 0)
        return tree_extract(archive, tree_fd, "/", TREE_COPY_KEEP_OWNER, error);
    g_set_error_literal(error, G_FILE_ERROR, g_file_error_from_errno(errno), g_strerror(errno));
    return FALSE;
}

/* Into the directory TARGET if there is one, else to that name. */
static gboolean copy_file(const char *source, int tree_fd, const char *target, GError **error) {
    g_autofree char *base = g_path_get_basename(source);
    gboolean into = !target || is_directory(tree_fd, target);
    g_autofree char *file = into ? g_build_filename(target ? target : "/", base, NULL) : g_strdup(target);
    g_autofree char *parent = g_path_get_dirname(file);
    /* What a link leads to is the tree, whatever the link is called. */
    g_autofree char *real = realpath(source, NULL);

    return tree_mkdir_p(tree_fd, parent, 0755, error) &&
           tree_copy(AT_FDCWD, real ? real : source, tree_fd, file, TREE_COPY_MERGE, error);
}

gboolean trees_install(int tree_fd, const char *source, const char *target, GError **error) {
    const char *where = target ? target : "/";
    struct stat info;
    gboolean ok;

    if (stat(source, &info) < 0) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "Cannot read the tree %s: %s", source,
                g_strerror(errno));
        return FALSE;
    }
    if (S_ISDIR(info.st_mode))
        /* A recipe's folder has the modes of a checkout; those of the packages' directories (/root) count.
         */
        ok = tree_copy(AT_FDCWD, source, tree_fd, where,
                TREE_COPY_MERGE | (target ? 0 : TREE_COPY_CONTENTS_ONLY), error);
    else if (S_ISREG(info.st_mode) && !target && tree_is_archive_name(source))
        ok = extract(source, tree_fd, error);
    else
        ok = copy_file(source, tree_fd, target, error);
    if (!ok)
        g_prefix_error(error, "Cannot install %s into %s of the tree: ", source, where);
    return ok;
}

static gboolean install_trees(int tree_fd, RecipeTree **trees, GError **error) {
    for (RecipeTree **tree = trees; *tree; tree++)
        if (!trees_install(tree_fd, (*tree)->source, (*tree)->target, error))
            return FALSE;
    return TRUE;
}

gboolean trees_install_skeleton(ImageBuild *image, GError **error) {
    return install_trees(image->root_fd, image->config->skeleton_trees, error);
}

gboolean trees_install_sandbox(ImageBuild *image, GError **error) {
    if (!image->config->sandbox_trees[0])
        return TRUE;

    g_autofree char *path = g_build_filename(image->places.directory, "sandbox", NULL);
    if (g_mkdir(path, 0755) < 0)
        return set_errno_error(error, errno, "Cannot create %s", path);
    AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    image->places.sandbox_tree = g_steal_pointer(&path);
    return install_trees(fd, image->config->sandbox_trees, error);
}

static gboolean is_same_file(const char *path, int dir_fd, const char *name) {
    AUTO_FD first_fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO_FD second_fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    g_autoptr(GMappedFile) first = first_fd < 0 ? NULL : g_mapped_file_new_from_fd(first_fd, FALSE, NULL);
    g_autoptr(GMappedFile) second = second_fd < 0 ? NULL : g_mapped_file_new_from_fd(second_fd, FALSE, NULL);

    if (!first || !second)
        return FALSE;
    g_autoptr(GBytes) a = g_mapped_file_get_bytes(first), b = g_mapped_file_get_bytes(second);
    return g_bytes_equal(a, b);
}

/* SEEN: names and the directories that they came from; NULL: what is there is replaced. */
static gboolean copy_packages(ImageBuild *image, const char *directory, int repository_fd, GHashTable *seen, GError **error) {
    g_autoptr(GPtrArray) names = list_directory(directory, error);

    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(directory, name, NULL);
        const char *other = seen ? g_hash_table_lookup(seen, name) : NULL;
        if (!distro_is_package_file(image->distro, name))
            continue;
        if (other && !is_same_file(path, repository_fd, name)) {
            g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                    "there is another %s in %s; remove one, or give it another version", name, other);
            return FALSE;
        }
        if (!other && !tree_copy(AT_FDCWD, path, repository_fd, name, 0, error))
            return FALSE;
        if (seen && !other)
            g_hash_table_insert(seen, g_strdup(name), (gpointer) directory);
    }
    return TRUE;
}

gboolean trees_install_package_directories(ImageBuild *image, GError **error) {
    char *const made[] = {image->places.packages, NULL};
    char *const *const lists[] = {
            image->config->package_directories, image->config->volatile_package_directories, made};
    AUTO_FD fd = open(image->places.repository, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    /* What was made takes the place of what was there before. */
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (char *const *directory = lists[i]; *directory; directory++)
            if (!copy_packages(image, *directory, fd, lists[i] == made ? NULL : seen, error)) {
                g_prefix_error(error, "Cannot read packages from %s: ", *directory);
                return FALSE;
            }
    return TRUE;
}

gboolean wants_extra_trees(const ImageBuild *image) {
    return image->config->extra_trees[0] != NULL;
}

gboolean step_extra_trees(ImageBuild *image, GError **error) {
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Copying extra trees");

    if (!install_trees(image->root_fd, image->config->extra_trees, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}

gboolean wants_remove_files(const ImageBuild *image) {
    return image->config->remove_files[0] != NULL;
}

gboolean step_remove_files(ImageBuild *image, GError **error) {
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Removing files");

    for (char **pattern = image->config->remove_files; *pattern; pattern++)
        if (!tree_remove_glob(image->root_fd, *pattern, error)) {
            g_prefix_error(error, "RemoveFiles=%s: ", *pattern);
            return FALSE;
        }
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}

gboolean step_check_tree(ImageBuild *image, GError **error) {
    static const char *const places[] = {"etc/os-release", "usr/lib/os-release", "usr/lib/initrd-release"};

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
        if (tree_exists(image->root_fd, places[i]))
            return TRUE;
    if (image->config->format == OUTPUT_FORMAT_NONE || boot_tree_is_partial(image->config))
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            "The tree of image %s has no os-release file, so it is no operating system; Packages= or a "
            "skeleton tree "
            "should bring one",
            image->name);
    return FALSE;
}
