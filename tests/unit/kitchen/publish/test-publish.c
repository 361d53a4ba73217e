/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kitchen/publish/publish.h"
#include "kitchen/publish/rollout.h"

#define VERSION "20261129020000"

typedef struct {
    char *path, *pub;
    Store *store;
    SignService *signer;
    Publisher *publisher;
} World;

/* Renders as the signer does. */
static JsonObject *fake_signer(gpointer user, JsonObject *request, const int *descriptors, guint n, GError **error) {
    JsonArray *entries = json_object_get_array_member(request, "entries");
    JsonObject *answer = json_object_new(), *answers = json_object_new();
    g_autoptr(GString) text = g_string_new(NULL);

    g_assert_cmpstr(json_object_get_string_member(request, "type"), ==, "manifest");
    for (guint i = 0; i < json_array_get_length(entries); i++) {
        JsonObject *entry = json_array_get_object_element(entries, i);
        g_string_append_printf(text, "%s *%s\n", json_object_get_string_member(entry, "sha256"),
                json_object_get_string_member(entry, "name"));
    }
    json_object_set_string_member(answers, "manifest", "c2lnbmF0dXJl");
    json_object_set_object_member(answer, "answers", answers);
    json_object_set_string_member(answer, "manifest", text->str);
    return answer;
}

static void open_world(World *world) {
    g_autofree char *store = g_build_filename(world->path, "store", NULL);

    world->store = store_open(store, NULL);
    world->signer = sign_service_new(fake_signer, world, NULL);
    world->publisher = publisher_new(world->pub, world->store, world->signer);
}

static void close_world(World *world) {
    publisher_free(world->publisher);
    sign_service_unref(world->signer);
    store_free(world->store);
}

static void set_up(World *world, gconstpointer data) {
    world->path = g_dir_make_tmp("publish-XXXXXX", NULL);
    world->pub = g_build_filename(world->path, "pub", NULL);
    open_world(world);
}

static void remove_tree(const char *path) {
    g_autofree char *quoted = g_shell_quote(path);
    g_autofree char *command = g_strconcat("rm -rf ", quoted, NULL);

    g_assert_cmpint(system(command), ==, 0);
}

static void tear_down(World *world, gconstpointer data) {
    close_world(world);
    remove_tree(world->path);
    g_free(world->path);
    g_free(world->pub);
}

/* A set of two files whose names and bytes have VERSION. */
static PublishSet make_set(World *world, const char *version, PublishSet *former) {
    static const char *const kinds[] = {"efi", "raw"};
    PublishSet set = {.space = "ada",
            .project = "desktop",
            .target = "x86-64",
            .channel = "testing",
            .version = version,
            .best_before = "2026-12-13"};

    set.files = g_ptr_array_new_with_free_func((GDestroyNotify) publish_file_free);
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *name = g_strdup_printf("Os_%s_x86-64.%s", version, kinds[i]);
        g_autofree char *published = publish_name("x86-64", "testing", name);
        g_autofree char *digest = NULL;
        g_autoptr(GBytes) bytes = g_bytes_new(name, strlen(name));

        g_assert_true(store_add_bytes(world->store, bytes, &digest, NULL));
        g_ptr_array_add(set.files, publish_file_new(published, digest));
    }
    set.former = former ? former->files : NULL;
    return set;
}

/* Lets the channel follow: VERSION for PERCENT, and OTHER (may be NULL) for OTHER_PERCENT. */
static void offer(World *world, const char *version, guint percent, const char *digest, const char *other,
        guint other_percent, const char *other_digest) {
    const PublishPlace place = {"ada", "desktop", "x86-64", "testing"};
    RolloutOffer first = {version, percent, digest}, second = {other, other_percent, other_digest};
    g_autoptr(GPtrArray) offers = g_ptr_array_new();
    g_autoptr(GError) error = NULL;

    if (version)
        g_ptr_array_add(offers, &first);
    if (other)
        g_ptr_array_add(offers, &second);
    g_assert_true(publisher_switch(world->publisher, &place, offers, &error));
    g_assert_no_error(error);
}

static void publish(World *world, const PublishSet *set, char **ret_digest) {
    g_autoptr(GError) error = NULL;

    g_assert_true(publisher_prepare(world->publisher, set, ret_digest, &error));
    g_assert_no_error(error);
    offer(world, set->version, 100, *ret_digest, NULL, 0, NULL);
}

