/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The page of settings, which forms show again. */

#include "kitchen/html/html.h"
#include "kitchen/site/visit.h"

/* Answers with the settings of PROJECT for a visitor with ROLE. SECRET (may be NULL) is shown once. */
void settings_write(Visit *visit, const ProjectView *project, Role role, const char *secret);

/* Writes the rights of PROJECT, with a form for administrators. */
gboolean settings_write_rights(
        Visit *visit, Html *html, const ProjectView *project, GError **error) G_GNUC_WARN_UNUSED_RESULT;
