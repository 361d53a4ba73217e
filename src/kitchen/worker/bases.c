/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bases.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/errors.h"

/* What the builder knows a base by: the end of the name that it was published under. NULL: it can be none. */
static const char *suffix_of(const char *file) {
    const char *suffix = file ? strstr(file, ".tar") : NULL;

    if (!suffix && file && g_str_has_suffix(file, ".raw"))
        suffix = file + strlen(file) - strlen(".raw");
    return suffix && !strchr(suffix, '/') ? suffix : NULL;
}

static JsonArray *list_bases(const WorkerJob *job) {
    JsonNode *node = json_object_get_member(job->description, "bases");

    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static const char *text_of(JsonObject *base, const char *name) {
    return json_object_get_string_member_with_default(base, name, NULL);
}

/* Where BASE is or will be; NULL: its description makes no sense. Owned by the caller. */
static char *path_of(const WorkerJob *job, JsonObject *base) {
    const char *name = text_of(base, "name"), *suffix = suffix_of(text_of(base, "file"));
    g_autofree char *file =
            name && suffix && *name != '.' && !strchr(name, '/') ? g_strconcat(name, suffix, NULL) : NULL;

    return file ? g_build_filename(job->path, "bases", file, NULL) : NULL;
}

static gboolean fetch(WorkerJob *job, JsonObject *base, GError **error) {
    g_autofree char *path = path_of(job, base);
    g_autofree char *rest = g_strconcat("objects/", text_of(base, "digest") ?: "", NULL);
    g_autofree char *url = worker_job_url(job, rest);
    AUTO_FD fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;

    if (!path) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "The description of a base makes no sense");
        return FALSE;
    }
    if (fd < 0)
        return set_errno_error(error, errno, "Cannot make %s", path);
    return http_get(job->http, url, fd, error);
}

gboolean bases_fetch(WorkerJob *job, GError **error) {
    JsonArray *bases = list_bases(job);
    g_autofree char *directory = g_build_filename(job->path, "bases", NULL);

    if (!bases)
        return TRUE;
    if (g_mkdir(directory, 0755) < 0)
        return set_errno_error(error, errno, "Cannot make %s", directory);
    for (guint i = 0; i < json_array_get_length(bases); i++)
        if (!fetch(job, json_array_get_object_element(bases, i), error)) {
            g_prefix_error(error, "Cannot fetch a base: ");
            return FALSE;
        }
    return TRUE;
}

void bases_add_arguments(const WorkerJob *job, GPtrArray *arguments) {
    JsonArray *bases = list_bases(job);

    for (guint i = 0; bases && i < json_array_get_length(bases); i++) {
        g_autofree char *path = path_of(job, json_array_get_object_element(bases, i));

        if (path)
            g_ptr_array_add(arguments, g_strconcat("--base-tree=", path, NULL));
    }
}
