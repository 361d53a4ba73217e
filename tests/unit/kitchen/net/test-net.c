/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libsoup/soup.h>
#include <string.h>

#include "kitchen/net/forge-status.h"
#include "kitchen/net/repository-watch.h"

static void test_addresses(void) {
    static const char *const open[] = {
            "8.8.8.8", "151.101.2.132", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"};
    static const char *const closed[] = {"127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1",
            "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1",
            "255.255.255.255", "240.0.0.1", "::", "::1", "fe80::1", "fec0::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
            "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:c0a8:101::1", "2001::1", "2001:db8::1",
            "100::1", "::7f00:1", "5f00::1"};
    static const char *const networks[] = {"10.1.0.0/16", "127.0.0.1", "fd00::/8", NULL};
    g_autoptr(AddressPolicy) strict = address_policy_new(NULL, NULL);
    g_autoptr(AddressPolicy) loose = address_policy_new(networks, NULL);
    g_autoptr(GError) error = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(open); i++) {
        g_autoptr(GInetAddress) address = g_inet_address_new_from_string(open[i]);
        g_assert_true(address_policy_allows(strict, address));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(closed); i++) {
        g_autoptr(GInetAddress) address = g_inet_address_new_from_string(closed[i]);
        if (address_policy_allows(strict, address))
            g_error("%s is allowed", closed[i]);
    }
    for (gsize i = 0; i < 6; i++) {
        static const char *const words[] = {
                "10.1.255.1", "127.0.0.1", "fd12::1", "10.2.0.1", "127.0.0.2", "::ffff:10.2.0.1"};
        g_autoptr(GInetAddress) address = g_inet_address_new_from_string(words[i]);
        g_assert_cmpint(address_policy_allows(loose, address), ==, i < 3);
    }
    static const char *const nonsense[] = {"ten.0.0.0/8", NULL};
    g_assert_null(address_policy_new(nonsense, &error));
    g_assert_nonnull(error);
}

static void test_urls(void) {
    static const char *const bad[] = {"", "x", "file:///etc/passwd", "ftp://a/b", "gopher://a/", "https://user@host/",
            "https://user:sesame@host/", "https://host/a b", "https://host/a\nHost: b", "https://ho\\st/",
            "http://host/", "HTTP://host/", "https://h\xc3\xa4/", "dict://a:11211/"};
    g_autoptr(AddressPolicy) policy = address_policy_new(NULL, NULL);
    OutboundLimits limits = {.policy = policy};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        if (outbound_check_url(&limits, bad[i], &error))
            g_error("%s is allowed", bad[i]);
        g_assert_error(error, OUTBOUND_ERROR, OUTBOUND_ERROR_REFUSED);
        g_assert_null(strstr(error->message, "sesame"));
    }
    g_assert_true(outbound_check_url(&limits, "https://host:8443/a/b.git?x=1", NULL));
    limits.plain_http = TRUE;
    g_assert_true(outbound_check_url(&limits, "http://host/", NULL));
}

/* A server on the loopback address, in a thread of its own. */
typedef struct {
    GMainContext *context;
    GMainLoop *loop;
    SoupServer *server;
    GThread *thread;
    char *url;
    char *content;
    char *heard; /* the last request's method, path, and headers that matter */
    guint asked;
} Server;

static void note(Server *server, SoupServerMessage *message, const char *path) {
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    SoupMessageBody *body = soup_server_message_get_request_body(message);

    g_free(server->heard);
    server->heard = g_strdup_printf("%s %s %s|%s|%s", soup_server_message_get_method(message), path,
            soup_message_headers_get_one(headers, "Authorization") ?: "-",
            soup_message_headers_get_one(headers, "If-None-Match") ?: "-", body && body->length ? body->data : "");
    server->asked++;
}

static void answer(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user) {
    Server *server = user;
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
    SoupMessageHeaders *asked = soup_server_message_get_request_headers(message);
    g_autofree char *etag = g_strdup_printf("\"%u\"", g_str_hash(server->content));

    note(server, message, path);
    soup_message_headers_append(headers, "ETag", etag);
    if (g_str_equal(path, "/away"))
        soup_server_message_set_redirect(message, 302, "http://127.0.0.2:9/");
    else if (g_str_equal(path, "/file"))
        soup_server_message_set_redirect(message, 302, "file:///etc/passwd");
    else if (g_str_equal(path, "/around"))
        soup_server_message_set_redirect(message, 302, "/around");
    else if (g_str_equal(path, "/there"))
        soup_server_message_set_redirect(message, 302, "/content");
    else if (g_str_has_prefix(path, "/api/"))
        soup_server_message_set_status(message, strstr(path, "denied") ? 403 : 201, NULL);
    else if (g_strcmp0(soup_message_headers_get_one(asked, "If-None-Match"), etag) == 0)
        soup_server_message_set_status(message, 304, NULL);
    else {
        soup_server_message_set_status(message, 200, NULL);
        soup_server_message_set_response(
                message, "text/plain", SOUP_MEMORY_COPY, server->content, strlen(server->content));
    }
}

