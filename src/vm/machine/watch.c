/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/machine/watch.h"

#include <string.h>

#include "events/events.h"
#include "events/step.h"
#include "vm/console/plain-text.h"
#include "vm/host/host.h"
#include "vm/machine/machine.h"

#define TIMEOUT_DEFAULT (10 * 60)
/* After the login prompt, a guest that does not report by then never will (it is too old for credentials
 * that bring units). */
#define REPORT_PATIENCE 180
#define POWER_OFF_PATIENCE 60
#define LINE_LENGTH_MAX 1000
#define TAIL_LINES 25

typedef struct {
    VmMachine *machine;
    EventsStep *step;
    VmTextState text;
    GString *line; /* of the console, not yet ended */
    GQueue tail;   /* its last lines */
    GString *report;
    gint64 start;
    guint timer;
    gboolean login;
    gboolean powering_off;
    const char *failure;
} Watch;

static const struct {
    const char *text, *stage;
} stages[] = {
        {"BdsDxe: ", "firmware"},
        {"Enrolling secure boot keys", "enrolling Secure Boot keys"},
        {"EFI stub: ", "kernel"},
        {"Linux version ", "kernel"},
        {"Running in initrd", "initial RAM disk"},
        {"device-mapper: verity: ", "verified /usr"},
        {"systemd-repart", "partitioning and encrypting"},
        {"Switching root", "starting the system"},
        {"Reached target multi-user.target", "started"},
};

static const struct {
    const char *text, *failure;
} failures[] = {
        {"Kernel panic - not syncing", "the kernel panicked"},
        {"You are in emergency mode", "the system is in emergency mode"},
        {"Cannot open access to console, the root account is locked", "the system is in emergency mode"},
        {"Failed to write PK secure boot variable", "the firmware refuses the Secure Boot keys"},
        {"UEFI Interactive Shell", "the firmware found nothing that it may boot"},
        {"No bootable option or device was found", "the firmware found nothing that it may boot"},
        {"Error loading EFI binary", "the firmware refuses what the boot loader starts"},
        {"Press any key to continue", "the boot loader waits for somebody"},
};

const char *vm_watch_stage(const char *line) {
    for (gsize i = 0; i < G_N_ELEMENTS(stages); i++)
        if (strstr(line, stages[i].text))
            return stages[i].stage;
    return NULL;
}

const char *vm_watch_failure(const char *line) {
    for (gsize i = 0; i < G_N_ELEMENTS(failures); i++)
        if (strstr(line, failures[i].text))
            return failures[i].failure;
    return NULL;
}

gboolean vm_watch_is_login(const char *line) {
    return g_str_has_suffix(line, " login: ") || g_str_has_suffix(line, " login:");
}

/* Gives up on the machine: MESSAGE is static. */
static void fail(Watch *watch, const char *message) {
    if (watch->failure || watch->powering_off)
        return;
    watch->failure = message;
    vm_machine_quit(watch->machine);
}

static gboolean on_timer(gpointer data) {
    Watch *watch = data;
    watch->timer = 0;
    if (watch->powering_off)
        vm_machine_quit(watch->machine);
    else
        fail(watch, watch->login ? "the system reached its login prompt, but reports nothing"
                                 : "the time is over before a login prompt");
    return G_SOURCE_REMOVE;
}

static void set_timer(Watch *watch, guint seconds) {
    if (watch->timer)
        g_source_remove(watch->timer);
    watch->timer = g_timeout_add_seconds(seconds, on_timer, watch);
}

static void end_line(Watch *watch) {
    const char *line = watch->line->str;
    const char *stage = vm_watch_stage(line), *failure = vm_watch_failure(line);
    if (stage)
        events_step_update(watch->step, "%s", stage);
    if (failure)
        fail(watch, failure);
    if (watch->line->len > 0) {
        events_debug("console: %s", line);
        g_queue_push_tail(&watch->tail, g_strdup(line));
        if (watch->tail.length > TAIL_LINES)
            g_free(g_queue_pop_head(&watch->tail));
    }
    g_string_truncate(watch->line, 0);
}

static gboolean report_is_complete(const GString *report) {
    return g_str_has_prefix(report->str, "end\r\n") || strstr(report->str, "\nend\r\n") ||
           strstr(report->str, "\nend\n");
}

static void power_off(Watch *watch) {
    watch->powering_off = TRUE;
    events_step_update(watch->step, "powering off");
    vm_machine_answer(watch->machine, "poweroff\n");
    set_timer(watch, POWER_OFF_PATIENCE);
}

/* A login prompt and a report are both needed. */
static void power_off_if_done(Watch *watch) {
    if (watch->login && !watch->powering_off && report_is_complete(watch->report))
        power_off(watch);
}

