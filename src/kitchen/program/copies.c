/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/program/copies.h"

#include <stdio.h>

#include "kitchen/backup/backup.h"

static void say(gpointer user, const char *line) {
    puts(line);
}

static BackupPlan plan_for(const KitchenConfig *config, const char *path) {
    return (BackupPlan){.database = config->database,
            .store = config->store,
            .publish = config->publish,
            .configuration = path,
            .say = say};
}

gboolean copies_make(const KitchenConfig *config, const char *path, const char *directory, GError **error) {
    const BackupPlan plan = plan_for(config, path);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *name = g_date_time_format(now, "%Y%m%d%H%M%S");
    g_autofree char *whole = g_canonicalize_filename(directory, NULL);
    g_autofree char *digest = NULL;

    if (!backup_make(&plan, whole, name, &digest, error))
        return FALSE;
    printf("%s %s\n", name, digest);
    return TRUE;
}

gboolean copies_restore(const KitchenConfig *config, const char *path, const CopyWishes *wishes, GError **error) {
    const BackupPlan plan = plan_for(config, path);
    g_autofree char *name = wishes->name ? g_strdup(wishes->name) : backup_newest(wishes->directory, error);

    if (!name)
        return FALSE;
    if (wishes->dry_run)
        return backup_check(&plan, wishes->directory, name, wishes->expected, error);
    if (!backup_restore(&plan, wishes->directory, name, wishes->expected, error))
        return FALSE;
    printf("Credentials of projects are sealed with %s, which is in no copy: bring it back, or set them anew.\n",
            config->key);
    return TRUE;
}
