/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From argv to a verb; the only place that ends the process. */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/full-disk.h"
#include "cli/make/built-image.h"
#include "cli/event-streams.h"
#include "cli/arguments/parse.h"
#include "cli/load-recipe.h"
#include "cli/standard-output.h"
#include "cli/verbs.h"
#include "events/events.h"
#include "events/task.h"
#include "ui/terminal.h"
#include "ui/people.h"
#include "ui/step.h"

/* Whose language this is. */
#define MKOSI_VERSION "27.1"

static const struct {
    const char *name;
    VerbFunc run;
} verbs[] = {
        {"attach", verb_attach},
        {"boot", verb_boot},
        {"box", verb_box},
        {"build", verb_build},
        {"bump", verb_bump},
        {"burn", verb_burn},
        {"cat-config", verb_cat_config},
        {"clean", verb_clean},
        {"completion", verb_completion},
        {"coredumpctl", verb_coredumpctl},
        {"delta", verb_delta},
        {"dependencies", verb_dependencies},
        {"documentation", verb_documentation},
        {"genkey", verb_genkey},
        {"help", verb_help},
        {"init", verb_init},
        {"inputs", verb_inputs},
        {"kitchen", verb_kitchen},
        {"inspect", verb_inspect},
        {"verify", verb_verify},
        {"journalctl", verb_journalctl},
        {"latest-snapshot", verb_latest_snapshot},
        {"revoke", verb_revoke},
        {"serve", verb_serve},
        {"shell", verb_shell},
        {"sign", verb_sign},
        {"ssh", verb_ssh},
        {"summary", verb_summary},
        {"sysupdate", verb_sysupdate},
        {"vm", verb_vm},
};

static VerbFunc find_verb(const char *name) {
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return verbs[i].run;
    return NULL;
}

static gboolean run_verb(const VerbCall *call, int *ret_exit_status, GError **error) {
    const Arguments *arguments = call->arguments;
    if (arguments->version) {
        puts(called_as_mkosi() ? "mkosi " MKOSI_VERSION : "particleos " PARTICLEOS_VERSION);
        return TRUE;
    }
    VerbFunc run = find_verb(arguments->help ? "help" : arguments->verb);
    if (!run) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "The verb %s is part of the language, but this version of particleos does not have it yet",
                arguments->verb);
        return FALSE;
    }
    if (!arguments->help && !built_image_prepare(call, error))
        return FALSE;
    return run(call, ret_exit_status, error);
}

/* Scripts that call mkosi may look at the difference. */
static int failure_status(const GError *error) {
    return called_as_mkosi() && g_error_matches(error, RECIPE_ERROR, RECIPE_ERROR_USAGE) ? 2 : 1;
}

/* Messages must show before the arguments are parsed. */
static gboolean has_word(char **argv, const char *word) {
    for (char **p = argv + 1; *p && strcmp(*p, "--") != 0; p++)
        if (strcmp(*p, word) == 0)
            return TRUE;
    return FALSE;
}

static void tell_failure(const Recipe *recipe, GError **error) {
    if (recipe && recipe->main)
        full_disk_explain(recipe->main, NULL, error);
    if (!standard_output_is_gone(*error))
        events_error("%s", *error ? (*error)->message : "Something failed without saying why");
}

static gboolean run_arguments(
        const Arguments *arguments, EventStreams *streams, Recipe **ret_recipe, int *ret_exit_status, GError **error) {
    if (!begin_task(arguments, streams, error) || !(*ret_recipe = load_recipe(arguments, error)))
        return FALSE;
    const VerbCall call = {.arguments = arguments, .recipe = *ret_recipe};
    return run_verb(&call, ret_exit_status, error);
}

static int run(char **argv) {
    g_autoptr(GError) error = NULL, unwritten = NULL;
    g_autoptr(Arguments) arguments = NULL;
    g_autoptr(Recipe) recipe = NULL;
    g_autofree char *directory = g_get_current_dir();
    EventStreams streams = {0};
    int exit_status = 0;

    gboolean good = set_program_name(argv[0] ? argv[0] : "particleos", &error) &&
                    (arguments = arguments_parse(argv[0] ? argv + 1 : argv, directory, &error)) &&
                    run_arguments(arguments, &streams, &recipe, &exit_status, &error);
    if (!standard_output_finish(good ? &error : NULL))
        good = FALSE;
    if (recipe && arguments->debug_timing)
        ui_print_timing();
    if (!good) {
        tell_failure(recipe, &error);
        exit_status = failure_status(error);
    }
    if (event_streams_end(&streams, exit_status, &unwritten))
        return exit_status;
    events_error("%s", unwritten->message);
    return exit_status ? exit_status : 1;
}

int main(int argc, char *argv[]) {
    gboolean debug = has_word(argv, "--debug");

    standard_output_watch();
    /* Only for the encoding of terminals: sorting and numbers stay independent of the locale. */
    setlocale(LC_CTYPE, "");
    ui_init(debug, has_word(argv, "--debug-timing"));
    g_autoptr(Task) task = task_new(debug ? TASK_DEBUG : 0);
    g_autoptr(TaskScope) scope = task_enter(task);
    task_listen(task, ui_listen_for_people, NULL);
    if (!isatty(STDOUT_FILENO))
        task_set_output(task, STDOUT_FILENO);
    return run(argv);
}
