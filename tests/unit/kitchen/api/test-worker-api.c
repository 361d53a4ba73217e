/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "kitchen/api/worker-api.h"
#include "kitchen/model/builds/build-create.h"
#include "kitchen/model/builds/builds.h"
#include "kitchen/model/builds/jobs.h"
#include "kitchen/model/projects/projects.h"
#include "kitchen/model/results/objects.h"

#define TOKEN "0123456789012345678901234567890123456789012345678901234567890123"
#define OTHER "9876543210987654321098765432109876543210987654321098765432109876"

typedef struct {
    char *path;
    Model *model;
    Store *store;
    SignService *signer;
    WorkerApi *api;
    gint64 project, target;
    guint asked;
    SignServiceError refusal;
    gboolean refuses;
} World;

static JsonObject *fake_signer(gpointer user, JsonObject *request, const int *descriptors, guint n, GError **error) {
    World *world = user;
    const char *type = json_object_get_string_member(request, "type");
    JsonObject *answer = json_object_new(), *answers = json_object_new();
    char text[6] = "";

    if (strcmp(type, "certificates") == 0) {
        json_object_unref(answers);
        json_object_set_string_member(answer, "keyRing", "a2V5");
        return answer;
    }
    world->asked++;
    g_assert_cmpstr(json_object_get_string_member(request, "namespace"), ==, "ada");
    g_assert_cmpstr(json_object_get_string_member(request, "project"), ==, "desktop");
    g_assert_cmpstr(json_object_get_string_member(request, "target"), ==, "x86-64");
    g_assert_true(g_str_has_prefix(json_object_get_string_member(request, "id"), "job-"));
    if (world->refuses) {
        json_object_unref(answers);
        json_object_unref(answer);
        g_set_error(error, SIGN_SERVICE_ERROR, world->refusal, "No");
        return NULL;
    }
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpint(pread(descriptors[0], text, 5, 0), ==, 5);
    json_object_set_string_member(answers, "pe-1", text);
    json_object_set_object_member(answer, "answers", answers);
    return answer;
}

/* Input sets are lists of letters; each letter of one that the other lacks is a reason. */
static gboolean compare(gpointer user, GBytes *before, GBytes *after, GPtrArray *reasons, GError **error) {
    if (!g_bytes_equal(before, after))
        g_ptr_array_add(reasons, build_reason_new("package", "systemd 262-1 → 262-2", 0));
    return TRUE;
}

static void set_up(World *world, gconstpointer data) {
    WorkerApiSettings settings = {0};
    g_autofree char *store = NULL;

    world->path = g_dir_make_tmp("api-XXXXXX", NULL);
    store = g_build_filename(world->path, "store", NULL);
    world->model = model_open(":memory:", NULL, NULL, NULL);
    world->store = store_open(store, NULL);
    world->signer = sign_service_new(fake_signer, world, NULL);
    settings = (WorkerApiSettings){.model = world->model,
            .store = world->store,
            .signer = world->signer,
            .logs = world->path,
            .publish_url = "http://kitchen/pub",
            .compare = compare};
    world->api = worker_api_new(&settings);
    world->project = project_create(world->model,
            &(Project){.namespace_id = namespace_create(world->model, "ada", NULL),
                    .name = (char *) "desktop",
                    .url = (char *) "https://example.org/x.git",
                    .branch = (char *) "main",
                    .timeout = 3600},
            NULL);
    world->target = target_create(world->model,
            &(Target){.project_id = world->project,
                    .name = (char *) "x86-64",
                    .profiles = (char *) "minimal,debug",
                    .image_id = (char *) "Test",
                    .required = TRUE},
            NULL);
}

static void tear_down(World *world, gconstpointer data) {
    g_autofree char *quoted = g_shell_quote(world->path);
    g_autofree char *command = g_strconcat("rm -rf ", quoted, NULL);

    worker_api_free(world->api);
    sign_service_unref(world->signer);
    store_free(world->store);
    model_free(world->model);
    g_assert_cmpint(system(command), ==, 0);
    g_free(world->path);
}

static guint ask(World *world, const char *method, const char *path, const char *token, const char *text,
        JsonObject **ret_answer) {
    g_autoptr(GBytes) body = text ? g_bytes_new(text, strlen(text)) : NULL;
    g_autoptr(GBytes) said = NULL;
    guint status = worker_api_ask(world->api, method, path, token, body, &said);
    g_autoptr(JsonParser) parser = json_parser_new();

    if (ret_answer) {
        g_assert_true(json_parser_load_from_data(
                parser, g_bytes_get_data(said, NULL), (gssize) g_bytes_get_size(said), NULL));
        *ret_answer = json_object_ref(json_node_get_object(json_parser_get_root(parser)));
    }
    return status;
}

