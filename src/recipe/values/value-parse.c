/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/values/value-parse.h"

#include <string.h>

#include "base/errors.h"
#include "recipe/language/enum-words.h"
#include "recipe/language/enums.h"
#include "recipe/language/error.h"
#include "recipe/values/secrets.h"
#include "recipe/values/split.h"
#include "recipe/values/value-parse-internal.h"
#include "text/version.h"
#include "text/recipe-values.h"

Value *parse_failed(GError **error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (error)
        *error = g_error_new_valist(RECIPE_ERROR, RECIPE_ERROR_SYNTAX, format, arguments);
    va_end(arguments);
    return NULL;
}

static Value *parse_bool_value(const char *text, GError **error) {
    gboolean value;
    if (recipe_boolean_parse(text, &value))
        return value_new_bool(value);
    return parse_failed(error, "\"%s\" is not a boolean; use yes or no", text);
}

static Value *parse_feature_value(const char *text, GError **error) {
    gboolean value;
    if (word_index(feature_words, text) >= 0)
        return value_new_string(text);
    if (recipe_boolean_parse(text, &value))
        return value_new_string(value ? "enabled" : "disabled");
    return parse_failed(error, "\"%s\" is not one of auto, enabled, disabled, or a boolean", text);
}

static Value *not_a_word(
        const Setting *setting, const char *const *words, const char *text, gboolean cli, GError **error) {
    g_autofree char *list = g_strjoinv(", ", (char **) words);
    return parse_failed(
            error, "\"%s\" is not known; use one of %s%s", text, list, setting->yes && !cli ? ", or a boolean" : "");
}

static Value *parse_enum(const Setting *setting, const char *text, const ParseContext *context, GError **error) {
    gboolean yes;
    const char *word = text;
    if (setting->words == compression_words)
        word = strcmp(text, "zst") == 0 ? "zstd" : strcmp(text, "gzip") == 0 ? "gz" : text;
    if (word_index(setting->words, word) >= 0)
        return value_new_string(word);
    gboolean exact = context->cli && (setting->flags & SETTING_CLI_EXACT);
    if (setting->yes && !exact && recipe_boolean_parse(text, &yes))
        return value_new_string(yes ? setting->yes : setting->no);
    return not_a_word(setting, setting->words, text, exact, error);
}

gboolean parse_file_name(const char *text, GError **error) {
    if (*text && !strchr(text, '/') && strcmp(text, ".") != 0 && strcmp(text, "..") != 0)
        return TRUE;
    parse_failed(error, "\"%s\" must be a plain file name, without \"/\"", text);
    return FALSE;
}

static Value *parse_regex(const char *text) {
    if (strcmp(text, "default") == 0 || strcmp(text, "host") == 0)
        return value_new_string(text);
    return value_new_string_take(g_strconcat("re:", text, NULL));
}

static Value *parse_source(const char *text, GError **error) {
    const char *colon = strchr(text, ':');
    g_autofree char *type = colon ? g_strndup(text, colon - text) : g_strdup(text);
    KeySourceType known;
    if (!key_source_type_from_string(type, &known))
        return parse_failed(error, "\"%s\" is not known; use one of file, engine:NAME, provider:NAME", text);
    Value *source = value_new_map();
    value_set(source, "Type", value_new_string(type));
    value_set(source, "Source", value_new_string(colon ? colon + 1 : ""));
    return source;
}

static Value *parse_password(const char *text, GError **error) {
    g_autofree char *stripped = g_strstrip(g_strdup(text));
    gboolean hashed = g_str_has_prefix(stripped, "hashed:");
    /* It becomes a field of /etc/shadow. The message must not show it. */
    if (hashed && strpbrk(stripped + strlen("hashed:"), ":\r\n"))
        return parse_failed(error, "A hashed password must not contain colons or line ends");
    Value *password = value_new_list();
    value_append(password, value_new_string(hashed ? stripped + strlen("hashed:") : stripped));
    value_append(password, value_new_bool(hashed));
    return password;
}

static Value *parse_minimum_version(const char *text, GError **error) {
    if (g_str_has_prefix(text, "commit:"))
        return parse_failed(
                error, "\"%s\" asks for a commit of mkosi's source; only released versions can be compared", text);
    if (version_compare(text, RECIPE_LANGUAGE_VERSION) > 0)
        return parse_failed(error, "The recipe needs version %s of the language; this program knows %s", text,
                RECIPE_LANGUAGE_VERSION);
    return value_new_string(text);
}

