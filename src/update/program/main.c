/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "events/task.h"
#include "ui/people.h"
#include "ui/terminal.h"
#include "update/program/json.h"
#include "update/program/verbs.h"
#include "update/transfer/error.h"

#define STATUS_USAGE 2

/* Of the signal handler, which has nothing else. */
static Task *running;

static void on_signal(int number) {
    task_cancel(running);
}

/* The first signal stops the work between two things; a second one ends the process at once, which costs nothing but the
 * time to go on. */
static void stop_on_signals(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};

    (void) sigaction(SIGINT, &action, NULL);
    (void) sigaction(SIGTERM, &action, NULL);
}

static void print_help(void) {
    printf("Usage: particleos-update [OPTION…] VERB [VERSION]\n\n"
           "Updates a system from what its vendor publishes: only what changed is fetched.\n\n");
    for (const Verb *verb = verbs; verb->name; verb++)
        printf("  %-10s %-10s %s\n", verb->name, verb->argument ? "[VERSION]" : "", verb->help);
    printf("\n  --json                  the result as JSON on standard output\n"
           "  --root=DIRECTORY        the system below DIRECTORY instead of the one that runs\n"
           "  --image=FILE            its disk: a device or a file\n"
           "  --boot-path=DIRECTORY   where its boot partition is mounted\n"
           "  --definitions=DIRECTORY transfer files to use instead of those of the system\n"
           "  --transfer-source=DIRECTORY  for sources with PathRelativeTo=explicit\n"
           "  --verify=BOOLEAN        whether manifests have to be signed; no: whatever transfer files say\n"
           "  --ignore-freshness      take a manifest that is too old\n"
           "  --no-deltas             fetch blocks as they are: more bytes, less work\n"
           "  --cacert=FILE           certificates that servers are checked by\n"
           "  --timeout=SECONDS       how long a server may be silent; 30\n"
           "  --debug, --help, --version\n");
}

static gboolean take_text(const char *word, const char *name, const char **ret) {
    gsize length = strlen(name);

    if (strncmp(word, name, length) != 0 || word[length] != '=' || word[length + 1] == '\0')
        return FALSE;
    *ret = word + length + 1;
    return TRUE;
}

static gboolean take_verify(const char *word, Arguments *arguments) {
    const char *value = NULL;

    if (!take_text(word, "--verify", &value) || (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0))
        return FALSE;
    arguments->options.no_verify = strcmp(value, "no") == 0;
    return TRUE;
}

static gboolean take_timeout(const char *word, Arguments *arguments) {
    const char *value = NULL;
    guint64 seconds;

    if (!take_text(word, "--timeout", &value) || !g_ascii_string_to_unsigned(value, 10, 1, 3600, &seconds, NULL))
        return FALSE;
    arguments->options.timeout = (guint) seconds;
    return TRUE;
}

static gboolean take_option(const char *word, Arguments *arguments) {
    UpdateOptions *options = &arguments->options;
    const struct {
        const char *name;
        const char **text;
        gboolean *flag;
    } known[] = {{"--root", &options->root, NULL}, {"--image", &options->image, NULL},
            {"--boot-path", &options->boot, NULL}, {"--definitions", &options->definitions, NULL},
            {"--transfer-source", &options->transfer_source, NULL}, {"--cacert", &options->ca_file, NULL},
            {"--ignore-freshness", NULL, &options->ignore_age}, {"--no-deltas", NULL, &options->no_deltas}, {"--json", NULL, &arguments->json},
            {"--debug", NULL, &arguments->debug}, {"--help", NULL, &arguments->help},
            {"--version", NULL, &arguments->version}};

    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        if (known[i].text && take_text(word, known[i].name, known[i].text))
            return TRUE;
        if (known[i].flag && strcmp(word, known[i].name) == 0)
            return *known[i].flag = TRUE;
    }
    return take_verify(word, arguments) || take_timeout(word, arguments);
}

static const Verb *find_verb(const char *name) {
    for (const Verb *verb = verbs; name && verb->name; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

static int exit_status(const GError *error) {
    static const int statuses[] = {
            [UPDATE_ERROR_CONFIGURATION] = 1,
            [UPDATE_ERROR_DEVICE] = 1,
            [UPDATE_ERROR_UNTRUSTED] = 3,
            [UPDATE_ERROR_STALE] = 4,
            [UPDATE_ERROR_NETWORK] = 5,
            [UPDATE_ERROR_SPACE] = 6,
            [UPDATE_ERROR_BUSY] = 7,
    };

    return error->domain == UPDATE_ERROR ? statuses[error->code] : EXIT_FAILURE;
}

static int fail(const Arguments *arguments, const GError *error) {
    int status = exit_status(error);
    g_autoptr(GString) out = g_string_new("{");

    fprintf(stderr, "error: %s\n", error->message);
    json_put_text(out, "error", error->message);
    json_put_number(out, "status", status);
    if (arguments->json)
        printf("%s}\n", out->str);
    return status;
}

static int run(const Verb *verb, Arguments *arguments, const char *version) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Update) update = NULL;
    int status = EXIT_SUCCESS;

    arguments->options.offline = verb->offline;
    update = update_new(&arguments->options, &error);
    if (!update || !verb->run(update, arguments, version, &status, &error))
        return fail(arguments, error);
    return status;
}

int main(int argc, char **argv) {
    Arguments arguments = {.json = FALSE};
    const char *words[2] = {NULL, NULL};
    guint n = 0;

    for (int i = 1; i < argc; i++) {
        gboolean option = g_str_has_prefix(argv[i], "-");
        if (option ? !take_option(argv[i], &arguments) : n >= G_N_ELEMENTS(words)) {
            fprintf(stderr, "error: \"%s\" is not understood; particleos-update --help shows what is\n", argv[i]);
            return STATUS_USAGE;
        }
        if (!option)
            words[n++] = argv[i];
    }
    if (arguments.help || arguments.version) {
        if (arguments.help)
            print_help();
        else
            printf("particleos-update %s\n", PARTICLEOS_VERSION);
        return EXIT_SUCCESS;
    }
    const Verb *verb = find_verb(words[0]);
    if (!verb || (words[1] && !verb->argument)) {
        fprintf(stderr, "error: %s; particleos-update --help shows what there is\n",
                !words[0] ? "a verb is missing"
                : verb    ? "that verb takes no version"
                          : "there is no such verb");
        return STATUS_USAGE;
    }
    running = task_new(arguments.debug ? TASK_DEBUG : 0);
    stop_on_signals();
    ui_init(arguments.debug, FALSE);
    task_listen(running, ui_listen_for_people, NULL);
    TaskScope *scope = task_enter(running);
    int status = run(verb, &arguments, words[1]);
    task_leave(scope);
    task_unref(running);
    return status;
}
