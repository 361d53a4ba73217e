/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/manual/manual.h"
#include "ui/pager.h"

/* Columns of text: those of the terminal within reason, 80 elsewhere. */
static int text_width(void) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return 80;
    return CLAMP(size.ws_col, 60, 100);
}

static gboolean print_paged(const Arguments *arguments, const char *text) {
    ui_pager_start(!arguments->no_pager);
    fputs(text, stdout);
    ui_pager_finish();
    return TRUE;
}

/* man shows a page with the reader's own pager and fonts. */
static gboolean run_man(const char *const *command, GError **error) {
    int status;
    fflush(stdout);
    return g_spawn_sync(NULL, (char **) command, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL,
                   NULL, NULL, &status, error) &&
           g_spawn_check_wait_status(status, error);
}

static gboolean show_with_man(const char *markdown, GError **error) {
    g_autofree char *roff = manual_to_roff(markdown), *path = NULL;
    int fd = g_file_open_tmp("particleos-XXXXXX.man", &path, error);
    if (fd < 0)
        return FALSE;
    close(fd);
    const char *const command[] = {"man", "--local-file", path, NULL};
    gboolean good = g_file_set_contents(path, roff, -1, error) && run_man(command, error);
    unlink(path);
    return good;
}

static gboolean has_man(void) {
    g_autofree char *program = g_find_program_in_path("man");
    return program != NULL;
}

static gboolean show_page(const Arguments *arguments, const ManualPage *page, const char *format, GError **error) {
    if (strcmp(format, "system") == 0) {
        g_autofree char *section = g_strdup_printf("%d", page->section);
        const char *const command[] = {"man", section, page->page, NULL};
        return run_man(command, error);
    }
    g_autofree char *markdown = manual_load(page, error);
    if (!markdown)
        return FALSE;
    if (strcmp(format, "markdown") == 0)
        return print_paged(arguments, markdown);
    if (strcmp(format, "roff") == 0) {
        g_autofree char *roff = manual_to_roff(markdown);
        fputs(roff, stdout);
        return TRUE;
    }
    gboolean automatic = strcmp(format, "auto") == 0;
    if (strcmp(format, "man") == 0 || (automatic && isatty(STDOUT_FILENO) && has_man()))
        return show_with_man(markdown, error);
    g_autofree char *text = manual_to_text(markdown, text_width());
    return print_paged(arguments, text);
}

static gboolean check_format(const char *format, GError **error) {
    static const char *const formats[] = {"auto", "man", "markdown", "roff", "system", "text", NULL};
    if (g_strv_contains(formats, format))
        return TRUE;
    g_autofree char *list = g_strjoinv(", ", (char **) formats);
    g_set_error(
            error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "--doc-format: \"%s\" is not known; use one of %s", format, list);
    return FALSE;
}

static gboolean unknown_topic(const char *topic, GError **error) {
    g_autoptr(GString) topics = g_string_new(NULL);
    for (const ManualPage *page = manual_pages; page->topic; page++)
        g_string_append_printf(topics, "%s, ", page->topic);
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
            "There is no page about \"%s\"; use one of %sor the name of a setting", topic, topics->str);
    return FALSE;
}

gboolean verb_documentation(const VerbCall *call, int *ret_exit_status, GError **error) {
    const Arguments *arguments = call->arguments;
    const char *format = arguments->doc_format ?: "auto";
    char **topics = arguments->words;
    if (!check_format(format, error))
        return FALSE;
    if (topics[0] && topics[1]) {
        g_set_error_literal(
                error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "One page at a time: particleos documentation [TOPIC]");
        return FALSE;
    }
    const ManualPage *page = topics[0] ? manual_find_page(topics[0]) : manual_pages;
    if (page)
        return show_page(arguments, page, format, error);
    g_autofree char *setting = manual_load_setting(topics[0]);
    if (!setting)
        return unknown_topic(topics[0], error);
    g_autofree char *text = manual_to_text(setting, text_width());
    return print_paged(arguments, strcmp(format, "markdown") == 0 ? setting : text);
}
