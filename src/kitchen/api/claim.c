/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include <string.h>

#include "kitchen/api/project-keys.h"
#include "kitchen/model/builds/builds.h"
#include "kitchen/model/builds/sources.h"
#include "kitchen/model/projects/key-certificate.h"
#include "kitchen/model/projects/projects.h"

/* A token that the worker makes is as long as a random one of ours. */
#define TOKEN_SIZE_MIN 64
#define TOKEN_SIZE_MAX 128

typedef struct {
    SignService *signer;
    Project *project;
    GPtrArray *targets;
    Build *build;
    Target *target;
    GPtrArray *channels;
    GPtrArray *sources; /* of BuildSource */
    gboolean development;
    JsonObject *keys; /* from the thread */
} Claim;

static void claim_free(gpointer data) {
    Claim *claim = data;

    sign_service_unref(claim->signer);
    g_clear_pointer(&claim->project, project_free);
    g_clear_pointer(&claim->targets, g_ptr_array_unref);
    g_clear_pointer(&claim->build, build_free);
    g_clear_pointer(&claim->target, target_free);
    g_clear_pointer(&claim->channels, g_ptr_array_unref);
    g_clear_pointer(&claim->sources, g_ptr_array_unref);
    g_clear_pointer(&claim->keys, json_object_unref);
    g_free(claim);
}

static void set_text(JsonObject *object, const char *name, const char *value) {
    if (value)
        json_object_set_string_member(object, name, value);
}

static void describe_target(JsonObject *body, const Target *target) {
    g_auto(GStrv) profiles = g_strsplit_set(target->profiles, ", ", -1);
    g_autoptr(JsonNode) options = json_from_string(target->options, NULL);
    JsonArray *list = json_array_new();

    for (char **profile = profiles; *profile; profile++)
        if (**profile)
            json_array_add_string_element(list, *profile);
    json_object_set_array_member(body, "profiles", list);
    if (options && JSON_NODE_HOLDS_ARRAY(options))
        json_object_set_member(body, "options", g_steal_pointer(&options));
    set_text(body, "target", target->name);
    set_text(body, "release", target->release);
    set_text(body, "architecture", target->architecture);
    set_text(body, "imageId", target->image_id);
}

/* What other projects published, and this one is built on. */
static void describe_bases(JsonObject *body, GPtrArray *sources) {
    JsonArray *list = json_array_new();

    for (guint i = 0; i < sources->len; i++) {
        const BuildSource *source = sources->pdata[i];
        JsonObject *base = NULL;

        if (!source->object)
            continue;
        base = json_object_new();
        set_text(base, "name", source->name);
        set_text(base, "digest", source->object);
        set_text(base, "file", source->file);
        json_array_add_object_element(list, base);
    }
    if (json_array_get_length(list) > 0)
        json_object_set_array_member(body, "bases", list);
    else
        json_array_unref(list);
}

/* The channel that devices with this image follow. */
static const char *first_channel(GPtrArray *channels) {
    for (guint i = 0; i < channels->len; i++) {
        const Channel *channel = channels->pdata[i];

        if (channel->follows)
            return channel->name;
    }
    return NULL;
}

/* For the page of the keys. */
static gboolean note_keys(Model *model, const Claim *claim, GError **error) {
    JsonNode *node = json_object_get_member(claim->keys, "certificates");
    JsonObject *certificates = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *ring = json_text(claim->keys, "keyRing");
    g_autoptr(GList) purposes = certificates ? json_object_get_members(certificates) : NULL;

    for (GList *purpose = purposes; purpose; purpose = purpose->next) {
        const char *text = json_text(certificates, purpose->data);

        if (text && !key_certificate_note(
                            model_database(model), claim->project->id, purpose->data, text, model_now(model), error))
            return FALSE;
    }
    return !ring || key_certificate_note(
                            model_database(model), claim->project->id, KEY_RING_PURPOSE, ring, model_now(model), error);
}

