/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two builds of different recipes in one process: they run at the same time, one of them is cancelled, and neither notices
 * anything of the other. */

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "events/redact.h"
#include "events/task.h"
#include "pipeline/build.h"
#include "pipeline/scripts/script-configure.h"
#include "pipeline/state/build-options.h"
#include "recipe/reading/load.h"
#include "sandbox/sandbox.h"
#include "tree/tree.h"

#define PATIENCE (60 * G_USEC_PER_SEC)

/* Protects what both builds report. */
static GMutex lock;
static GCond changed;

typedef struct {
    const char *name;
    char *directory;
    Task *task;
    GThread *thread;
    gboolean begun; /* its script runs */
    gboolean good;
    GError *error;
    GString *heard; /* all texts, a line each */
    guint steps_begun, steps_ended, warnings, artifacts;
    guint64 last_step;
} TestBuild;

static void hear(const Event *event, gpointer data) {
    TestBuild *build = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    build->steps_begun += event->type == EVENT_STEP_BEGIN;
    build->steps_ended += event->type == EVENT_STEP_DONE || event->type == EVENT_STEP_ABANDONED;
    build->warnings += event->type == EVENT_WARNING;
    build->artifacts += event->type == EVENT_ARTIFACT;
    if (event->type == EVENT_STEP_BEGIN) /* counted by each for itself */
        g_assert_cmpuint(event->step, ==, ++build->last_step);
    for (const char *const *text = (const char *const[]){event->image, event->text, event->remark, event->path},
                           *const *end = text + 4;
            text < end; text++)
        if (*text)
            g_string_append_printf(build->heard, "%s\n", *text);
    if (event->type == EVENT_PROGRAM_LINE && g_str_has_prefix(event->text, "begun")) {
        build->begun = TRUE;
        g_cond_broadcast(&changed);
    }
}

static void write_file(const TestBuild *build, const char *name, const char *text, int mode) {
    g_autofree char *path = g_build_filename(build->directory, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
    g_assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, mode, NULL));
}

static char *path_of(const TestBuild *build, const char *name) {
    return g_build_filename(build->directory, name, NULL);
}

/* Its script says that it has begun, and goes on when there is a file "go" in the recipe. */
static void make_recipe(TestBuild *build, const char *name, const char *format) {
    g_autofree char *conf = g_strdup_printf(
            "[Distribution]\nDistribution=custom\n[Output]\nFormat=%s\nOutput=%s\nOutputDirectory=out\nOdd%s=1\n"
            "[Content]\nBootable=no\nEnvironment=A_TOKEN=secret-of-%s\n"
            "[Build]\nWorkspaceDirectory=workspace\nPackageCacheDirectory=packages\n",
            format, name, name, name);
    g_autofree char *script = g_strdup_printf("#!/bin/sh\necho \"begun %s $A_TOKEN\"\n"
                                              "while [ ! -e go ]; do sleep 0.05; done\n"
                                              "echo %s >\"$BUILDROOT/made\"\n",
            name, name);

    build->name = name;
    build->directory = g_dir_make_tmp("particleos-two-builds-XXXXXX", NULL);
    g_assert_nonnull(build->directory);
    build->heard = g_string_new(NULL);
    build->task = task_new(0);
    task_listen(build->task, hear, build);
    write_file(build, "mkosi.conf", conf, 0644);
    write_file(build, "mkosi.skeleton/usr/lib/os-release", "ID=test\nNAME=Test\n", 0644);
    write_file(build, "mkosi.postinst", script, 0755);
    g_autofree char *workspace = path_of(build, "workspace");
    g_assert_cmpint(g_mkdir(workspace, 0755), ==, 0);
}

static gboolean load_and_build(TestBuild *build, GError **error) {
    const RecipeRequest request = {.directory = build->directory, .wants = RECIPE_WANTS_IMAGES};
    const BuildOptions options = {0};
    g_autoptr(Recipe) recipe = recipe_load(&request, error);
    g_autoptr(KeySession) session = key_session_new(NULL, NULL);

    return recipe && build_configure(recipe, error) && build_run(recipe, &options, session, error);
}

static gpointer run_build(gpointer data) {
    TestBuild *build = data;
    g_autoptr(TaskScope) scope = task_enter(build->task);

    build->good = load_and_build(build, &build->error);
    g_mutex_lock(&lock);
    build->begun = TRUE; /* nobody has to wait any more */
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
    return NULL;
}

static void wait_for_scripts(const TestBuild *builds) {
    gint64 end = g_get_monotonic_time() + PATIENCE;

    g_mutex_lock(&lock);
    while (!builds[0].begun || !builds[1].begun)
        g_assert_true(g_cond_wait_until(&changed, &lock, end));
    g_mutex_unlock(&lock);
}

static void clear(TestBuild *build) {
    g_assert_true(tree_remove(AT_FDCWD, build->directory, NULL));
    task_unref(build->task);
    g_string_free(build->heard, TRUE);
    g_clear_error(&build->error);
    g_free(build->directory);
}

