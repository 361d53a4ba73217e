/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deliver.h"

#include "base/hex.h"
#include "base/sha256.h"
#include "kitchen/hook/payload.h"
#include "kitchen/model/projects/credential.h"
#include "kitchen/model/projects/hook.h"

#define REPLAY_TIME (G_GINT64_CONSTANT(86400000))
#define LIMIT_TIME (10 * 60 * 1000)
#define TOO_MANY 429

static const char *find_header(gpointer user, const char *name) {
    return http_request_header(user, name);
}

static char *digest_of(GBytes *body) {
    guint8 digest[SHA256_SIZE];
    gsize size = 0;
    const void *data = g_bytes_get_data(body, &size);

    sha256_buffer(data, size, digest);
    return hex_encode(digest, sizeof(digest));
}

static void unavailable(Visit *visit, const GError *error) {
    g_warning("A delivery was not taken: %s", error->message);
    http_header(visit->http, "Retry-After", "30");
    http_answer_text(visit->http, SOUP_STATUS_SERVICE_UNAVAILABLE,
            "The service cannot take deliveries now: deliver again later");
}

/* Judges in words: sets status and answer of DELIVERY. FALSE with ERROR set: the database does not answer. */
static gboolean judge(Visit *visit, const Hook *hook, GBytes *body, Delivery *delivery, GError **error) {
    g_auto(HookVerdict) verdict = {NULL};
    g_autoptr(GError) failure = NULL;
    HookKind kind = (HookKind) hook_kind_by_name(hook->kind);
    HookMeaning meaning = HOOK_NOTHING;
    char *secret =
            credential_secret(visit->site->database, visit->site->box, hook->project_id, "hook", hook->id, error);

    if (!secret)
        return FALSE;
    delivery->valid = hook_judge(kind, secret, body, find_header, visit->http, visit->now / 1000, &verdict);
    secret_wipe(secret);
    delivery->event = g_steal_pointer(&verdict.event);
    delivery->delivery = g_steal_pointer(&verdict.delivery);
    if (!delivery->valid) {
        delivery->status = SOUP_STATUS_UNAUTHORIZED;
        delivery->answer = g_steal_pointer(&verdict.problem);
        return TRUE;
    }
    delivery->status = SOUP_STATUS_OK;
    if (delivery_seen(visit->site->database, hook->id, delivery->delivery, delivery->body_digest,
                visit->now - REPLAY_TIME, &failure) != 0) {
        delivery->answer = g_strdup("Already seen: nothing is started again");
        return TRUE;
    }
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    meaning = hook_read_payload(kind, delivery->event, body, hook->branch, &delivery->answer);
    if (meaning == HOOK_WRONG)
        delivery->status = SOUP_STATUS_BAD_REQUEST;
    if (meaning != HOOK_LOOK)
        return TRUE;
    return visit->site->engine->look(visit->site->engine->user, hook->project_id, "push", hook->kind, 0, FALSE, error);
}

/* One transaction: an acknowledged push is both a row of deliveries and a wish to look. */
static gboolean take(Visit *visit, const Hook *hook, GBytes *body, Delivery *delivery, GError **error) {
    g_autoptr(DatabaseTransaction) transaction = database_begin(visit->site->database, error);

    return transaction && judge(visit, hook, body, delivery, error) &&
           delivery_add(visit->site->database, hook->id, delivery, error) && database_commit(transaction, error);
}

void deliver(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Hook) hook = hook_find(visit->site->database, visit_segment(visit, 1), &error);
    g_autoptr(GBytes) body = http_request_body(visit->http);
    Delivery *delivery = NULL;
    gint64 count = 0;

    if (!error && hook)
        count = delivery_count(visit->site->database, hook->id, visit->now - LIMIT_TIME, &error);
    if (error) {
        unavailable(visit, error);
        return;
    }
    if (!hook) {
        http_answer_text(visit->http, SOUP_STATUS_NOT_FOUND,
                "There is no such hook: take its address from the settings of the project");
        return;
    }
    if (count >= DELIVER_LIMIT) {
        http_header(visit->http, "Retry-After", "600");
        http_answer_text(
                visit->http, TOO_MANY, "Too many deliveries: the branch is looked at every few minutes anyway");
        return;
    }
    delivery = g_new0(Delivery, 1);
    delivery->received = visit->now;
    delivery->body_digest = digest_of(body);
    if (take(visit, hook, body, delivery, &error))
        http_answer_text(visit->http, delivery->status, delivery->answer);
    else
        unavailable(visit, error);
    delivery_free(delivery);
}
