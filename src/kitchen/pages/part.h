/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What several pages begin with or show. */

#include "kitchen/site/visit.h"

/* The project of the first two segments of the address, if the visitor sees it and has the ROLE there. NULL: the
 * visit has been answered. RET_ROLE (may be NULL) receives the role. Owned by the caller. */
ProjectView *part_project(Visit *visit, Role role, Role *ret_role);

/* The build of the fourth segment. NULL: the visit has been answered. Owned by the caller. */
BuildView *part_build(Visit *visit, const ProjectView *project);

/* Reads the form of the visit; FALSE: it has been answered. */
gboolean part_form(Visit *visit) G_GNUC_WARN_UNUSED_RESULT;

/* Somebody is logged in with a browser; FALSE: the visit has been answered. */
gboolean part_session(Visit *visit) G_GNUC_WARN_UNUSED_RESULT;

/* The whole number in TEXT, 0 when it is none. */
gint64 part_number(const char *text);

/* The beginning of a page of the project, with its tabs; CURRENT is one of them, or NULL. */
Html *part_begin(Visit *visit, const ProjectView *project, const char *title, const char *current);

/* A table of projects, or of builds. CAPTION: its name, another one for each table of a page. */
void part_projects(Visit *visit, Html *html, const char *caption, GPtrArray *projects);
void part_builds(Visit *visit, Html *html, const ProjectView *project, GPtrArray *builds);

/* TEXT with what stands between backticks as code. */
void part_marked(Html *html, const char *text);

/* What started a build, in words; owned by the caller. */
char *part_cause(const BuildView *build);
