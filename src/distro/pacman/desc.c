/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/pacman/desc.h"

#include <string.h>

#include "base/hex.h"
#include "distro/driver/types.h"

#define LONGEST_WORD 255
#define WORD_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "@._+-"
#define VERSION_CHARACTERS WORD_CHARACTERS ":~^"
#define INSTALL_DATE "%INSTALLDATE%\n"

void pacman_desc_free(PacmanDesc *desc) {
    if (!desc)
        return;
    g_free(desc->name);
    g_free(desc->version);
    g_free(desc->architecture);
    g_free(desc->base);
    g_free(desc->file);
    g_free(desc->sha256);
    g_free(desc);
}

static gboolean is_word(const char *text, const char *characters) {
    return *text && *text != '-' && *text != '.' && strlen(text) <= LONGEST_WORD &&
           strspn(text, characters) == strlen(text);
}

static void take_number(const char *value, guint64 *ret) {
    if (!g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, ret, NULL))
        *ret = 0;
}

/* The first value of each key counts. */
static void take_text(const char *value, char **ret) {
    if (!*ret)
        *ret = g_strdup(value);
}

static void take_value(PacmanDesc *desc, const char *key, const char *value) {
    guint64 number = 0;

    if (g_str_equal(key, "%NAME%"))
        take_text(value, &desc->name);
    else if (g_str_equal(key, "%VERSION%"))
        take_text(value, &desc->version);
    else if (g_str_equal(key, "%ARCH%"))
        take_text(value, &desc->architecture);
    else if (g_str_equal(key, "%BASE%"))
        take_text(value, &desc->base);
    else if (g_str_equal(key, "%FILENAME%"))
        take_text(value, &desc->file);
    else if (g_str_equal(key, "%SHA256SUM%"))
        take_text(value, &desc->sha256);
    else if (g_str_equal(key, "%CSIZE%"))
        take_number(value, &desc->size);
    else if (g_str_equal(key, "%ISIZE%") || g_str_equal(key, "%SIZE%"))
        take_number(value, &desc->installed_size);
    else if (g_str_equal(key, "%BUILDDATE%")) {
        take_number(value, &number);
        desc->built = number;
    }
}

static gboolean refuse(const PacmanDesc *desc, const char *what, const char *value, GError **error) {
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR, "The database of packages describes %s with %s \"%s\"",
            desc->name ? desc->name : "a package", what, value ? value : "");
    return FALSE;
}

static gboolean check(PacmanDesc *desc, GError **error) {
    if (!desc->name || !is_word(desc->name, WORD_CHARACTERS))
        return refuse(desc, "the name", desc->name, error);
    if (!desc->version || !is_word(desc->version, VERSION_CHARACTERS))
        return refuse(desc, "the version", desc->version, error);
    if (desc->file && !is_word(desc->file, VERSION_CHARACTERS))
        return refuse(desc, "the file name", desc->file, error);
    if (desc->sha256 && !hex_is_lower(desc->sha256, 64))
        return refuse(desc, "the SHA-256", desc->sha256, error);
    if (!desc->architecture || !is_word(desc->architecture, WORD_CHARACTERS))
        return refuse(desc, "the architecture", desc->architecture, error);
    if (!desc->base || !is_word(desc->base, WORD_CHARACTERS)) {
        g_free(desc->base);
        desc->base = g_strdup(desc->name);
    }
    return TRUE;
}

PacmanDesc *pacman_desc_parse(const char *text, GError **error) {
    g_autoptr(PacmanDesc) desc = g_new0(PacmanDesc, 1);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const char *key = NULL;

    desc->built = -1;
    for (char **line = lines; *line; line++)
        if (!**line)
            key = NULL;
        else if (key)
            take_value(desc, key, *line);
        else
            key = *line;
    return check(desc, error) ? g_steal_pointer(&desc) : NULL;
}

char *pacman_desc_set_install_date(const char *text, gint64 seconds) {
    const char *found = g_str_has_prefix(text, INSTALL_DATE) ? text : strstr(text, "\n" INSTALL_DATE);
    if (!found)
        return g_strdup(text);
    const char *value = strstr(found, INSTALL_DATE) + strlen(INSTALL_DATE);
    g_autofree char *before = g_strndup(text, value - text);
    return g_strdup_printf("%s%" G_GINT64_FORMAT "%s", before, seconds, value + strcspn(value, "\n"));
}
