/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/inputs/commits.h"

#include <stdlib.h>
#include <string.h>

#include "base/directory.h"
#include "events/events.h"
#include "pipeline/reading/reading-place.h"
#include "pipeline/reading/reading.h"
#include "sandbox/sandbox.h"

/* Further back nobody asks who it was, and looking takes long in the history of a whole distribution. */
#define MOST_COMMITS "2000"
#define LONGEST_WORDS 120

/* Between a commit and its fields. */
#define COMMIT_MARK '\1'
#define FIELD_MARK "\2"

struct Commits {
    ReadingPlace *place;
    gboolean whole; /* not only the recipe's directory was looked at, but all of the repository */
    char *head;
    gboolean dirty;
    GHashTable *files;   /* path below the top -> Commit, borrowed */
    GPtrArray *commits;  /* Commit */
    GHashTable *changed; /* paths below the top that are not as committed; directories end in a slash */
};

static void commit_free(gpointer data) {
    Commit *commit = data;

    g_free(commit->id);
    g_free(commit->author);
    g_free(commit->subject);
    g_free(commit);
}

void commits_free(Commits *commits) {
    if (!commits)
        return;
    reading_place_free(commits->place);
    g_hash_table_unref(commits->files);
    g_ptr_array_unref(commits->commits);
    g_hash_table_unref(commits->changed);
    g_free(commits->head);
    g_free(commits);
}

/* What people wrote, short, on one line and in UTF-8. */
static char *clean_words(const char *text) {
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *words = g_string_new(NULL);
    glong length = 0;

    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (length++ == LONGEST_WORDS) {
            g_string_append(words, "…");
            break;
        }
        g_string_append_unichar(words, g_unichar_isprint(c) ? c : ' ');
    }
    return g_string_free(words, FALSE);
}

/* What "git ARGUMENTS" prints, or NULL. Nothing that the repository says makes it run another program. */
static char *run_git(const Commits *commits, gsize *ret_length, const char *const *arguments) {
    const ReadingPlace *place = commits->place;
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    static const char *const options[] = {"git", "--no-pager", "-c", "core.fsmonitor=false", "-c",
            "core.hooksPath=/dev/null", "-c", "core.quotePath=false", "-c", "log.showSignature=false", NULL};

    for (const char *const *word = options; *word; word++)
        g_ptr_array_add(argv, (char *) *word);
    for (const char *const *word = arguments; *word; word++)
        g_ptr_array_add(argv, (char *) *word);
    g_ptr_array_add(argv, NULL);
    sandbox_bind(sandbox, place->top, place->top, SANDBOX_READ_ONLY);
    reading_add_git(sandbox, place);
    reading_trust_git(sandbox);
    sandbox_chdir(sandbox, place->directory);
    char *output = sandbox_run_output(sandbox, (const char *const *) argv->pdata, ret_length, &error);
    if (!output)
        events_debug("git: %s", error->message);
    return output;
}

static char *first_line(const Commits *commits, const char *const *arguments) {
    g_autofree char *output = run_git(commits, NULL, arguments);
    return output ? g_strndup(output, strcspn(output, "\n")) : NULL;
}

static Commit *parse_commit(const char *text) {
    g_auto(GStrv) fields = g_strsplit(text, FIELD_MARK, 3);
    Commit *commit = NULL;

    if (g_strv_length(fields) == 3 && strlen(fields[0]) >= 40) {
        commit = g_new0(Commit, 1);
        commit->id = g_strdup(fields[0]);
        commit->author = clean_words(fields[1]);
        commit->subject = clean_words(fields[2]);
    }
    return commit;
}

/* Commits, newest first, each with the files that it touched. */
static void parse_log(Commits *commits, const char *text, gsize length, const char *boundary) {
    const Commit *current = NULL;

    for (const char *at = text; at < text + length; at += strlen(at) + 1) {
        const char *token = at + (*at == '\n');
        if (*token == COMMIT_MARK) {
            Commit *commit = parse_commit(token + 1);
            if (commit)
                g_ptr_array_add(commits->commits, commit);
            /* What a shallow clone ends with seems to touch everything. */
            current = commit && !(boundary && strstr(boundary, commit->id)) ? commit : NULL;
        } else if (*token && !g_hash_table_contains(commits->files, token))
            g_hash_table_insert(commits->files, g_strdup(token), (gpointer) current);
    }
}

