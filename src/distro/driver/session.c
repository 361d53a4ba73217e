/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/driver/session.h"

#include "distro/driver/verified.h"
#include "events/events.h"

char *session_path(const DistroSession *session, const char *name) {
    return g_build_filename(session->workspace, name, NULL);
}

/* Where somebody else can write, what was checked could be another thing when it is used. So everything is
 * taken from there into the workspace, and checked there. */
void session_choose_cache(DistroSession *session) {
    g_autoptr(GError) problem = NULL;

    if (verified_check_owner(session->package_cache, &problem))
        return;
    events_warning("%s. Until then metadata is fetched anew in each build", problem->message);
    session->shared_package_cache = session->package_cache;
    session->package_cache = session_path(session, "packages");
    session->cache_is_private = TRUE;
}

gboolean session_require_mirror(const ImageConfig *config, GError **error) {
    if (config->mirror || config->local_mirror)
        return TRUE;
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
            "Distribution=%s: no mirror is built in; set Mirror= to a mirror of it, LocalMirror= to a repository, or bring "
            "configuration of your own with SandboxTrees=",
            distribution_to_string(config->distribution));
    return FALSE;
}

void session_environment(const DistroSession *session, Sandbox *sandbox) {
    /* Kernel packages would start an initramfs generator and boot loader hooks; the image gets its initrd
     * and its boot loader from us. The hardware database is compiled once, at the end. */
    sandbox_setenv(sandbox, "INITRD", "No");
    sandbox_setenv(sandbox, "KERNEL_INSTALL_BYPASS", "1");
    sandbox_setenv(sandbox, "SYSTEMD_HWDB_UPDATE_BYPASS", "1");
    for (char **variable = session->config->environment; *variable; variable++) {
        g_auto(GStrv) pair = g_strsplit(*variable, "=", 2);
        sandbox_setenv(sandbox, pair[0], pair[1] ? pair[1] : "");
    }
    /* Scripts that make accounts write the day into /etc/shadow. */
    if (session->config->source_date_epoch >= 0) {
        g_autofree char *epoch = g_strdup_printf("%" G_GINT64_FORMAT, session->config->source_date_epoch);
        sandbox_setenv(sandbox, "SOURCE_DATE_EPOCH", epoch);
    }
}

/* Scripts may install what they like, but what they write to the caches of all builds goes away. */
void session_throwaway(
        DistroSession *session, Sandbox *sandbox, const char *lower, const char *name, const char *target) {
    g_autofree char *upper = g_strdup_printf("%s/script-%s/upper", session->workspace, name);
    g_autofree char *work = g_strdup_printf("%s/script-%s/work", session->workspace, name);
    char *const lowers[] = {(char *) lower, NULL};

    if (g_mkdir_with_parents(upper, 0755) == 0 && g_mkdir_with_parents(work, 0755) == 0)
        sandbox_overlay(sandbox, lowers, upper, work, target);
    else
        sandbox_bind(sandbox, lower, target, SANDBOX_READ_ONLY);
}
