/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Completion scripts for shells, from the tables of verbs, options and settings. */

#include <glib.h>

#include "cli/arguments/options.h"
#include "recipe/language/settings.h"

/* The whole script; owned by the caller. */
char *completion_for_bash(void);
char *completion_for_zsh(void);
char *completion_for_fish(void);

/* What can stand for a value (completion-values.c). */
typedef enum {
    COMPLETE_NOTHING, /* nobody can know */
    COMPLETE_WORDS,
    COMPLETE_FILES,
    COMPLETE_DIRECTORIES,
    COMPLETE_PROFILES, /* what is in mkosi.profiles/ */
} CompletionKind;

/* What the value of an option of a setting can be. RET_WORDS: separated by blanks, owned by the caller; ""
 * unless there are words. */
CompletionKind completion_of_setting(const Setting *setting, char **ret_words);

/* Same, for an option that is no setting and takes a value. */
CompletionKind completion_of_option(const Option *option, const char **ret_words);

/* The words that an argument of the verb can be, "" if there are none; owned by the caller. */
char *completion_of_verb(const char *verb);

/* TRUE when arguments of the verb are files. */
gboolean completion_of_verb_is_file(const char *verb);

/* TEXT with a backslash before each character of SPECIAL; owned by the caller. */
char *completion_escape(const char *text, const char *special);