static gpointer serve(gpointer user) {
    Server *server = user;

    g_main_context_push_thread_default(server->context);
    g_main_loop_run(server->loop);
    g_main_context_pop_thread_default(server->context);
    return NULL;
}

static void server_start(Server *server) {
    g_autoptr(GError) error = NULL;

    server->content = g_strdup("one");
    server->context = g_main_context_new();
    server->loop = g_main_loop_new(server->context, FALSE);
    g_main_context_push_thread_default(server->context);
    server->server = soup_server_new(NULL, NULL);
    soup_server_add_handler(server->server, NULL, answer, server, NULL);
    soup_server_listen_local(server->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
    g_assert_no_error(error);
    g_main_context_pop_thread_default(server->context);
    GSList *uris = soup_server_get_uris(server->server);
    server->url = g_strdup_printf("http://127.0.0.1:%d", g_uri_get_port(uris->data));
    g_slist_free_full(uris, (GDestroyNotify) g_uri_unref);
    server->thread = g_thread_new("server", serve, server);
}

static void server_stop(Server *server) {
    g_main_loop_quit(server->loop);
    g_thread_join(server->thread);
    soup_server_disconnect(server->server);
    g_object_unref(server->server);
    g_main_loop_unref(server->loop);
    g_main_context_unref(server->context);
    g_free(server->url);
    g_free(server->content);
    g_free(server->heard);
}

static void test_requests(void) {
    static const char *const networks[] = {"127.0.0.1", NULL};
    static const struct {
        const char *path;
        int code;
        const char *words;
    } failures[] = {{"/away", OUTBOUND_ERROR_REFUSED, "127.0.0.2"}, {"/file", OUTBOUND_ERROR_REFUSED, "another kind"},
            {"/around", OUTBOUND_ERROR_LIMIT, "redirects"}};
    g_autoptr(AddressPolicy) strict = address_policy_new(NULL, NULL);
    g_autoptr(AddressPolicy) loose = address_policy_new(networks, NULL);
    OutboundLimits limits = {.policy = loose, .plain_http = TRUE, .timeout = 20};
    Server server = {0};

    server_start(&server);
    g_autofree char *there = g_strconcat(server.url, "/there", NULL);
    OutboundRequest request = {.url = there, .follow = TRUE};
    g_autoptr(OutboundAnswer) answer = outbound_request(&limits, &request, NULL);
    g_assert_cmpuint(answer->status, ==, 200);
    g_assert_cmpmem(g_bytes_get_data(answer->body, NULL), g_bytes_get_size(answer->body), "one", 3);
    for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *url = g_strconcat(server.url, failures[i].path, NULL);
        OutboundRequest bad = {.url = url, .follow = TRUE};
        g_assert_null(outbound_request(&limits, &bad, &error));
        g_assert_error(error, OUTBOUND_ERROR, failures[i].code);
        g_assert_nonnull(strstr(error->message, failures[i].words));
    }
    g_autoptr(GError) small = NULL;
    limits.size_max = 2;
    g_assert_null(outbound_request(&limits, &request, &small));
    g_assert_error(small, OUTBOUND_ERROR, OUTBOUND_ERROR_LIMIT);
    /* Nobody is asked where the policy forbids the address. */
    guint asked = server.asked;
    g_autoptr(GError) refused = NULL;
    limits.policy = strict;
    g_assert_null(outbound_request(&limits, &request, &refused));
    g_assert_error(refused, OUTBOUND_ERROR, OUTBOUND_ERROR_REFUSED);
    g_assert_cmpuint(server.asked, ==, asked);
    server_stop(&server);
}

static void test_watch(void) {
    static const char *const networks[] = {"127.0.0.1", NULL};
    g_autoptr(AddressPolicy) policy = address_policy_new(networks, NULL);
    OutboundLimits limits = {.policy = policy, .plain_http = TRUE};
    g_auto(RepositoryState) state = {0};
    Server server = {0};
    gboolean changed = TRUE;

    server_start(&server);
    g_autofree char *url = g_strconcat(server.url, "/InRelease", NULL);
    g_assert_true(repository_watch(&limits, url, &state, &changed, NULL));
    g_assert_false(changed);
    g_assert_true(repository_watch(&limits, url, &state, &changed, NULL));
    g_assert_false(changed);
    g_assert_nonnull(strstr(server.heard, state.etag));
    g_free(server.content);
    server.content = g_strdup("two");
    g_assert_true(repository_watch(&limits, url, &state, &changed, NULL));
    g_assert_true(changed);
    g_assert_true(repository_watch(&limits, url, &state, &changed, NULL));
    g_assert_false(changed);
    server_stop(&server);
    g_autoptr(GError) error = NULL;
    g_autofree char *before = g_strdup(state.digest);
    g_assert_false(repository_watch(&limits, url, &state, &changed, &error));
    g_assert_error(error, OUTBOUND_ERROR, OUTBOUND_ERROR_FAILED);
    g_assert_cmpstr(state.digest, ==, before);
}

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

