/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include <string.h>

#include "kitchen/html/url.h"
#include "kitchen/pages/log-matches.h"
#include "kitchen/pages/part.h"
#include "kitchen/site/frame.h"
#include "kitchen/site/words.h"

#define SHOWN (256 * 1024)
/* What a line that begins a step ends with, and how long it is at most. */
#define STEP "..."
#define STEP_MAX 160

/* A search reads so much at once, finds so many lines, and shows so much of each. */
#define SEARCHED (8 * 1024 * 1024)
#define MATCHES_MAX 200
#define MATCH_SHOWN 1000
#define WORDS_MAX 800
/* What is shown before a line that was found. */
#define CONTEXT 2000

/* What the page is about. */
typedef struct {
    ProjectView *project;
    BuildView *build;
    JobView *job;
    char *file, *raw, *events;
} LogVisit;

static void log_visit_clear(LogVisit *log) {
    g_clear_pointer(&log->project, project_view_free);
    g_clear_pointer(&log->build, build_view_free);
    g_clear_pointer(&log->job, job_view_free);
    g_free(log->file);
    g_free(log->raw);
    g_free(log->events);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LogVisit, log_visit_clear)

/* FROM: what the page has to begin with for the line to be on it; -1: it is in any case. */
static void write_line(Html *html, const char *text, gsize length, gint64 offset, gint64 number, gint64 from) {
    g_autofree char *id = g_strdup_printf("o%" G_GINT64_FORMAT, offset);
    g_autofree char *link =
            from >= 0 ? g_strdup_printf("?from=%" G_GINT64_FORMAT "#%s", from, id) : g_strdup_printf("#%s", id);
    g_autofree char *shown = g_strdup_printf("%" G_GINT64_FORMAT, number);
    g_autofree char *label = g_strdup_printf("Line %s", shown);

    html_open(html, "span", "class", "line", "id", id, NULL);
    html_element(html, "a", shown, "href", link, "aria-label", label, NULL);
    html_text(html, " ");
    html_text_bytes(html, text, length);
    html_text(html, "\n");
    html_close(html, "span");
}

static void open_step(Html *html, const char *text, gsize length) {
    html_open(html, "details", "open", "", NULL);
    html_open(html, "summary", NULL);
    html_text_bytes(html, text, length);
    html_close(html, "summary");
}

static gboolean is_step(const char *text, gsize length) {
    return length > strlen(STEP) && length <= STEP_MAX && g_ascii_isalnum(text[0]) &&
           memcmp(text + length - strlen(STEP), STEP, strlen(STEP)) == 0;
}

static void write_lines(Html *html, const LogPiece *piece) {
    gsize size = 0;
    const char *text = g_bytes_get_data(piece->text, &size);
    const char *end = text + size;
    gint64 offset = piece->from;
    gint64 number = piece->line;
    gboolean in_step = FALSE;

    html_open(html, "div", "class", "log", "id", "log", "role", "log", "aria-live", "off", "tabindex", "0",
            "aria-label", "Log", NULL);
    for (const char *at = text; at < end;) {
        const char *stop = memchr(at, '\n', end - at) ?: end;
        gsize length = (gsize) (stop - at);

        if (is_step(at, length)) {
            if (in_step)
                html_close(html, "details");
            open_step(html, at, length - strlen(STEP));
            in_step = TRUE;
        }
        write_line(html, at, length, offset, number++, piece->from > 0 ? piece->from : -1);
        offset += (gint64) length + 1;
        at = stop + 1;
    }
    if (in_step)
        html_close(html, "details");
    html_close(html, "div");
}

static void write_places(Html *html, const char *path, const LogPiece *piece, const char *raw) {
    html_open(html, "nav", "class", "actions", "aria-label", "Log", NULL);
    if (piece->from > 0) {
        g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, MAX(piece->from - SHOWN, 0));
        g_autofree char *earlier = url_with(path, "from", number);
        g_autofree char *first = url_with(path, "from", "0");

        html_element(html, "a", "Beginning", "href", first, NULL);
        html_element(html, "a", "Earlier", "href", earlier, NULL);
    }
    if (piece->end < piece->total) {
        g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, piece->end);
        g_autofree char *later = url_with(path, "from", number);

        html_element(html, "a", "Later", "href", later, NULL);
    }
    html_element(html, "a", "End", "href", path, NULL);
    html_element(html, "a", "Whole log as text", "href", raw, NULL);
    html_close(html, "nav");
}

static void write_search(Html *html, const char *path, const char *words) {
    html_open(html, "form", "method", "get", "action", path, "role", "search", "class", "search", NULL);
    html_element(html, "label", "Find in the log", "for", "f-q", NULL);
    html_open(html, "input", "id", "f-q", "name", "q", "type", "search", "value", words, "maxlength", "200", "required",
            "", "spellcheck", "false", NULL);
    html_element(html, "button", "Find", NULL);
    html_close(html, "form");
}

