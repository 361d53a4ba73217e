/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/conditions.h"

#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "recipe/enum-words.h"
#include "recipe/paths.h"
#include "recipe/versions.h"
#include "ui/log.h"

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
    else if (parse_boolean(wanted, &yes))
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

/* "262" of "systemd 262 (262.1-2)"; asked once. */
static const char *host_systemd_version(GError **error) {
    static char *version;
    if (version)
        return version;
    char *arguments[] = {"systemctl", "--version", NULL};
    g_autofree char *output = NULL;
    if (!g_spawn_sync(NULL, arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL, NULL, error)) {
        g_prefix_error(error, "Cannot ask for the version of systemd: ");
        return NULL;
    }
    g_auto(GStrv) words = g_strsplit_set(output, " \n", 3);
    version = g_strdup(g_strv_length(words) >= 2 ? words[1] : "0");
    return version;
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
        return failed(error, "It cannot be used in [%s]", entry->section);
    if (setting->scope == SCOPE_MAIN && strcmp(parser->image, "main") != 0)
        return failed(error, "It can only be used in conditions of the main image");
    if (strcmp(setting->name, entry->name) != 0) {
        g_autofree char *shown = path_for_people(path);
        ui_warning("%s:%u: %s= is an old name, use %s=", shown, entry->line, entry->name, setting->name);
    }
    return match_setting(parser, setting, wanted, ret, error);
}

typedef enum { UNDECIDED, NO, YES } Verdict;

typedef struct {
    gboolean asserts;  /* the assert kinds, not the match kinds */
    Verdict triggered; /* of the conditions with '|' in this section */
    Verdict any;       /* of the Trigger sections */
    gboolean skip;     /* the rest of this section */
} Judgement;

/* What the end of a section decides: FALSE when the file's conditions cannot hold any more. */
static gboolean end_section(Judgement *judgement, const IniEntry *entry) {
    gboolean trigger = g_str_has_prefix(entry->section, "Trigger");
    gboolean holds = judgement->triggered != NO;
    if (trigger && judgement->any != YES)
        judgement->any = holds ? YES : NO;
    judgement->triggered = UNDECIDED;
    judgement->skip = FALSE;
    return holds || trigger;
}

static gboolean judge_entry(ImageParser *parser, Judgement *judgement, const IniEntry *entry,
        const char *path, gboolean *ret_hold, GError **error) {
    const char *text = entry->value;
    gboolean trigger = text[0] == '|', negate = text[trigger] == '!', holds;
    text += trigger + negate;
    g_autofree char *wanted = expand_specifiers(parser, text, path, entry->line);
    if (!judge(parser, entry, wanted, path, &holds, error)) {
        g_autofree char *shown = path_for_people(path);
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
    } else if (!holds)
        *ret_hold = FALSE;
    return TRUE;
}

static gboolean assertion_failed(const char *path, const IniEntry *entry, GError **error) {
    g_autofree char *shown = path_for_people(path);
    if (entry->name)
        return failed(error, "%s:%u: %s=: The assertion \"%s\" does not hold", shown, entry->line,
                entry->name, entry->value);
    return failed(error, "%s:%u: None of the conditions with \"|\" in [%s] holds", shown, entry->line,
            entry->section);
}

static gboolean check_kind(ImageParser *parser, const IniFile *file, const char *path, gboolean asserts,
        gboolean *ret_hold, GError **error) {
    Judgement judgement = {.asserts = asserts};
    *ret_hold = TRUE;
    for (guint i = 0; i < file->entries->len && *ret_hold; i++) {
        const IniEntry *entry = &g_array_index(file->entries, IniEntry, i);
        if (g_str_has_suffix(entry->section, "Assert") != asserts)
            continue;
        if (!entry->name)
            *ret_hold = end_section(&judgement, entry);
        else if (!judgement.skip && !judge_entry(parser, &judgement, entry, path, ret_hold, error))
            return FALSE;
        if (!*ret_hold && asserts)
            return assertion_failed(path, entry, error);
    }
    if (judgement.any == NO && asserts) {
        g_autofree char *shown = path_for_people(path);
        return failed(error, "%s: None of the [TriggerAssert] sections holds", shown);
    }
    *ret_hold = *ret_hold && judgement.any != NO;
    return TRUE;
}

gboolean conditions_check(
        ImageParser *parser, const IniFile *file, const char *path, gboolean *ret_hold, GError **error) {
    if (!check_kind(parser, file, path, FALSE, ret_hold, error))
        return FALSE;
    gboolean asserted;
    return !*ret_hold || check_kind(parser, file, path, TRUE, &asserted, error);
}
