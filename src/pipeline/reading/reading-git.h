/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A repository as programs of the reading see it: commits, names, the state of the working tree. */

#include "sandbox/sandbox.h"

/* Covers what of a repository's directory is nobody's business: addresses and headers of its
 * configuration, which can hold passwords, and what was done when. What git needs to read commits stays. */
void reading_cover_git(Sandbox *sandbox, const char *git);

/* The text of a git configuration without the sections that say where and as whom to fetch; owned by the
 * caller. */
char *reading_git_config(const char *text);
