/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/reading/conditions.h"

#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "events/events.h"
#include "recipe/language/enum-words.h"
#include "recipe/values/paths.h"
#include "recipe/values/value-text.h"
#include "text/version.h"
#include "text/recipe-values.h"

gboolean is_condition_section(const char *section) {
    static const char *const sections[] = {"Match", "TriggerMatch", "Assert", "TriggerAssert", NULL};
    return word_index(sections, section) >= 0;
}

static gboolean failed(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean failed(GError **error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (error)
        *error = g_error_new_valist(RECIPE_ERROR, RECIPE_ERROR_SYNTAX, format, arguments);
    va_end(arguments);
    return FALSE;
}

static gboolean match_word(
        const char *const *words, const char *wanted, const char *value, gboolean *ret, GError **error) {
    if (word_index(words, wanted) < 0) {
        g_autofree char *list = g_strjoinv(", ", (char **) words);
        return failed(error, "\"%s\" is not known; use one of %s", wanted, list);
    }
    *ret = strcmp(wanted, value) == 0;
    return TRUE;
}

static gboolean match_architecture(const char *wanted, const char *value, gboolean *ret, GError **error) {
    Architecture architecture;
    if (strcmp(wanted, "uefi") == 0) {
        *ret = architecture_from_string(value, &architecture) && architecture_to_efi(architecture);
        return TRUE;
    }
    return match_word(architecture_words, wanted, value, ret, error);
}

static gboolean match_feature(const char *wanted, const char *value, gboolean *ret, GError **error) {
    gboolean yes;
    if (word_index(feature_words, wanted) >= 0)
        *ret = strcmp(wanted, value) == 0;
    else if (recipe_boolean_parse(wanted, &yes))
        *ret = strcmp(yes ? "enabled" : "disabled", value) == 0;
    else
        return failed(error, "\"%s\" is not one of auto, enabled, disabled, or a boolean", wanted);
    return TRUE;
}

static gboolean match_version(const char *wanted, const char *value) {
    static const struct {
        const char *operator;
        int least, most; /* accepted signs of the comparison */
    } operators[] = {{"==", 0, 0}, {"<=", -1, 0}, {">=", 0, 1}, {"<", -1, -1}, {">", 1, 1}};

    gboolean unequal = g_str_has_prefix(wanted, "!=");
    if (unequal)
        return version_compare(value, wanted + 2) != 0;
    for (gsize i = 0; i < G_N_ELEMENTS(operators); i++)
        if (g_str_has_prefix(wanted, operators[i].operator)) {
            int order = version_compare(value, wanted + strlen(operators[i].operator));
            int sign = (order > 0) - (order < 0);
            return sign >= operators[i].least && sign <= operators[i].most;
        }
    return version_compare(value, wanted) == 0;
}

static gboolean match_map(const char *wanted, const Value *map) {
    const char *equals = strchr(wanted, '=');
    g_autofree char *key = equals ? g_strndup(wanted, equals - wanted) : g_strdup(wanted);
    if (!equals)
        return value_has_key(map, key);
    return value_has_key(map, key) && value_is_string(value_lookup(map, key), equals + 1);
}

static gboolean match_targets(const char *wanted, const Value *trees) {
    wanted += strspn(wanted, "/");
    for (guint i = 0; i < value_length(trees); i++)
        if (value_is_string(value_lookup(value_element(trees, i), "Target"), wanted))
            return TRUE;
    return FALSE;
}

static gboolean match_setting(
        ImageParser *parser, const Setting *setting, const char *wanted, gboolean *ret, GError **error) {
    g_autoptr(Value) value = image_parser_value(parser, setting_slot(setting));
    const char *text = value_get_string(value);
    *ret = FALSE;
    if (!value)
        return TRUE;
    switch (setting->match) {
    case MATCH_ENUM:
        return match_word(setting->words, wanted, text, ret, error);
    case MATCH_ARCHITECTURE:
        return match_architecture(wanted, text, ret, error);
    case MATCH_FEATURE:
        return match_feature(wanted, text, ret, error);
    case MATCH_STRING:
        *ret = strcmp(text, wanted) == 0;
        return TRUE;
    case MATCH_GLOB:
        *ret = fnmatch(wanted, text, FNM_NOESCAPE) == 0;
        return TRUE;
    case MATCH_VERSION:
        *ret = match_version(wanted, text);
        return TRUE;
    case MATCH_LIST:
        *ret = *wanted ? value_list_contains(value, wanted) : value_length(value) == 0;
        return TRUE;
    case MATCH_MAP:
        *ret = match_map(wanted, value);
        return TRUE;
    case MATCH_TARGETS:
        *ret = match_targets(wanted, value);
        return TRUE;
    case MATCH_NONE:
        break;
    }
    g_return_val_if_reached(FALSE);
}

/* "262" of "systemd 262 (262.1-2)"; asked once. A program of the host, which gets nothing of the caller's
 * and runs where no recipe lies. */
static const char *host_systemd_version(GError **error) {
    static const char *version;
    if (g_atomic_pointer_get(&version))
        return g_atomic_pointer_get(&version);
    char *arguments[] = {"systemctl", "--version", NULL}, *environment[] = {NULL};
    g_autofree char *output = NULL;
    if (!g_spawn_sync(
                "/", arguments, environment, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL, NULL, error)) {
        g_prefix_error(error, "Cannot ask for the version of systemd: ");
        return NULL;
    }
    g_auto(GStrv) words = g_strsplit_set(output, " \n", 3);
    /* Another thread may have asked as well, and got the same. */
    g_atomic_pointer_set(&version, g_intern_string(g_strv_length(words) >= 2 ? words[1] : "0"));
    return g_atomic_pointer_get(&version);
}

/* Keys that only exist in conditions. RET_KNOWN: NAME is one of them. */
static gboolean match_special(ImageParser *parser, const char *name, const char *wanted, gboolean *ret_known,
        gboolean *ret, GError **error) {
    *ret_known = TRUE;
    *ret = FALSE;
    if (strcmp(name, "Image") == 0)
        *ret = strcmp(wanted, parser->image) == 0;
    else if (strcmp(name, "HostArchitecture") == 0)
        return match_word(
                architecture_words, wanted, architecture_to_string(architecture_native()), ret, error);
    else if (strcmp(name, "PathExists") == 0) {
        g_autofree char *path = path_absolute(parser->directory, wanted);
        *ret = *wanted && access(path, F_OK) == 0;
    } else if (strcmp(name, "SystemdVersion") == 0) {
        const char *version = *wanted ? host_systemd_version(error) : "";
        if (!version)
            return FALSE;
        *ret = *wanted && match_version(wanted, version);
    } else
        *ret_known = FALSE;
    return TRUE;
}

/* Names what can be used instead. */
static gboolean not_a_condition(const IniEntry *entry, GError **error) {
    g_autoptr(GString) names = g_string_new("PathExists, SystemdVersion, HostArchitecture, Image");
    for (int id = 0; id < _SETTING_MAX; id++)
        if (settings[id].match != MATCH_NONE)
            g_string_append_printf(names, ", %s", settings[id].name);
    return failed(error, "It cannot be used in [%s]; use one of %s", entry->section, names->str);
}

/* One condition, negation applied. WANTED is the value behind '|' and '!'. */
static gboolean judge(ImageParser *parser, const IniEntry *entry, const char *wanted, const char *path,
        gboolean *ret, GError **error) {
    gboolean known;
    if (!match_special(parser, entry->name, wanted, &known, ret, error))
        return FALSE;
    if (known)
        return TRUE;

    const Setting *setting = setting_by_name(entry->name);
    if (!setting || setting->match == MATCH_NONE)
        return not_a_condition(entry, error);
    if (setting->scope == SCOPE_MAIN && strcmp(parser->image, "main") != 0)
        return failed(error, "It can only be used in conditions of the main image");
    if (strcmp(setting->name, entry->name) != 0) {
        g_autofree char *shown = path_for_people(path);
        events_warning("%s:%u: %s= is an old name, use %s=", shown, entry->line, entry->name, setting->name);
    }
    return match_setting(parser, setting, wanted, ret, error);
}

/* What the condition was compared with, to say why it does not hold; NULL when that is obvious. */
static char *compared_with(ImageParser *parser, const char *name) {
    if (strcmp(name, "Image") == 0)
        return g_strdup_printf("this is the image %s", parser->image);
    if (strcmp(name, "HostArchitecture") == 0)
        return g_strdup_printf("it is %s", architecture_to_string(architecture_native()));
    if (strcmp(name, "SystemdVersion") == 0)
        return g_strdup_printf("it is %s", host_systemd_version(NULL));
    const Setting *setting = setting_by_name(name);
    if (!setting)
        return NULL;
    g_autoptr(Value) value = image_parser_value(parser, setting_slot(setting));
    g_autofree char *text = setting_value_text(setting, value);
    return g_strdup_printf("%s is %s", setting->name, text);
}

typedef enum { UNDECIDED, NO, YES } Verdict;

/* The state of judging one kind of conditions (match or assert) of a file. */
typedef struct {
    ImageParser *parser;
    const char *path;
    Verdict triggered;             /* of the conditions with '|' in this section */
    Verdict any;                   /* of the Trigger sections */
    gboolean skip;                 /* the rest of this section */
    const IniEntry *unmet_trigger; /* a condition that made a Trigger section fail */
    char *unmet;                   /* why the file's conditions cannot hold any more */
} Judgement;

static char *describe(const Judgement *judgement, const IniEntry *entry) {
    g_autofree char *shown = path_for_people(judgement->path);
    if (!entry->name)
        return g_strdup_printf("%s:%u: none of the conditions with \"|\" in [%s] holds", shown, entry->line,
                entry->section);
    g_autofree char *compared = compared_with(judgement->parser, entry->name);
    return g_strdup_printf("%s:%u: [%s] %s=%s does not hold%s%s", shown, entry->line, entry->section,
            entry->name, entry->value, compared ? ": " : "", compared ?: "");
}

/* What the end of a section decides. */
static void end_section(Judgement *judgement, const IniEntry *entry) {
    gboolean trigger = g_str_has_prefix(entry->section, "Trigger");
    gboolean holds = judgement->triggered != NO;
    if (trigger && judgement->any != YES)
        judgement->any = holds ? YES : NO;
    if (trigger && !holds && !judgement->unmet_trigger)
        judgement->unmet_trigger = entry;
    judgement->triggered = UNDECIDED;
    judgement->skip = FALSE;
    if (!holds && !trigger)
        judgement->unmet = describe(judgement, entry);
}

static gboolean judge_entry(Judgement *judgement, const IniEntry *entry, GError **error) {
    const char *text = entry->value;
    gboolean trigger = text[0] == '|', negate = text[trigger] == '!', holds;
    text += trigger + negate;
    g_autofree char *wanted = expand_specifiers(judgement->parser, text, judgement->path, entry->line);
    if (!judge(judgement->parser, entry, wanted, judgement->path, &holds, error)) {
        g_autofree char *shown = path_for_people(judgement->path);
        g_prefix_error(error, "%s:%u: %s=: ", shown, entry->line, entry->name);
        return FALSE;
    }
    holds ^= negate;
    if (trigger) {
        if (judgement->triggered != YES)
            judgement->triggered = holds ? YES : NO;
    } else if (!holds && g_str_has_prefix(entry->section, "Trigger")) {
        judgement->triggered = NO;
        judgement->skip = TRUE;
        judgement->unmet_trigger = entry;
    } else if (!holds)
        judgement->unmet = describe(judgement, entry);
    return TRUE;
}

/* When no Trigger section holds: the condition that failed, if there was just one place to look at. */
static char *describe_triggers(const Judgement *judgement, gboolean asserts) {
    g_autofree char *shown = path_for_people(judgement->path);
    g_autofree char *last = describe(judgement, judgement->unmet_trigger);
    return g_strdup_printf("%s: none of the [%s] sections holds; the last of them: %s", shown,
            asserts ? "TriggerAssert" : "TriggerMatch", last);
}

/* RET_UNMET: NULL when the conditions of this kind hold. */
static gboolean check_kind(ImageParser *parser, const IniFile *file, const char *path, gboolean asserts,
        char **ret_unmet, GError **error) {
    Judgement judgement = {.parser = parser, .path = path};
    *ret_unmet = NULL;
    for (guint i = 0; i < file->entries->len && !judgement.unmet; i++) {
        const IniEntry *entry = &g_array_index(file->entries, IniEntry, i);
        if (g_str_has_suffix(entry->section, "Assert") != asserts)
            continue;
        if (!entry->name)
            end_section(&judgement, entry);
        else if (!judgement.skip && !judge_entry(&judgement, entry, error))
            return FALSE;
    }
    if (!judgement.unmet && judgement.any == NO)
        judgement.unmet = describe_triggers(&judgement, asserts);
    *ret_unmet = judgement.unmet;
    return TRUE;
}

gboolean conditions_check(
        ImageParser *parser, const IniFile *file, const char *path, char **ret_unmet, GError **error) {
    g_autofree char *unmet = NULL;
    if (!check_kind(parser, file, path, FALSE, ret_unmet, error))
        return FALSE;
    if (*ret_unmet)
        return TRUE;
    if (!check_kind(parser, file, path, TRUE, &unmet, error))
        return FALSE;
    return !unmet || failed(error, "%s", unmet);
}
