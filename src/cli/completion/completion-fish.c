/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/completion/completion.h"

#include "cli/arguments/verb-names.h"

/* An argument in single quotes. */
static char *quote(const char *text) {
    g_autofree char *escaped = completion_escape(text, "\\'");
    return g_strdup_printf("'%s'", escaped);
}

static void append_option(GString *out, const char *name, char letter, const char *help) {
    g_autofree char *quoted = quote(help);
    g_string_append_printf(out, "complete -c particleos -l %s", name);
    if (letter)
        g_string_append_printf(out, " -s %c", letter);
    g_string_append_printf(out, " -d %s", quoted);
}

static void append_value(GString *out, CompletionKind kind, const char *words) {
    if (kind == COMPLETE_WORDS)
        g_string_append_printf(out, " -x -a '%s'", words);
    else if (kind == COMPLETE_FILES)
        g_string_append(out, " -r -F");
    else if (kind == COMPLETE_DIRECTORIES)
        g_string_append(out, " -x -a '(__fish_complete_directories)'");
    else if (kind == COMPLETE_PROFILES)
        g_string_append(out, " -x -a '(command ls mkosi.profiles 2>/dev/null | string replace -r \"\\\\.conf\\$\" "
                             "\"\")'");
    else
        g_string_append(out, " -x");
}

static void append_options(GString *out) {
    for (const Option *option = options; option->name; option++) {
        const char *words;
        append_option(out, option->name, option->letter, option->help);
        if (option->value)
            append_value(out, completion_of_option(option, &words), words);
        g_string_append_c(out, '\n');
    }
}

static void append_settings(GString *out) {
    for (int id = 0; id < _SETTING_MAX; id++) {
        const Setting *setting = &settings[id];
        g_autofree char *words = NULL;
        CompletionKind kind = completion_of_setting(setting, &words);
        gboolean flag = setting->letter && (setting->type == TYPE_BOOL || id == SETTING_INCREMENTAL);
        append_option(out, setting->option, flag ? 0 : setting->letter, setting->help);
        append_value(out, kind, words);
        g_string_append_c(out, '\n');
        if (flag)
            g_string_append_printf(out, "complete -c particleos -s %c -d 'short for --%s=%s'\n", setting->letter,
                    setting->option, id == SETTING_WITH_TESTS ? "no" : "yes");
    }
}

static void append_verbs(GString *out) {
    for (const VerbName *verb = verb_names; verb->name; verb++) {
        if (verb->flags & VERB_MISSING)
            continue;
        g_autofree char *help = quote(verb->help), *words = completion_of_verb(verb->name);
        g_string_append_printf(out, "complete -c particleos -n __fish_use_subcommand -a %s -d %s\n", verb->name, help);
        if (*words)
            g_string_append_printf(
                    out, "complete -c particleos -n '__fish_seen_subcommand_from %s' -a '%s'\n", verb->name, words);
        else if (completion_of_verb_is_file(verb->name))
            g_string_append_printf(out, "complete -c particleos -n '__fish_seen_subcommand_from %s' -F\n", verb->name);
    }
}

char *completion_for_fish(void) {
    GString *out = g_string_new("# Completion for particleos; printed by \"particleos completion fish\".\n"
                                "complete -c particleos -f\n");
    append_verbs(out);
    append_options(out);
    append_settings(out);
    return g_string_free(out, FALSE);
}