static gint64 add_build(World *world, const char *cause) {
    Build what = {.project_id = world->project, .commit = (char *) "abc", .cause = (char *) cause};
    gint64 id = build_create(world->model, &what, FALSE, 0, NULL);

    g_assert_cmpint(id, >, 0);
    return id;
}

static gint64 job_of(World *world, gint64 build) {
    g_autoptr(GPtrArray) jobs = job_list(world->model, build, NULL);

    return ((Job *) jobs->pdata[jobs->len - 1])->id;
}

/* Claims a job of a new build with TOKEN: its ID. */
static gint64 claim(World *world, const char *token) {
    gint64 job = job_of(world, add_build(world, "push"));
    g_autofree char *ticket = job_submit(world->model, job, NULL);
    g_autofree char *body = g_strdup_printf(
            "{\"protocol\": 1, \"ticket\": \"%s\", \"token\": \"%s\", \"worker\": \"w\"}", ticket, token);
    g_autoptr(JsonObject) answer = NULL;

    g_assert_cmpuint(ask(world, "POST", "claim", NULL, body, &answer), ==, 200);
    g_assert_cmpint(json_object_get_int_member(answer, "job"), ==, job);
    return job;
}

static char *path_of(gint64 job, const char *rest) {
    return g_strdup_printf("jobs/%" G_GINT64_FORMAT "%s", job, rest);
}

static guint ask_job(World *world, const char *method, gint64 job, const char *rest, const char *body) {
    g_autofree char *path = path_of(job, rest);

    return ask(world, method, path, TOKEN, body, NULL);
}

static void test_claim(World *world, gconstpointer data) {
    gint64 job = job_of(world, add_build(world, "push"));
    g_autofree char *ticket = job_submit(world->model, job, NULL);
    g_autofree char *good = g_strdup_printf(
            "{\"protocol\": 1, \"ticket\": \"%s\", \"token\": \"" TOKEN "\", \"worker\": \"w\"}", ticket);
    g_autofree char *thief = g_strdup_printf(
            "{\"protocol\": 1, \"ticket\": \"%s\", \"token\": \"" OTHER "\", \"worker\": \"w\"}", ticket);
    g_autoptr(JsonObject) answer = NULL;

    g_assert_cmpuint(ask(world, "POST", "claim", NULL, "{}", NULL), ==, 422);
    g_assert_cmpuint(ask(world, "POST", "claim", NULL, "[", NULL), ==, 400);
    g_assert_cmpuint(ask(world, "POST", "claim", NULL, "[[[[[[[[[[[[[[[[[[[[", NULL), ==, 400);
    g_assert_cmpuint(ask(world, "GET", "claim", NULL, NULL, NULL), ==, 405);
    g_assert_cmpuint(ask(world, "POST", "/claim", NULL, good, &answer), ==, 200);
    g_assert_cmpstr(json_object_get_string_member(answer, "updateUrl"), ==, "http://kitchen/pub/ada/desktop/x86-64");
    g_assert_cmpstr(json_object_get_string_member(answer, "imageId"), ==, "Test");
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(answer, "profiles")), ==, 2);
    g_assert_true(json_object_has_member(json_object_get_object_member(answer, "keys"), "keyRing"));
    g_assert_cmpuint(ask(world, "POST", "claim", NULL, good, NULL), ==, 200);
    g_assert_cmpuint(ask(world, "POST", "claim", NULL, thief, NULL), ==, 403);
}

static void test_tokens(World *world, gconstpointer data) {
    gint64 job = claim(world, TOKEN), other = 0;
    g_autofree char *path = path_of(job, "");
    g_autofree char *foreign = NULL;

    g_assert_cmpuint(ask(world, "GET", path, TOKEN, NULL, NULL), ==, 200);
    g_assert_cmpuint(ask(world, "GET", path, NULL, NULL, NULL), ==, 401);
    g_assert_cmpuint(ask(world, "GET", path, OTHER, NULL, NULL), ==, 403);
    g_assert_cmpuint(ask(world, "GET", "jobs/x", TOKEN, NULL, NULL), ==, 404);
    g_assert_cmpuint(ask(world, "GET", "jobs/1/../2", TOKEN, NULL, NULL), ==, 404);
    g_assert_cmpuint(ask_job(world, "DELETE", job, "", NULL), ==, 405);
    g_assert_true(build_cancel(world->model, 1, 0, NULL));
    other = claim(world, OTHER);
    foreign = path_of(other, "");
    g_assert_cmpuint(ask(world, "GET", foreign, TOKEN, NULL, NULL), ==, 403);
    g_assert_cmpuint(ask(world, "GET", foreign, OTHER, NULL, NULL), ==, 200);
}

