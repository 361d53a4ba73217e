/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/errors.h"
#include "base/secret.h"
#include "config.h"
#include "kitchen/model/database/model.h"
#include "kitchen/model/people/user.h"
#include "kitchen/program/settings.h"
#include "kitchen/program/copies.h"
#include "kitchen/program/embedded.h"
#include "kitchen/program/engine.h"
#include "kitchen/program/install.h"
#include "kitchen/program/listen.h"
#include "kitchen/program/nginx.h"
#include "kitchen/mount/mount.h"
#include "kitchen/service/service.h"
#include "kitchen/web/web.h"

#define CONFIG_PATH "/etc/particleos/kitchen.conf"
/* The first administrator. */
#define COOK "cook"
#define DEMO_PORT 8090
#define LINK_LIFETIME (G_GINT64_CONSTANT(3600000))

static const char usage[] = "Usage: particleos-kitchen [--config=FILE] COMMAND\n\n"
                            "The build service of ParticleOS.\n\n"
                            "  serve              serve the pages and build\n"
                            "  demo [DIRECTORY]   the same with a signer and a first project, all below DIRECTORY\n"
                            "                     (~/.local/share/particleos-kitchen)\n"
                            "  login-link [NAME]  print a link that lets NAME in once; an administrator is made when\n"
                            "                     there is no such user\n"
                            "  nginx              print what nginx needs to stand in front of it\n"
                            "  backup DIRECTORY   copy the service there, while it runs\n"
                            "  restore DIRECTORY [NAME]  bring a copy back (the newest) where there is no service\n"
                            "  install            make users, units, directories and configuration for a team\n\n"
                            "  --config=FILE      instead of " CONFIG_PATH "\n"
                            "  --port=NUMBER      of the first start of a demo; 8090\n"
                            "  --name=HOST        install: what people call the service\n"
                            "  --root=DIRECTORY   install: below it, instead of on this machine\n"
                            "  --token=TOKEN      install: keys in a token: softhsm, or a PKCS#11 module\n"
                            "  --dry-run          install: say what would be done; restore: judge the copy\n"
                            "  --expect=DIGEST    restore: of the copy, as backup said it\n"
                            "  --replace          install: take aside files that differ\n"
                            "  --help, --version\n";

/* What every command works with. */
typedef struct {
    KitchenConfig *config;
    Model *model;
    gboolean is_demo;
} Kitchen;