static char *read_published(World *world, const char *name) {
    g_autofree char *path = g_build_filename(world->pub, "ada/desktop/x86-64/testing", name, NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

/* sha256sum judges the channel, and nothing is there that should not. */
static void assert_channel(World *world, const char *version, guint n_files) {
    g_autofree char *path = g_build_filename(world->pub, "ada/desktop/x86-64/testing", NULL);
    g_autofree char *command = g_strdup_printf(
            "cd %s && sha256sum --check --strict --quiet SHA256SUMS && test $(ls | wc -l) = %u", path, n_files);
    g_autofree char *latest = read_published(world, "x86-64.testing.Os_latest_x86-64.efi");
    g_autofree char *wanted = g_strdup_printf("Os_%s_x86-64.efi", version);

    g_assert_cmpint(system(command), ==, 0);
    g_assert_cmpstr(latest, ==, wanted);
}

static void test_publish(World *world, gconstpointer data) {
    PublishSet set = make_set(world, VERSION, NULL), next = make_set(world, "20261130020000", &set);
    g_autofree char *digest = NULL;
    g_autofree char *again = NULL;
    g_autofree char *after = NULL;
    g_autofree char *current = NULL;
    g_autofree char *signature = NULL;
    g_autofree char *former = NULL;

    publish(world, &set, &digest);
    publish(world, &set, &again);
    g_assert_cmpstr(digest, ==, again);
    signature = read_published(world, "SHA256SUMS.gpg");
    g_assert_cmpstr(signature, ==, "signature");
    /* Two files, two latest names, SHA256SUMS and its signature, how long it is good, the way to the buckets. */
    assert_channel(world, VERSION, 8);
    publish(world, &next, &after);
    assert_channel(world, "20261130020000", 10);
    /* Who is loading the one before can go on. */
    former = read_published(world, "x86-64.testing.Os_" VERSION "_x86-64.efi");
    g_assert_cmpstr(former, ==, "Os_" VERSION "_x86-64.efi");
    current = publisher_current(world->publisher, "ada", "desktop", "x86-64", "testing");
    g_assert_cmpstr(current, ==, after);
    g_ptr_array_unref(set.files);
    g_ptr_array_unref(next.files);
}

static void test_prune(World *world, gconstpointer data) {
    g_autoptr(GHashTable) kept = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree char *sets = g_build_filename(world->pub, "ada/desktop/x86-64/.sets", NULL);
    char *digests[3] = {};
    PublishSet made[3];

    for (guint i = 0; i < 3; i++) {
        g_autofree char *version = g_strdup_printf("2026112902000%u", i);
        g_autofree char *path = NULL;
        made[i] = make_set(world, version, NULL);
        publish(world, &made[i], &digests[i]);
        path = g_build_filename(sets, digests[i], NULL);
        g_assert_true(g_file_test(path, G_FILE_TEST_IS_DIR));
        g_ptr_array_unref(made[i].files);
    }
    g_hash_table_add(kept, digests[1]);
    g_assert_true(publisher_prune(world->publisher, "ada", "desktop", "x86-64", kept, NULL));
    for (guint i = 0; i < 3; i++) {
        g_autofree char *path = g_build_filename(sets, digests[i], NULL);
        g_assert_cmpint(g_file_test(path, G_FILE_TEST_IS_DIR), ==, i > 0);
        g_free(digests[i]);
    }
}

/* The version that BUCKET (-1: the whole channel) is offered; NULL: none. Owned by the caller. */
static char *offered(World *world, int bucket) {
    g_autofree char *name = bucket < 0 ? g_strdup("x86-64.testing.Os_latest_x86-64.efi")
                                       : g_strdup_printf("b/%02d/x86-64.testing.Os_latest_x86-64.efi", bucket);
    g_autofree char *text = read_published(world, name);

    return text ? g_strndup(text + strlen("Os_"), 14) : NULL;
}

/* How many buckets are offered VERSION; HAD: those that were, and have to be still. */
static guint count_offered(World *world, const char *version, gboolean *had) {
    guint n = 0;

    for (int i = 0; i < ROLLOUT_BUCKETS; i++) {
        g_autofree char *text = offered(world, i);
        gboolean has = g_strcmp0(text, version) == 0;

        g_assert_true(has || !had || !had[i]);
        if (had)
            had[i] = has;
        n += has;
    }
    return n;
}

/* Raised step by step: as many as the percentage says, and nobody loses what was offered. Halted: nobody has it. */
static void test_rollout(World *world, gconstpointer data) {
    static const guint percents[] = {5, 6, 25, 50, 99, 100};
    PublishSet set = make_set(world, VERSION, NULL), next = make_set(world, "20261130020000", &set);
    g_autofree char *old = NULL;
    g_autofree char *new = NULL;
    gboolean had[ROLLOUT_BUCKETS] = {FALSE};
    g_autoptr(GHashTable) kept = g_hash_table_new(g_str_hash, g_str_equal);

    g_assert_true(publisher_prepare(world->publisher, &next, &new, NULL));
    /* Nothing is for all yet. */
    offer(world, next.version, 5, new, NULL, 0, NULL);
    g_assert_null(offered(world, -1));
    g_assert_cmpuint(count_offered(world, next.version, NULL), ==, 5);
    publish(world, &set, &old);
    g_assert_cmpuint(count_offered(world, VERSION, NULL), ==, 100);
    for (guint i = 0; i < G_N_ELEMENTS(percents); i++) {
        g_autofree char *all = NULL;

        offer(world, VERSION, 100, old, next.version, percents[i], new);
        g_assert_cmpuint(count_offered(world, next.version, had), ==, percents[i]);
        g_assert_cmpuint(count_offered(world, VERSION, NULL), ==, 100 - percents[i]);
        all = offered(world, -1);
        g_assert_cmpstr(all, ==, percents[i] == 100 ? next.version : VERSION);
        g_assert_true(publisher_prune(world->publisher, "ada", "desktop", "x86-64", kept, NULL));
    }
    publish(world, &set, &old);
    offer(world, NULL, 0, NULL, NULL, 0, NULL);
    g_assert_null(offered(world, -1));
    g_assert_cmpuint(count_offered(world, VERSION, NULL), ==, 0);
    g_ptr_array_unref(set.files);
    g_ptr_array_unref(next.files);
}

/* Others go first each time, and ranks are as sha256sum says. */
static void test_ranks(void) {
    guint both = 0;

    for (guint percent = 0; percent <= 100; percent++) {
        guint n = 0;

        for (int i = 0; i < ROLLOUT_BUCKETS; i++)
            n += rollout_has("20261129020000", percent, i);
        g_assert_cmpuint(n, ==, percent);
    }
    for (int i = 0; i < ROLLOUT_BUCKETS; i++)
        both += rollout_has("20261129020000", 20, i) && rollout_has("20261130020000", 20, i);
    g_assert_cmpuint(both, <, 12);
    g_assert_false(rollout_has("20261129020000", 99, ROLLOUT_ALL));
    g_assert_true(rollout_has("20261129020000", 100, ROLLOUT_ALL));
    /* for b in $(seq -w 00 99); do echo $(echo -n 20261129020000$b | sha256sum | cut -c1-64) $b; done | sort | head -n 2 */
    g_assert_true(rollout_has("20261129020000", 1, 39));
    g_assert_false(rollout_has("20261129020000", 1, 95));
    g_assert_true(rollout_has("20261129020000", 2, 95));
}

static void test_names(World *world, gconstpointer data) {
    g_autofree char *latest = publish_latest_name("t.c.Os_" VERSION "_x.efi", VERSION);
    g_autofree char *name = publish_name("t", "c", "Os.efi");

    g_assert_cmpstr(latest, ==, "t.c.Os_latest_x.efi");
    g_assert_cmpstr(name, ==, "t.c.Os.efi");
    g_assert_null(publish_latest_name("t.c.Os.efi", VERSION));
}

static void crash(gpointer user, const char *where) {
    guint *left = user;

    if ((*left)-- == 0)
        _exit(42);
}

/* Killed before each operation of the second release: devices see the first one or the second one, whole, and publishing
 * again ends with the second one. */
static void test_crash(World *world, gconstpointer data) {
    for (guint n = 0;; n++) {
        PublishSet set = make_set(world, VERSION, NULL), next = make_set(world, "20261130020000", &set);
        g_autofree char *digest = NULL;
        g_autofree char *after = NULL;
        g_autofree char *latest = NULL;
        guint left = n;
        int status = 0;
        pid_t pid = 0;

        remove_tree(world->pub);
        publish(world, &set, &digest);
        if ((pid = fork()) == 0) {
            publisher_set_fault(world->publisher, crash, &left);
            store_set_fault(world->store, crash, &left);
            publish(world, &next, &after);
            _exit(0);
        }
        waitpid(pid, &status, 0);
        latest = read_published(world, "x86-64.testing.Os_latest_x86-64.efi");
        assert_channel(world, strstr(latest, VERSION) ? VERSION : "20261130020000", strstr(latest, VERSION) ? 8 : 10);
        publish(world, &next, &after);
        assert_channel(world, "20261130020000", 10);
        g_ptr_array_unref(set.files);
        g_ptr_array_unref(next.files);
        if (WEXITSTATUS(status) == 0) {
            g_test_message("%u operations", n);
            g_assert_cmpuint(n, >, 12);
            return;
        }
        g_assert_cmpint(WEXITSTATUS(status), ==, 42);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/kitchen/publish/names", World, NULL, set_up, test_names, tear_down);
    g_test_add("/kitchen/publish/publish", World, NULL, set_up, test_publish, tear_down);
    g_test_add("/kitchen/publish/prune", World, NULL, set_up, test_prune, tear_down);
    g_test_add("/kitchen/publish/rollout", World, NULL, set_up, test_rollout, tear_down);
    g_test_add_func("/kitchen/publish/ranks", test_ranks);
    g_test_add("/kitchen/publish/crash", World, NULL, set_up, test_crash, tear_down);
    return g_test_run();
}
