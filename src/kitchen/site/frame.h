/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The frame of every page, and pages that say why there is nothing else. */

#include "kitchen/site/visit.h"

/* Begins a page with the heading TITLE. CRUMBS: pairs of a text and an address that lead here, up to a NULL. */
Html *frame_begin(Visit *visit, const char *title, ...) G_GNUC_NULL_TERMINATED;

/* Ends the page and answers with it; HTML is freed. */
void frame_answer(Visit *visit, guint status, Html *html);

/* A page that says WHAT went wrong or is not there, and what to do. */
void frame_message(Visit *visit, guint status, const char *what);

/* "There is no such page": the same for what does not exist and what is not this visitor's. */
void frame_not_found(Visit *visit);

/* ERROR of a form or of the database as a page; 409 for what the user can mend, otherwise 503. */
void frame_error(Visit *visit, const GError *error);

/* Asks a stranger to log in, says no to somebody else. */
void frame_denied(Visit *visit, const char *what);

/* Opens a form to PATH with what it has to carry; html_close(html, "form") closes it. */
void frame_form(Visit *visit, Html *html, const char *path);

/* A form that is a button. */
void frame_button(Visit *visit, Html *html, const char *path, const char *text, const char *tone);

/* A state as a coloured word. */
void frame_state(Html *html, const char *state);

/* A time, relative, with the exact one. */
void frame_time(Visit *visit, Html *html, gint64 time);

/* A labelled field of a form. VALUE may be NULL; HINT may be NULL. TYPE: "text", "password", "url", "number". */
void frame_field(Html *html, const char *label, const char *name, const char *type, const char *value,
        gboolean required, const char *hint);