static void kitchen_clear(Kitchen *kitchen) {
    g_clear_pointer(&kitchen->model, model_free);
    g_clear_pointer(&kitchen->config, kitchen_config_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Kitchen, kitchen_clear)

static gboolean make_directory(const char *top, const char *name, GError **error) {
    g_autofree char *path = g_build_filename(top, name, NULL);

    if (g_mkdir_with_parents(path, 0700) < 0)
        return set_errno_error(error, errno, "Cannot make the directory %s", path);
    return TRUE;
}

/* What the configuration leaves to us. */
static void fill_in(KitchenConfig *config) {
    if (!config->database)
        config->database = g_build_filename(config->store, "kitchen.sqlite", NULL);
    if (!config->publish)
        config->publish = g_build_filename(config->store, "pub", NULL);
    if (!config->key)
        config->key = g_build_filename(config->store, "credential.key", NULL);
}

static gboolean kitchen_open(Kitchen *kitchen, const char *path, GError **error) {
    kitchen->config = kitchen_config_read(path, error);
    if (!kitchen->config)
        return FALSE;
    fill_in(kitchen->config);
    if (!make_directory(kitchen->config->store, "logs", error) || !make_directory(kitchen->config->publish, "", error))
        return FALSE;
    kitchen->model = model_open(kitchen->config->database, NULL, NULL, error);
    return kitchen->model != NULL;
}

/* A link for the user NAME, who is made when there is no such. */
static char *make_link(Kitchen *kitchen, const char *name, const char *base_url, GError **error) {
    Database *database = model_database(kitchen->model);
    g_autoptr(GError) failure = NULL;
    g_autoptr(User) user = user_by_name(database, name, &failure);
    g_autofree char *secret = NULL;
    gint64 now = model_now(kitchen->model);
    gint64 id = user ? user->id : 0;

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    if (!user && !user_add(database, name, TRUE, now, &id, error))
        return NULL;
    secret = login_link_make(database, id, now, LINK_LIFETIME, error);
    return secret ? g_strdup_printf("%s/link/%s", base_url, secret) : NULL;
}

static gboolean print_link(Kitchen *kitchen, const char *name, GError **error) {
    g_autofree char *url = g_strdup_printf("http://%s", kitchen->config->listen);
    g_autofree char *link = make_link(kitchen, name, kitchen->config->base_url ?: url, error);

    if (!link)
        return FALSE;
    printf("%s\n", link);
    return TRUE;
}

/* URL is where it listens, BASE_URL what people call it. While nobody has a password, and in a demo, whoever sees our output
 * becomes the administrator. */
static gboolean greet(Kitchen *kitchen, const char *url, const char *base_url, GError **error) {
    g_autoptr(GPtrArray) users = user_list(model_database(kitchen->model), error);
    g_autofree char *link = NULL;

    if (!users)
        return FALSE;
    if (users->len == 0 || kitchen->is_demo) {
        link = make_link(kitchen, COOK, base_url, error);
        if (!link)
            return FALSE;
        fprintf(stderr, "The first administrator logs in within an hour at:\n    %s\n", link);
    }
    fprintf(stderr, "Listening at %s\n", url);
    return TRUE;
}

static gboolean on_signal(gpointer loop) {
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

static guint haste(void) {
    const char *text = g_getenv("PARTICLEOS_KITCHEN_HASTE");
    guint64 number = 1;

    if (text)
        (void) g_ascii_string_to_unsigned(text, 10, 1, 1000, &number, NULL);
    return (guint) number;
}

static void wake(gpointer user, gint64 last_event) {
    service_wake(user);
}

/* What builds; workers reach it at URL. */
static Service *open_service(
        Kitchen *kitchen, const SecretBox *box, const char *url, const char *publish_url, GError **error) {
    static const char *const own[] = {"127.0.0.0/8", "::1", NULL};
    const KitchenConfig *config = kitchen->config;
    g_autofree char *worker_url = g_strconcat(url, "/worker", NULL);
    ServiceSettings settings = {.model = kitchen->model,
            .directory = config->store,
            .publish_directory = config->publish,
            .publish_url = publish_url,
            .worker_url = worker_url,
            .signer = config->signer,
            .box = box,
            .base_url = config->base_url ?: url,
            .development = config->development,
            .workers = strcmp(config->executor, "socket") == 0 ? config->workers : NULL,
            .builder = config->builder,
            .package_cache = config->package_cache,
            .slots = config->slots,
            .local_roots = (const char *const *) config->local_roots,
            .git_networks = (const char *const *) config->git_networks,
            .git_authorities = config->git_authorities,
            .networks = config->development ? own : NULL,
            .plain_http = TRUE};

    return service_new(&settings, error);
}

/* Lets workers in, and begins. */
static gboolean start_service(Kitchen *kitchen, Service *service, Web *web, GError **error) {
    web_mount(web, "/worker/", mount_early, mount_answer, (gpointer) service_mount(service));
    database_set_listener(model_database(kitchen->model), wake, service);
    return service_start(service, error);
}

static gboolean serve(Kitchen *kitchen, GError **error) {
    const KitchenConfig *config = kitchen->config;
    g_autofree char *url = NULL;
    g_autofree char *publish_url = NULL;
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GSocketListener) listener = listen_at(config->listen, &url, error);
    g_autoptr(SecretBox) box = listener ? secret_box_open(config->key, error) : NULL;
    g_autoptr(Engine) engine = engine_new(kitchen->model, config->store);
    g_autoptr(Service) service = NULL;
    g_autoptr(Web) web = NULL;
    const char *base_url = config->base_url ?: url;

    if (!box)
        return FALSE;
    publish_url = config->publish_url ? g_strdup(config->publish_url) : g_strconcat(base_url, "/pub", NULL);
    const WebConfig settings = {.database = model_database(kitchen->model),
            .box = box,
            .engine = engine_interface(engine),
            .base_url = base_url,
            .publish_url = publish_url,
            .publish_directory = config->publish,
            .hosts = (const char *const *) config->hosts,
            .development = config->development,
            .haste = haste()};
    web = web_new(listener, &settings, error);
    if (!web)
        return FALSE;
    if (strcmp(config->executor, "none") != 0 && (!(service = open_service(kitchen, box, url, publish_url, error)) ||
                                                         !start_service(kitchen, service, web, error)))
        return FALSE;
    if (!greet(kitchen, url, base_url, error))
        return FALSE;
    g_unix_signal_add(SIGTERM, on_signal, loop);
    g_unix_signal_add(SIGINT, on_signal, loop);
    g_main_loop_run(loop);
    return TRUE;
}

typedef struct {
    const char *config;
    guint port; /* of a demo */
    InstallWishes install;
    const char *expected; /* digest of a copy */
} Options;

static gboolean print_nginx(const Options *options, GError **error) {
    g_autoptr(KitchenConfig) config = kitchen_config_read(options->config, error);
    g_autofree char *text = NULL;

    if (!config)
        return FALSE;
    fill_in(config);
    text = nginx_configuration(config, error);
    if (text)
        fputs(text, stdout);
    return text != NULL;
}

/* Copies of the service, of which WORDS is the verb with its arguments. */
static gboolean run_copies(const Options *options, char **words, GError **error) {
    g_autoptr(KitchenConfig) config = kitchen_config_read(options->config, error);
    const CopyWishes wishes = {.directory = words[1],
            .name = words[2],
            .expected = options->expected,
            .dry_run = options->install.dry_run};

    if (!config)
        return FALSE;
    fill_in(config);
    return strcmp(words[0], "backup") == 0 ? copies_make(config, options->config, words[1], error)
                                           : copies_restore(config, options->config, &wishes, error);
}

/* The user who owns the first project. */
static gint64 find_cook(Kitchen *kitchen, GError **error) {
    Database *database = model_database(kitchen->model);
    g_autoptr(GError) failure = NULL;
    g_autoptr(User) user = user_by_name(database, COOK, &failure);
    gint64 id = user ? user->id : 0;

    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    else if (!user && !user_add(database, COOK, TRUE, model_now(kitchen->model), &id, error))
        return 0;
    return id;
}

/* What it has begun ends with it. */
static gboolean demo(const Options *options, const char *named, GError **error) {
    g_auto(Kitchen) kitchen = {.is_demo = TRUE};
    g_autofree char *usual = g_build_filename(g_get_user_data_dir(), "particleos-kitchen", NULL);
    g_autofree char *directory = g_canonicalize_filename(named ?: usual, NULL);
    g_autofree char *config = embedded_set_up(directory, options->port, error);
    gint64 cook = 0;

    if (!config || !kitchen_open(&kitchen, config, error) || !(cook = find_cook(&kitchen, error)) ||
            !embedded_add_project(kitchen.model, directory, cook, error) || embedded_start_signer(directory, error) < 0)
        return FALSE;
    fprintf(stderr, "Everything is in %s; the recipe's repository is %s/demo.git\n", directory, directory);
    return serve(&kitchen, error);
}

static gboolean run(const Options *options, char **words, GError **error) {
    g_auto(Kitchen) kitchen = {NULL};
    guint n = g_strv_length(words);
    gboolean is_serve = n == 1 && strcmp(words[0], "serve") == 0;
    gboolean is_link = n > 0 && n <= 2 && strcmp(words[0], "login-link") == 0;

    if (n > 0 && n <= 2 && strcmp(words[0], "demo") == 0)
        return demo(options, words[1], error);
    if (n == 1 && strcmp(words[0], "nginx") == 0)
        return print_nginx(options, error);
    if (n == 1 && strcmp(words[0], "install") == 0)
        return install_kitchen(&options->install, error);
    if ((n == 2 && strcmp(words[0], "backup") == 0) || (n > 1 && n <= 3 && strcmp(words[0], "restore") == 0))
        return run_copies(options, words, error);
    if (!is_serve && !is_link) {
        g_set_error(error, KITCHEN_CONFIG_ERROR, 0, "Nothing to do. %s", usage);
        return FALSE;
    }
    if (!kitchen_open(&kitchen, options->config, error))
        return FALSE;
    return is_serve ? serve(&kitchen, error) : print_link(&kitchen, words[1] ?: COOK, error);
}

/* Options that are a text or a switch; whether WORD is one. */
static gboolean take_wish(Options *options, const char *word) {
    const struct {
        const char *prefix;
        const char **text;
    } texts[] = {{"--config=", &options->config}, {"--name=", &options->install.name},
            {"--expect=", &options->expected}, {"--root=", &options->install.root},
            {"--token=", &options->install.token}};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        if (g_str_has_prefix(word, texts[i].prefix)) {
            *texts[i].text = word + strlen(texts[i].prefix);
            return TRUE;
        }
    if (strcmp(word, "--dry-run") == 0)
        return options->install.dry_run = TRUE;
    if (strcmp(word, "--replace") == 0)
        return options->install.replace = TRUE;
    return FALSE;
}

/* Takes the option WORD. Returns the exit status when it is the last thing to do, -1 to go on. */
static int take_option(Options *options, const char *word) {
    guint64 port = 0;

    if (strcmp(word, "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (strcmp(word, "--version") == 0) {
        printf("particleos-kitchen %s\n", PARTICLEOS_VERSION);
        return EXIT_SUCCESS;
    }
    if (take_wish(options, word))
        return -1;
    if (g_str_has_prefix(word, "--port=") &&
            g_ascii_string_to_unsigned(word + strlen("--port="), 10, 1, 65535, &port, NULL)) {
        options->port = (guint) port;
        return -1;
    }
    fprintf(stderr, "error: there is no option %s\n", word);
    return 2;
}

int main(int argc, char **argv) {
    g_autoptr(GError) error = NULL;
    Options options = {.config = CONFIG_PATH, .port = DEMO_PORT};
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    int status = -1;

    for (int at = 1; at < argc; at++)
        if (!g_str_has_prefix(argv[at], "--"))
            g_ptr_array_add(words, argv[at]);
        else if ((status = take_option(&options, argv[at])) >= 0)
            return status;
    g_ptr_array_add(words, NULL);
    secret_hide_process();
    if (run(&options, (char **) words->pdata, &error))
        return EXIT_SUCCESS;
    fprintf(stderr, "error: %s\n", error->message);
    return EXIT_FAILURE;
}
