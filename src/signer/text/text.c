/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/text/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"

#define NAME_MAX_LENGTH 64
#define FILE_MAX_LENGTH 255
#define VERSION_LENGTH 14
#define DAY (24 * 60 * 60)

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static gboolean consists_of(const char *text, const char *characters, gsize longest) {
    gsize length = text ? strlen(text) : 0;
    return length > 0 && length <= longest && strspn(text, characters) == length;
}

gboolean signer_is_name(const char *text) {
    return consists_of(text, LOWER DIGITS "_-", NAME_MAX_LENGTH) && g_ascii_isalnum(*text);
}

gboolean signer_is_id(const char *text, gsize longest) {
    return consists_of(text, UPPER LOWER DIGITS "._:-", longest);
}

static int number_at(const char *text, gsize start, gsize length) {
    int value = 0;
    for (gsize i = start; i < start + length; i++)
        value = value * 10 + (text[i] - '0');
    return value;
}

gboolean signer_is_version(const char *text, gint64 *ret_time) {
    if (!consists_of(text, DIGITS, VERSION_LENGTH) || strlen(text) != VERSION_LENGTH)
        return FALSE;
    g_autoptr(GDateTime) time = g_date_time_new_utc(number_at(text, 0, 4), number_at(text, 4, 2), number_at(text, 6, 2),
            number_at(text, 8, 2), number_at(text, 10, 2), number_at(text, 12, 2));
    if (time && ret_time)
        *ret_time = g_date_time_to_unix(time);
    return time != NULL;
}

gboolean signer_is_file_name(const char *text) {
    return consists_of(text, UPPER LOWER DIGITS "._+@=~-", FILE_MAX_LENGTH) && !strchr(".-~", *text);
}

gboolean signer_is_title(const char *text) {
    gsize length = text ? strlen(text) : 0;

    if (length == 0 || length > FILE_MAX_LENGTH)
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isprint(text[i]))
            return FALSE;
    g_auto(GStrv) parts = g_strsplit(text, "/", -1);
    for (char **part = parts; *part; part++)
        if (strcmp(*part, "..") == 0)
            return FALSE;
    return TRUE;
}

gboolean signer_is_digest(const char *text) {
    return text && strlen(text) == SHA256_HEX_SIZE && hex_is_lower(text, SHA256_HEX_SIZE);
}

gboolean signer_is_far_ahead(const char *version, gint64 now) {
    gint64 time = 0;
    return !signer_is_version(version, &time) || time > now + DAY;
}
