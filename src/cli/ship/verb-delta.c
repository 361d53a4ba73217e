/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "cli/verbs.h"
#include "delta/make.h"
#include "events/step.h"
#include "text/size.h"

#define DATA_END ".raw"
#define UKI_END ".efi"

static gboolean refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean refuse(GError **error, const char *format, ...) {
    va_list list;

    va_start(list, format);
    g_propagate_error(error, g_error_new_valist(RECIPE_ERROR, RECIPE_ERROR_SYNTAX, format, list));
    va_end(list);
    return FALSE;
}

/* ---- what is in a directory ---- */

/* The files of one version; NULL: it has none of that kind. */
typedef struct {
    const char *directory;
    char *data, *tree, *uki;
} Version;

static void version_clear(Version *version) {
    g_free(version->data);
    g_free(version->tree);
    g_free(version->uki);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Version, version_clear)

/* Where NAME belongs: artifacts of "usr-ARCH" and "usr-ARCH-verity" with the UUID behind it. */
static char **find_place(Version *version, const char *name) {
    const char *usr = strstr(name, ".usr-");

    if (g_str_has_suffix(name, UKI_END))
        return &version->uki;
    if (!usr || !g_str_has_suffix(name, DATA_END) || strstr(usr, "-verity-sig."))
        return NULL;
    return strstr(usr, "-verity.") ? &version->tree : &version->data;
}

static gboolean read_version(const char *directory, Version *ret, GError **error) {
    g_autoptr(GPtrArray) names = list_directory(directory, error);

    ret->directory = directory;
    for (guint i = 0; names && i < names->len; i++) {
        char **place = find_place(ret, names->pdata[i]);
        if (!place)
            continue;
        if (*place)
            return refuse(error, "%s has more than one version (%s and %s): name a directory with one", directory, *place,
                    (const char *) names->pdata[i]);
        *place = g_strdup(names->pdata[i]);
    }
    if (names && (!ret->data != !ret->tree || (!ret->data && !ret->uki)))
        return refuse(error,
                "%s has no split artifacts of a version: build with SplitArtifacts=uki,partitions, and with Verity=",
                directory);
    return names != NULL;
}

/* The version in the name OLD: what differs from NEW between two "_" or ends. NULL: that is not one thing. */
static char *find_old_version(const char *old, const char *new) {
    g_autofree char *old_stem = g_strndup(old, strlen(old)), *new_stem = g_strndup(new, strlen(new));
    char *old_end = strstr(old_stem, ".usr-"), *new_end = strstr(new_stem, ".usr-");
    char *found = NULL;

    if (old_end)
        *old_end = '\0';
    if (new_end)
        *new_end = '\0';
    g_auto(GStrv) a = g_strsplit(old_stem, "_", -1), b = g_strsplit(new_stem, "_", -1);
    if (g_strv_length(a) != g_strv_length(b))
        return NULL;
    for (guint i = 0; a[i]; i++) {
        if (g_str_equal(a[i], b[i]))
            continue;
        if (found) {
            g_free(found);
            return NULL;
        }
        found = g_strdup(a[i]);
    }
    return found;
}

/* ---- making ---- */

static int open_artifact(const char *directory, const char *name, GError **error) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        set_errno_error(error, errno, "Cannot open %s", path);
    return fd;
}

typedef struct {
    const Version *old, *new;
    const char *to;
    DeltaOptions options;
    int old_data, old_tree, new_data, new_tree;
} Making;

/* Makes the delta of VOLUME or UKI to the unnamed file OUT. */
static gboolean make(const Making *making, gboolean volume, int out, DeltaSummary *ret, GError **error) {
    DeltaVolume old = {making->old_data, making->old_tree}, new = {making->new_data, making->new_tree};

    if (volume)
        return delta_make_volume(&old, &new, &making->options, out, ret, error);
    AUTO_FD from = open_artifact(making->old->directory, making->old->uki, error);
    AUTO_FD to = from < 0 ? -1 : open_artifact(making->new->directory, making->new->uki, error);
    return to >= 0 &&
           delta_make_file(from, to, making->new_data >= 0 ? &new : NULL, &making->options, out, ret, error);
}