static void assert_log(World *world, gint64 job, const char *rest, const char *body, gint64 size) {
    g_autofree char *path = path_of(job, rest);
    g_autoptr(JsonObject) answer = NULL;

    g_assert_cmpuint(ask(world, "POST", path, TOKEN, body, &answer), ==, 200);
    g_assert_cmpint(json_object_get_int_member(answer, "size"), ==, size);
}

static void test_log(World *world, gconstpointer data) {
    gint64 job = claim(world, TOKEN);
    g_autofree char *path = worker_api_log_path(world->path, job);
    g_autofree char *text = NULL;
    g_autoptr(Job) found = NULL;

    assert_log(world, job, "/log?offset=0&step=Installing%20packages", "hello ", 6);
    /* The answer was lost: the same again, then the rest. */
    assert_log(world, job, "/log?offset=0", "hello ", 6);
    assert_log(world, job, "/log?offset=9", "lost", 6);
    assert_log(world, job, "/log?offset=6", "world", 11);
    assert_log(world, job, "/events?offset=0", "{}\n", 3);
    g_assert_cmpuint(ask_job(world, "POST", job, "/log?offset=-1", "x"), ==, 400);
    g_assert_cmpuint(ask_job(world, "POST", job, "/log", "x"), ==, 400);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "hello world");
    found = job_get(world->model, job, NULL);
    g_assert_cmpstr(found->step, ==, "Installing packages");
}

static char *digest_of(const char *text) {
    guint8 digest[SHA256_SIZE];

    sha256_buffer(text, strlen(text), digest);
    return hex_encode(digest, sizeof digest);
}

static guint put(World *world, gint64 job, const char *token, const char *digest, const char *text) {
    g_autofree char *path = g_strdup_printf("jobs/%" G_GINT64_FORMAT "/objects/%s", job, digest);

    return ask(world, "PUT", path, token, text, NULL);
}

static void test_objects(World *world, gconstpointer data) {
    gint64 job = claim(world, TOKEN), other = 0;
    g_autofree char *digest = digest_of("hello");
    g_autofree char *path = g_strconcat("/objects/", digest, NULL);

    g_assert_cmpuint(ask_job(world, "GET", job, path, NULL), ==, 404);
    g_assert_cmpuint(put(world, job, TOKEN, digest, "hallo"), ==, 422);
    g_assert_cmpuint(put(world, job, TOKEN, "..", "hallo"), ==, 422);
    g_assert_cmpuint(put(world, job, OTHER, digest, "hello"), ==, 403);
    g_assert_false(store_has(world->store, digest));
    g_assert_cmpuint(put(world, job, TOKEN, digest, "hello"), ==, 200);
    g_assert_cmpuint(put(world, job, TOKEN, digest, "hello"), ==, 200);
    g_assert_cmpuint(ask_job(world, "GET", job, path, NULL), ==, 200);
    /* Another job does not learn that it is there, until it has sent it itself. */
    g_assert_true(build_cancel(world->model, 1, 0, NULL));
    other = claim(world, OTHER);
    {
        g_autofree char *foreign = path_of(other, path);
        g_assert_cmpuint(ask(world, "GET", foreign, OTHER, NULL, NULL), ==, 404);
        g_assert_cmpuint(put(world, other, OTHER, digest, "hello"), ==, 200);
        g_assert_cmpuint(ask(world, "GET", foreign, OTHER, NULL, NULL), ==, 200);
    }
}

static void test_disk_limit(World *world, gconstpointer data) {
    gint64 job = claim(world, TOKEN);
    g_autofree char *digest = digest_of("hello");
    g_autofree char *second = digest_of("he");

    g_assert_true(database_run(model_database(world->model), "UPDATE project SET disk_limit = 6", DB_NONE, NULL));
    g_assert_cmpuint(put(world, job, TOKEN, digest, "hello"), ==, 200);
    g_assert_cmpuint(put(world, job, TOKEN, second, "he"), ==, 413);
    g_assert_false(store_has(world->store, second));
    /* The same again takes no more room. */
    g_assert_cmpuint(put(world, job, TOKEN, digest, "hello"), ==, 200);
}

