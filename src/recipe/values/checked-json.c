/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values of a history file, and of what configure scripts print. They may have been written by anybody, so
 * that nothing of it is believed before it has the shape that the setting asks for. */
#include "recipe/values/checked-json.h"

#include "recipe/language/enum-words.h"
#include "recipe/language/enums.h"
#include "recipe/values/value-parse-internal.h"
#include "recipe/values/value-parse.h"

static gboolean is_kind(const Value *value, ValueKind kind) {
    return value && value_kind(value) == kind;
}

/* The member NAME of an object; mkosi 27 writes these names in lower case, everybody else as in the JSON of
 * the summary. */
static Value *member(const Value *object, const char *name) {
    g_autofree char *lower = g_ascii_strdown(name, -1);
    return value_has_key(object, name) ? value_lookup(object, name) : value_lookup(object, lower);
}

/* An object of NAMES whose members are strings or, but for the first, null; NULL if it is something else. */
static Value *read_object(const Value *json, const char *const *names) {
    if (!is_kind(json, VALUE_MAP))
        return NULL;
    g_autoptr(Value) object = value_new_map();
    for (guint i = 0; names[i]; i++) {
        Value *text = member(json, names[i]);
        if (!is_kind(text, VALUE_STRING) && (text || i == 0))
            return NULL;
        value_set(object, names[i], value_ref(text));
    }
    return g_steal_pointer(&object);
}

static Value *read_tree(const Value *json) {
    static const char *const names[] = {"Source", "Target", NULL};
    return read_object(json, names);
}

static Value *read_source(const Setting *setting, const Value *json, GError **error) {
    static const char *const names[] = {"Type", "Source", NULL};
    g_autoptr(Value) object = read_object(json, names);
    if (!object)
        return NULL;
    g_autofree char *text = g_strjoin(":", value_get_string(value_lookup(object, "Type")),
            value_get_string(value_lookup(object, "Source")) ?: "", NULL);
    ParseContext context = {"/", FALSE};
    return value_parse(setting, text, &context, error);
}

static Value *read_password(const Value *json) {
    gboolean good = is_kind(json, VALUE_LIST) && value_length(json) == 2 &&
                    is_kind(value_element(json, 0), VALUE_STRING) && is_kind(value_element(json, 1), VALUE_BOOL);
    return good ? value_ref((Value *) json) : NULL;
}

static gboolean all_strings(const Value *collection) {
    for (guint i = 0; i < value_length(collection); i++)
        if (!is_kind(value_element(collection, i), VALUE_STRING))
            return FALSE;
    return TRUE;
}

static Value *read_uki_profile(const Value *json) {
    if (!is_kind(json, VALUE_MAP))
        return NULL;
    Value *profile = value_lookup(json, "Profile"), *cmdline = value_lookup(json, "Cmdline");
    gboolean good = is_kind(profile, VALUE_MAP) && is_kind(cmdline, VALUE_LIST) &&
                    is_kind(value_lookup(json, "SignExpectedPcr"), VALUE_BOOL) && all_strings(profile) &&
                    all_strings(cmdline);
    return good ? value_ref((Value *) json) : NULL;
}

/* The member NAME of OBJECT is a string or null. */
static gboolean has_text(const Value *object, const char *name, gboolean null_allowed) {
    Value *text = value_lookup(object, name);
    return text ? is_kind(text, VALUE_STRING) : null_allowed;
}

static Value *read_drive(const Value *json) {
    if (!is_kind(json, VALUE_MAP))
        return NULL;
    Value *size = value_lookup(json, "Size"), *flags = value_lookup(json, "Flags");
    gboolean good = has_text(json, "Id", FALSE) && is_kind(size, VALUE_INT) && value_get_int(size) > 0 &&
                    has_text(json, "Directory", TRUE) && has_text(json, "Options", TRUE) &&
                    has_text(json, "FileId", TRUE) && is_kind(flags, VALUE_LIST) && all_strings(flags);
    return good ? value_ref((Value *) json) : NULL;
}