Value *value_parse(const Setting *setting, const char *text, const ParseContext *context, GError **error) {
    if (context->cli && setting->cli_words && word_index(setting->cli_words, text) < 0)
        return not_a_word(setting, setting->cli_words, text, TRUE, error);

    switch (setting->type) {
    case TYPE_BOOL:
        return parse_bool_value(text, error);
    case TYPE_SIGN:
        return g_str_equal(text, SIGN_OFFLINE_WORD) ? value_new_string(text) : parse_bool_value(text, error);
    case TYPE_FEATURE:
        return parse_feature_value(text, error);
    case TYPE_ENUM:
    case TYPE_ARTIFACT:
        return parse_enum(setting, text, context, error);
    case TYPE_INT:
    case TYPE_UNSIGNED:
    case TYPE_SECTOR_SIZE:
    case TYPE_VSOCK_CID:
    case TYPE_OCTAL:
    case TYPE_BYTES:
        return parse_number(setting, text, error);
    case TYPE_UUID:
        return parse_uuid(text, error);
    case TYPE_NAME:
    case TYPE_FILE_NAME:
        return parse_file_name(text, error) && value_check_file_name(text, error) ? value_new_string(text) : NULL;
    case TYPE_REGEX:
        return parse_regex(text);
    case TYPE_KEY_SOURCE:
    case TYPE_CERTIFICATE_SOURCE:
        return parse_source(text, error);
    case TYPE_PASSWORD:
        return parse_password(text, error);
    case TYPE_MINIMUM_VERSION:
        return parse_minimum_version(text, error);
    case TYPE_PATH:
    case TYPE_INCLUDE:
    case TYPE_SCRIPT:
        return parse_path(setting, text, context, error);
    case TYPE_TREE:
        return parse_tree(setting, text, context, error);
    case TYPE_KEY:
    case TYPE_CERTIFICATE:
        return parse_key(setting, text, context, error);
    case TYPE_UKI_PROFILE:
        return parse_uki_profile(setting, text, context, error);
    case TYPE_DRIVE:
        return parse_drive(setting, text, context, error);
    default:
        return value_check_text(setting, text, error) ? value_new_string(text) : NULL;
    }
}

void slot_clear(Slot *slot) {
    value_unref(slot->value);
    *slot = (Slot){0};
}

Value *slot_value(Slot *slot, const Setting *setting) {
    if (slot->unsorted && slot->value) {
        slot->value = value_make_writable(slot->value);
        value_sort_packages(slot->value);
        slot->unsorted = FALSE;
    }
    return slot->value;
}

/* What an assignment of nothing leaves behind. */
static gboolean assign_nothing(Slot *slot, const Setting *setting, const ParseContext *context, GError **error) {
    gboolean exact = context->cli && (setting->flags & SETTING_CLI_EXACT);
    if (exact && !(setting->flags & SETTING_CLI_EMPTY))
        return !!not_a_word(setting, setting->cli_words ?: setting->words, "", TRUE, error);
    if (setting_id(setting) == SETTING_DELEGATE_RANGES)
        return !!parse_failed(error, "A number is needed");
    if (setting->type == TYPE_INCLUDE || setting->type == TYPE_MINIMUM_VERSION)
        return TRUE;

    slot->given = TRUE;
    slot->unsorted = FALSE;
    if (setting->shape == SHAPE_SCALAR) {
        g_clear_pointer(&slot->value, value_unref);
        slot->reset = TRUE;
        return TRUE;
    }
    value_unref(slot->value);
    slot->value = setting->shape == SHAPE_MAP ? value_new_map() : value_new_list();
    /* On the command line, an empty SplitArtifacts= leaves the list of the files alone. */
    slot->reset |= setting->type != TYPE_ARTIFACT || !context->cli;
    return TRUE;
}

/* A list to append to: the slot's own if it has one. */
static Value *open_collection(Slot *slot, const Setting *setting) {
    slot->given = TRUE;
    if (!slot->value)
        slot->value = setting->shape == SHAPE_MAP ? value_new_map() : value_new_list();
    slot->value = value_make_writable(slot->value);
    return slot->value;
}

