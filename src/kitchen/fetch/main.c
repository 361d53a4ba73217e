/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* particleos-kitchen-fetch: asks a repository of somebody else for a branch (resolve), or for the tree of a commit (fetch).
 * Credentials come through standard input. The answer is JSON on standard output. */

#include <errno.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/hex.h"
#include "base/secret.h"
#include "kitchen/fetch/fetch.h"
#include "kitchen/net/address.h"
#include "sandbox/sandbox.h"

/* With all submodules. */
#define SECONDS_MAX 900

/* A commit is named by SHA-1 or SHA-256. */
#define IS_COMMIT(text) (hex_is_lower(text, 40) || hex_is_lower(text, 64))

/* Of the command line. */
typedef struct {
    const char *url, *branch, *commit, *output, *authorities;
    char **roots, **networks;
} Options;

static void print_answer(JsonObject *answer) {
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), answer);
    g_autofree char *text = json_to_string(node, FALSE);

    g_print("%s\n", text);
}

static gboolean resolve(const Fetch *fetch, const GitUrl *from, const char *branch, GError **error) {
    const GitRun how = {.from = from};
    g_autofree char *name = g_strconcat("refs/heads/", branch, NULL);
    const char *const words[] = {"ls-remote", "--", fetch_address(from), name, NULL};
    g_autofree char *said = fetch_git_output(fetch, &how, words, NULL, error);
    g_autoptr(JsonObject) answer = json_object_new();
    char *end = said ? strchr(said, '\t') : NULL;

    if (!said)
        return FALSE;
    if (!end) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "The repository has no branch %s", branch);
        return FALSE;
    }
    *end = 0;
    if (!IS_COMMIT(said)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "The repository names no commit for %s", branch);
        return FALSE;
    }
    json_object_set_string_member(answer, "commit", said);
    print_answer(answer);
    return TRUE;
}

static gboolean describe(const Fetch *fetch, const char *commit, GError **error) {
    const GitRun how = {.from = NULL};
    const char *const words[] = {
            "-C", "/fetched/repository", "log", "-1", "--no-show-signature", "--format=%an%n%s", commit, NULL};
    g_autofree char *said = fetch_git_output(fetch, &how, words, NULL, error);
    g_autofree char *valid = said ? g_utf8_make_valid(said, -1) : NULL;
    g_auto(GStrv) lines = valid ? g_strsplit(valid, "\n", 3) : NULL;
    g_autoptr(JsonObject) answer = json_object_new();

    if (!said)
        return FALSE;
    json_object_set_string_member(answer, "author", lines[0] ?: "");
    json_object_set_string_member(answer, "subject", lines[0] && lines[1] ? lines[1] : "");
    print_answer(answer);
    return TRUE;
}

/* The commit whose tree is handed over: COMMIT, or one that has the files of its submodules, too. */
static char *get_commit(const Fetch *fetch, const GitUrl *from, const char *commit, GError **error) {
    const GitRun how = {.from = NULL};
    const char *const init[] = {"init", "--quiet", "--bare", "--template=", "/fetched/repository", NULL};
    FetchSize size = {0};
    g_autoptr(GPtrArray) modules = NULL;

    if (!fetch_git(fetch, &how, init, error) || !fetch_commit(fetch, from, commit, error))
        return NULL;
    modules = fetch_check_tree(fetch, commit, &size, error);
    if (!modules || modules->len == 0)
        return modules ? g_strdup(commit) : NULL;
    return fetch_with_modules(fetch, from, commit, modules, &size, error);
}

static gboolean take_tree(
        const Fetch *fetch, const GitUrl *from, const char *commit, const char *output, GError **error) {
    const GitRun how = {.from = NULL};
    g_autofree char *whole = get_commit(fetch, from, commit, error);
    const char *const archive[] = {
            "-C", "/fetched/repository", "archive", "--format=tar", "--output=/fetched/tree.tar", whole, NULL};
    g_autofree char *made = g_build_filename(fetch->work, "tree.tar", NULL);

    if (!whole || !fetch_git(fetch, &how, archive, error))
        return FALSE;
    if (rename(made, output) < 0)
        return set_errno_error(error, errno, "Cannot move the archive to %s", output);
    return describe(fetch, commit, error);
}