static void assert_heard_of_itself(const TestBuild *build, const TestBuild *other) {
    g_autofree char *begun = g_strdup_printf("begun %s ***\n", build->name);
    g_autofree char *odd = g_strdup_printf("Odd%s=", build->name);

    g_assert_nonnull(strstr(build->heard->str, begun));
    g_assert_nonnull(strstr(build->heard->str, odd));
    g_assert_null(strstr(build->heard->str, other->name));
    g_assert_null(strstr(build->heard->str, other->directory));
    g_assert_cmpuint(build->steps_begun, >, 0);
    g_assert_cmpuint(build->steps_begun, ==, build->steps_ended);
    /* The same mistake in both recipes is a warning in both. */
    g_assert_cmpuint(build->warnings, ==, other->warnings);
    /* Each keeps its own secrets. */
    g_autofree char *own = g_strconcat("secret-of-", build->name, NULL);
    g_autofree char *others = g_strconcat("secret-of-", other->name, NULL);
    g_autofree char *redacted = secrets_redact(task_get_secrets(build->task), own);
    g_autofree char *kept = secrets_redact(task_get_secrets(build->task), others);
    g_assert_cmpstr(redacted, ==, "***");
    g_assert_cmpstr(kept, ==, others);
}

static void assert_no_workspace(const TestBuild *build) {
    g_autofree char *workspace = path_of(build, "workspace");
    g_autoptr(GDir) directory = g_dir_open(workspace, 0, NULL);
    g_assert_nonnull(directory);
    g_assert_cmpstr(g_dir_read_name(directory), ==, NULL);
}

static void test_one_is_cancelled(void) {
    TestBuild builds[2] = {0};

    make_recipe(&builds[0], "first", "directory");
    make_recipe(&builds[1], "second", "tar");
    for (guint i = 0; i < 2; i++)
        builds[i].thread = g_thread_new(builds[i].name, run_build, &builds[i]);
    wait_for_scripts(builds);
    g_assert_no_error(builds[0].error);
    g_assert_no_error(builds[1].error);
    task_cancel(builds[0].task);
    g_thread_join(builds[0].thread);
    /* The other one still runs, and finishes. */
    write_file(&builds[1], "go", "", 0644);
    g_thread_join(builds[1].thread);

    g_assert_false(builds[0].good);
    g_assert_nonnull(builds[0].error);
    g_assert_nonnull(strstr(builds[0].error->message, "interrupted"));
    g_assert_no_error(builds[1].error);
    g_assert_true(builds[1].good);
    g_assert_false(task_is_cancelled(builds[1].task));
    g_autofree char *first = path_of(&builds[0], "out/first"), *second = path_of(&builds[1], "out/second.tar.zst");
    g_assert_false(g_file_test(first, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(second, G_FILE_TEST_IS_REGULAR));
    g_assert_cmpuint(builds[0].artifacts, ==, 0);
    g_assert_cmpuint(builds[1].artifacts, ==, 1);
    for (guint i = 0; i < 2; i++) {
        assert_heard_of_itself(&builds[i], &builds[1 - i]);
        assert_no_workspace(&builds[i]);
    }
    g_assert_null(task_current());
    for (guint i = 0; i < 2; i++)
        clear(&builds[i]);
}

/* Without the cancelling, so that the failure above is that, and nothing else. */
static void test_both_finish(void) {
    TestBuild builds[2] = {0};

    make_recipe(&builds[0], "first", "directory");
    make_recipe(&builds[1], "second", "tar");
    for (guint i = 0; i < 2; i++)
        builds[i].thread = g_thread_new(builds[i].name, run_build, &builds[i]);
    wait_for_scripts(builds);
    for (guint i = 0; i < 2; i++)
        write_file(&builds[i], "go", "", 0644);
    for (guint i = 0; i < 2; i++) {
        g_thread_join(builds[i].thread);
        g_assert_no_error(builds[i].error);
        g_assert_true(builds[i].good);
        g_assert_cmpuint(builds[i].artifacts, ==, 1);
    }
    g_autofree char *made = path_of(&builds[0], "out/first/made");
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(made, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "first\n");
    for (guint i = 0; i < 2; i++) {
        assert_heard_of_itself(&builds[i], &builds[1 - i]);
        assert_no_workspace(&builds[i]);
    }
    for (guint i = 0; i < 2; i++)
        clear(&builds[i]);
}

int main(int argc, char *argv[]) {
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, NULL);
    /* What holds for the whole process is decided before any thread exists. */
    if (!sandbox_become_root(&error)) {
        g_print("1..0 # SKIP %s\n", error->message);
        return 0;
    }
    (void) umask(0022);
    g_test_add_func("/two-builds/one-is-cancelled", test_one_is_cancelled);
    g_test_add_func("/two-builds/both-finish", test_both_finish);
    return g_test_run();
}
