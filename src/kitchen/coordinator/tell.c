/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Forges: what became of each commit is told to the one that it came from. */

#include <string.h>

#include "kitchen/coordinator/private.h"
#include "kitchen/model/projects/credential.h"
#include "kitchen/model/results/statuses.h"

/* Forges that are told something at once, and milliseconds until one that refused is told again. */
#define TELLS_MAX 4
#define AGAIN (2 * 60 * 1000)

typedef struct {
    CoordinatorTell tell;
    gpointer user;
    CommitStatus *status;
    ForgeKind kind;
    char *context, *target, *token;
} Telling;

static void telling_free(gpointer data) {
    Telling *telling = data;

    if (telling->token)
        explicit_bzero(telling->token, strlen(telling->token));
    commit_status_free(telling->status);
    g_free(telling->context);
    g_free(telling->target);
    g_free(telling->token);
    g_free(telling);
}

static ForgeState state_of(const char *word) {
    static const char *const words[] = {"pending", "success", "failure", "error", "cancelled"};

    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(words[i], word) == 0)
            return (ForgeState) i;
    return FORGE_STATE_ERROR;
}

static gboolean tell(gpointer data, GError **error) {
    Telling *telling = data;
    const ForgeStatus status = {.kind = telling->kind,
            .repository = telling->status->repository,
            .commit = telling->status->commit,
            .state = state_of(telling->status->state),
            .context = telling->context,
            .description = telling->status->description,
            .target = telling->target};

    return telling->tell(telling->user, &status, telling->token, error);
}

static void after_tell(gpointer user, gpointer data, const GError *failure) {
    Coordinator *coordinator = user;
    const Telling *telling = data;
    g_autoptr(GError) problem = NULL;
    gint64 until = model_now(coordinator->model) + AGAIN;

    id_table_remove(coordinator->telling, telling->status->build_id);
    if (failure) {
        g_warning("%s/%s: %s", telling->status->space, telling->status->project, failure->message);
        id_table_set(coordinator->tell_later, telling->status->build_id, g_memdup2(&until, sizeof until));
    } else if (!commit_status_note(coordinator->model, telling->status->build_id, telling->status->state, &problem)) {
        g_warning("%s", problem->message);
    }
}

/* Takes STATUS. */
static gboolean begin(Coordinator *coordinator, CommitStatus *status, GError **error) {
    Telling *telling = g_new0(Telling, 1);
    g_autoptr(GError) failure = NULL;
    int kind = forge_kind_from_string(status->forge);

    telling->status = status;
    telling->tell = coordinator->settings.tell;
    telling->user = coordinator->settings.tell_user;
    telling->kind = (ForgeKind) MAX(kind, 0);
    telling->context = g_strdup_printf("particleos/%s/%s", status->space, status->project);
    telling->target = g_strdup_printf("%s/%s/%s/builds/%" G_GINT64_FORMAT, coordinator->settings.base_url,
            status->space, status->project, status->number);
    telling->token = credential_secret(model_database(coordinator->model), coordinator->settings.box,
            status->project_id, "forge", status->forge, &failure);
    if (kind >= 0 && telling->token) {
        id_table_set(coordinator->telling, status->build_id, NULL);
        background_run(coordinator->background, tell, after_tell, coordinator, telling, telling_free);
        return TRUE;
    }
    /* Asking again helps nobody. */
    g_warning("%s/%s: the forge cannot be told: %s", status->space, status->project,
            failure ? failure->message : "the credential has no name of a forge");
    gboolean noted = commit_status_note(coordinator->model, status->build_id, status->state, error);
    telling_free(telling);
    return noted;
}

static gboolean is_due(Coordinator *coordinator, gint64 build) {
    const gint64 *until = id_table_get(coordinator->tell_later, build);

    return !id_table_has(coordinator->telling, build) && (!until || *until <= model_now(coordinator->model));
}

gboolean tell_forges(Coordinator *coordinator, GError **error) {
    g_autoptr(GPtrArray) due = NULL;

    if (!coordinator->settings.tell)
        return TRUE;
    due = commit_status_list(coordinator->model, 100, error);
    if (!due)
        return FALSE;
    for (guint i = 0; i < due->len && g_hash_table_size(coordinator->telling) < TELLS_MAX; i++) {
        CommitStatus *status = due->pdata[i];

        if (!is_due(coordinator, status->build_id))
            continue;
        due->pdata[i] = NULL;
        if (!begin(coordinator, status, error))
            return FALSE;
    }
    return TRUE;
}
