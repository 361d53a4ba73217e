/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/sha256.h"

/* The digest of nothing, by sha256sum. */
#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define START G_GINT64_CONSTANT(1764468000000)

static char *in_world(World *world, const char *name) {
    return g_build_filename(world->path, name, NULL);
}

static char *read_file(World *world, const char *name) {
    g_autofree char *path = in_world(world, name);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

static void write_file(World *world, const char *name, const char *text) {
    g_autofree char *path = in_world(world, name);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static gint64 clock_of_world(gpointer user) {
    return ((World *) user)->now;
}

/* ---- the repository: a file with the name of the commit ---- */

static World *world_of_git(GitSource *source) {
    return (World *) ((char *) source - G_STRUCT_OFFSET(World, git));
}

static char *resolve(GitSource *source, const GitPlace *place, GError **error) {
    World *world = world_of_git(source);

    if (world->git_fails) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "The repository does not answer");
        return NULL;
    }
    return read_file(world, "branch");
}

static gboolean fetch(GitSource *source, const GitPlace *place, const char *commit, GitTree *ret_tree, GError **error) {
    World *world = world_of_git(source);

    ret_tree->path = in_world(world, "tree");
    ret_tree->author = g_strdup("Ada");
    ret_tree->subject = g_strdup("A change");
    return g_file_set_contents(ret_tree->path, commit, -1, error);
}

/* ---- the signer ---- */

static JsonObject *ask_signer(gpointer user, JsonObject *request, const int *descriptors, guint n, GError **error) {
    World *world = user;
    const char *type = json_object_get_string_member(request, "type");
    JsonObject *answer = NULL, *answers = NULL;

    if (world->signer_fails) {
        g_set_error(error, SIGN_SERVICE_ERROR, SIGN_SERVICE_ERROR_LATER, "Nobody answers");
        return NULL;
    }
    if (strcmp(type, "withdraw") == 0)
        world->n_withdrawn++;
    if (strcmp(type, "manifest") == 0 && !json_object_has_member(request, "approvals") &&
            g_strcmp0(json_object_get_string_member(request, "channel"), world->approvals) == 0) {
        g_set_error(error, SIGN_SERVICE_ERROR, SIGN_SERVICE_ERROR_APPROVAL, "It needs an approval");
        return NULL;
    }
    answer = json_object_new();
    answers = json_object_new();
    json_object_set_object_member(answer, "answers", answers);
    if (strcmp(type, "manifest") == 0) {
        JsonArray *entries = json_object_get_array_member(request, "entries");
        g_autoptr(GString) text = g_string_new(NULL);

        for (guint i = 0; i < json_array_get_length(entries); i++) {
            JsonObject *entry = json_array_get_object_element(entries, i);
            g_string_append_printf(text, "%s *%s\n", json_object_get_string_member(entry, "sha256"),
                    json_object_get_string_member(entry, "name"));
        }
        if (json_object_has_member(request, "bestBefore"))
            g_string_append_printf(
                    text, NOTHING " *BEST-BEFORE-%s\n", json_object_get_string_member(request, "bestBefore"));
        json_object_set_string_member(answer, "manifest", text->str);
        json_object_set_string_member(answers, "manifest", "c2ln");
    }
    return answer;
}

/* ---- the repository of packages ---- */

static gboolean watch(gpointer user, const char *url, RepositoryState *state, gboolean *ret_changed, GError **error) {
    World *world = user;

    world->n_watched++;
    g_assert_cmpstr(url, ==, WORLD_REPOSITORY);
    if (!world->metadata) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "The repository does not answer");
        return FALSE;
    }
    repository_state_clear(state);
    state->digest = g_strdup(world->metadata);
    return TRUE;
}

/* ---- workers: a file with the ticket for each ---- */

static World *world_of_executor(Executor *executor) {
    return (World *) ((char *) executor - G_STRUCT_OFFSET(World, executor));
}

