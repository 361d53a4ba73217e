/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Back to an older version, and tidying up. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/events.h"
#include "text/version.h"
#include "update/job/job.h"
#include "update/transfer/error.h"

/* The boot loader takes the newest version that is not marked as one that did not come up. */
static const UpdateVersion *find_former(const Update *update, const char *wanted, GError **error) {
    const UpdateVersion *running = update_get_running(update);

    for (guint i = 0; i < update->versions->len; i++) {
        const UpdateVersion *version = update->versions->pdata[i];
        if (wanted ? version_compare(version->version, wanted) != 0
                   : !version->complete || version->tries_left >= 0 || !running ||
                                version_compare(version->version, running->version) >= 0)
            continue;
        if (version->complete && version->tries_left < 0)
            return version;
        update_fail(error, UPDATE_ERROR_CONFIGURATION, "%s cannot be gone back to: it %s", version->version,
                version->complete ? "has not come up yet" : "is not here whole");
        return NULL;
    }
    update_fail(error, UPDATE_ERROR_CONFIGURATION, "There is no version to go back to%s%s", wanted ? ": no " : "",
            wanted ? wanted : "");
    return NULL;
}

/* Gives the file of INSTANCE a name with no tries left. */
static gboolean mark_bad(const Target *target, const Instance *instance, GError **error) {
    PatternFields fields = instance->fields;
    AUTO_FD directory = open(target->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    fields.tries_left = 0;
    fields.tries_done = MAX(instance->fields.tries_done, 1);
    g_autofree char *name = pattern_format(target->transfer->target_patterns->pdata[0], &fields, error);
    if (!name)
        return FALSE;
    if (g_str_equal(name, instance->name))
        return TRUE;
    events_info("Marking %s as one that is not started any more", instance->name);
    if (directory < 0 || renameat(directory, instance->name, directory, name) < 0 || fsync(directory) < 0 ||
            syncfs(directory) < 0)
        return set_errno_error(error, errno, "Cannot rename %s to %s", instance->name, name);
    return TRUE;
}

/* A target whose names count tries is what a boot begins with. */
static gboolean counts_tries(const Target *target) {
    const char *text = pattern_get_text(target->transfer->target_patterns->pdata[0]);

    return target->directory && strstr(text, "@l") && strstr(text, "@d");
}

gboolean update_roll_back(Update *update, const char *wanted, char **ret_version, GError **error) {
    guint n = 0;

    if (!update_lock(update, error) || !update_reload(update, error))
        return FALSE;
    const UpdateVersion *former = find_former(update, wanted, error);
    if (!former)
        return FALSE;
    g_autofree char *version = g_strdup(former->version);
    for (guint i = 0; i < update->targets->len; i++) {
        const Target *target = update->targets->pdata[i];
        if (!counts_tries(target))
            continue;
        n++;
        for (guint j = 0; j < target->instances->len; j++) {
            const Instance *instance = target->instances->pdata[j];
            if (version_compare(instance->fields.version, version) > 0 && !mark_bad(target, instance, error))
                return FALSE;
        }
    }
    if (n == 0)
        return update_fail(error, UPDATE_ERROR_CONFIGURATION,
                "Nothing here counts how often a version was tried (@l and @d in MatchPattern=), so the boot loader cannot be "
                "told");
    *ret_version = g_steal_pointer(&version);
    return update_reload(update, error);
}

/* A version that is not whole cannot be started, and is not what an update goes on with: its slots are of use again. */
static gboolean drop_incomplete(Update *update, guint *removed, GError **error) {
    for (guint i = 0; i < update->targets->len; i++) {
        const Target *target = update->targets->pdata[i];
        for (guint j = 0; target->disk && j < target->instances->len; j++) {
            const Instance *instance = target->instances->pdata[j];
            const UpdateVersion *version = NULL;
            for (guint k = 0; k < update->versions->len; k++)
                if (version_compare(
                            ((UpdateVersion *) update->versions->pdata[k])->version, instance->fields.version) == 0)
                    version = update->versions->pdata[k];
            if (!version || version->complete || version->protected)
                continue;
            if (!target_clear_slot(target, instance->slot, error))
                return FALSE;
            ++*removed;
        }
    }
    for (guint i = 0; *removed > 0 && i < update->disks->len; i++)
        if (!disk_write_table(update->disks->pdata[i], error))
            return FALSE;
    return *removed == 0 || update_reload(update, error);
}

gboolean update_clean_up(Update *update, guint *ret_removed, GError **error) {
    guint more = 0;

    *ret_removed = 0;
    if (!update_lock(update, error) || !update_reload(update, error) || !drop_incomplete(update, ret_removed, error) ||
            !update_make_room(update, NULL, &more, error))
        return FALSE;
    *ret_removed += more;
    return TRUE;
}
