/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>

#include "kitchen/signing/sign-service.h"

static JsonObject *answer(gpointer user, JsonObject *request, const int *descriptors, guint n, GError **error) {
    (*(guint *) user)++;
    g_assert_cmpstr(json_object_get_string_member(request, "target"), ==, "x86-64");
    return json_object_new();
}

static void count_free(gpointer user) {
    *(guint *) user += 100;
}

static void test_service(void) {
    guint calls = 0;
    g_autoptr(JsonObject) request = sign_request_new("verity", "id", "ada", "desktop", "x86-64");
    SignService *service = sign_service_new(answer, &calls, count_free);
    g_autoptr(JsonObject) said = sign_service_ask(service, request, NULL, 0, NULL);

    g_assert_nonnull(said);
    sign_service_ref(service);
    sign_service_unref(service);
    g_assert_cmpuint(calls, ==, 1);
    sign_service_unref(service);
    g_assert_cmpuint(calls, ==, 101);
}

/* Nobody listens: that is a matter of time, no refusal. */
static void test_absent(void) {
    g_autoptr(SignService) service = sign_service_new_socket("/nonexistent/signer.sock");
    g_autoptr(JsonObject) request = sign_request_new("status", NULL, "ada", "desktop", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(sign_service_ask(service, request, NULL, 0, &error));
    g_assert_error(error, SIGN_SERVICE_ERROR, SIGN_SERVICE_ERROR_LATER);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kitchen/signing/service", test_service);
    g_test_add_func("/kitchen/signing/absent", test_absent);
    return g_test_run();
}