/* The commits from which on a shallow clone knows nothing, as text; NULL for a whole one. */
static char *read_boundary(const Commits *commits) {
    g_autofree char *path = g_build_filename(commits->place->git_common, "shallow", NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

/* PATHS: of the repository. */
static void read_log(Commits *commits, const char *paths) {
    const char *const newest[] = {"rev-list", "--max-count=" MOST_COMMITS, "--first-parent", "HEAD", NULL};
    g_autofree char *list = run_git(commits, NULL, newest);
    g_auto(GStrv) ids = g_strsplit(list ? g_strchomp(list) : "", "\n", -1);
    guint n = g_strv_length(ids);
    gboolean all = n < (guint) atoi(MOST_COMMITS);
    g_autofree char *range = all ? g_strdup("HEAD") : g_strdup_printf("%s..HEAD", ids[n - 1]);
    const char *const log[] = {"log", "-z", "--name-only", "--no-renames", "--encoding=UTF-8", "--no-show-signature",
            "--format=%x01%H%x02%an%x02%s", range, "--", paths, NULL};
    gsize length = 0;
    g_autofree char *text = run_git(commits, &length, log);
    g_autofree char *boundary = read_boundary(commits);

    if (text)
        parse_log(commits, text, length, boundary);
}

/* "XY PATH" each: what is not as in the commit. */
static void read_status(Commits *commits, const char *paths) {
    const char *const status[] = {"status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal",
            "--ignore-submodules=dirty", "--", paths, NULL};
    gsize length = 0;
    g_autofree char *text = run_git(commits, &length, status);

    for (const char *at = text; text && at < text + length; at += strlen(at) + 1) {
        if (strlen(at) < 4)
            continue;
        g_hash_table_add(commits->changed, g_strdup(at + 3));
        commits->dirty = commits->dirty || !g_str_has_prefix(at, "??");
    }
}

Commits *commits_new(const char *directory) {
    g_autofree char *real = realpath(directory, NULL), *git = g_find_program_in_path("git");
    g_autoptr(Commits) commits = NULL;
    const char *const head[] = {"rev-parse", "--verify", "--quiet", "HEAD", NULL};
    ReadingPlace *place = real && git ? reading_place_new(real, NULL) : NULL;

    if (!place || !place->git) {
        reading_place_free(place);
        return NULL;
    }
    commits = g_new0(Commits, 1);
    commits->place = place;
    commits->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    commits->commits = g_ptr_array_new_with_free_func(commit_free);
    commits->changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!(commits->head = first_line(commits, head)))
        return NULL;
    read_status(commits, ".");
    read_log(commits, ".");
    return g_steal_pointer(&commits);
}

const char *commits_head(const Commits *commits) {
    return commits->head;
}

gboolean commits_are_dirty(const Commits *commits) {
    return commits->dirty;
}

const char *commits_top(const Commits *commits) {
    return commits->place->top;
}

/* It, or a directory above it of which git knows nothing. */
static gboolean is_changed(const Commits *commits, const char *path) {
    g_autofree char *at = g_strdup(path);
    char *slash;

    if (g_hash_table_contains(commits->changed, at))
        return TRUE;
    while ((slash = strrchr(at, '/'))) {
        slash[1] = '\0';
        if (g_hash_table_contains(commits->changed, at))
            return TRUE;
        *slash = '\0';
    }
    return FALSE;
}

/* Few recipes need more than their own directory, which is quicker. */
static void look_beside(Commits *commits) {
    gboolean dirty = commits->dirty;

    commits->whole = TRUE;
    read_status(commits, ":/");
    read_log(commits, ":/");
    commits->dirty = dirty;
}

const Commit *commits_of_file(Commits *commits, const char *path, gboolean *ret_dirty) {
    const char *top = commits->place->top;

    *ret_dirty = FALSE;
    if (!path_is_below(path, top) || !path[strlen(top)])
        return NULL;
    if (!commits->whole && !path_is_below(path, commits->place->directory))
        look_beside(commits);
    path += strlen(top) + 1;
    *ret_dirty = is_changed(commits, path);
    return *ret_dirty ? NULL : g_hash_table_lookup(commits->files, path);
}
