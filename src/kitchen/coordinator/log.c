/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the signer logs is published, whatever it was signed for: with each release, and now and then. */

#include "kitchen/coordinator/private.h"

#define LOG_INTERVAL (60 * 1000)

static gboolean update(gpointer data, GError **error) {
    return publisher_publish_log(*(Publisher **) data, error);
}

static void after_update(gpointer user, gpointer data, const GError *failure) {
    Coordinator *coordinator = user;

    coordinator->logging = FALSE;
    if (failure)
        g_warning("The signer's log is not published: %s", failure->message);
}

void publish_log(Coordinator *coordinator) {
    gint64 now = model_now(coordinator->model);

    if (coordinator->logging || now - coordinator->logged < LOG_INTERVAL)
        return;
    coordinator->logging = TRUE;
    coordinator->logged = now;
    background_run(coordinator->background, update, after_update, coordinator,
            g_memdup2(&coordinator->settings.publisher, sizeof(Publisher *)), g_free);
}
