/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/reading/image-parser.h"

#include "events/events.h"
#include "recipe/language/distributions.h"
#include "recipe/values/paths.h"

/* The value of a specifier that is not a setting; NULL if there is none. RET_KNOWN: there is such one. */
static char *special(ImageParser *parser, char letter, const char *file, gboolean *ret_known) {
    *ret_known = TRUE;
    switch (letter) {
    case 'C': {
        g_autofree char *resolved = path_resolve("/", file);
        return g_path_get_dirname(resolved);
    }
    case 'P':
        return g_strdup(parser->directory);
    case 'D':
        return g_strdup(parser->run->directory);
    case 'I':
        return g_strdup(parser->image);
    case 'F': {
        Distribution distribution;
        const char *name = image_parser_text(parser, SETTING_DISTRIBUTION);
        return distribution_from_string(name, &distribution) ? g_strdup(distribution_file_system(distribution)) : NULL;
    }
    default:
        *ret_known = FALSE;
        return NULL;
    }
}

static char *specifier_value(ImageParser *parser, char letter, const char *file, guint line) {
    g_autofree char *shown = path_for_people(file);
    const Setting *setting = setting_by_specifier(letter);
    if (setting) {
        const char *text = image_parser_text(parser, setting_id(setting));
        if (!text)
            events_warning(
                    "%s:%u: %%%c stands for %s=, which is not set; leaving it out", shown, line, letter, setting->name);
        return g_strdup(text);
    }
    gboolean known;
    char *value = special(parser, letter, file, &known);
    if (!known)
        events_warning(
                "%s:%u: Unknown specifier %%%c; leaving it out (write %%%% for a percent sign)", shown, line, letter);
    return value;
}

char *expand_specifiers(ImageParser *parser, const char *text, const char *file, guint line) {
    if (!strchr(text, '%'))
        return g_strdup(text);
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p; p++) {
        if (*p != '%' || !p[1]) {
            g_string_append_c(out, *p);
            continue;
        }
        if (*++p == '%') {
            g_string_append_c(out, '%');
            continue;
        }
        if ((guchar) *p >= 0x80) { /* a letter of several bytes: unknown, all of it */
            events_warning("%s:%u: Unknown specifier in \"%s\"; leaving it out", file, line, text);
            p = g_utf8_next_char(p) - 1;
            continue;
        }
        g_autofree char *value = specifier_value(parser, *p, file, line);
        if (value)
            g_string_append(out, value);
    }
    return g_string_free(out, FALSE);
}