static void note_login(Watch *watch) {
    if (watch->login || !vm_watch_is_login(watch->line->str))
        return;
    watch->login = TRUE;
    events_step_update(watch->step, "login prompt");
    set_timer(watch, REPORT_PATIENCE);
    power_off_if_done(watch);
}

static void on_console(const char *bytes, gsize length, gpointer data) {
    Watch *watch = data;
    for (gsize i = 0; i < length; i++) {
        if (!vm_plain_text(&watch->text, bytes[i]))
            continue;
        if (bytes[i] == '\n' || watch->line->len > LINE_LENGTH_MAX)
            end_line(watch);
        else
            g_string_append_c(watch->line, bytes[i]);
    }
    note_login(watch);
}

static void on_report(const char *bytes, gsize length, gpointer data) {
    Watch *watch = data;
    g_string_append_len(
            watch->report, bytes, MIN(length, (gsize) (1 << 20) - MIN(watch->report->len, 1 << 20)));
    power_off_if_done(watch);
}

static void watch_clear(Watch *watch) {
    if (watch->timer)
        g_source_remove(watch->timer);
    g_clear_pointer(&watch->machine, vm_machine_free);
    g_clear_pointer(&watch->step, events_step_abandon);
    g_string_free(watch->line, TRUE);
    g_string_free(watch->report, TRUE);
    g_queue_clear_full(&watch->tail, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Watch, watch_clear)

static void set_failure(Watch *watch, const char *reason, GError **error) {
    end_line(watch);
    g_autoptr(GString) text = g_string_new(NULL);
    for (GList *line = watch->tail.head; line; line = line->next) {
        g_autofree char *valid = g_utf8_make_valid(line->data, -1);
        g_string_append_printf(text, "\n  | %s", valid);
    }
    g_set_error(error, VM_ERROR, VM_ERROR_MACHINE,
            "The machine did not come up: %s. The end of its console:%s", reason, text->str);
}

/* Answers to everything that a first boot could ask, unless the recipe answers it. */
static char **make_credentials(const ImageConfig *config) {
    static const char *const answers[][2] = {
            {"firstboot.locale", "C.UTF-8"},
            {"firstboot.keymap", "us"},
            {"firstboot.timezone", "UTC"},
    };
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) report = vm_report_credentials("ttyS1");
    g_strv_builder_addv(builder, (const char **) report);
    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        gboolean given = FALSE;
        for (RecipeCredential **credential = config->credentials; *credential; credential++)
            given = given || strcmp((*credential)->name, answers[i][0]) == 0;
        if (!given)
            g_strv_builder_add_many(builder, answers[i][0], answers[i][1], NULL);
    }
    return g_strv_builder_end(builder);
}

VmReport *vm_boot_until_login(const ImageConfig *config, const VmWatchOptions *options, GError **error) {
    g_auto(Watch) watch = {.line = g_string_new(NULL), .report = g_string_new(NULL), .tail = G_QUEUE_INIT};
    g_auto(GStrv) credentials = make_credentials(config);
    /* Questions of the first boot have no one to answer them, the report has what the kernel says, and
     * emulated machines on busy hosts need patience. */
    static const char *const arguments[] = {
            "systemd.firstboot=no", "loglevel=4", "systemd.default_device_timeout_sec=600", NULL};
    VmMachineOptions machine_options = {
            .ephemeral = options->ephemeral,
            .kernel_command_line = (char *const *) arguments,
            .credentials = credentials,
            .on_console = on_console,
            .on_report = on_report,
            .data = &watch,
    };
    watch.step = events_step_begin(config->output, "Booting in a virtual machine");
    watch.machine = vm_machine_start(config, &machine_options, error);
    if (!watch.machine)
        return NULL;
    if (!vm_machine_uses_kvm(watch.machine))
        events_info("KVM is not available here: the machine is emulated, which takes a minute or two");
    set_timer(&watch, options->timeout ? options->timeout : TIMEOUT_DEFAULT);

    int status = 0;
    g_autoptr(GError) failure = NULL;
    gboolean ended = vm_machine_wait(watch.machine, &status, &failure);
    if (g_error_matches(failure, VM_ERROR, VM_ERROR_INTERRUPTED)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    if (watch.failure || !watch.powering_off) {
        set_failure(&watch,
                watch.failure ? watch.failure
                : ended       ? "it powered off"
                              : failure->message,
                error);
        return NULL;
    }
    guint resets = vm_machine_resets(watch.machine);
    events_step_done(g_steal_pointer(&watch.step),
            resets > 0 ? "login prompt after %u restart%s" : "login prompt", resets, resets == 1 ? "" : "s");
    return vm_report_parse(watch.report->str, watch.report->len);
}