static void test_sign(World *world, gconstpointer data) {
    gint64 job = claim(world, TOKEN);
    g_autofree char *digest = digest_of("hello");
    g_autofree char *body =
            g_strdup_printf("{\"id\": \"a\", \"type\": \"pe\", \"title\": \"x.efi\", \"namespace\": \"eve\","
                            "\"objects\": [{\"name\": \"thing\", \"digest\": \"%s\"}]}",
                    digest);
    g_autofree char *path = path_of(job, "/sign");
    g_autoptr(JsonObject) answer = NULL;
    g_autoptr(Job) found = NULL;

    g_assert_cmpuint(ask_job(world, "POST", job, "/sign", body), ==, 409);
    g_assert_cmpuint(ask_job(world, "POST", job, "/inputs", NULL), ==, 200);
    g_assert_cmpuint(ask_job(world, "POST", job, "/sign", body), ==, 404);
    g_assert_cmpuint(put(world, job, TOKEN, digest, "hello"), ==, 200);
    g_assert_cmpuint(ask_job(world, "POST", job, "/sign", "{\"id\": \"b\", \"type\": \"manifest\"}"), ==, 422);
    g_assert_cmpuint(ask_job(world, "POST", job, "/sign", "{\"id\": \"b\", \"type\": \"create\"}"), ==, 422);
    g_assert_cmpuint(world->asked, ==, 0);
    g_assert_cmpuint(ask(world, "POST", path, TOKEN, body, &answer), ==, 200);
    g_assert_cmpstr(
            json_object_get_string_member(json_object_get_object_member(answer, "answers"), "pe-1"), ==, "hello");
    world->refuses = TRUE;
    world->refusal = SIGN_SERVICE_ERROR_REFUSED;
    g_assert_cmpuint(ask_job(world, "POST", job, "/sign", body), ==, 422);
    world->refusal = SIGN_SERVICE_ERROR_LATER;
    g_assert_cmpuint(ask_job(world, "POST", job, "/sign", body), ==, 503);
    found = job_get(world->model, job, NULL);
    g_assert_cmpstr(found->wait_reason, ==, "The signer does not sign now: No");
}

static void test_finish(World *world, gconstpointer data) {
    gint64 job = claim(world, TOKEN);
    g_autofree char *digest = digest_of("hello");
    g_autofree char *body = g_strdup_printf(
            "{\"state\": \"done\", \"artifacts\": [{\"name\": \"x.efi\", \"kind\": \"uki\", \"digest\": \"%s\"}]}",
            digest);
    g_autofree char *bad = g_strdup_printf(
            "{\"state\": \"done\", \"artifacts\": [{\"name\": \"../x\", \"kind\": \"uki\", \"digest\": \"%s\"}]}",
            digest);
    g_autoptr(GPtrArray) artifacts = NULL;
    g_autoptr(Job) found = NULL;

    g_assert_cmpuint(ask_job(world, "POST", job, "/inputs", "[]"), ==, 200);
    assert_log(world, job, "/log?offset=0", "x\n", 2);
    g_assert_cmpuint(ask_job(world, "POST", job, "/finish", body), ==, 422);
    g_assert_cmpuint(put(world, job, TOKEN, digest, "hello"), ==, 200);
    g_assert_cmpuint(ask_job(world, "POST", job, "/finish", bad), ==, 422);
    g_assert_cmpuint(ask_job(world, "POST", job, "/finish", "{\"state\": \"done\", \"artifacts\": []}"), ==, 422);
    g_assert_cmpuint(ask_job(world, "POST", job, "/finish", body), ==, 200);
    g_assert_cmpuint(ask_job(world, "POST", job, "/finish", body), ==, 200);
    found = job_get(world->model, job, NULL);
    g_assert_cmpint(found->state, ==, JOB_UPLOADED);
    g_assert_cmpint(found->log_size, ==, 2);
    artifacts = artifact_list(world->model, job, NULL);
    g_assert_cmpuint(artifacts->len, ==, 1);
    g_assert_cmpint(((Artifact *) artifacts->pdata[0])->size, ==, 5);
    g_assert_true(job_transition(world->model, job, JOB_DONE, NULL, NULL));
    g_assert_cmpuint(ask_job(world, "POST", job, "/finish", body), ==, 200);
    g_assert_cmpuint(ask_job(world, "POST", job, "/log?offset=0", "x"), ==, 410);
}

