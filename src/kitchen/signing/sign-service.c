/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sign-service.h"

#include "signer/client/client.h"

struct SignService {
    gatomicrefcount references;
    SignAsk ask;
    gpointer user;
    GDestroyNotify free_user;
};

G_DEFINE_QUARK(sign-service-error-quark, sign_service_error)

SignService *sign_service_new(SignAsk ask, gpointer user, GDestroyNotify free_user) {
    SignService *service = g_new0(SignService, 1);

    g_atomic_ref_count_init(&service->references);
    service->ask = ask;
    service->user = user;
    service->free_user = free_user;
    return service;
}

SignService *sign_service_ref(SignService *service) {
    g_atomic_ref_count_inc(&service->references);
    return service;
}

void sign_service_unref(SignService *service) {
    if (!service || !g_atomic_ref_count_dec(&service->references))
        return;
    if (service->free_user)
        service->free_user(service->user);
    g_free(service);
}

JsonObject *sign_service_ask(
        SignService *service, JsonObject *request, const int *descriptors, guint n, GError **error) {
    return service->ask(service->user, request, descriptors, n, error);
}

JsonObject *sign_request_new(
        const char *type, const char *id, const char *space, const char *project, const char *target) {
    JsonObject *request = json_object_new();

    json_object_set_string_member(request, "type", type);
    if (id)
        json_object_set_string_member(request, "id", id);
    json_object_set_string_member(request, "namespace", space);
    json_object_set_string_member(request, "project", project);
    if (target)
        json_object_set_string_member(request, "target", target);
    return request;
}

/* What a refusal of the signer means for who asked. */
static SignServiceError meaning(const GError *failure, const char *refusal) {
    if (!g_error_matches(failure, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_REFUSED))
        return g_error_matches(failure, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_MALFORMED) ? SIGN_SERVICE_ERROR_REFUSED
                                                                                            : SIGN_SERVICE_ERROR_LATER;
    if (g_strcmp0(refusal, SIGNER_REFUSED_UNKNOWN) == 0)
        return SIGN_SERVICE_ERROR_UNKNOWN;
    if (g_strcmp0(refusal, SIGNER_REFUSED_APPROVAL) == 0)
        return SIGN_SERVICE_ERROR_APPROVAL;
    return g_strcmp0(refusal, SIGNER_REFUSED_BUSY) == 0 || g_strcmp0(refusal, SIGNER_REFUSED_LIMIT) == 0 ||
                           g_strcmp0(refusal, SIGNER_REFUSED_FAILED) == 0
                   ? SIGN_SERVICE_ERROR_LATER
                   : SIGN_SERVICE_ERROR_REFUSED;
}

static JsonObject *ask_socket(gpointer user, JsonObject *request, const int *descriptors, guint n, GError **error) {
    g_autofree char *refusal = NULL;
    g_autoptr(GError) failure = NULL;
    JsonObject *answer = signer_client_request_full(user, request, descriptors, n, &refusal, &failure);

    if (!answer)
        g_set_error_literal(error, SIGN_SERVICE_ERROR, meaning(failure, refusal), failure->message);
    return answer;
}

SignService *sign_service_new_socket(const char *socket) {
    return sign_service_new(ask_socket, signer_client_new(socket), (GDestroyNotify) signer_client_free);
}