static char *submit(Executor *executor, gint64 job, const char *ticket, GError **error) {
    g_autofree char *name = g_strdup_printf("worker-%" G_GINT64_FORMAT, job);
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT " %s", job, ticket);

    write_file(world_of_executor(executor), name, text);
    return g_steal_pointer(&name);
}

static void cancel(Executor *executor, const char *id) {
    g_autofree char *path = in_world(world_of_executor(executor), id);

    g_unlink(path);
}

static ExecutorState poll(Executor *executor, const char *id, char **ret_why) {
    g_autofree char *path = in_world(world_of_executor(executor), id);

    return g_file_test(path, G_FILE_TEST_EXISTS) ? EXECUTOR_RUNS : EXECUTOR_ENDED;
}

static guint ask(
        World *world, const char *method, const char *path, const char *token, const char *text, JsonObject **ret) {
    g_autoptr(GBytes) body = text ? g_bytes_new(text, strlen(text)) : NULL;
    g_autoptr(GBytes) said = NULL;
    guint status = worker_api_ask(world->api, method, path, token, body, &said);
    g_autoptr(JsonParser) parser = json_parser_new();

    if (ret && status == 200) {
        g_assert_true(json_parser_load_from_data(
                parser, g_bytes_get_data(said, NULL), (gssize) g_bytes_get_size(said), NULL));
        *ret = json_object_ref(json_node_get_object(json_parser_get_root(parser)));
    }
    return status;
}

/* Everything from the claim to the end, which a worker that was interrupted repeats. */
static void do_job(World *world, gint64 job, const char *ticket) {
    guint8 bytes[SHA256_SIZE];
    g_autofree char *claim = NULL;
    g_autofree char *token = NULL;
    g_autofree char *place = g_strdup_printf("jobs/%" G_GINT64_FORMAT, job);
    g_autofree char *inputs = g_strconcat(place, "/inputs", NULL);
    g_autofree char *log = g_strconcat(place, "/log?offset=0&step=Works", NULL);
    g_autofree char *finish = g_strconcat(place, "/finish", NULL);
    g_autofree char *object = NULL;
    g_autofree char *body = NULL;
    g_autofree char *digest = NULL;
    g_autoptr(JsonObject) description = NULL;
    g_autoptr(JsonObject) decision = NULL;
    const char *commit = NULL;

    sha256_buffer(ticket, strlen(ticket), bytes);
    token = hex_encode(bytes, sizeof bytes);
    claim = g_strdup_printf(
            "{\"protocol\": 1, \"ticket\": \"%s\", \"token\": \"%s\", \"worker\": \"w\"}", ticket, token);
    if (ask(world, "POST", "claim", NULL, claim, &description) != 200)
        return;
    commit = json_object_get_string_member(description, "commit");
    if (ask(world, "POST", inputs, token, world->inputs ?: commit, &decision) != 200 ||
            strcmp(json_object_get_string_member(decision, "decision"), "build") != 0 ||
            ask(world, "POST", log, token, "works\n", NULL) != 200)
        return;
    sha256_buffer(commit, strlen(commit), bytes);
    digest = hex_encode(bytes, sizeof bytes);
    object = g_strconcat(place, "/objects/", digest, NULL);
    body = g_strdup_printf(
            "{\"state\": \"done\", \"artifacts\": [{\"name\": \"Os_%s.efi\", \"kind\": \"uki\", \"digest\": \"%s\"}]}",
            json_object_get_string_member(description, "version"), digest);
    if (ask(world, "PUT", object, token, commit, NULL) == 200)
        g_assert_cmpuint(ask(world, "POST", finish, token, body, NULL), <, 500);
}

