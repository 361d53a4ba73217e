/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What comes from outside while a machine runs: QMP, notifications, its console. */

#include "vm/console/monitor.h"
#include "vm/console/notify.h"
#include "vm/machine/watch.h"

#include <string.h>

static void test_events(void) {
    static const struct {
        const char *line, *event;
    } cases[] = {
            {"{\"timestamp\": {\"seconds\": 1}, \"event\": \"RESET\", \"data\": {\"guest\": true}}",
                    "RESET"},
            {"{\"return\": {}}", NULL},
            {"{\"QMP\": {\"version\": {}}}", NULL},
            {"{\"event\": 1}", NULL},
            {"{\"event\": null}", NULL},
            {"{\"event\": [\"RESET\"]}", NULL},
            {"[]", NULL},
            {"", NULL},
            {"{\"event\": \"RES", NULL},
            {"\xff\xfe", NULL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *event = vm_monitor_parse_event(cases[i].line, strlen(cases[i].line));
        g_assert_cmpstr(event, ==, cases[i].event);
    }
}

static void test_exit_status(void) {
    static const struct {
        const char *message;
        int status; /* -1: none */
    } cases[] = {
            {"EXIT_STATUS=0\n", 0},
            {"X_SYSTEMD_SHUTDOWN=poweroff\nEXIT_STATUS=123", 123},
            {"EXIT_STATUS=255", 255},
            {"EXIT_STATUS=256", -1},
            {"EXIT_STATUS=-1", -1},
            {"EXIT_STATUS=", -1},
            {"EXIT_STATUS=1 ", -1},
            {"MY_EXIT_STATUS=1", -1},
            {"READY=1", -1},
            {"", -1},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        int status = -1;
        gboolean found = vm_notify_parse_exit_status(cases[i].message, strlen(cases[i].message), &status);
        g_assert_cmpint(found, ==, cases[i].status >= 0);
        g_assert_cmpint(status, ==, cases[i].status);
    }
}

static void test_console_lines(void) {
    g_assert_true(vm_watch_is_login("particle login: "));
    g_assert_false(vm_watch_is_login("Last login: today"));
    g_assert_false(vm_watch_is_login("[  OK  ] Started systemd-logind.service - User Login Management."));
    g_assert_cmpstr(vm_watch_stage("Enrolling secure boot keys from directory: x"), ==,
            "enrolling Secure Boot keys");
    g_assert_null(vm_watch_stage("something else"));
    g_assert_nonnull(vm_watch_failure("Kernel panic - not syncing: Attempted to kill init!"));
    g_assert_null(vm_watch_failure("panic=10 on the command line"));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vm/messages/events", test_events);
    g_test_add_func("/vm/messages/exit-status", test_exit_status);
    g_test_add_func("/vm/messages/console-lines", test_console_lines);
    return g_test_run();
}
