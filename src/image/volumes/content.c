/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/volumes/content.h"

#include "base/cleanup.h"
#include "image/definitions/disk-error.h"
#include "tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void content_source_free(gpointer data) {
    ContentSource *source = data;

    if (source->fd >= 0)
        close(source->fd);
    g_free(source);
}

static void exclude_free(gpointer data) {
    DefinitionExclude *exclude = data;

    g_free(exclude->path);
    g_free(exclude);
}

void content_free(Content *content) {
    if (!content)
        return;
    g_ptr_array_unref(content->sources);
    g_ptr_array_unref(content->source_excludes);
    g_ptr_array_unref(content->implied);
    g_free(content);
}

/* Where the partitions of a role are mounted, so that a root file system has nothing there. */
static void mount_points(PartitionRole role, const char *ret[2]) {
    ret[0] = role == PARTITION_ROOT ? NULL : partition_mount_point(role);
    ret[1] = role == PARTITION_ESP ? "/boot" : NULL;
}

/* TRUE when the definition names PATH as a source of its own, which overrides what is implied. */
static gboolean copies_explicitly(const PartitionDefinition *definition, const char *path) {
    for (guint i = 0; i < definition->copy_files->len; i++) {
        const DefinitionPair *pair = definition->copy_files->pdata[i];
        if (g_str_equal(pair->source, path))
            return TRUE;
    }
    return FALSE;
}

static void imply(Content *content, const char *path) {
    DefinitionExclude *exclude;

    if (copies_explicitly(content->definition, path))
        return;
    exclude = g_new(DefinitionExclude, 1);
    *exclude = (DefinitionExclude){g_strdup(path), TRUE};
    g_ptr_array_add(content->implied, exclude);
    g_ptr_array_add(content->source_excludes, exclude);
}

static void imply_excludes(Content *content, GPtrArray *definitions) {
    static const char *const always[] = {"/proc", "/sys", "/dev", "/tmp", "/run", "/var/tmp"};

    for (gsize i = 0; i < G_N_ELEMENTS(always); i++)
        imply(content, always[i]);
    if (content->definition->type.role != PARTITION_ROOT)
        return;
    for (guint i = 0; i < definitions->len; i++) {
        const PartitionDefinition *other = definitions->pdata[i];
        const char *places[2];

        mount_points(other == content->definition ? PARTITION_OTHER : other->type.role, places);
        for (gsize j = 0; j < G_N_ELEMENTS(places); j++)
            if (places[j])
                imply(content, places[j]);
    }
}

/* Opens the source of PAIR; RET stays NULL when it is missing and may be. */
static gboolean open_source(const Content *content, const DefinitionPair *pair, gboolean optional,
        int root_fd, ContentSource **ret, GError **error) {
    g_autoptr(GError) local = NULL;
    struct stat st;

    *ret = NULL;
    AUTO_FD fd = tree_open(root_fd, pair->source, O_PATH | O_CLOEXEC, 0, &local);
    if (fd < 0 && optional && !tree_exists(root_fd, pair->source))
        return TRUE;
    if (fd < 0) {
        g_set_error(error, DISK_ERROR, DISK_ERROR_CONTENT, "%s: CopyFiles=%s: %s", content->definition->path,
                pair->source, local->message);
        return FALSE;
    }
    if (fstat(fd, &st) < 0 || !(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))) {
        g_set_error(error, DISK_ERROR, DISK_ERROR_CONTENT,
                "%s: CopyFiles=%s: neither a directory nor a file", content->definition->path, pair->source);
        return FALSE;
    }
    *ret = g_new(ContentSource, 1);
    **ret = (ContentSource){pair->source, pair->target, steal_fd(&fd), S_ISDIR(st.st_mode)};
    return TRUE;
}

Content *content_new(
        const PartitionDefinition *definition, GPtrArray *definitions, int root_fd, GError **error) {
    g_autoptr(Content) content = g_new0(Content, 1);
    gboolean optional =
            definition->type.role == PARTITION_ESP || definition->type.role == PARTITION_XBOOTLDR;

    content->definition = definition;
    content->sources = g_ptr_array_new_with_free_func(content_source_free);
    content->source_excludes = g_ptr_array_new();
    content->implied = g_ptr_array_new_with_free_func(exclude_free);
    for (guint i = 0; i < definition->exclude_files->len; i++)
        g_ptr_array_add(content->source_excludes, definition->exclude_files->pdata[i]);
    imply_excludes(content, definitions);
    for (guint i = 0; i < definition->copy_files->len; i++) {
        ContentSource *source;
        if (!open_source(content, definition->copy_files->pdata[i], optional, root_fd, &source, error))
            return NULL;
        if (source)
            g_ptr_array_add(content->sources, source);
    }
    return g_steal_pointer(&content);
}

/* TRUE when PATH (absolute, without trailing slash) is what EXCLUDES name, or is below. */
static gboolean is_excluded(GPtrArray *excludes, const char *path) {
    for (guint i = 0; i < excludes->len; i++) {
        const DefinitionExclude *exclude = excludes->pdata[i];
        gsize length = strlen(exclude->path);

        if (strncmp(path, exclude->path, length) != 0)
            continue;
        if (path[length] == '/' || (path[length] == '\0' && !exclude->contents_only))
            return TRUE;
    }
    return FALSE;
}

/* BASE and PATH as one absolute path without trailing slash; "" for the root. */
static char *join(const char *base, const char *path) {
    g_autofree char *joined = NULL;

    while (*path == '/')
        path++;
    joined = *path ? g_strconcat(g_str_equal(base, "/") ? "" : base, "/", path, NULL) : g_strdup(base);
    return g_str_equal(joined, "/") ? g_strdup("") : g_steal_pointer(&joined);
}

gboolean content_wants(const Content *content, const ContentSource *source, const char *path) {
    g_autofree char *source_path = join(source->source, path);
    g_autofree char *target_path = join(source->target, path);

    /* The source itself is never left out: it has been asked for by name. */
    if (*path && is_excluded(content->source_excludes, source_path))
        return FALSE;
    return !is_excluded(content->definition->exclude_files_target, target_path);
}