static Value *read_credential(const Value *json) {
    gboolean good = is_kind(json, VALUE_MAP) && has_text(json, "Name", FALSE) && has_text(json, "Value", TRUE) &&
                    has_text(json, "Path", TRUE);
    return good ? value_ref((Value *) json) : NULL;
}

/* Numbers are not negative, but for the words of VSockCID=. */
static Value *read_number(const Setting *setting, const Value *json) {
    gint64 least = setting->type == TYPE_VSOCK_CID ? -2 : 0;
    return is_kind(json, VALUE_INT) && value_get_int(json) >= least ? value_ref((Value *) json) : NULL;
}

/* Words and numbers are parsed as if they stood in a file. */
static Value *read_text(const Setting *setting, const Value *json, GError **error) {
    if (!is_kind(json, VALUE_STRING))
        return NULL;
    switch (setting->type) {
    case TYPE_FEATURE:
    case TYPE_ENUM:
    case TYPE_ARTIFACT:
    case TYPE_UUID:
    case TYPE_NAME:
    case TYPE_FILE_NAME:
    case TYPE_MINIMUM_VERSION: {
        ParseContext context = {"/", FALSE};
        return value_parse(setting, value_get_string(json), &context, error);
    }
    default:
        return value_ref((Value *) json);
    }
}

/* A scalar or an element of a list; NULL, with or without ERROR set, when it is of the wrong shape. */
static Value *read_one(const Setting *setting, const Value *json, GError **error) {
    switch (setting->type) {
    case TYPE_BOOL:
        return is_kind(json, VALUE_BOOL) ? value_ref((Value *) json) : NULL;
    case TYPE_SIGN:
        return is_kind(json, VALUE_BOOL) || g_strcmp0(value_get_string(json), SIGN_OFFLINE_WORD) == 0
                       ? value_ref((Value *) json)
                       : NULL;
    case TYPE_INT:
    case TYPE_UNSIGNED:
    case TYPE_SECTOR_SIZE:
    case TYPE_VSOCK_CID:
    case TYPE_OCTAL:
    case TYPE_BYTES:
        return read_number(setting, json);
    case TYPE_TREE:
        return read_tree(json);
    case TYPE_KEY_SOURCE:
    case TYPE_CERTIFICATE_SOURCE:
        return read_source(setting, json, error);
    case TYPE_PASSWORD:
        return read_password(json);
    case TYPE_UKI_PROFILE:
        return read_uki_profile(json);
    case TYPE_DRIVE:
        return read_drive(json);
    case TYPE_CREDENTIAL:
        return read_credential(json);
    default:
        return read_text(setting, json, error);
    }
}

static Value *read_list(const Setting *setting, const Value *json, GError **error) {
    if (!is_kind(json, VALUE_LIST))
        return NULL;
    g_autoptr(Value) list = value_new_list();
    for (guint i = 0; i < value_length(json); i++) {
        Value *element = read_one(setting, value_element(json, i), error);
        if (!element)
            return NULL;
        value_append(list, element);
    }
    return g_steal_pointer(&list);
}

gboolean value_checked_from_json(const Setting *setting, const Value *json, Value **ret, GError **error) {
    *ret = NULL;
    if (!json)
        return TRUE;
    g_autoptr(GError) problem = NULL;
    if (setting->shape == SHAPE_SCALAR)
        *ret = read_one(setting, json, &problem);
    else if (setting->shape == SHAPE_LIST)
        *ret = read_list(setting, json, &problem);
    else if (is_kind(json, VALUE_MAP) && all_strings(json))
        *ret = value_ref((Value *) json);
    if (*ret && value_check(setting, *ret, &problem))
        return TRUE;
    g_clear_pointer(ret, value_unref);
    parse_failed(
            error, "%s: %s", setting->name, problem ? problem->message : "The value is not of the type of the setting");
    return FALSE;
}