static gboolean fetch_tree(Fetch *fetch, const GitUrl *from, const Options *options, GError **error) {
    g_autofree char *work = g_strconcat(options->output ?: "", ".XXXXXX", NULL);
    gboolean good = FALSE;

    if (!options->commit || !IS_COMMIT(options->commit) || !options->output) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "fetch needs --commit= and --output=");
        return FALSE;
    }
    if (!g_mkdtemp(work))
        return set_errno_error(error, errno, "Cannot make a directory beside %s", options->output);
    fetch->work = work;
    good = take_tree(fetch, from, options->commit, options->output, error);
    fetch_remove_work(fetch);
    fetch->work = NULL;
    return good;
}

static gboolean run(const char *verb, const Options *options, Fetch *fetch, GError **error) {
    g_autoptr(AddressPolicy) addresses = address_policy_new((const char *const *) options->networks, error);
    g_auto(GitUrl) from = {.url = NULL};

    if (!addresses)
        return FALSE;
    fetch->rules = (GitRules){.roots = (const char *const *) options->roots, .addresses = addresses};
    fetch->authorities = options->authorities;
    fetch->end = g_get_monotonic_time() + SECONDS_MAX * G_USEC_PER_SEC;
    if (!git_branch_is_valid(options->branch)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s is no branch", options->branch);
        return FALSE;
    }
    if (!git_url_check(options->url, &fetch->rules, &from, error))
        return FALSE;
    return strcmp(verb, "resolve") == 0 ? resolve(fetch, &from, options->branch, error)
                                        : fetch_tree(fetch, &from, options, error);
}

static gboolean run_with_secrets(const char *verb, const Options *options, GError **error) {
    Fetch fetch = {.work = NULL};
    gboolean good = FALSE;

    if (!sandbox_become_root_alone(error))
        return FALSE;
    /* Not before the user namespace is there: those who make it look at us. */
    secret_hide_process();
    fetch.secrets = fetch_secrets_read(STDIN_FILENO, error);
    if (!fetch.secrets)
        return FALSE;
    good = run(verb, options, &fetch, error);
    g_ptr_array_unref(fetch.secrets);
    return good;
}

int main(int argc, char **argv) {
    Options found = {.url = NULL};
    const GOptionEntry options[] = {{"url", 0, 0, G_OPTION_ARG_STRING, &found.url, "of the repository", "URL"},
            {"branch", 0, 0, G_OPTION_ARG_STRING, &found.branch, "of it", "NAME"},
            {"commit", 0, 0, G_OPTION_ARG_STRING, &found.commit, "to fetch", "COMMIT"},
            {"output", 0, 0, G_OPTION_ARG_FILENAME, &found.output, "the archive", "FILE"},
            {"local-root", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &found.roots,
                    "where repositories of this machine may lie", "DIRECTORY"},
            {"network", 0, 0, G_OPTION_ARG_STRING_ARRAY, &found.networks, "that hosts may be in, not public",
                    "NETWORK"},
            {"authorities", 0, 0, G_OPTION_ARG_FILENAME, &found.authorities, "who vouches for hosts", "FILE"}, {0}};
    g_autoptr(GOptionContext) context = g_option_context_new("resolve|fetch");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2 || !found.url || !found.branch ||
            (strcmp(argv[1], "resolve") != 0 && strcmp(argv[1], "fetch") != 0)) {
        g_printerr("%s\n", error ? error->message : "Usage: particleos-kitchen-fetch --url= --branch= resolve|fetch");
        return 2;
    }
    if (run_with_secrets(argv[1], &found, &error))
        return 0;
    g_printerr("%s\n", error->message);
    return 1;
}
