/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include <string.h>

#include "kitchen/html/url.h"
#include "kitchen/pages/log-text.h"
#include "kitchen/pages/part.h"
#include "kitchen/site/frame.h"
#include "kitchen/site/words.h"

#define SHOWN (256 * 1024)
/* What a line that begins a step ends with, and how long it is at most. */
#define STEP "..."
#define STEP_MAX 160

static void write_line(Html *html, const char *text, gsize length, gint64 offset, gint64 number) {
    g_autofree char *id = g_strdup_printf("o%" G_GINT64_FORMAT, offset);
    g_autofree char *link = g_strdup_printf("#%s", id);
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
        write_line(html, at, length, offset, number++);
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

void page_log(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = part_project(visit, ROLE_NONE, NULL);
    g_autoptr(BuildView) build = project ? part_build(visit, project) : NULL;
    g_autoptr(ProjectView) owner = NULL;
    g_autoptr(JobView) job = NULL;
    g_auto(LogPiece) piece = {NULL};
    g_autofree char *file = NULL;
    g_autofree char *title = NULL;
    g_autofree char *raw = NULL;
    g_autofree char *events = NULL;
    g_autofree char *end = NULL;
    gint64 number = 0, id = part_number(visit_segment(visit, 5));
    gboolean live = FALSE;
    Html *html = NULL;

    if (!build)
        return;
    job = job_view(visit->site->database, &visit->viewer, id, &owner, &number, &error);
    if (!error && (!job || owner->id != project->id || number != build->number)) {
        frame_not_found(visit);
        return;
    }
    file = error ? NULL : visit->site->engine->log_path(visit->site->engine->user, id);
    if (error ||
            !log_piece_read(file, http_request_number(visit->http, "from", -1, G_MAXINT64), SHOWN, &piece, &error)) {
        frame_error(visit, error);
        return;
    }
    title = g_strdup_printf("Log of %s, build #%" G_GINT64_FORMAT, job->target, build->number);
    raw = url_path("api", "v1", "jobs", visit_segment(visit, 5), "log.txt", NULL);
    events = url_path("api", "v1", "jobs", visit_segment(visit, 5), "log", NULL);
    end = g_strdup_printf("%" G_GINT64_FORMAT, piece.end);
    live = !job->finished && piece.end == piece.total;
    html = part_begin(visit, project, title, NULL);
    html_open(html, "p", "class", "facts", NULL);
    frame_state(html, job->state);
    html_text(html, " ");
    html_element(html, "span", job->step ?: job->wait_reason ?: "", "id", "step", NULL);
    html_close(html, "p");
    write_places(html, visit->http->path, &piece, raw);
    html_open(html, "div", "data-live", live ? "log" : NULL, "data-events", events, "data-offset", end, NULL);
    write_lines(html, &piece);
    html_close(html, "div");
    frame_answer(visit, SOUP_STATUS_OK, html);
}
