/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The part of the build service that builds, without pages, for tests/integration/test-kitchen-core:
 * kitchen-server DIRECTORY SIGNER BUILDER LOCAL-ROOT [PORT]. Prints its port when it is ready. */

#include <libsoup/soup.h>
#include <stdlib.h>
#include <string.h>

#include "kitchen/service/service.h"

static void wake(gpointer user, gint64 last_event) {
    service_wake(user);
}

static Service *open_service(Model *model, char **argv, guint port) {
    g_autofree char *pub = g_build_filename(argv[1], "pub", NULL);
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u/worker", port);
    const char *const roots[] = {argv[4], NULL}, *const networks[] = {"127.0.0.1", NULL};
    ServiceSettings settings = {.model = model,
            .directory = argv[1],
            .publish_directory = pub,
            .publish_url = "http://kitchen.example/pub",
            .worker_url = url,
            .signer = argv[2],
            .builder = argv[3],
            .development = TRUE,
            .slots = 2,
            .local_roots = roots,
            .networks = networks,
            .plain_http = TRUE};
    g_autoptr(GError) error = NULL;
    Service *service = service_new(&settings, &error);

    if (!service)
        g_error("%s", error->message);
    return service;
}

static guint listen_at(SoupServer *server, guint port) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GUri) uri = NULL;
    GSList *uris = NULL;

    if (!soup_server_listen_local(server, port, SOUP_SERVER_LISTEN_IPV4_ONLY, &error))
        g_error("%s", error->message);
    uris = soup_server_get_uris(server);
    port = (guint) g_uri_get_port(uris->data);
    g_slist_free_full(uris, (GDestroyNotify) g_uri_unref);
    return port;
}

int main(int argc, char **argv) {
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(SoupServer) server = soup_server_new(NULL, NULL);
    g_autofree char *database = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Model) model = NULL;
    g_autoptr(Service) service = NULL;
    gpointer mount = NULL;
    guint port = 0;

    g_assert(argc >= 5);
    database = g_build_filename(argv[1], "kitchen.sqlite", NULL);
    model = model_open(database, NULL, NULL, &error);
    if (!model)
        g_error("%s", error->message);
    port = listen_at(server, argc > 5 ? (guint) atoi(argv[5]) : 0);
    service = open_service(model, argv, port);
    mount = (gpointer) service_mount(service);
    soup_server_add_early_handler(server, "/worker/", mount_early, mount, NULL);
    soup_server_add_handler(server, "/worker/", mount_answer, mount, NULL);
    database_set_listener(model_database(model), wake, service);
    if (!service_start(service, &error))
        g_error("%s", error->message);
    g_print("%u\n", port);
    g_main_loop_run(loop);
    return 0;
}
