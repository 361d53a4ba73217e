/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/background/background.h"

#include <gio/gio.h>

static guint n_after, n_forgotten, n_freed;

static gboolean work(gpointer data, GError **error) {
    int *number = data;

    if (*number < 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%d", *number);
        return FALSE;
    }
    *number *= 2;
    return TRUE;
}

static void then(gpointer user, gpointer data, const GError *error) {
    g_string_append_printf(user, "%d%s%s ", *(int *) data, error ? ":" : "", error ? error->message : "");
}

static void free_number(gpointer data) {
    n_freed++;
    g_free(data);
}

static void note_after(gpointer owner) {
    g_assert_cmpstr(owner, ==, "owner");
    n_after++;
}

static void forget(gpointer user) {
    n_forgotten++;
}

static void run(Background *background, GString *user, int number) {
    background_run(background, work, then, user, g_memdup2(&number, sizeof number), free_number);
}

static void test_ends(void) {
    g_autoptr(Background) background = background_new(note_after, (gpointer) "owner", forget);
    g_autoptr(GString) said = g_string_new(NULL);

    n_after = n_forgotten = n_freed = 0;
    g_assert_false(background_is_busy(background));
    run(background, said, 21);
    g_assert_true(background_is_busy(background));
    background_wait(background);
    run(background, said, -1);
    background_wait(background);
    g_assert_cmpstr(said->str, ==, "42 -1:-1 ");
    g_assert_cmpuint(n_after, ==, 2);
    g_assert_cmpuint(n_freed, ==, 2);
    g_assert_cmpuint(n_forgotten, ==, 0);
}

static void test_abandoned(void) {
    Background *background = background_new(note_after, (gpointer) "owner", forget);
    g_autoptr(GString) said = g_string_new(NULL);

    n_after = n_forgotten = n_freed = 0;
    run(background, said, 1);
    run(background, said, -1);
    background_free(background);
    while (n_freed < 2)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpstr(said->str, ==, "");
    g_assert_cmpuint(n_forgotten, ==, 2);
    g_assert_cmpuint(n_after, ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kitchen/background/ends", test_ends);
    g_test_add_func("/kitchen/background/abandoned", test_abandoned);
    return g_test_run();
}