static gboolean assign_map(Slot *slot, const Setting *setting, char **words, GError **error) {
    g_autoptr(Value) added = value_new_map();
    for (char **word = words; *word; word++) {
        char *equals = strchr(*word, '=');
        g_autofree char *key = g_strstrip(equals ? g_strndup(*word, equals - *word) : g_strdup(*word));
        const char *value = equals ? g_strstrip(equals + 1) : "";
        if (!equals && setting->type == TYPE_ENVIRONMENT)
            value = g_getenv(key) ?: "";
        if (setting->type == TYPE_ENVIRONMENT && !value_check_variable(key, error))
            return FALSE;
        value_set(added, key, value_new_string(value));
    }
    value_set_all(open_collection(slot, setting), added);
    return TRUE;
}

static gboolean assign_list(
        Slot *slot, const Setting *setting, char **words, const ParseContext *context, GError **error) {
    g_autoptr(Value) added = value_new_list();
    for (char **word = words; *word; word++) {
        if (setting->type == TYPE_SCRIPT) {
            parse_script_glob(*word, context, added);
            continue;
        }
        Value *element = value_parse(setting, *word, context, error);
        if (!element)
            return FALSE;
        value_append(added, element);
    }
    value_append_all(open_collection(slot, setting), added);
    slot->unsorted |= !!(setting->flags & SETTING_SORTED);
    return TRUE;
}

/* A boolean that replaces the whole list of artifacts. */
static gboolean assign_artifact_boolean(Slot *slot, const Setting *setting, const char *text) {
    gboolean yes;
    if (!recipe_boolean_parse(text, &yes))
        return FALSE;
    static const char *const words[] = {"uki", "kernel", "initrd", "partitions"};
    Value *list = open_collection(slot, setting);
    value_clear(list);
    for (int i = 0; i < (yes ? 4 : 3); i++)
        value_append(list, value_new_string(words[i]));
    return TRUE;
}

static gboolean assign_scalar(
        Slot *slot, const Setting *setting, const char *text, const ParseContext *context, GError **error) {
    g_autoptr(Value) value = value_parse(setting, text, context, error);
    if (!value)
        return FALSE;
    const char *old = value_get_string(slot->value);
    gboolean keep = setting->type == TYPE_MINIMUM_VERSION && old && version_compare(old, value_get_string(value)) >= 0;
    if (!keep) {
        value_unref(slot->value);
        slot->value = g_steal_pointer(&value);
    }
    slot->given = TRUE;
    return TRUE;
}

gboolean slot_append(
        Slot *slot, const Setting *setting, const char *text, const ParseContext *context, GError **error) {
    Value *element = setting->type == TYPE_SCRIPT ? parse_path(setting, text, context, error)
                                                  : value_parse(setting, text, context, error);
    if (!element)
        return FALSE;
    value_append(open_collection(slot, setting), element);
    return TRUE;
}

gboolean slot_assign(
        Slot *slot, const Setting *setting, const char *text, const ParseContext *context, GError **error) {
    if (!*text)
        return assign_nothing(slot, setting, context, error);
    secrets_note_setting(setting, text);
    if (setting->shape == SHAPE_SCALAR)
        return assign_scalar(slot, setting, text, context, error);
    if (setting->type == TYPE_ARTIFACT && assign_artifact_boolean(slot, setting, text))
        return TRUE;
    if (setting->type == TYPE_CREDENTIAL && !strchr(text, '='))
        return parse_credential_path(text, context, open_collection(slot, setting), error);
    if (context->cli && setting->cli_words) {
        char *const single[] = {(char *) text, NULL};
        return assign_list(slot, setting, (char **) single, context, error);
    }

    g_auto(GStrv) words = split_value(text, setting->split, error);
    if (!words)
        return FALSE;
    if (!*words) /* nothing but separators */
        return assign_nothing(slot, setting, context, error);
    if (setting->type == TYPE_CREDENTIAL)
        return parse_credentials(words, open_collection(slot, setting), error);
    if (setting->shape == SHAPE_MAP)
        return assign_map(slot, setting, words, error);
    return assign_list(slot, setting, words, context, error);
}

Value *setting_fixed_default(const Setting *setting) {
    if (setting->default_text) {
        Slot slot = {0};
        ParseContext context = {"/", FALSE};
        ignore_failure(slot_assign(&slot, setting, setting->default_text, &context, NULL));
        return slot.value;
    }
    if (setting->shape == SHAPE_SCALAR)
        return NULL;
    return setting->shape == SHAPE_MAP ? value_new_map() : value_new_list();
}
