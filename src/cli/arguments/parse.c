/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/arguments/parse.h"

#include <string.h>

#include "cli/arguments/options.h"
#include "cli/arguments/verb-names.h"
#include "events/events.h"
#include "recipe/language/error.h"
#include "recipe/language/settings.h"
#include "recipe/language/suggest.h"
#include "recipe/values/paths.h"

/* Short options of settings whose long form takes a value. */
static const struct {
    char letter;
    const char *value;
} fixed_values[] = {{'a', "yes"}, {'i', "yes"}, {'T', "no"}};

typedef struct {
    char *const *next; /* the words that are left */
    char *directory;   /* what paths are relative to: -C changes it for what follows */
    Arguments *arguments;
    GPtrArray *verb_words;
} Parser;

static gboolean usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean usage(GError **error, const char *format, ...) {
    va_list list;
    va_start(list, format);
    if (error)
        *error = g_error_new_valist(RECIPE_ERROR, RECIPE_ERROR_USAGE, format, list);
    va_end(list);
    return FALSE;
}

/* ---- what was meant ---- */

static char *suggest_option(const char *name) {
    Suggestion suggestion = {.wanted = name};
    for (const Option *option = options; option->name; option++)
        suggestion_offer(&suggestion, option->name);
    for (int id = 0; id < _SETTING_MAX; id++)
        suggestion_offer(&suggestion, settings[id].option);
    return suggestion_text(&suggestion, "--", "");
}

static gboolean unknown_verb(const char *word, GError **error) {
    Suggestion suggestion = {.wanted = word};
    for (const VerbName *verb = verb_names; verb->name; verb++)
        suggestion_offer(&suggestion, verb->name);
    g_autofree char *text = suggestion_text(&suggestion, "", "");
    return usage(error, "There is no verb \"%s\"%s%s", word, text, *text ? "" : "; see --help");
}

/* ---- options ---- */

static gboolean looks_like_option(const char *word) {
    if (word[0] != '-' || !word[1] || strchr(word, ' '))
        return FALSE;
    return strspn(word + 1, "0123456789.") != strlen(word + 1); /* a negative number is a value */
}

static void assign(Parser *parser, const Setting *setting, const char *option, const char *text) {
    RecipeAssignment *assignment = recipe_assignment_new(setting->name, text, option, parser->directory);
    g_ptr_array_add(parser->arguments->assignments, assignment);
}

static gboolean change_directory(Parser *parser, const char *path, GError **error) {
    if (!*path) {
        g_clear_pointer(&parser->arguments->directory, g_free);
        return TRUE;
    }
    g_autofree char *target = path_resolve(parser->directory, path);
    if (!g_file_test(target, G_FILE_TEST_IS_DIR))
        return usage(error, "--directory: \"%s\" is not a directory", path);
    g_free(parser->directory);
    parser->directory = g_steal_pointer(&target);
    g_free(parser->arguments->directory);
    parser->arguments->directory = g_strdup(parser->directory);
    return TRUE;
}

static gboolean is_path(const Option *option, const char *value) {
    return (option->flags & OPTION_PATH) &&
           (!(option->flags & OPTION_URI) || strcspn(value, "/") <= strcspn(value, ":"));
}

static gboolean apply_option(Parser *parser, const Option *option, const char *value, GError **error) {
    if (strcmp(option->name, "directory") == 0)
        return change_directory(parser, value, error);
    gpointer field = G_STRUCT_MEMBER_P(parser->arguments, option->offset);
    if (option->value) {
        g_free(*(char **) field);
        *(char **) field = is_path(option, value) ? path_absolute(parser->directory, value) : g_strdup(value);
    } else if (option->flags & OPTION_COUNTER)
        (*(int *) field)++;
    else
        *(gboolean *) field = TRUE;
    return TRUE;
}

/* The value of OPTION: what stands behind '=', or the next word. */
static const char *take_value(Parser *parser, const char *option, const char *attached, GError **error) {
    if (attached)
        return attached;
    if (!*parser->next || looks_like_option(*parser->next)) {
        usage(error, "%s: The option needs a value", option);
        return NULL;
    }
    return *parser->next++;
}

