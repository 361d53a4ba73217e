/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/completion/completion.h"

#include "cli/arguments/verb-names.h"

/* Bash takes "--name=value" apart at the "=". */
static const char head[] = "# Completion for particleos; printed by \"particleos completion bash\".\n\n"
                           "_particleos() {\n"
                           "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb= word\n"
                           "    if [[ $current == = ]]; then\n"
                           "        current=\n"
                           "    elif [[ $before == = ]]; then\n"
                           "        before=${COMP_WORDS[COMP_CWORD-2]}\n"
                           "    fi\n"
                           "    COMPREPLY=()\n"
                           "    case $before in\n";

static void append_case(GString *out, const char *pattern, CompletionKind kind, const char *words) {
    static const char *const actions[] = {
            [COMPLETE_FILES] = "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$current\")",
            [COMPLETE_DIRECTORIES] =
                    "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$current\")",
            [COMPLETE_PROFILES] = "mapfile -t COMPREPLY < <(compgen -W \"$(cd mkosi.profiles 2>/dev/null && "
                                  "printf '%s\\n' * | sed 's/[.]conf$//')\" -- \"$current\")",
    };
    g_string_append_printf(out, "    %s)\n", pattern);
    if (kind == COMPLETE_WORDS)
        g_string_append_printf(out, "        mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$current\")\n", words);
    else if (actions[kind])
        g_string_append_printf(out, "        %s\n", actions[kind]);
    g_string_append(out, "        return ;;\n");
}

static void append_options(GString *out, GString *names) {
    for (const Option *option = options; option->name; option++) {
        const char *words;
        g_string_append_printf(names, "--%s%s ", option->name, option->value ? "=" : "");
        if (!option->value)
            continue;
        g_autofree char *pattern = option->letter ? g_strdup_printf("--%s|-%c", option->name, option->letter)
                                                  : g_strdup_printf("--%s", option->name);
        CompletionKind kind = completion_of_option(option, &words);
        append_case(out, pattern, kind, words);
    }
}

static void append_settings(GString *out, GString *names) {
    for (int id = 0; id < _SETTING_MAX; id++) {
        const Setting *setting = &settings[id];
        g_autofree char *words = NULL;
        g_autoptr(GString) pattern = g_string_new(NULL);
        CompletionKind kind = completion_of_setting(setting, &words);
        g_string_append_printf(names, "--%s= ", setting->option);
        g_string_append_printf(pattern, "--%s", setting->option);
        if (setting->old_option)
            g_string_append_printf(pattern, "|--%s", setting->old_option);
        /* -a, -i and -T take no value. */
        if (setting->letter && setting->type != TYPE_BOOL && setting_id(setting) != SETTING_INCREMENTAL)
            g_string_append_printf(pattern, "|-%c", setting->letter);
        append_case(out, pattern->str, kind, words);
    }
}

static void append_verbs(GString *out) {
    g_autoptr(GString) verbs = g_string_new(NULL);
    for (const VerbName *verb = verb_names; verb->name; verb++)
        if (!(verb->flags & VERB_MISSING))
            g_string_append_printf(verbs, "%s%s", verbs->len > 0 ? " " : "", verb->name);
    g_string_append_printf(out,
            "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
            "        [[ \" %s \" != *\" $word \"* ]] || verb=$word\n"
            "    done\n"
            "    case $verb in\n"
            "    '')\n"
            "        mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$current\") ;;\n",
            verbs->str, verbs->str);
    for (const VerbName *verb = verb_names; verb->name; verb++) {
        g_autofree char *words = completion_of_verb(verb->name);
        if (*words)
            g_string_append_printf(out,
                    "    %s)\n        mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$current\") ;;\n", verb->name,
                    words);
        else if (completion_of_verb_is_file(verb->name))
            g_string_append_printf(out,
                    "    %s)\n        compopt -o filenames 2>/dev/null\n        mapfile -t COMPREPLY < "
                    "<(compgen -f -- \"$current\") ;;\n",
                    verb->name);
    }
    g_string_append(out, "    esac\n");
}

char *completion_for_bash(void) {
    GString *out = g_string_new(head);
    g_autoptr(GString) names = g_string_new(NULL);
    append_options(out, names);
    append_settings(out, names);
    g_string_append_printf(out,
            "    esac\n"
            "    if [[ $current == -* ]]; then\n"
            "        mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$current\")\n"
            "        [[ ${COMPREPLY-} != *= ]] || compopt -o nospace 2>/dev/null\n"
            "        return\n"
            "    fi\n",
            names->str);
    append_verbs(out);
    g_string_append(out, "}\n\ncomplete -F _particleos particleos\n");
    return g_string_free(out, FALSE);
}
