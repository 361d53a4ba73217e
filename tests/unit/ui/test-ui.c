/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/cleanup.h"
#include "events/events.h"
#include "events/step.h"
#include "events/task.h"
#include "ui/json-lines.h"
#include "ui/terminal.h"
#include "ui/people.h"
#include "ui/step.h"

#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/mman.h>

/* Standard error goes into a file between the two calls. */
static int capture_begin(int *saved) {
    int file = memfd_create("stderr", MFD_CLOEXEC);
    g_assert_cmpint(file, >=, 0);
    *saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    g_assert_cmpint(dup2(file, STDERR_FILENO), ==, STDERR_FILENO);
    ui_init(FALSE, TRUE);
    return file;
}

static char *capture_end(int file, int saved) {
    g_assert_cmpint(dup2(saved, STDERR_FILENO), ==, STDERR_FILENO);
    close(saved);
    char *text = g_malloc0(65536);
    g_assert_cmpint(pread(file, text, 65535, 0), >=, 0);
    close(file);
    return text;
}

static void test_messages_in_a_file(void) {
    int saved, file = capture_begin(&saved);
    events_error("cannot open %s", "x");
    events_warning("odd\n");
    events_info("plain");
    events_debug("invisible");
    g_autofree char *text = capture_end(file, saved);
    g_assert_cmpstr(text, ==, "error: cannot open x\nwarning: odd\nplain\n");
}

static void test_steps_in_a_file(void) {
    int saved, file = capture_begin(&saved);
    g_assert_false(ui_is_terminal());
    EventsStep *step = events_step_begin("main", "Installing %d packages", 305);
    events_step_update(step, "libc6");
    events_step_progress(step, 0.5, 100);
    events_step_done(step, "%s", "reused");
    {
        g_autoptr(EventsStep) broken = events_step_begin(NULL, "Writing the disk");
        (void) broken;
    }
    ui_print_timing();
    g_autofree char *text = capture_end(file, saved);
    g_assert_true(g_str_has_prefix(text, "main: Installing 305 packages (reused, 0.0 s)\n"));
    g_assert_nonnull(strstr(text, "Writing the disk: failed (0.0 s)\n"));
    g_assert_nonnull(strstr(text, "main: Installing 305 packages (reused)\n"));
    g_assert_null(strchr(text, '\033'));
}

static gpointer many_messages(gpointer data) {
    for (int i = 0; i < 200; i++) {
        EventsStep *step = events_step_begin(NULL, "step");
        events_step_update(step, "%d", i);
        events_info("%s", "0123456789");
        events_step_done(step, NULL);
    }
    return NULL;
}

static void test_lines_never_tear(void) {
    int saved, file = capture_begin(&saved);
    GThread *threads[4];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = task_thread_new("test", many_messages, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_autofree char *text = capture_end(file, saved);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] && *lines[i]; i++)
        g_assert_true(g_str_equal(lines[i], "0123456789") || g_str_has_prefix(lines[i], "step ("));
    g_assert_cmpuint(g_strv_length(lines), ==, 4 * 200 * 2 + 1);
}

static void test_what_a_pipe_hears_once(void) {
    int saved, file = capture_begin(&saved);
    events_reminder("touch %s", "a");
    events_reminder("touch %s", "b");
    events_program_line("mkosi.build", "A_TOKEN=word");
    events_result("/x/image.raw", 1000, 999, 1500 * 1000);
    events_artifact("main", "/x/image.raw", 1, NULL);
    g_autofree char *text = capture_end(file, saved);
    g_assert_cmpstr(text, ==, "touch a\nA_TOKEN=word\n/x/image.raw: 1.0 kB, of which 999 B are used; built in 1.5 s\n");
}

/* The objects of the LINES that a program gets. */
static GPtrArray *parse_lines(char **lines) {
    GPtrArray *parsed = g_ptr_array_new_with_free_func((GDestroyNotify) json_node_unref);
    for (char **line = lines; *line && **line; line++) {
        JsonNode *node = json_from_string(*line, NULL);
        g_assert_nonnull(node);
        g_assert_true(JSON_NODE_HOLDS_OBJECT(node));
        g_ptr_array_add(parsed, node);
    }
    return parsed;
}

