/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* particleos-kitchen-fetch: asks a repository of somebody else for a branch (resolve), or for the tree of a commit (fetch).
 * git runs in a sandbox, without configuration, hooks, filters or credentials. The answer is JSON on standard output. */

#include <errno.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/hex.h"
#include "kitchen/git/git-url.h"
#include "sandbox/sandbox.h"

/* Where a repository of this machine is in the sandbox: its own place may be below one that the sandbox uses, like /work. */
#define SOURCE "/source"
#define SECONDS_MAX "300"
#define BYTES_MAX (1024 * G_GINT64_CONSTANT(1048576))
#define FILES_MAX 200000

/* A commit is named by SHA-1 or SHA-256. */
#define IS_COMMIT(text) (hex_is_lower(text, 40) || hex_is_lower(text, 64))

/* Takes the place of every configuration: repositories of this machine belong to whom they like. */
static const char configuration[] =
        "[safe]\n\tdirectory = *\n"
        "[protocol]\n\tversion = 2\n"
        "[transfer]\n\tfsckObjects = true\n"
        "[fetch]\n\tfsckObjects = true\n\trecurseSubmodules = false\n"
        "[http]\n\tfollowRedirects = false\n\temptyAuth = false\n"
        "[credential]\n\thelper =\n"
        "[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n\tattributesFile = /dev/null\n"
        "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";

typedef struct {
    GitUrl url;
    const char *branch, *commit;
    char *work; /* host directory that git sees as /work; NULL: none */
} Fetch;

/* How git inside of the sandbox calls the repository. */
static const char *address(const Fetch *fetch) {
    return fetch->url.path ? SOURCE : fetch->url.url;
}

static Sandbox *make_sandbox(const Fetch *fetch) {
    Sandbox *sandbox = sandbox_new_for_tools(NULL);

    sandbox_file(sandbox, "/tmp/gitconfig", configuration, FALSE);
    sandbox_setenv(sandbox, "GIT_CONFIG_GLOBAL", "/tmp/gitconfig");
    sandbox_setenv(sandbox, "GIT_CONFIG_NOSYSTEM", "1");
    sandbox_setenv(sandbox, "GIT_ATTR_NOSYSTEM", "1");
    sandbox_setenv(sandbox, "GIT_TERMINAL_PROMPT", "0");
    sandbox_setenv(sandbox, "GIT_ASKPASS", "/bin/false");
    sandbox_setenv(sandbox, "GIT_ALLOW_PROTOCOL", fetch->url.path ? "file" : "https");
    sandbox_setenv(sandbox, "HOME", "/nonexistent");
    if (fetch->url.path)
        sandbox_bind(sandbox, fetch->url.path, SOURCE, SANDBOX_READ_ONLY);
    else
        sandbox_network(sandbox, TRUE);
    if (fetch->work)
        sandbox_bind(sandbox, fetch->work, "/work", 0);
    return sandbox;
}

/* What git prints with WORDS as arguments; NUL-terminated, owned by the caller. */
static char *run_git(const Fetch *fetch, const char *const *words, gsize *ret_size, GError **error) {
    g_autoptr(Sandbox) sandbox = make_sandbox(fetch);
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *size = g_strdup_printf("--fsize=%" G_GINT64_FORMAT, BYTES_MAX);
    const char *const first[] = {"prlimit", size, "timeout", "--kill-after=5", SECONDS_MAX, "git", NULL};

    for (const char *const *word = first; *word; word++)
        g_ptr_array_add(argv, g_strdup(*word));
    if (fetch->url.pin) {
        g_ptr_array_add(argv, g_strdup("-c"));
        g_ptr_array_add(argv, g_strconcat("http.curloptResolve=", fetch->url.pin, NULL));
    }
    for (; *words; words++)
        g_ptr_array_add(argv, g_strdup(*words));
    g_ptr_array_add(argv, NULL);
    return sandbox_run_output(sandbox, (const char *const *) argv->pdata, ret_size, error);
}

static gboolean git(const Fetch *fetch, const char *const *words, GError **error) {
    g_autofree char *said = run_git(fetch, words, NULL, error);

    return said != NULL;
}

static void print_answer(JsonObject *answer) {
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), answer);
    g_autofree char *text = json_to_string(node, FALSE);

    g_print("%s\n", text);
}

static gboolean resolve(const Fetch *fetch, GError **error) {
    g_autofree char *name = g_strconcat("refs/heads/", fetch->branch, NULL);
    const char *const words[] = {"ls-remote", "--", address(fetch), name, NULL};
    g_autofree char *said = run_git(fetch, words, NULL, error);
    g_autoptr(JsonObject) answer = json_object_new();
    char *end = said ? strchr(said, '\t') : NULL;

    if (!said)
        return FALSE;
    if (!end) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "The repository has no branch %s", fetch->branch);
        return FALSE;
    }
    *end = 0;
    if (!IS_COMMIT(said)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "The repository names no commit for %s", fetch->branch);
        return FALSE;
    }
    json_object_set_string_member(answer, "commit", said);
    print_answer(answer);
    return TRUE;
}

/* One line of `git ls-tree -r -l`: "MODE TYPE OBJECT SIZE\tNAME". */
static gboolean check_entry(const char *line, gint64 *bytes, GError **error) {
    g_auto(GStrv) halves = g_strsplit(line, "\t", 2);
    g_autofree char *size = NULL;

    if (g_str_has_prefix(line, "160000 ")) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                "%s is a submodule: put its files into the repository, or fetch them in a build script", halves[1]);
        return FALSE;
    }
    size = g_strdup(strrchr(halves[0], ' ') ?: "");
    *bytes += g_ascii_strtoll(size, NULL, 10);
    return TRUE;
}