static void test_failure(World *world, gconstpointer data) {
    gint64 job = claim(world, TOKEN);
    g_autoptr(Build) build = NULL;

    g_assert_cmpuint(ask_job(world, "POST", job, "/finish",
                             "{\"state\": \"failed\", \"failure\": \"packages\", \"detail\": \"No package x\","
                             "\"failingLines\": \"E: x\"}"),
            ==, 200);
    build = build_get(world->model, 1, NULL);
    g_assert_cmpint(build->state, ==, BUILD_FAILED);
    g_assert_cmpint(build->failure, ==, FAILURE_PACKAGES);
    g_assert_cmpstr(build->detail, ==, "No package x");
}

static void test_cancel(World *world, gconstpointer data) {
    gint64 job = claim(world, TOKEN);
    g_autofree char *path = path_of(job, "/log?offset=0");
    g_autoptr(JsonObject) answer = NULL;
    g_autoptr(Job) found = NULL;

    g_assert_true(build_cancel(world->model, 1, 0, NULL));
    g_assert_cmpuint(ask(world, "POST", path, TOKEN, "x", &answer), ==, 200);
    g_assert_true(json_object_get_boolean_member(answer, "cancel"));
    g_assert_cmpuint(ask_job(world, "POST", job, "/finish", "{\"state\": \"cancelled\"}"), ==, 200);
    found = job_get(world->model, job, NULL);
    g_assert_cmpint(found->state, ==, JOB_CANCELLED);
}

/* Takes the build of JOB to published. */
static void publish(World *world, gint64 job) {
    g_autoptr(Job) found = job_get(world->model, job, NULL);

    g_assert_true(job_transition(world->model, job, JOB_UPLOADED, NULL, NULL));
    g_assert_true(job_transition(world->model, job, JOB_DONE, NULL, NULL));
    g_assert_true(build_transition(world->model, found->build_id, BUILD_PUBLISHING, NULL, NULL));
    g_assert_true(build_transition(world->model, found->build_id, BUILD_PUBLISHED, NULL, NULL));
}

static void test_inputs(World *world, gconstpointer data) {
    gint64 job = claim(world, TOKEN);
    g_autofree char *path = NULL;
    g_autoptr(JsonObject) answer = NULL;
    g_autoptr(GPtrArray) reasons = NULL;
    g_autoptr(Build) build = NULL;

    g_assert_cmpuint(ask_job(world, "POST", job, "/inputs", "{\"a\": 1}"), ==, 200);
    g_assert_cmpuint(ask_job(world, "POST", job, "/inputs", "{\"a\": 1}"), ==, 200);
    publish(world, job);
    reasons = build_reasons(world->model, 1, NULL);
    g_assert_cmpuint(reasons->len, ==, 1);
    g_assert_cmpstr(((BuildReason *) reasons->pdata[0])->kind, ==, "first");
    job = claim(world, OTHER);
    path = path_of(job, "/inputs");
    g_assert_cmpuint(ask(world, "POST", path, OTHER, "{\"a\": 1}", &answer), ==, 200);
    g_assert_cmpstr(json_object_get_string_member(answer, "decision"), ==, "skip");
    build = build_get(world->model, 2, NULL);
    g_assert_cmpint(build->state, ==, BUILD_SKIPPED);
    g_assert_cmpstr(build->detail, ==, "Nothing changed since #1");
    g_free(path);
    job = claim(world, TOKEN TOKEN);
    path = path_of(job, "/inputs");
    g_assert_cmpuint(ask(world, "POST", path, TOKEN TOKEN, "{\"a\": 2}", NULL), ==, 200);
    g_ptr_array_unref(reasons);
    reasons = build_reasons(world->model, 3, NULL);
    g_assert_cmpuint(reasons->len, ==, 1);
    g_assert_cmpstr(((BuildReason *) reasons->pdata[0])->text, ==, "systemd 262-1 → 262-2");
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*function)(World *world, gconstpointer data);
    } tests[] = {{"claim", test_claim}, {"tokens", test_tokens}, {"log", test_log}, {"objects", test_objects},
            {"disk-limit", test_disk_limit}, {"sign", test_sign}, {"finish", test_finish}, {"failure", test_failure},
            {"cancel", test_cancel}, {"inputs", test_inputs}};

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/kitchen/api/", tests[i].name, NULL);

        g_test_add(path, World, NULL, set_up, tests[i].function, tear_down);
    }
    return g_test_run();
}
