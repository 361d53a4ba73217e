/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the settings of a transfer file mean. */

#include "update/transfer/transfer.h"

#include <string.h>

#include "text/repart-values.h"
#include "update/transfer/error.h"
#include "update/transfer/transfer-private.h"

#define LONGEST_PATH 4095
#define INSTANCES_LEAST 2

gboolean transfer_place_fail(const TransferPlace *place, GError **error, const char *format, ...) {
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return update_fail(error, UPDATE_ERROR_CONFIGURATION, "%s:%u: %s%s%s", place->path, place->line,
            place->setting ? place->setting : "", place->setting ? "=: " : "", message);
}

static const char *specifier_value(char letter, const TransferSpecifiers *specifiers) {
    const struct {
        char letter;
        const char *value;
    } known[] = {{'a', specifiers->architecture}, {'A', specifiers->image_version}, {'b', specifiers->boot_id},
            {'B', specifiers->build_id}, {'H', specifiers->host_name}, {'l', specifiers->host_name},
            {'m', specifiers->machine_id}, {'M', specifiers->image_id}, {'o', specifiers->os_id},
            {'v', specifiers->kernel}, {'w', specifiers->version_id}, {'W', specifiers->variant_id}, {'%', "%"},
            {'T', "/tmp"}, {'V', "/var/tmp"}};

    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (known[i].letter == letter)
            return known[i].value ? known[i].value : "";
    return NULL;
}

