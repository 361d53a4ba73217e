/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which versions there are, here and there, and which of them is the one to install. */

#include <string.h>

#include "events/events.h"
#include "text/version.h"
#include "update/job/update-private.h"
#include "update/transfer/error.h"

static int newest_first(gconstpointer a, gconstpointer b) {
    const UpdateVersion *x = *(UpdateVersion *const *) a, *y = *(UpdateVersion *const *) b;

    return version_compare(y->version, x->version);
}

static UpdateVersion *get_version(Update *update, const char *name) {
    for (guint i = 0; i < update->versions->len; i++) {
        UpdateVersion *version = update->versions->pdata[i];
        if (version_compare(version->version, name) == 0)
            return version;
    }
    UpdateVersion *version = g_new0(UpdateVersion, 1);
    version->version = g_strdup(name);
    version->tries_left = version->tries_done = -1;
    g_ptr_array_add(update->versions, version);
    return version;
}

gboolean update_is_zstd(const char *name) {
    return g_str_has_suffix(name, ".zst");
}

/* What systemd-sysupdate unpacks, and this program does not. */
static gboolean is_unreadable(const char *name) {
    return g_str_has_suffix(name, ".xz") || g_str_has_suffix(name, ".gz") || g_str_has_suffix(name, ".bz2");
}

const char *update_pick_file(const Update *update, guint number, const char *version, PatternFields *ret) {
    const Transfer *transfer = update->transfers->pdata[number];
    const GPtrArray *names = update_source_get_names(update->of->pdata[number]);
    const char *found = NULL;

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_auto(PatternFields) fields;
        pattern_fields_init(&fields);
        if (is_unreadable(name) || !pattern_match_any(transfer->source_patterns, name, &fields) ||
                version_compare(fields.version, version) != 0 || (found && update_is_zstd(name)))
            continue;
        found = name;
        pattern_fields_clear(ret);
        *ret = fields;
        fields.version = NULL;
    }
    return found;
}

static void add_available(Update *update, guint number) {
    const Transfer *transfer = update->transfers->pdata[number];
    const GPtrArray *names = update_source_get_names(update->of->pdata[number]);
    g_autoptr(GHashTable) counted = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < names->len; i++) {
        g_auto(PatternFields) fields;
        pattern_fields_init(&fields);
        if (!pattern_match_any(transfer->source_patterns, names->pdata[i], &fields))
            continue;
        if (is_unreadable(names->pdata[i])) {
            events_debug("%s is not looked at: only zstd is unpacked here", (const char *) names->pdata[i]);
            continue;
        }
        UpdateVersion *version = get_version(update, fields.version);
        if (g_hash_table_add(counted, version))
            version->available++;
    }
}

static void add_installed(Update *update, guint number) {
    const Target *target = update->targets->pdata[number];
    g_autoptr(GHashTable) counted = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < target->instances->len; i++) {
        const Instance *instance = target->instances->pdata[i];
        UpdateVersion *version = get_version(update, instance->fields.version);
        if (g_hash_table_add(counted, version))
            version->installed++;
        if (instance->fields.tries_left >= 0) {
            version->tries_left = instance->fields.tries_left;
            version->tries_done = MAX(instance->fields.tries_done, 0);
        }
    }
}

gboolean update_is_protected(const Update *update, const Transfer *transfer, const char *version) {
    const char *running = update->machine->image_version;

    for (guint i = 0; i < transfer->protected->len; i++)
        if (version_compare(transfer->protected->pdata[i], version) == 0)
            return TRUE;
    return running && version_compare(running, version) == 0;
}

gboolean update_read_versions(Update *update, GError **error) {
    const char *running = update->machine->image_version;

    g_ptr_array_set_size(update->versions, 0);
    for (guint i = 0; i < update->transfers->len; i++) {
        if (!update->offline)
            add_available(update, i);
        add_installed(update, i);
    }
    for (guint i = 0; i < update->versions->len; i++) {
        UpdateVersion *version = update->versions->pdata[i];
        version->complete = version->installed == update->transfers->len;
        version->offered = version->available == update->transfers->len;
        version->running = running && version_compare(running, version->version) == 0;
        for (guint j = 0; j < update->transfers->len; j++) {
            const Transfer *transfer = update->transfers->pdata[j];
            version->protected = version->protected || update_is_protected(update, transfer, version->version);
            version->obsolete = version->obsolete ||
                                (transfer->min_version && version_compare(version->version, transfer->min_version) < 0);
        }
    }
    g_ptr_array_sort(update->versions, newest_first);
    return TRUE;
}

const GPtrArray *update_get_versions(const Update *update) {
    return update->versions;
}

const UpdateVersion *update_get_running(const Update *update) {
    for (guint i = 0; i < update->versions->len; i++)
        if (((const UpdateVersion *) update->versions->pdata[i])->running)
            return update->versions->pdata[i];
    return NULL;
}

/* The newest version that is here whole, or that runs: no update goes behind it. */
static const char *find_floor(const Update *update) {
    const char *floor = update->machine->image_version;

    for (guint i = 0; i < update->versions->len; i++) {
        const UpdateVersion *version = update->versions->pdata[i];
        if (version->complete && (!floor || version_compare(version->version, floor) > 0))
            floor = version->version;
    }
    return floor;
}

/* Why VERSION is not installed; NULL: it may be. */
static char *find_obstacle(const UpdateVersion *version, const char *floor) {
    if (version->complete && version->tries_left == 0)
        return g_strdup_printf("%s is here already, and did not come up", version->version);
    if (version->complete)
        return g_strdup_printf("%s is installed already", version->version);
    if (!version->offered)
        return g_strdup_printf("the source does not have all files of %s", version->version);
    if (version->obsolete)
        return g_strdup_printf("%s is older than MinVersion= allows", version->version);
    if (floor && version_compare(version->version, floor) <= 0)
        return g_strdup_printf("%s is not newer than %s, which is here", version->version, floor);
    return NULL;
}

const UpdateVersion *update_find_candidate(const Update *update, const char *wanted, GError **error) {
    const char *floor = find_floor(update);

    for (guint i = 0; i < update->versions->len; i++) {
        const UpdateVersion *version = update->versions->pdata[i];
        g_autofree char *obstacle = find_obstacle(version, floor);
        if (wanted && version_compare(version->version, wanted) != 0)
            continue;
        if (!obstacle)
            return version;
        if (wanted) {
            update_fail(error, UPDATE_ERROR_CONFIGURATION, "No update to %s: %s", wanted, obstacle);
            return NULL;
        }
    }
    if (wanted)
        update_fail(error, UPDATE_ERROR_CONFIGURATION, "The source has no version %s", wanted);
    return NULL;
}
