/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/full-disk.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "image/disk/disk.h"
#include "pipeline/state/cache-places.h"
#include "text/size.h"
#include "tree/workspace.h"

/* Who needs more than this is told that there is none. */
#define LITTLE (1024 * 1024)
#define FEW_FILES 8

#define FULL "\nThe disk is full; make room there, or name another place:"
#define WAS_FULL "\nThe disk was full, or a quota was used up; make room in one of these, or name another place:"

typedef struct {
    char *path;
    char *setting; /* what moves it */
    guint64 size, room;
    gboolean full;
} Place;

static void place_free(gpointer data) {
    Place *place = data;

    g_free(place->path);
    g_free(place->setting);
    g_free(place);
}

/* Of the file system of PATH, or where PATH would be made. */
static gboolean measure(Place *place) {
    g_autofree char *path = g_canonicalize_filename(place->path, NULL);
    struct statvfs info;

    while (statvfs(path, &info) < 0) {
        char *parent = errno == ENOENT ? g_path_get_dirname(path) : NULL;
        if (!parent)
            return FALSE;
        g_free(path);
        path = parent;
    }
    place->size = (guint64) info.f_blocks * info.f_frsize;
    place->room = (guint64) info.f_bavail * info.f_frsize;
    place->full = place->room < LITTLE || (info.f_files > 0 && info.f_favail < FEW_FILES);
    return TRUE;
}

/* Takes PATH. ALSO: what else moves it while the setting is not there, or NULL. */
static void add_place(
        GPtrArray *places, const ImageConfig *config, char *path, const char *key, const char *also) {
    const char *origin = recipe_setting_origin(config, key);
    Place *place = g_new0(Place, 1);

    place->path = path;
    place->setting = origin ? g_strdup_printf("%s=, %s", key, origin)
                            : g_strdup_printf("%s=%s%s", key, also ? " or " : "", also ? also : "");
    if (path && measure(place))
        g_ptr_array_add(places, place);
    else
        place_free(place);
}

static GPtrArray *list_places(const ImageConfig *config, const char *workspace) {
    GPtrArray *places = g_ptr_array_new_with_free_func(place_free);

    add_place(places, config,
            workspace ? g_strdup(workspace)
                      : workspace_parent(config->workspace_directory, WORKSPACE_FALLBACK, NULL),
            "WorkspaceDirectory", "TMPDIR");
    add_place(places, config, g_strdup(image_config_output_directory(config)), "OutputDirectory", NULL);
    if (config->incremental != INCREMENTAL_NO)
        add_place(places, config, build_cache_directory(NULL, config), "CacheDirectory", NULL);
    add_place(places, config, build_package_cache_directory(config), "PackageCacheDirectory", NULL);
    if (config->build_directory)
        add_place(places, config, g_strdup(config->build_directory), "BuildDirectory", NULL);
    return places;
}

static gboolean tells_of_full_disk(const GError *error) {
    const char *const words[] = {g_strerror(ENOSPC), g_strerror(EDQUOT), "You don't have enough free space"};

    /* Something of the recipe is too large for something else of the recipe. */
    if (error->domain == DISK_ERROR)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (strstr(error->message, words[i]))
            return TRUE;
    return FALSE;
}

static gboolean is_named(const Place *place, const char *message) {
    return strstr(message, place->path) != NULL;
}

static gboolean any(const GPtrArray *places, const char *message) {
    for (guint i = 0; i < places->len; i++) {
        const Place *place = places->pdata[i];
        if (message ? is_named(place, message) : place->full)
            return TRUE;
    }
    return FALSE;
}

void full_disk_explain(const ImageConfig *config, const char *workspace, GError **error) {
    if (!error || !*error || !tells_of_full_disk(*error) || strstr((*error)->message, FULL) ||
            strstr((*error)->message, WAS_FULL))
        return;
    g_autoptr(GPtrArray) places = list_places(config, workspace);
    gboolean full = any(places, NULL), named = !full && any(places, (*error)->message);
    g_autoptr(GString) text = g_string_new((*error)->message);

    g_string_append(text, full ? FULL : WAS_FULL);
    for (guint i = 0; i < places->len; i++) {
        const Place *place = places->pdata[i];
        g_autofree char *room = text_format_size(place->room), *size = text_format_size(place->size);
        if ((full && !place->full) || (named && !is_named(place, (*error)->message)))
            continue;
        g_string_append_printf(text, "\n  %s (%s): %s of %s free%s", place->path, place->setting, room, size,
                place->full && place->room >= LITTLE ? ", but no room for more files" : "");
    }
    g_free((*error)->message);
    (*error)->message = g_string_free(g_steal_pointer(&text), FALSE);
}