/* A tree that is too large is refused before it is unpacked. */
static gboolean check_tree(const Fetch *fetch, GError **error) {
    const char *const words[] = {"-C", "/work/repository", "ls-tree", "-r", "-l", fetch->commit, NULL};
    g_autofree char *said = run_git(fetch, words, NULL, error);
    g_auto(GStrv) lines = said ? g_strsplit(said, "\n", -1) : NULL;
    gint64 bytes = 0;
    guint n = 0;

    if (!said)
        return FALSE;
    for (char **line = lines; *line; line++) {
        if (**line && !check_entry(*line, &bytes, error))
            return FALSE;
        n++;
    }
    if (n > FILES_MAX || bytes > BYTES_MAX)
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                "The recipe has %u files and %" G_GINT64_FORMAT " bytes: too much", n, bytes);
    return n <= FILES_MAX && bytes <= BYTES_MAX;
}

static gboolean describe(const Fetch *fetch, GError **error) {
    const char *const words[] = {
            "-C", "/work/repository", "log", "-1", "--no-show-signature", "--format=%an%n%s", fetch->commit, NULL};
    g_autofree char *said = run_git(fetch, words, NULL, error);
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

static gboolean take_tree(const Fetch *fetch, const char *output, GError **error) {
    const char *const init[] = {"init", "--quiet", "--bare", "--template=", "/work/repository", NULL};
    const char *const get[] = {"-C", "/work/repository", "fetch", "--quiet", "--depth=1", "--no-tags",
            "--no-recurse-submodules", "--no-auto-maintenance", "--", address(fetch), fetch->commit, NULL};
    const char *const archive[] = {
            "-C", "/work/repository", "archive", "--format=tar", "--output=/work/tree.tar", fetch->commit, NULL};
    g_autofree char *made = g_build_filename(fetch->work, "tree.tar", NULL);

    if (!git(fetch, init, error) || !git(fetch, get, error) || !check_tree(fetch, error) || !git(fetch, archive, error))
        return FALSE;
    if (rename(made, output) < 0)
        return set_errno_error(error, errno, "Cannot move the archive to %s", output);
    return describe(fetch, error);
}

static void remove_work(const Fetch *fetch) {
    g_autoptr(Sandbox) sandbox = make_sandbox(fetch);
    const char *const argv[] = {"rm", "-rf", "/work/repository", "/work/tree.tar", NULL};

    if (!sandbox_run(sandbox, argv, NULL) || g_rmdir(fetch->work) < 0)
        g_printerr("Cannot remove %s\n", fetch->work);
}

static gboolean fetch_tree(Fetch *fetch, const char *output, GError **error) {
    gboolean good = FALSE;

    if (!fetch->commit || !IS_COMMIT(fetch->commit) || !output) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "fetch needs --commit= and --output=");
        return FALSE;
    }
    fetch->work = g_strconcat(output, ".XXXXXX", NULL);
    if (!g_mkdtemp(fetch->work))
        return set_errno_error(error, errno, "Cannot make a directory beside %s", output);
    good = take_tree(fetch, output, error);
    remove_work(fetch);
    return good;
}

static gboolean run(const char *verb, const char *url, char **roots, Fetch *fetch, const char *output, GError **error) {
    if (!git_branch_is_valid(fetch->branch)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s is no branch", fetch->branch);
        return FALSE;
    }
    if (!git_url_check(url, (const char *const *) roots, &fetch->url, error))
        return FALSE;
    return strcmp(verb, "resolve") == 0 ? resolve(fetch, error) : fetch_tree(fetch, output, error);
}

int main(int argc, char **argv) {
    g_autofree char *url = NULL;
    g_autofree char *branch = NULL;
    g_autofree char *commit = NULL;
    g_autofree char *output = NULL;
    g_auto(GStrv) roots = NULL;
    GOptionEntry options[] = {{"url", 0, 0, G_OPTION_ARG_STRING, &url, "of the repository", "URL"},
            {"branch", 0, 0, G_OPTION_ARG_STRING, &branch, "of it", "NAME"},
            {"commit", 0, 0, G_OPTION_ARG_STRING, &commit, "to fetch", "COMMIT"},
            {"output", 0, 0, G_OPTION_ARG_FILENAME, &output, "the archive", "FILE"},
            {"local-root", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &roots, "where repositories of this machine may lie",
                    "DIRECTORY"},
            {0}};
    g_autoptr(GOptionContext) context = g_option_context_new("resolve|fetch");
    g_autoptr(GError) error = NULL;
    Fetch fetch = {0};
    gboolean good = FALSE;

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2 || !url || !branch ||
            (strcmp(argv[1], "resolve") != 0 && strcmp(argv[1], "fetch") != 0)) {
        g_printerr("%s\n", error ? error->message : "Usage: particleos-kitchen-fetch --url= --branch= resolve|fetch");
        return 2;
    }
    fetch.branch = branch;
    fetch.commit = commit;
    good = sandbox_become_root(&error) && run(argv[1], url, roots, &fetch, output, &error);
    git_url_clear(&fetch.url);
    g_free(fetch.work);
    if (!good)
        g_printerr("%s\n", error->message);
    return good ? 0 : 1;
}