static gboolean make_one(const Making *making, gboolean volume, GError **error) {
    const char *old = volume ? making->old->data : making->old->uki, *name = volume ? making->new->data : making->new->uki;
    g_autofree char *version = old && name ? find_old_version(old, name) : NULL;
    DeltaSummary summary;

    if (!old || !name)
        return TRUE;
    if (!version)
        return refuse(error, "%s and %s are not two versions of one artifact", old, name);
    g_autofree char *file = g_strdup_printf("%s.from-%s.delta", name, version);
    g_autofree char *path = g_build_filename(making->to, file, NULL), *partial = g_strconcat(path, ".partial", NULL);
    g_autoptr(EventsStep) step = events_step_begin(NULL, "Making %s", file);
    AUTO_FD out = open(partial, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (out < 0)
        return set_errno_error(error, errno, "Cannot make %s", partial);
    gboolean ok = make(making, volume, out, &summary, error);
    if (!ok)
        g_prefix_error(error, "%s: ", file);
    if (ok && g_rename(partial, path) < 0)
        ok = set_errno_error(error, errno, "Cannot rename %s", partial);
    if (!ok) {
        (void) g_unlink(partial);
        return FALSE;
    }
    g_autofree char *size = text_format_size(summary.size), *changed = text_format_size(summary.changed);
    events_step_done(g_steal_pointer(&step), "%s for %s that changed", size, changed);
    return TRUE;
}

static gboolean open_volumes(Making *making, GError **error) {
    if (!making->old->data || !making->new->data)
        return TRUE;
    making->old_data = open_artifact(making->old->directory, making->old->data, error);
    making->old_tree = making->old_data < 0 ? -1 : open_artifact(making->old->directory, making->old->tree, error);
    making->new_data = making->old_tree < 0 ? -1 : open_artifact(making->new->directory, making->new->data, error);
    making->new_tree = making->new_data < 0 ? -1 : open_artifact(making->new->directory, making->new->tree, error);
    return making->new_tree >= 0;
}

static gboolean read_level(const char *text, int *ret, GError **error) {
    guint64 level = 0;

    if (text && !g_ascii_string_to_unsigned(text, 10, 1, 22, &level, NULL))
        return refuse(error, "--delta-level=%s: it is a number from 1 to 22", text);
    *ret = (int) level;
    return TRUE;
}

gboolean verb_delta(const VerbCall *call, int *ret_exit_status, GError **error) {
    char **words = call->arguments->words;
    g_auto(Version) old = {.data = NULL}, new = {.data = NULL};
    DeltaOptions options = {.no_xz = call->arguments->delta_no_xz};

    if (g_strv_length(words) < 2 || g_strv_length(words) > 3)
        return refuse(error, "delta needs two directories, with the split artifacts of one version each: "
                             "particleos delta OLD NEW [TO]");
    if (!read_level(call->arguments->delta_level, &options.level, error) || !read_version(words[0], &old, error) ||
            !read_version(words[1], &new, error))
        return FALSE;
    Making making = {.old = &old,
            .new = &new,
            .to = words[2] ? words[2] : words[1],
            .options = options,
            .old_data = -1,
            .old_tree = -1,
            .new_data = -1,
            .new_tree = -1};
    if (g_mkdir_with_parents(making.to, 0755) < 0)
        return set_errno_error(error, errno, "Cannot make %s", making.to);
    gboolean ok = open_volumes(&making, error) && (making.new_data < 0 || make_one(&making, TRUE, error)) &&
                  make_one(&making, FALSE, error);
    const int fds[] = {making.old_data, making.old_tree, making.new_data, making.new_tree};
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return ok;
}
