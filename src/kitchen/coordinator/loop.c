/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/coordinator/private.h"

#define CLEAN_INTERVAL (60 * 60 * 1000)

GHashTable *id_table_new(GDestroyNotify free_value) {
    return g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, free_value);
}

void id_table_set(GHashTable *table, gint64 id, gpointer value) {
    g_hash_table_insert(table, g_memdup2(&id, sizeof id), value);
}

gpointer id_table_get(GHashTable *table, gint64 id) {
    return g_hash_table_lookup(table, &id);
}

gboolean id_table_has(GHashTable *table, gint64 id) {
    return g_hash_table_contains(table, &id);
}

void id_table_remove(GHashTable *table, gint64 id) {
    g_hash_table_remove(table, &id);
}

static void wake(gpointer coordinator) {
    coordinator_wake(coordinator);
}

Coordinator *coordinator_new(const CoordinatorSettings *settings) {
    Coordinator *coordinator = g_new0(Coordinator, 1);

    coordinator->settings = *settings;
    coordinator->model = settings->model;
    coordinator->background = background_new(wake, coordinator, NULL);
    coordinator->polling = id_table_new(NULL);
    coordinator->poll_later = id_table_new(g_free);
    coordinator->watching = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    coordinator->looking = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    coordinator->publishing = id_table_new(NULL);
    coordinator->publish_later = id_table_new(g_free);
    coordinator->release_later = id_table_new(g_free);
    coordinator->telling = id_table_new(NULL);
    coordinator->tell_later = id_table_new(g_free);
    return coordinator;
}

void coordinator_free(Coordinator *coordinator) {
    if (!coordinator)
        return;
    g_clear_handle_id(&coordinator->timer, g_source_remove);
    background_wait(coordinator->background);
    g_clear_handle_id(&coordinator->idle, g_source_remove);
    background_free(coordinator->background);
    g_hash_table_unref(coordinator->polling);
    g_hash_table_unref(coordinator->poll_later);
    g_hash_table_unref(coordinator->watching);
    g_hash_table_unref(coordinator->looking);
    g_hash_table_unref(coordinator->publishing);
    g_hash_table_unref(coordinator->publish_later);
    g_hash_table_unref(coordinator->release_later);
    g_hash_table_unref(coordinator->telling);
    g_hash_table_unref(coordinator->tell_later);
    g_free(coordinator->stopped);
    g_free(coordinator);
}

gboolean coordinator_is_busy(Coordinator *coordinator) {
    return background_is_busy(coordinator->background);
}

const char *coordinator_stopped(Coordinator *coordinator) {
    return coordinator->stopped;
}

/* The clock of the machine is the signer's, too, which refuses versions of another day. */
static void look_at_clock(Coordinator *coordinator) {
    gint64 jump = model_clock_jump(coordinator->model) / 1000;

    if (jump != 0)
        coordinator->stopped =
                g_strdup_printf("The clock of this machine went %s by %" G_GINT64_FORMAT
                                " hours; until it is back, or the service is started anew, nothing starts",
                        jump > 0 ? "forward" : "back", ABS(jump) / 3600);
}

static void look_at_disk(Coordinator *coordinator) {
    double percent = store_percent_free(coordinator->settings.store);

    if (percent < coordinator->settings.percent_free)
        coordinator->stopped = g_strdup_printf("Only %.1f %% of the disk are free; below %.0f %% nothing starts",
                percent, coordinator->settings.percent_free);
}

static gboolean clean_now_and_then(Coordinator *coordinator, GError **error) {
    gint64 now = model_now(coordinator->model);

    if (now - coordinator->cleaned < CLEAN_INTERVAL)
        return TRUE;
    coordinator->cleaned = now;
    return clean_up(coordinator, error) && refresh_manifests(coordinator, error);
}

gboolean coordinator_step(Coordinator *coordinator, GError **error) {
    g_clear_pointer(&coordinator->stopped, g_free);
    look_at_clock(coordinator);
    if (!coordinator->stopped)
        look_at_disk(coordinator);
    publish_log(coordinator);
    return dispatch_watch(coordinator, error) && check_jobs(coordinator, error) && check_builds(coordinator, error) &&
           release_builds(coordinator, error) && roll_out(coordinator, error) && watch_repositories(coordinator, error) &&
           look_at_sources(coordinator, error) && poll_projects(coordinator, error) &&
           dispatch_start(coordinator, error) && tell_forges(coordinator, error) &&
           clean_now_and_then(coordinator, error);
}

static void step_or_warn(Coordinator *coordinator) {
    g_autoptr(GError) failure = NULL;

    /* What failed is tried again: nothing is forgotten. */
    if (!coordinator_step(coordinator, &failure))
        g_warning("%s", failure->message);
}

static gboolean on_timer(gpointer user) {
    step_or_warn(user);
    return G_SOURCE_CONTINUE;
}

static gboolean on_idle(gpointer user) {
    Coordinator *coordinator = user;

    coordinator->idle = 0;
    step_or_warn(coordinator);
    return G_SOURCE_REMOVE;
}

void coordinator_wake(Coordinator *coordinator) {
    if (coordinator->timer != 0 && coordinator->idle == 0)
        coordinator->idle = g_idle_add(on_idle, coordinator);
}

gboolean coordinator_start(Coordinator *coordinator, GError **error) {
    coordinator->started = model_now(coordinator->model);
    /* A machine may start before somebody tells it the time, and what is removed does not come back. */
    coordinator->cleaned = coordinator->started;
    if (!dispatch_recover(coordinator, error))
        return FALSE;
    coordinator->timer = g_timeout_add_seconds(1, on_timer, coordinator);
    coordinator_wake(coordinator);
    return TRUE;
}