static void run_workers(World *world) {
    g_autoptr(GDir) directory = g_dir_open(world->path, 0, NULL);
    const char *name = NULL;

    while ((name = g_dir_read_name(directory))) {
        g_autofree char *text = g_str_has_prefix(name, "worker-") ? read_file(world, name) : NULL;
        g_autofree char *path = in_world(world, name);
        g_auto(GStrv) words = text ? g_strsplit(text, " ", 2) : NULL;

        if (!words || world->workers_hang)
            continue;
        if (!world->workers_die)
            do_job(world, g_ascii_strtoll(words[0], NULL, 10), words[1]);
        g_unlink(path);
    }
}

/* ---- the world ---- */

/* What counts of an input set is what stands before its repositories. */
static char *counting_part(GBytes *inputs) {
    g_autofree char *text = g_strndup(g_bytes_get_data(inputs, NULL), g_bytes_get_size(inputs));
    g_auto(GStrv) halves = g_strsplit(text, "\"repositories\"", 2);

    return g_strdup(halves[0]);
}

static gboolean compare(gpointer user, GBytes *before, GBytes *after, GPtrArray *reasons, GError **error) {
    g_autofree char *then = counting_part(before);
    g_autofree char *now = counting_part(after);

    if (strcmp(then, now) != 0)
        g_ptr_array_add(reasons, build_reason_new("commit", "Another commit", 0));
    return TRUE;
}

static void set_up_project(World *world) {
    g_autoptr(Project) found = project_find(world->model, "ada", "desktop", NULL);
    g_autoptr(DatabaseTransaction) transaction = NULL;
    g_autoptr(GError) error = NULL;
    Project project = {.name = (char *) "desktop",
            .url = (char *) "https://example.org/x.git",
            .branch = (char *) "main",
            .timeout = 3600};

    if (found) {
        world->project = found->id;
        return;
    }
    transaction = database_begin(model_database(world->model), &error);
    project.namespace_id = namespace_create(world->model, "ada", &error);
    world->project = project_create(world->model, &project, &error);
    target_create(world->model,
            &(Target){.project_id = world->project,
                    .name = (char *) "x86-64",
                    .image_id = (char *) "Os",
                    .required = TRUE},
            &error);
    channel_create(world->model, &(Channel){.project_id = world->project, .name = (char *) "testing", .follows = TRUE},
            &error);
    g_assert_no_error(error);
    g_assert_true(database_commit(transaction, NULL));
}

static gboolean tell(gpointer user, const ForgeStatus *status, const char *token, GError **error) {
    World *world = user;

    if (world->forge_fails) {
        g_set_error(error, OUTBOUND_ERROR, OUTBOUND_ERROR_FAILED, "the forge is away");
        return FALSE;
    }
    g_string_append_printf(world->told, "%d %s %s %s\n", (int) status->state, status->commit, status->target, token);
    return TRUE;
}

static void open_parts(World *world) {
    g_autofree char *database = in_world(world, "database");
    g_autofree char *store = in_world(world, "store");
    g_autofree char *pub = in_world(world, "pub");
    g_autofree char *key = in_world(world, "key");
    g_autoptr(GError) error = NULL;
    WorkerApiSettings api = {.logs = world->path, .compare = compare};
    CoordinatorSettings settings = {.percent_free = 0, .best_before = 14};

    world->model = model_open(database, clock_of_world, world, &error);
    g_assert_no_error(error);
    world->store = store_open(store, &error);
    g_assert_no_error(error);
    world->signer = sign_service_new(ask_signer, world, NULL);
    world->publisher = publisher_new(pub, world->store, world->signer);
    world->executor = (Executor){.slots = 2, .submit = submit, .cancel = cancel, .poll = poll};
    world->git = (GitSource){.resolve = resolve, .fetch = fetch};
    api.model = world->model;
    api.store = world->store;
    api.signer = world->signer;
    world->api = worker_api_new(&api);
    settings.model = world->model;
    settings.store = world->store;
    settings.executor = &world->executor;
    settings.publisher = world->publisher;
    settings.git = &world->git;
    settings.watch = watch;
    settings.watch_user = world;
    world->box = secret_box_open(key, &error);
    g_assert_no_error(error);
    world->told = g_string_new(NULL);
    settings.tell = tell;
    settings.tell_user = world;
    settings.box = world->box;
    settings.base_url = "https://kitchen.example";
    world->coordinator = coordinator_new(&settings);
}

