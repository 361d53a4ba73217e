/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a text must not hold because of what is made of it: names of files, arguments of programs, lines of other
 * files. Whatever is harmless there is accepted. */
#include "recipe/values/value-parse-internal.h"
#include "recipe/values/value-parse.h"

#include <string.h>

#include "recipe/language/error.h"

/* Of a file (NAME_MAX). */
#define NAME_LENGTH 255

static gboolean fail(GError **error, const char *text, const char *why) {
    g_autofree char *shown = g_strescape(text, NULL);
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX, "\"%s\" %s", shown, why);
    return FALSE;
}

/* Passed on byte by byte, or read by a grammar of their own. That a name of a host is none is an error when it
 * is built: mkosi reads indented lines below one as part of it. */
static gboolean takes_any_character(const Setting *setting) {
    return setting_id(setting) == SETTING_QEMU_ARGS || setting_id(setting) == SETTING_HOSTNAME ||
           setting->type == TYPE_REGEX;
}

static gboolean check_characters(const char *text, GError **error) {
    if (!g_utf8_validate(text, -1, NULL))
        return fail(error, text, "is not UTF-8 text");
    for (const char *at = text; *at; at++)
        if (g_ascii_iscntrl(*at) && *at != '\t')
            return fail(error, text, "must not contain line ends or other control characters");
    return TRUE;
}

static gboolean check_part_of_name(const char *text, GError **error) {
    if (strchr(text, '/') || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return fail(error, text, "becomes part of file names, so it must not be a path");
    if (strchr(text, '\t'))
        return fail(error, text, "becomes part of file names, so it must not contain tabs");
    return strlen(text) <= NAME_LENGTH || fail(error, text, "is too long for the name of a file");
}

static gboolean check_word(const char *text, GError **error) {
    return !strpbrk(text, " \t") || fail(error, text, "must not contain blanks");
}

/* Programs take a word that begins like this for an option. */
static gboolean check_argument(const char *text, GError **error) {
    return *text != '-' || fail(error, text, "begins with \"-\", so it is an option and no name");
}

static gboolean check_by_setting(const Setting *setting, const char *text, GError **error) {
    switch (setting_id(setting)) {
    case SETTING_IMAGE_ID:
    case SETTING_IMAGE_VERSION:
        return check_part_of_name(text, error);
    case SETTING_MACHINE:
        return check_part_of_name(text, error) && check_argument(text, error);
    case SETTING_MIRROR:
    case SETTING_LOCAL_MIRROR:
    case SETTING_TOOLS_TREE_MIRROR:
    case SETTING_RELEASE:
    case SETTING_TOOLS_TREE_RELEASE:
    case SETTING_SNAPSHOT:
    case SETTING_TOOLS_TREE_SNAPSHOT:
    case SETTING_REPOSITORIES:
    case SETTING_TOOLS_TREE_REPOSITORIES:
    case SETTING_PROXY_URL:
        return check_word(text, error) && check_argument(text, error);
    case SETTING_PACKAGES:
    case SETTING_BUILD_PACKAGES:
    case SETTING_VOLATILE_PACKAGES:
    case SETTING_REMOVE_PACKAGES:
    case SETTING_INITRD_PACKAGES:
    case SETTING_INITRD_VOLATILE_PACKAGES:
    case SETTING_TOOLS_TREE_PACKAGES:
        return check_argument(text, error);
    default:
        return TRUE;
    }
}

gboolean value_check_text(const Setting *setting, const char *text, GError **error) {
    if (takes_any_character(setting))
        return g_utf8_validate(text, -1, NULL) || fail(error, text, "is not UTF-8 text");
    return check_characters(text, error) && check_by_setting(setting, text, error);
}

gboolean value_check(const Setting *setting, const Value *value, GError **error) {
    if (!value || setting->type != TYPE_STRING)
        return TRUE;
    if (value_kind(value) == VALUE_STRING)
        return value_check_text(setting, value_get_string(value), error);
    for (guint i = 0; value_kind(value) == VALUE_LIST && i < value_length(value); i++)
        if (!value_check(setting, value_element(value, i), error))
            return FALSE;
    return TRUE;
}

gboolean value_check_variable(const char *name, GError **error) {
    if (!*name)
        return fail(error, name, "is no name of a variable");
    return check_characters(name, error);
}

gboolean value_check_file_name(const char *name, GError **error) {
    if (!*name)
        return fail(error, name, "is no name of a file");
    return check_characters(name, error) && check_part_of_name(name, error);
}