static JsonObject *expect(GPtrArray *parsed, guint i, const char *name) {
    g_assert_cmpuint(i, <, parsed->len);
    JsonObject *object = json_node_get_object(parsed->pdata[i]);
    g_assert_cmpstr(json_object_get_string_member(object, "event"), ==, name);
    g_assert_cmpint(json_object_get_int_member(object, "time"), >=, 0);
    return object;
}

static void test_lines_for_programs(void) {
    g_autoptr(Task) task = task_new(0);
    g_autoptr(TaskScope) scope = task_enter(task);
    g_autoptr(GError) error = NULL;
    int file = memfd_create("events", MFD_CLOEXEC);
    int copy = fcntl(file, F_DUPFD_CLOEXEC, 3);
    JsonLines *lines = json_lines_new(copy, task_get_start(task), "particleos 0", "build");
    task_listen(task, json_lines_listen, lines);
    secrets_add(task_get_secrets(task), "long secret");
    EventsStep *step = events_step_begin("main", "Installing %d packages", 2);
    for (int i = 0; i < 1000; i++)
        events_step_progress(step, i / 1000.0, 0);
    events_program_line("mkosi.build", "{\"event\":\"end\"}\n{\"event\":\"end\"} long secret \xff\033[0m");
    events_step_done(step, "%s", "reused");
    events_terminal_take();
    events_artifact("main", "/x/y", 5, "00ff");
    events_error("no");
    task_unlisten(task, json_lines_listen, lines);
    g_assert_true(json_lines_end(lines, 1, &error));
    g_assert_no_error(error);

    g_autofree char *text = g_malloc0(65536);
    g_assert_cmpint(pread(file, text, 65535, 0), >, 0);
    close(file);
    g_auto(GStrv) split = g_strsplit(text, "\n", -1);
    g_autoptr(GPtrArray) parsed = parse_lines(split);
    g_assert_cmpuint(parsed->len, ==, 8);
    g_assert_cmpint(json_object_get_int_member(expect(parsed, 0, "start"), "version"), ==, JSON_LINES_VERSION);
    JsonObject *begin = expect(parsed, 1, "step-begin");
    g_assert_cmpint(json_object_get_int_member(begin, "step"), ==, 1);
    g_assert_cmpstr(json_object_get_string_member(begin, "text"), ==, "Installing 2 packages");
    expect(parsed, 2, "step-progress"); /* so many so fast are one */
    JsonObject *line = expect(parsed, 3, "program-line");
    g_assert_cmpstr(json_object_get_string_member(line, "text"), ==,
            "{\"event\":\"end\"}\n{\"event\":\"end\"} *** \xef\xbf\xbd\033[0m");
    g_assert_cmpstr(json_object_get_string_member(expect(parsed, 4, "step-done"), "remark"), ==, "reused");
    g_assert_cmpstr(json_object_get_string_member(expect(parsed, 5, "artifact"), "sha256"), ==, "00ff");
    g_assert_cmpstr(json_object_get_string_member(expect(parsed, 6, "error"), "text"), ==, "no");
    g_assert_false(json_object_get_boolean_member(expect(parsed, 7, "end"), "success"));
}

static void test_nobody_reads(void) {
    g_autoptr(Task) task = task_new(0);
    g_autoptr(GError) error = NULL;
    int ends[2];
    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    JsonLines *lines = json_lines_new(ends[1], task_get_start(task), "x", "build");
    close(ends[0]);
    json_lines_listen(&(Event){.type = EVENT_INFO, .text = "x"}, lines);
    g_assert_false(json_lines_end(lines, 0, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_PIPE);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_autoptr(Task) task = task_new(0);
    g_autoptr(TaskScope) scope = task_enter(task);
    task_listen(task, ui_listen_for_people, NULL);
    g_test_add_func("/ui/messages-in-a-file", test_messages_in_a_file);
    g_test_add_func("/ui/steps-in-a-file", test_steps_in_a_file);
    g_test_add_func("/ui/lines-never-tear", test_lines_never_tear);
    g_test_add_func("/ui/once", test_what_a_pipe_hears_once);
    g_test_add_func("/ui/json-lines", test_lines_for_programs);
    g_test_add_func("/ui/nobody-reads", test_nobody_reads);
    return g_test_run();
}