/* VALUE with its specifiers replaced. */
static char *expand(const TransferPlace *place, const char *value, GError **error) {
    g_autoptr(GString) out = g_string_new(NULL);

    for (const char *at = value; *at; at++) {
        const char *text = *at == '%' ? specifier_value(at[1], place->specifiers) : NULL;
        if (*at == '%' && !text) {
            transfer_place_fail(place, error, "there is no specifier \"%%%.1s\"", at + 1);
            return NULL;
        }
        if (text) {
            g_string_append(out, text);
            at++;
        } else
            g_string_append_c(out, *at);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static gboolean set_version(const TransferPlace *place, const char *value, void *field, GError **error) {
    g_autofree char *text = expand(place, value, error);

    if (!text)
        return FALSE;
    if (*text && !pattern_is_version(text))
        return transfer_place_fail(place, error, "\"%s\" is no version", text);
    g_free(*(char **) field);
    *(char **) field = *text ? g_steal_pointer(&text) : NULL;
    return TRUE;
}

/* Versions add up; an empty value takes away those before. A specifier that stands for nothing (no IMAGE_VERSION=) adds
 * none. */
static gboolean set_versions(const TransferPlace *place, const char *value, void *field, GError **error) {
    GPtrArray *versions = *(GPtrArray **) field;
    char *version = NULL;

    if (*value == '\0')
        g_ptr_array_set_size(versions, 0);
    if (!set_version(place, value, &version, error))
        return FALSE;
    if (version)
        g_ptr_array_add(versions, version);
    return TRUE;
}

static gboolean set_boolean(const TransferPlace *place, const char *value, void *field, GError **error) {
    gboolean flag;

    if (!repart_boolean_parse(value, &flag))
        return transfer_place_fail(place, error, "\"%s\" is neither yes nor no", value);
    *(gint *) field = flag;
    return TRUE;
}

static gboolean set_word(
        const TransferPlace *place, const char *value, void *field, const char *const *words, GError **error) {
    g_autofree char *known = g_strjoinv(" ", (char **) words);

    for (int i = 0; words[i]; i++)
        if (g_str_equal(value, words[i])) {
            *(int *) field = i;
            return TRUE;
        }
    return transfer_place_fail(place, error, "\"%s\" is not done here (known: %s)", value, known);
}

static gboolean set_source(const TransferPlace *place, const char *value, void *field, GError **error) {
    static const char *const words[] = {"url-file", "regular-file", NULL};

    ((TransferSeen *) place->seen)->source = TRUE;
    return set_word(place, value, field, words, error);
}

static gboolean set_target(const TransferPlace *place, const char *value, void *field, GError **error) {
    static const char *const words[] = {"partition", "regular-file", NULL};

    ((TransferSeen *) place->seen)->target = TRUE;
    return set_word(place, value, field, words, error);
}

static gboolean set_relative(const TransferPlace *place, const char *value, void *field, GError **error) {
    static const char *const words[] = {"root", "esp", "xbootldr", "boot", "explicit", NULL};

    return set_word(place, value, field, words, error);
}

/* Addresses and absolute paths; "auto" is NULL. */
static gboolean set_path(const TransferPlace *place, const char *value, void *field, GError **error) {
    g_autofree char *text = expand(place, value, error);

    if (!text)
        return FALSE;
    if (strlen(text) > LONGEST_PATH || *text == '\0')
        return transfer_place_fail(place, error, "a path is missing, or too long");
    g_free(*(char **) field);
    *(char **) field = g_str_equal(text, "auto") ? NULL : g_steal_pointer(&text);
    return TRUE;
}

static gboolean set_patterns(const TransferPlace *place, const char *value, void *field, GError **error) {
    GPtrArray *patterns = *(GPtrArray **) field;
    g_auto(GStrv) words = g_strsplit_set(value, " \t\n\r", -1);

    if (*value == '\0')
        g_ptr_array_set_size(patterns, 0);
    for (char **word = words; *word; word++) {
        if (!**word)
            continue;
        g_autofree char *text = expand(place, *word, error);
        g_autoptr(GError) failure = NULL;
        Pattern *pattern = text ? pattern_new(text, &failure) : NULL;
        if (!pattern)
            return text ? transfer_place_fail(place, error, "%s", failure->message) : FALSE;
        g_ptr_array_add(patterns, pattern);
    }
    return TRUE;
}

static gboolean set_partition_type(const TransferPlace *place, const char *value, void *field, GError **error) {
    ((TransferSeen *) place->seen)->type = TRUE;
    return partition_type_parse(
                   value, place->specifiers->architecture ? place->specifiers->architecture : "x86-64", field) ||
           transfer_place_fail(place, error, "\"%s\" is no type of partition", value);
}

static gboolean set_uuid(const TransferPlace *place, const char *value, void *field, GError **error) {
    PatternFields *fields = field;

    fields->has_uuid = uuid_parse_text(value, &fields->uuid);
    return fields->has_uuid || *value == '\0' || transfer_place_fail(place, error, "\"%s\" is no UUID", value);
}

static gboolean set_flags(const TransferPlace *place, const char *value, void *field, GError **error) {
    PatternFields *fields = field;

    fields->has_flags = g_ascii_string_to_unsigned(
            value + (g_str_has_prefix(value, "0x") ? 2 : 0), 16, 0, G_MAXUINT64, &fields->flags, NULL);
    return fields->has_flags || *value == '\0' ||
           transfer_place_fail(place, error, "\"%s\" is no number in hexadecimal", value);
}

static gboolean set_mode(const TransferPlace *place, const char *value, void *field, GError **error) {
    guint64 mode;

    if (!g_ascii_string_to_unsigned(value, 8, 0, 0777, &mode, NULL))
        return transfer_place_fail(place, error, "\"%s\" is no mode of a file", value);
    *(gint *) field = (gint) mode;
    return TRUE;
}

static gboolean set_number(const TransferPlace *place, const char *value, void *field, GError **error) {
    guint64 number;

    if (!g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT32, &number, NULL))
        return transfer_place_fail(place, error, "\"%s\" is no number", value);
    *(gint64 *) field = (gint64) number;
    return TRUE;
}

static gboolean set_instances(const TransferPlace *place, const char *value, void *field, GError **error) {
    gint64 number = 0;

    if (*value && !set_number(place, value, &number, error))
        return FALSE;
    /* As for systemd-sysupdate: the way back stays. */
    *(guint *) field = number == 0 ? 0 : MAX((guint) number, INSTANCES_LEAST);
    return TRUE;
}

/* What people read, and what this program does anyway. */
static gboolean set_nothing(const TransferPlace *place, const char *value, void *field, GError **error) {
    return TRUE;
}

static gboolean set_refused(const TransferPlace *place, const char *value, void *field, GError **error) {
    return *value == '\0' || transfer_place_fail(place, error, "this is not done here; leave it to systemd-sysupdate");
}

typedef gboolean (*Setter)(const TransferPlace *place, const char *value, void *field, GError **error);

static const struct {
    const char *section, *name;
    Setter set;
    gsize offset;
} settings[] = {
        {"[Transfer]", "MinVersion", set_version, G_STRUCT_OFFSET(Transfer, min_version)},
        {"[Transfer]", "ProtectVersion", set_versions, G_STRUCT_OFFSET(Transfer, protected)},
        {"[Transfer]", "Verify", set_boolean, G_STRUCT_OFFSET(Transfer, verify)},
        {"[Transfer]", "ChangeLog", set_nothing, 0},
        {"[Transfer]", "AppStream", set_nothing, 0},
        {"[Transfer]", "Features", set_refused, 0},
        {"[Transfer]", "RequisiteFeatures", set_refused, 0},
        {"[Source]", "Type", set_source, G_STRUCT_OFFSET(Transfer, source)},
        {"[Source]", "Path", set_path, G_STRUCT_OFFSET(Transfer, source_path)},
        {"[Source]", "PathRelativeTo", set_relative, G_STRUCT_OFFSET(Transfer, source_relative)},
        {"[Source]", "MatchPattern", set_patterns, G_STRUCT_OFFSET(Transfer, source_patterns)},
        {"[Target]", "Type", set_target, G_STRUCT_OFFSET(Transfer, target)},
        {"[Target]", "Path", set_path, G_STRUCT_OFFSET(Transfer, target_path)},
        {"[Target]", "PathRelativeTo", set_relative, G_STRUCT_OFFSET(Transfer, target_relative)},
        {"[Target]", "MatchPattern", set_patterns, G_STRUCT_OFFSET(Transfer, target_patterns)},
        {"[Target]", "MatchPartitionType", set_partition_type, G_STRUCT_OFFSET(Transfer, type)},
        {"[Target]", "PartitionUUID", set_uuid, G_STRUCT_OFFSET(Transfer, fields)},
        {"[Target]", "PartitionFlags", set_flags, G_STRUCT_OFFSET(Transfer, fields)},
        {"[Target]", "PartitionNoAuto", set_boolean, G_STRUCT_OFFSET(Transfer, fields.no_auto)},
        {"[Target]", "PartitionGrowFileSystem", set_boolean, G_STRUCT_OFFSET(Transfer, fields.grow)},
        {"[Target]", "ReadOnly", set_boolean, G_STRUCT_OFFSET(Transfer, fields.read_only)},
        {"[Target]", "Mode", set_mode, G_STRUCT_OFFSET(Transfer, fields.mode)},
        {"[Target]", "TriesLeft", set_number, G_STRUCT_OFFSET(Transfer, fields.tries_left)},
        {"[Target]", "TriesDone", set_number, G_STRUCT_OFFSET(Transfer, fields.tries_done)},
        {"[Target]", "InstancesMax", set_instances, G_STRUCT_OFFSET(Transfer, instances_max)},
        {"[Target]", "RemoveTemporary", set_nothing, 0},
        {"[Target]", "CurrentSymlink", set_path, G_STRUCT_OFFSET(Transfer, current_symlink)},
};

gboolean transfer_assign(
        TransferPlace *place, const char *section, const char *name, const char *value, GError **error) {
    place->setting = NULL;
    if (!section)
        return transfer_place_fail(place, error, "\"%s=\" stands before a section", name);
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
        if (g_str_equal(settings[i].section, section) && g_str_equal(settings[i].name, name)) {
            place->setting = settings[i].name;
            return settings[i].set(place, value, G_STRUCT_MEMBER_P(place->transfer, settings[i].offset), error);
        }
    return transfer_place_fail(place, error, "there is no setting \"%s=\" in the section %s", name, section);
}
