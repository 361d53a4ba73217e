/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/values/value-parse-internal.h"

#include <string.h>

#include "text/recipe-values.h"

gboolean parse_bytes(const char *text, gint64 *ret, GError **error) {
    switch (recipe_size_parse(text, ret)) {
    case RECIPE_SIZE_NOT_A_NUMBER:
        parse_failed(error, "\"%s\" is not a size; use a number with an optional suffix K, M or G", text);
        return FALSE;
    case RECIPE_SIZE_OUT_OF_RANGE:
        parse_failed(error, "The size \"%s\" is out of range; use more than 0 and less than 8 EiB", text);
        return FALSE;
    default:
        return TRUE;
    }
}

static Value *not_a_number(const Setting *setting, const char *text, GError **error) {
    switch (setting->type) {
    case TYPE_OCTAL:
        return parse_failed(error, "\"%s\" is not an octal number; use a mode from 0 to 1777", text);
    case TYPE_SECTOR_SIZE:
        return parse_failed(error, "\"%s\" is not a number; use one of 512, 1024, 2048, 4096", text);
    case TYPE_VSOCK_CID:
        return parse_failed(error, "\"%s\" is not a number from 3 to 4294967294, auto or hash", text);
    default:
        return parse_failed(error, "\"%s\" is not a number; use decimal digits", text);
    }
}

static Value *in_range(const char *text, gint64 value, gint64 least, gint64 most, GError **error) {
    if (value >= least && value <= most)
        return value_new_int(value);
    return parse_failed(error,
            "\"%s\" is out of range; use a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, text,
            least, most);
}

Value *parse_number(const Setting *setting, const char *text, GError **error) {
    gint64 number;
    if (setting->type == TYPE_BYTES)
        return parse_bytes(text, &number, error) ? value_new_int(number) : NULL;
    if (setting->type == TYPE_VSOCK_CID && strcmp(text, "auto") == 0)
        return value_new_int(-1);
    if (setting->type == TYPE_VSOCK_CID && strcmp(text, "hash") == 0)
        return value_new_int(-2);
    if (!recipe_integer_parse(text, setting->type == TYPE_OCTAL ? 8 : 10, &number))
        return not_a_number(setting, text, error);

    switch (setting->type) {
    case TYPE_UNSIGNED:
        if (number < 0)
            return parse_failed(error, "\"%s\" is out of range; use 0 or more", text);
        return value_new_int(number);
    case TYPE_OCTAL:
        if (number < 0 || number > 01777)
            return parse_failed(error, "\"%s\" is out of range; use a mode from 0 to 1777", text);
        return value_new_int(number);
    case TYPE_VSOCK_CID:
        return in_range(text, number, 3, 4294967294, error);
    case TYPE_SECTOR_SIZE:
        if (number < 512 || number > 4096 || (number & (number - 1)))
            return parse_failed(
                    error, "\"%s\" is not a sector size; use one of 512, 1024, 2048, 4096", text);
        return value_new_int(number);
    default:
        return value_new_int(number);
    }
}

Value *parse_uuid(const char *text, GError **error) {
    if (strcmp(text, "random") == 0)
        return value_new_string_take(g_uuid_string_random());

    const char *p = g_str_has_prefix(text, "urn:") ? text + 4 : text;
    if (g_str_has_prefix(p, "uuid:"))
        p += 5;
    g_autoptr(GString) digits = g_string_new(NULL);
    for (; *p; p++)
        if (g_ascii_isxdigit(*p))
            g_string_append_c(digits, g_ascii_tolower(*p));
        else if (!strchr("-{}", *p))
            digits->len = 0, digits->str[0] = 0, p = text + strlen(text) - 1;
    if (digits->len != 32)
        return parse_failed(
                error, "\"%s\" is not a UUID; use 32 hexadecimal digits or the word random", text);
    for (int at = 8; at <= 23; at += 5)
        g_string_insert_c(digits, at, '-');
    return value_new_string(digits->str);
}