World *world_open(const char *path) {
    World *world = g_new0(World, 1);
    g_autoptr(GError) error = NULL;
    g_autofree char *time = NULL;

    world->path = g_strdup(path);
    g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
    time = read_file(world, "time");
    world->now = time ? g_ascii_strtoll(time, NULL, 10) : START;
    open_parts(world);
    set_up_project(world);
    return world;
}

void world_close(World *world) {
    coordinator_free(world->coordinator);
    secret_box_free(world->box);
    g_string_free(world->told, TRUE);
    worker_api_free(world->api);
    publisher_free(world->publisher);
    sign_service_unref(world->signer);
    store_free(world->store);
    model_free(world->model);
    g_free(world->path);
    g_free(world);
}

void world_push(World *world, const char *commit) {
    BuildWish wish = {.project_id = world->project, .cause = "push", .caused_by = "hook 1"};
    g_autoptr(GError) error = NULL;

    write_file(world, "branch", commit);
    g_assert_cmpint(build_request_add(world->model, &wish, &error), >, 0);
    g_assert_no_error(error);
}

void world_run(World *world, guint n) {
    for (guint i = 0; i < n; i++) {
        g_autofree char *time = NULL;
        g_autoptr(GError) error = NULL;

        world->now += 1000;
        time = g_strdup_printf("%" G_GINT64_FORMAT, world->now);
        write_file(world, "time", time);
        g_assert_true(coordinator_step(world->coordinator, &error));
        g_assert_no_error(error);
        while (coordinator_is_busy(world->coordinator))
            g_main_context_iteration(NULL, TRUE);
        run_workers(world);
    }
}

static gboolean is_settled(World *world) {
    return database_integer(model_database(world->model),
                   "SELECT (SELECT count(*) FROM build_request) + (SELECT count(*) FROM build WHERE finished IS NULL) + "
                   "(SELECT count(*) FROM job WHERE finished IS NULL)",
                   DB_NONE, -1, NULL) == 0;
}

gboolean world_settle(World *world, guint n) {
    for (guint i = 0; i < n && !is_settled(world); i++)
        world_run(world, 1);
    return is_settled(world);
}

Build *world_newest(World *world) {
    g_autoptr(GPtrArray) list = build_list(world->model, world->project, 0, 1, NULL);

    g_assert_cmpuint(list->len, ==, 1);
    return g_steal_pointer(&list->pdata[0]);
}

char *world_offered(World *world) {
    g_autofree char *path = in_world(world, "pub/ada/desktop/x86-64/testing");
    g_autofree char *latest = g_build_filename(path, "x86-64.testing.Os_latest.efi", NULL);
    g_autofree char *command = g_strdup_printf("cd %s && sha256sum --check --strict --quiet SHA256SUMS", path);
    char *text = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return NULL;
    g_assert_cmpint(system(command), ==, 0);
    g_assert_true(g_file_get_contents(latest, &text, NULL, NULL));
    return text;
}

void world_set_fault(World *world, DatabaseFault fault, gpointer user) {
    database_set_fault(model_database(world->model), fault, user);
    store_set_fault(world->store, fault, user);
    publisher_set_fault(world->publisher, fault, user);
}

char *world_new_path(void) {
    char *path = g_build_filename(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir(), "kitchen-XXXXXX", NULL);

    g_assert_nonnull(g_mkdtemp(path));
    return path;
}

void world_remove(const char *path) {
    g_autofree char *quoted = g_shell_quote(path);
    g_autofree char *command = g_strconcat("rm -rf ", quoted, NULL);

    g_assert_cmpint(system(command), ==, 0);
}