/* Options that mkosi had once. */
static gboolean ignore_old(
        Parser *parser, const char *name, const char *attached, gboolean *ret_known, GError **error) {
    static const char *const with_value[] = {"default", "cache", "runtime-scratch", NULL};
    gboolean flag = strcmp(name, "nspawn-keep-unit") == 0;
    *ret_known = flag || g_strv_contains(with_value, name);
    if (!*ret_known)
        return TRUE;
    events_warning("--%s is no longer supported, ignoring it", name);
    g_autofree char *option = g_strconcat("--", name, NULL);
    return flag || take_value(parser, option, attached, error);
}

static gboolean parse_unknown(Parser *parser, const char *name, const char *attached, GError **error) {
    gboolean known;
    if (!ignore_old(parser, name, attached, &known, error))
        return FALSE;
    if (known)
        return TRUE;
    g_autofree char *suggestion = suggest_option(name);
    return usage(error, "--%s: There is no such option%s%s", name, suggestion, *suggestion ? "" : "; see --help");
}

static gboolean parse_long(Parser *parser, const char *word, GError **error) {
    const char *equals = strchr(word, '=');
    const char *attached = equals ? equals + 1 : NULL;
    gsize length = equals ? (gsize) (equals - word) - 2 : strlen(word) - 2;
    g_autofree char *name = g_strndup(word + 2, length);
    g_autofree char *shown = g_strconcat("--", name, NULL);

    const Option *option = option_by_name(name, length);
    if (option && !option->value && attached)
        return usage(error, "%s: The option takes no value", shown);
    if (option) {
        const char *value = option->value ? take_value(parser, shown, attached, error) : "";
        return value && apply_option(parser, option, value, error);
    }

    const Setting *setting = setting_by_option(name);
    if (!setting)
        return parse_unknown(parser, name, attached, error);
    gboolean alone = setting_id(setting) == SETTING_CHECKSUM && !attached &&
                     (!*parser->next || looks_like_option(*parser->next));
    const char *value = alone ? "yes" : take_value(parser, shown, attached, error);
    if (value)
        assign(parser, setting, shown, value);
    return value != NULL;
}

static const char *fixed_value(char letter) {
    for (gsize i = 0; i < G_N_ELEMENTS(fixed_values); i++)
        if (fixed_values[i].letter == letter)
            return fixed_values[i].value;
    return NULL;
}

/* One letter of a word of short options. RET_VALUE: the rest of the word was its value. */
static gboolean parse_letter(Parser *parser, const char *p, gboolean *ret_value, GError **error) {
    char shown[] = {'-', *p, 0};
    const Option *option = option_by_letter(*p);
    const Setting *setting = setting_by_letter(*p);
    const char *fixed = fixed_value(*p);
    *ret_value = FALSE;
    if (!option && !setting)
        return usage(error, "%s: There is no such option; see --help", shown);
    if (option && !option->value)
        return apply_option(parser, option, "", error);
    if (fixed) {
        assign(parser, setting, shown, fixed);
        return TRUE;
    }
    const char *attached = p[1] ? p + 1 + (p[1] == '=') : NULL;
    const char *value = take_value(parser, shown, attached, error);
    *ret_value = TRUE;
    if (!value || option)
        return value && apply_option(parser, option, value, error);
    assign(parser, setting, shown, value);
    return TRUE;
}

/* A word of short options, like -fi or -tcpio. */
static gboolean parse_short(Parser *parser, const char *word, GError **error) {
    gboolean had_value = FALSE;
    for (const char *p = word + 1; *p && !had_value; p++)
        if (!parse_letter(parser, p, &had_value, error))
            return FALSE;
    return TRUE;
}

/* ---- all of them ---- */

static gboolean parse_word(Parser *parser, GError **error) {
    const char *word = *parser->next++;
    if (g_str_has_prefix(word, "--"))
        return parse_long(parser, word, error);
    if (looks_like_option(word))
        return parse_short(parser, word, error);
    if (parser->arguments->verb) {
        g_ptr_array_add(parser->verb_words, g_strdup(word));
        return TRUE;
    }
    const VerbName *verb = verb_by_name(word);
    if (!verb)
        return unknown_verb(word, error);
    parser->arguments->verb = g_strdup(verb->name);
    return TRUE;
}