static void describe(gpointer user, gpointer data, const GError *failure) {
    WorkerCall *call = user;
    Claim *claim = data;
    g_autoptr(JsonObject) body = json_object_new();
    g_autofree char *place =
            g_strdup_printf("%s/%s/%s", claim->project->namespace_name, claim->project->name, claim->target->name);
    g_autoptr(GError) problem = NULL;

    if (failure) {
        call_fail_error(call, failure);
        call_finish(call);
        return;
    }
    if (!note_keys(call->api->settings.model, claim, &problem))
        g_warning("Keys of %s are not shown: %s", place, problem->message);
    json_object_set_int_member(body, "protocol", WORKER_API_PROTOCOL);
    json_object_set_int_member(body, "job", call->job->id);
    set_text(body, "namespace", claim->project->namespace_name);
    set_text(body, "project", claim->project->name);
    set_text(body, "directory", claim->project->directory);
    set_text(body, "version", claim->build->version);
    set_text(body, "commit", claim->build->commit);
    set_text(body, "source", claim->build->source);
    json_object_set_int_member(body, "timeout", claim->project->timeout);
    json_object_set_boolean_member(body, "scriptNetwork", claim->project->script_network);
    json_object_set_boolean_member(body, "boot", claim->project->boot);
    json_object_set_int_member(body, "diskLimit", job_disk_limit(claim->project));
    describe_target(body, claim->target);
    describe_bases(body, claim->sources);
    json_object_set_object_member(body, "keys", json_object_ref(claim->keys));
    set_text(body, "channel", first_channel(claim->channels));
    if (call->api->publish_url) {
        g_autofree char *url = g_strdup_printf("%s/%s", call->api->publish_url, place);
        set_text(body, "updateUrl", url);
    }
    call_answer(call, 200, body);
    call_finish(call);
}

static gboolean fetch_keys(gpointer data, GError **error) {
    Claim *claim = data;

    claim->keys = project_keys_fetch(claim->signer, claim->project, claim->targets, claim->development, error);
    return claim->keys != NULL;
}

static gboolean load_claim(Model *model, const Job *job, Claim *claim, GError **error) {
    claim->build = build_get(model, job->build_id, error);
    claim->target = claim->build ? target_get(model, job->target_id, error) : NULL;
    claim->project = claim->target ? project_get(model, claim->build->project_id, error) : NULL;
    claim->targets = claim->project ? target_list(model, claim->project->id, error) : NULL;
    claim->channels = claim->targets ? channel_list(model, claim->project->id, error) : NULL;
    claim->sources = claim->channels ? build_sources(model, claim->build->id, error) : NULL;
    return claim->sources != NULL;
}

static Job *take_job(WorkerCall *call, JsonObject *body, GError **error) {
    const char *ticket = json_text(body, "ticket"), *token = json_text(body, "token"),
               *worker = json_text(body, "worker");
    gsize size = token ? strlen(token) : 0;

    if (json_number(body, "protocol", 0) != WORKER_API_PROTOCOL) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID,
                "This service speaks version %d of the protocol: install a worker that does", WORKER_API_PROTOCOL);
        return NULL;
    }
    if (!ticket || size < TOKEN_SIZE_MIN || size > TOKEN_SIZE_MAX) {
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID, "A claim has a ticket, and a token of %d to %d characters",
                TOKEN_SIZE_MIN, TOKEN_SIZE_MAX);
        return NULL;
    }
    return job_claim(call->api->settings.model, ticket, token, worker, error);
}

void claim_end(WorkerCall *call) {
    g_autoptr(JsonObject) body = call_json(call);
    g_autoptr(GError) failure = NULL;
    Claim *claim = g_new0(Claim, 1);

    claim->signer = sign_service_ref(call->api->settings.signer);
    claim->development = call->api->settings.development;
    if (body) {
        call->job = take_job(call, body, &failure);
        if (!call->job || !load_claim(call->api->settings.model, call->job, claim, &failure))
            call_fail_error(call, failure);
    }
    if (call->answered) {
        claim_free(claim);
        call_finish(call);
        return;
    }
    call_in_thread(call, fetch_keys, describe, claim, claim_free);
}

void state_end(WorkerCall *call) {
    g_autoptr(JsonObject) body = json_object_new();

    json_object_set_string_member(body, "state", job_state_to_string(call->job->state));
    json_object_set_boolean_member(body, "cancel", call->job->cancel || job_state_is_final(call->job->state));
    call_answer(call, 200, body);
    call_finish(call);
}