static void test_forges(void) {
    static const struct {
        const char *kind, *repository, *url, *state;
    } cases[] = {
            {"github", "https://github.com/acme/os.git", "https://api.github.com/repos/acme/os/statuses/" COMMIT,
                    "failure"},
            {"github", "https://git.acme.example/acme/os",
                    "https://git.acme.example/api/v3/repos/acme/os/statuses/" COMMIT, "failure"},
            {"gitlab", "https://gitlab.example/a/b/os.git",
                    "https://gitlab.example/api/v4/projects/a%2Fb%2Fos/statuses/" COMMIT, "failed"},
            {"gitlab-signed", "https://gitlab.example:8443/a/os/",
                    "https://gitlab.example:8443/api/v4/projects/a%2Fos/statuses/" COMMIT, "failed"},
            {"gitea", "https://gitea.example/a/os.git", "https://gitea.example/api/v1/repos/a/os/statuses/" COMMIT,
                    "failure"},
            {"forgejo", "https://codeberg.example/a/os", "https://codeberg.example/api/v1/repos/a/os/statuses/" COMMIT,
                    "failure"},
    };
    g_autofree char *longer = g_strnfill(300, 'x');

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        ForgeStatus status = {.kind = (ForgeKind) forge_kind_from_string(cases[i].kind),
                .repository = cases[i].repository,
                .commit = COMMIT,
                .state = FORGE_STATE_FAILURE,
                .context = "particleos/a/os",
                .description = longer,
                .target = "https://k/"};
        g_autoptr(GError) error = NULL;
        g_autoptr(ForgeRequest) request = forge_status_request(&status, "secret", &error);
        g_assert_no_error(error);
        g_assert_cmpstr(request->url, ==, cases[i].url);
        g_autofree char *state = g_strdup_printf("\"state\":\"%s\"", cases[i].state);
        g_assert_nonnull(strstr(request->body, state));
        g_assert_cmpuint(strlen(request->body), <, 300);
        g_assert_null(strstr(request->body, "secret"));
    }
    g_assert_cmpint(forge_kind_from_string("sourcehut"), ==, -1);
}

static void test_forge_refusals(void) {
    static const char *const repositories[] = {"https://github.com", "https://github.com/os", "git@github.com:a/os",
            "https://h/a/../os", "https://h/a//os", "os"};

    for (gsize i = 0; i < G_N_ELEMENTS(repositories); i++) {
        ForgeStatus status = {.kind = FORGE_GITEA,
                .repository = repositories[i],
                .commit = COMMIT,
                .context = "c",
                .description = "d",
                .target = "t"};
        g_autoptr(GError) error = NULL;
        g_assert_null(forge_status_request(&status, "secret", &error));
        g_assert_error(error, OUTBOUND_ERROR, OUTBOUND_ERROR_REFUSED);
    }
    ForgeStatus status = {.kind = FORGE_GITEA,
            .repository = "https://h/a/os",
            .commit = "main",
            .context = "c",
            .description = "d",
            .target = "t"};
    g_assert_null(forge_status_request(&status, "secret", NULL));
    status.commit = COMMIT;
    g_assert_null(forge_status_request(&status, "secret\r\nX: y", NULL));
}

static void test_forge_sent(void) {
    static const char *const networks[] = {"127.0.0.1", NULL};
    g_autoptr(AddressPolicy) policy = address_policy_new(networks, NULL);
    OutboundLimits limits = {.policy = policy, .plain_http = TRUE};
    Server server = {0};

    server_start(&server);
    g_autofree char *good = g_strconcat(server.url, "/acme/os.git", NULL);
    g_autofree char *bad = g_strconcat(server.url, "/denied/os.git", NULL);
    ForgeStatus status = {.kind = FORGE_GITEA,
            .repository = good,
            .commit = COMMIT,
            .state = FORGE_STATE_SUCCESS,
            .context = "c",
            .description = "It is published",
            .target = "https://k/"};
    g_assert_true(forge_status_send(&limits, &status, "secret", NULL));
    g_assert_true(g_str_has_prefix(server.heard, "POST /api/v1/repos/acme/os/statuses/" COMMIT " token secret|-|{"));
    g_assert_nonnull(strstr(server.heard, "\"description\":\"It is published\""));
    g_autoptr(GError) error = NULL;
    status.repository = bad;
    g_assert_false(forge_status_send(&limits, &status, "secret", &error));
    g_assert_nonnull(strstr(error->message, "may not set the status"));
    g_assert_null(strstr(error->message, "secret"));
    server_stop(&server);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kitchen/net/addresses", test_addresses);
    g_test_add_func("/kitchen/net/urls", test_urls);
    g_test_add_func("/kitchen/net/requests", test_requests);
    g_test_add_func("/kitchen/net/watch", test_watch);
    g_test_add_func("/kitchen/net/forges", test_forges);
    g_test_add_func("/kitchen/net/forge-refusals", test_forge_refusals);
    g_test_add_func("/kitchen/net/forge-sent", test_forge_sent);
    return g_test_run();
}