static gboolean check_usage(const Arguments *arguments, GError **error) {
    const VerbName *verb = verb_by_name(arguments->verb);
    if (arguments->words[0] && !(verb->flags & VERB_TAKES_ARGUMENTS))
        return usage(error, "The verb %s takes no arguments, but got \"%s\"", verb->name, arguments->words[0]);
    if (arguments->rerun_build_scripts && !(verb->flags & VERB_NEEDS_BUILD))
        return usage(error, "--rerun-build-scripts: It has no meaning for the verb %s", verb->name);
    if (arguments->rerun_build_scripts && arguments->force > 0)
        return usage(error, "--rerun-build-scripts: It excludes --force");
    return TRUE;
}

Arguments *arguments_parse(char *const *argv, const char *directory, GError **error) {
    g_autoptr(Arguments) arguments = g_new0(Arguments, 1);
    Parser parser = {argv, path_resolve(directory, "."), arguments, g_ptr_array_new()};
    arguments->directory = g_strdup(parser.directory);
    arguments->assignments = g_ptr_array_new_with_free_func((GDestroyNotify) recipe_assignment_free);
    gboolean good = TRUE;
    while (good && *parser.next && strcmp(*parser.next, "--") != 0)
        good = parse_word(&parser, error);
    if (good && *parser.next)
        for (char *const *word = parser.next + 1; *word; word++)
            g_ptr_array_add(parser.verb_words, g_strdup(*word));

    g_ptr_array_add(parser.verb_words, NULL);
    arguments->words = (char **) g_ptr_array_free(parser.verb_words, FALSE);
    if (!arguments->verb)
        arguments->verb = g_strdup("build");
    g_free(parser.directory);
    good = good && (arguments->help || arguments->version || check_usage(arguments, error));
    return good ? g_steal_pointer(&arguments) : NULL;
}

void arguments_free(Arguments *arguments) {
    if (!arguments)
        return;
    for (const Option *option = options; option->name; option++)
        if (option->value && option->offset > 0)
            g_free(*(char **) G_STRUCT_MEMBER_P(arguments, option->offset));
    g_clear_pointer(&arguments->assignments, g_ptr_array_unref);
    g_strfreev(arguments->words);
    g_free(arguments->directory);
    g_free(arguments->verb);
    g_free(arguments);
}

/* ---- what is read for them ---- */

static gboolean starts_a_build(const Arguments *arguments, const VerbName *verb) {
    return (verb->flags & VERB_NEEDS_BUILD) && !arguments->rerun_build_scripts &&
           (strcmp(verb->name, "build") == 0 || arguments->force > 0);
}

/* Verbs that look at a build want to know what it was told; one that makes everything anew does not. */
static gboolean uses_history(const Arguments *arguments, const VerbName *verb) {
    if (starts_a_build(arguments, verb) || (verb->flags & VERB_NO_HISTORY))
        return FALSE;
    gboolean fresh = arguments->force > 0 &&
                     (strcmp(verb->name, "summary") == 0 || (verb->flags & (VERB_NEEDS_TOOLS | VERB_NEEDS_BUILD)));
    return !fresh && (strcmp(verb->name, "build") != 0 || arguments->rerun_build_scripts);
}

RecipeWants arguments_get_wants(const Arguments *arguments) {
    const VerbName *verb = verb_by_name(arguments->verb);
    gboolean replaced = (verb->flags & VERB_RECIPE_OR_ARGUMENT) && arguments->words[0];
    gboolean bumps = strcmp(verb->name, "bump") == 0;
    gboolean builds = verb->flags & VERB_NEEDS_BUILD;

    if (!(verb->flags & VERB_READS_RECIPE) || replaced || arguments->help || arguments->version)
        return 0;
    return RECIPE_WANTS_IMAGES | (builds || bumps ? RECIPE_WANTS_CONTENT : 0) |
           (bumps || (builds && arguments->auto_bump) ? RECIPE_WANTS_NEXT_VERSION : 0) |
           (uses_history(arguments, verb) ? RECIPE_WANTS_HISTORY : 0) |
           (starts_a_build(arguments, verb) ? RECIPE_WANTS_NEW_HISTORY : 0);
}