/* Loads what the address names. FALSE: the visit has been answered. */
static gboolean find_log(Visit *visit, LogVisit *log) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) owner = NULL;
    const char *name = visit_segment(visit, 5);
    gint64 number = 0, id = part_number(name);

    log->project = part_project(visit, ROLE_NONE, NULL);
    log->build = log->project ? part_build(visit, log->project) : NULL;
    if (!log->build)
        return FALSE;
    log->job = job_view(visit->site->database, &visit->viewer, id, &owner, &number, &error);
    if (error) {
        frame_error(visit, error);
        return FALSE;
    }
    if (!log->job || owner->id != log->project->id || number != log->build->number) {
        frame_not_found(visit);
        return FALSE;
    }
    log->file = visit->site->engine->log_path(visit->site->engine->user, id);
    log->raw = url_path("api", "v1", "jobs", name, "log.txt", NULL);
    log->events = url_path("api", "v1", "jobs", name, "log", NULL);
    return TRUE;
}

static Html *begin_log(Visit *visit, const LogVisit *log, const char *words) {
    const JobView *job = log->job;
    g_autofree char *title = g_strdup_printf("Log of %s, build #%" G_GINT64_FORMAT, job->target, log->build->number);
    Html *html = part_begin(visit, log->project, title, NULL);

    html_open(html, "p", "class", "facts", NULL);
    frame_state(html, job->state);
    html_text(html, " ");
    html_element(html, "span", job->step ?: job->wait_reason ?: "", "id", "step", NULL);
    html_close(html, "p");
    write_search(html, visit->http->path, words);
    return html;
}

static void write_match(Html *html, const LogMatch *match) {
    /* Some lines before it are shown, too. */
    write_line(html, match->text, MIN(match->length, MATCH_SHOWN), match->offset, match->number,
            MAX(match->offset - CONTEXT, 0));
}

static void show_matches(Visit *visit, const LogVisit *log, const char *words) {
    g_autoptr(GError) error = NULL;
    g_auto(LogPiece) piece = {NULL};
    g_autoptr(GArray) matches = NULL;
    gint64 end = 0;
    Html *html = NULL;

    if (!log_piece_read(log->file, http_request_number(visit->http, "from", 0, G_MAXINT64), SEARCHED, &piece, &error)) {
        frame_error(visit, error);
        return;
    }
    matches = log_matches(&piece, words, MATCHES_MAX, &end);
    html = begin_log(visit, log, words);
    html_open(html, "p", "role", "status", NULL);
    html_textf(html, "%u %s “", matches->len, matches->len == 1 ? "line has" : "lines have");
    html_text(html, words);
    html_text(html, end < piece.total ? "” in this part of the log."
                    : piece.from > 0  ? "” in the rest of the log."
                                      : "”.");
    html_close(html, "p");
    html_open(html, "nav", "class", "actions", "aria-label", "Log", NULL);
    html_element(html, "a", "Back to the log", "href", visit->http->path, NULL);
    if (end < piece.total) {
        g_autofree char *offset = g_strdup_printf("%" G_GINT64_FORMAT, end);
        g_autofree char *asked = url_with(visit->http->path, "q", words);
        g_autofree char *more = url_with(asked, "from", offset);

        html_element(html, "a", "Search on", "href", more, "rel", "next", NULL);
    }
    html_close(html, "nav");
    if (matches->len > 0) {
        html_open(html, "div", "class", "log", "tabindex", "0", "role", "region", "aria-label", "Lines", NULL);
        for (guint i = 0; i < matches->len; i++)
            write_match(html, &g_array_index(matches, LogMatch, i));
        html_close(html, "div");
    }
    frame_answer(visit, SOUP_STATUS_OK, html);
}

static void show_piece(Visit *visit, const LogVisit *log) {
    g_autoptr(GError) error = NULL;
    g_auto(LogPiece) piece = {NULL};
    g_autofree char *end = NULL;
    gboolean live = FALSE;
    Html *html = NULL;

    if (!log_piece_read(log->file, http_request_number(visit->http, "from", -1, G_MAXINT64), SHOWN, &piece, &error)) {
        frame_error(visit, error);
        return;
    }
    end = g_strdup_printf("%" G_GINT64_FORMAT, piece.end);
    live = !log->job->finished && piece.end == piece.total;
    html = begin_log(visit, log, NULL);
    write_places(html, visit->http->path, &piece, log->raw);
    html_open(html, "div", "data-live", live ? "log" : NULL, "data-events", log->events, "data-offset", end, NULL);
    write_lines(html, &piece);
    html_close(html, "div");
    frame_answer(visit, SOUP_STATUS_OK, html);
}

void page_log(Visit *visit) {
    g_auto(LogVisit) log = {NULL};
    const char *words = http_request_query(visit->http, "q");

    if (!find_log(visit, &log))
        return;
    if (words && words[0] && strlen(words) <= WORDS_MAX)
        show_matches(visit, &log, words);
    else
        show_piece(visit, &log);
}
