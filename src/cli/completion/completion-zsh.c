/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/completion/completion.h"

#include "cli/arguments/verb-names.h"

/* TEXT inside of '...[TEXT]...'. */
static char *quote_help(const char *text) {
    g_autofree char *escaped = completion_escape(text, "[]:\\");
    g_auto(GStrv) parts = g_strsplit(escaped, "'", -1);
    return g_strjoinv("'\\''", parts);
}

static char *action(CompletionKind kind, const char *words) {
    switch (kind) {
    case COMPLETE_WORDS: {
        g_autofree char *escaped = completion_escape(words, ":");
        return g_strdup_printf("(%s)", escaped);
    }
    case COMPLETE_FILES:
        return g_strdup("_files");
    case COMPLETE_DIRECTORIES:
        return g_strdup("_files -/");
    case COMPLETE_PROFILES:
        return g_strdup("($(print -l mkosi.profiles/*(N\\:t\\:r)))");
    default:
        return g_strdup(" ");
    }
}

static void append_option(GString *out, const char *name, char letter, gboolean value, gboolean repeats,
        const char *help, const char *what) {
    g_autofree char *quoted = quote_help(help);
    g_autofree char *argument = value ? g_strdup_printf(":value:%s", what) : g_strdup("");
    const char *many = repeats ? "*" : "";
    g_string_append_printf(out, "    '%s--%s%s[%s]%s'\n", many, name, value ? "=" : "", quoted, argument);
    if (letter)
        g_string_append_printf(out, "    '%s-%c%s[%s]%s'\n", many, letter, value ? "+" : "", quoted, argument);
}

static void append_options(GString *out) {
    for (const Option *option = options; option->name; option++) {
        const char *words;
        CompletionKind kind = completion_of_option(option, &words);
        g_autofree char *what = action(kind, words);
        append_option(out, option->name, option->letter, option->value != NULL, option->flags & OPTION_COUNTER,
                option->help, what);
    }
}

static void append_settings(GString *out) {
    for (int id = 0; id < _SETTING_MAX; id++) {
        const Setting *setting = &settings[id];
        g_autofree char *words = NULL;
        CompletionKind kind = completion_of_setting(setting, &words);
        g_autofree char *what = action(kind, words);
        /* -a, -i and -T take no value. */
        gboolean flag = setting->letter && (setting->type == TYPE_BOOL || id == SETTING_INCREMENTAL);
        append_option(out, setting->option, flag ? 0 : setting->letter, TRUE, setting->shape != SHAPE_SCALAR,
                setting->help, what);
        if (flag)
            g_string_append_printf(out, "    '-%c[short for --%s=%s]'\n", setting->letter, setting->option,
                    id == SETTING_WITH_TESTS ? "no" : "yes");
    }
}

static void append_arguments(GString *out) {
    g_string_append(out, "  case $line[1] in\n");
    for (const VerbName *verb = verb_names; verb->name; verb++) {
        g_autofree char *words = completion_of_verb(verb->name);
        if (*words)
            g_string_append_printf(out, "    %s) compadd -- %s ;;\n", verb->name, words);
        else if (completion_of_verb_is_file(verb->name))
            g_string_append_printf(out, "    %s) _files ;;\n", verb->name);
    }
    g_string_append(out, "  esac\n");
}

char *completion_for_zsh(void) {
    GString *out = g_string_new("#compdef particleos\n"
                                "# Completion for particleos; printed by \"particleos completion zsh\".\n\n"
                                "_particleos_verbs() {\n"
                                "  local -a verbs=(\n");
    for (const VerbName *verb = verb_names; verb->name; verb++) {
        g_autofree char *help = quote_help(verb->help);
        if (!(verb->flags & VERB_MISSING))
            g_string_append_printf(out, "    '%s:%s'\n", verb->name, help);
    }
    g_string_append(out, "  )\n"
                         "  _describe -t verbs verb verbs\n"
                         "}\n\n"
                         "_particleos() {\n"
                         "  local context state state_descr line\n"
                         "  typeset -A opt_args\n"
                         "  local -a options=(\n");
    append_options(out);
    append_settings(out);
    g_string_append(out, "  )\n"
                         "  _arguments -s $options '1:verb:_particleos_verbs' '*::argument:->arguments' && return\n"
                         "  [[ $state == arguments ]] || return 1\n");
    append_arguments(out);
    g_string_append(out, "}\n\n"
                         "if [[ ${funcstack[1]-} == _particleos ]]; then\n"
                         "  _particleos \"$@\"\n"
                         "else\n"
                         "  compdef _particleos particleos\n"
                         "fi\n");
    return g_string_free(out, FALSE);
}
