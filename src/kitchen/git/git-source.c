/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "git-source.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "kitchen/process/process.h"

#define SAID_SIZE_MAX (64 * 1024)

typedef struct {
    GitSource source;
    char *program, *work;
    GPtrArray *rules; /* arguments that say what is allowed */
} ProgramSource;

void git_tree_clear(GitTree *tree) {
    g_clear_pointer(&tree->path, g_free);
    g_clear_pointer(&tree->author, g_free);
    g_clear_pointer(&tree->subject, g_free);
}

static char *read_text(int fd) {
    char *text = g_malloc0(SAID_SIZE_MAX + 1);

    if (pread_up_to(fd, text, SAID_SIZE_MAX, 0) < 0)
        *text = 0;
    return text;
}

static char *last_line(const char *text) {
    g_autofree char *copy = g_strchomp(g_utf8_make_valid(text, -1));
    const char *end = strrchr(copy, '\n');

    return g_strdup(end ? end + 1 : copy);
}

/* A descriptor to read SECRETS from: neither arguments nor the environment hold them. */
static int secrets_fd(const char *secrets, GError **error) {
    AUTO_FD fd = memfd_create("secrets", MFD_CLOEXEC);

    if (fd < 0 || !pwrite_all(fd, secrets, strlen(secrets), 0, NULL)) {
        set_errno_error(error, errno, "Cannot hand on credentials");
        return -1;
    }
    return steal_fd(&fd);
}

/* Runs the program with ARGUMENTS; what it prints is a JSON object. */
static JsonObject *run(const ProgramSource *source, GPtrArray *arguments, const char *secrets, GError **error) {
    AUTO_FD in = secrets ? secrets_fd(secrets, error) : -1;
    AUTO_FD out = memfd_create("fetch", MFD_CLOEXEC);
    AUTO_FD err = memfd_create("fetch-errors", MFD_CLOEXEC);
    ProcessPlan plan = {.in = in, .out = out, .err = err, .events = -1, .dies_with_us = TRUE};
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autofree char *said = NULL;
    int status = 0;
    pid_t pid = -1;

    if (secrets && in < 0)
        return NULL;
    for (guint i = 0; i < source->rules->len; i++)
        g_ptr_array_add(arguments, g_strdup(source->rules->pdata[i]));
    g_ptr_array_add(arguments, NULL);
    plan.argv = (const char *const *) arguments->pdata;
    pid = process_start(&plan, error);
    if (pid < 0)
        return NULL;
    if (!process_reap(pid, TRUE, &status) || status != 0) {
        g_autofree char *errors = read_text(err);
        g_autofree char *line = last_line(errors);
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", *line ? line : "The repository cannot be read");
        return NULL;
    }
    said = read_text(out);
    if (!json_parser_load_from_data(parser, said, -1, error))
        return NULL;
    return json_object_ref(json_node_get_object(json_parser_get_root(parser)));
}

static GPtrArray *arguments_for(const ProgramSource *source, const GitPlace *place, const char *verb) {
    GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(arguments, g_strdup(source->program));
    g_ptr_array_add(arguments, g_strconcat("--url=", place->url, NULL));
    g_ptr_array_add(arguments, g_strconcat("--branch=", place->branch, NULL));
    g_ptr_array_add(arguments, g_strdup(verb));
    return arguments;
}

static char *dup_member(JsonObject *object, const char *name) {
    return g_strdup(json_object_get_string_member_with_default(object, name, NULL));
}

static char *resolve(GitSource *source, const GitPlace *place, GError **error) {
    const ProgramSource *program = (const ProgramSource *) source;
    g_autoptr(GPtrArray) arguments = arguments_for(program, place, "resolve");
    g_autoptr(JsonObject) said = run(program, arguments, place->secrets, error);

    return said ? dup_member(said, "commit") : NULL;
}

static gboolean fetch(GitSource *source, const GitPlace *place, const char *commit, GitTree *ret_tree, GError **error) {
    const ProgramSource *program = (const ProgramSource *) source;
    g_autoptr(GPtrArray) arguments = arguments_for(program, place, "fetch");
    g_autofree char *path = g_build_filename(program->work, "tree-XXXXXX", NULL);
    AUTO_FD fd = g_mkdir_with_parents(program->work, 0700) == 0 ? g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600) : -1;
    g_autoptr(JsonObject) said = NULL;

    if (fd < 0)
        return set_errno_error(error, errno, "Cannot make a file in %s", program->work);
    g_ptr_array_add(arguments, g_strconcat("--commit=", commit, NULL));
    g_ptr_array_add(arguments, g_strconcat("--output=", path, NULL));
    said = run(program, arguments, place->secrets, error);
    if (!said) {
        g_unlink(path);
        return FALSE;
    }
    ret_tree->path = g_steal_pointer(&path);
    ret_tree->author = dup_member(said, "author");
    ret_tree->subject = dup_member(said, "subject");
    return TRUE;
}

static void program_free(GitSource *source) {
    ProgramSource *program = (ProgramSource *) source;

    g_free(program->program);
    g_free(program->work);
    g_ptr_array_unref(program->rules);
    g_free(program);
}

static void add_rules(ProgramSource *source, const char *option, const char *const *values) {
    for (; values && *values; values++)
        g_ptr_array_add(source->rules, g_strconcat(option, "=", *values, NULL));
}

GitSource *git_source_new_program(const GitSourceSettings *settings) {
    ProgramSource *source = g_new0(ProgramSource, 1);
    const char *const authorities[] = {settings->authorities, NULL};

    source->source = (GitSource){.resolve = resolve, .fetch = fetch, .free = program_free};
    source->program = g_strdup(settings->program);
    source->work = g_strdup(settings->work);
    source->rules = g_ptr_array_new_with_free_func(g_free);
    add_rules(source, "--local-root", settings->roots);
    add_rules(source, "--network", settings->networks);
    add_rules(source, "--authorities", authorities);
    return &source->source;
}
