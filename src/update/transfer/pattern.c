/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/transfer/pattern.h"

#include <string.h>

#include "base/hex.h"
#include "text/repart-values.h"
#include "update/transfer/error.h"

#define MARKS "vuftmsdlargh"
#define RESERVED "$*?[]!\\|/"
#define LONGEST_VERSION 128
#define MODES 0775

/* MARK is 0 for text. */
typedef struct {
    char mark;
    char *text;
} Element;

struct Pattern {
    char *text;
    GArray *elements;
};

static void element_clear(gpointer element) {
    g_free(((Element *) element)->text);
}

void pattern_fields_init(PatternFields *fields) {
    *fields = (PatternFields){.mtime = -1,
            .mode = -1,
            .size = -1,
            .tries_done = -1,
            .tries_left = -1,
            .no_auto = -1,
            .read_only = -1,
            .grow = -1};
}

void pattern_fields_clear(PatternFields *fields) {
    g_clear_pointer(&fields->version, g_free);
}

void pattern_free(Pattern *pattern) {
    if (!pattern)
        return;
    g_free(pattern->text);
    g_array_unref(pattern->elements);
    g_free(pattern);
}

const char *pattern_get_text(const Pattern *pattern) {
    return pattern->text;
}

static void add_element(Pattern *pattern, char mark, GString *literal) {
    if (literal->len > 0) {
        Element text = {0, g_strdup(literal->str)};
        g_array_append_val(pattern->elements, text);
        g_string_truncate(literal, 0);
    }
    if (mark) {
        Element element = {mark, NULL};
        g_array_append_val(pattern->elements, element);
    }
}

static gboolean ends_with_mark(const Pattern *pattern, const GString *literal) {
    return literal->len == 0 && pattern->elements->len > 0 &&
           g_array_index(pattern->elements, Element, pattern->elements->len - 1).mark;
}

/* One character of the pattern, or the two of a mark. */
static gboolean add_characters(Pattern *pattern, const char **at, GString *literal, guint *found, GError **error) {
    char c = *(*at)++;
    const char *mark;

    if (c < ' ' || c >= 127 || strchr(RESERVED, c))
        return update_fail(error, UPDATE_ERROR_CONFIGURATION,
                "the pattern \"%s\" has a character that is reserved (one of %s, or one that is not ASCII)",
                pattern->text, RESERVED);
    if (c == '@' && **at != '@') {
        mark = **at ? strchr(MARKS, **at) : NULL;
        if (!mark)
            return update_fail(error, UPDATE_ERROR_CONFIGURATION,
                    "the pattern \"%s\" has a mark \"@%.1s\" that nobody knows (known: @v @u @f @t @m @s @d @l @a @r @g @h)",
                    pattern->text, *at);
        if (*found & 1u << (mark - MARKS))
            return update_fail(
                    error, UPDATE_ERROR_CONFIGURATION, "the pattern \"%s\" has @%c twice", pattern->text, *mark);
        if (ends_with_mark(pattern, literal))
            return update_fail(error, UPDATE_ERROR_CONFIGURATION, "the pattern \"%s\" has nothing in front of @%c",
                    pattern->text, *mark);
        *found |= 1u << (mark - MARKS);
        add_element(pattern, *mark, literal);
        ++*at;
        return TRUE;
    }
    if (c == '@')
        ++*at;
    g_string_append_c(literal, c);
    return TRUE;
}

Pattern *pattern_new(const char *text, GError **error) {
    g_autoptr(Pattern) pattern = g_new0(Pattern, 1);
    g_autoptr(GString) literal = g_string_new(NULL);
    guint found = 0;

    pattern->text = g_strdup(text);
    pattern->elements = g_array_new(FALSE, FALSE, sizeof(Element));
    g_array_set_clear_func(pattern->elements, element_clear);
    for (const char *at = pattern->text; *at;)
        if (!add_characters(pattern, &at, literal, &found, error))
            return NULL;
    add_element(pattern, 0, literal);
    if (!(found & 1)) {
        update_fail(error, UPDATE_ERROR_CONFIGURATION, "the pattern \"%s\" has no @v", text);
        return NULL;
    }
    return g_steal_pointer(&pattern);
}

gboolean pattern_is_version(const char *text) {
    gsize length = strlen(text);

    return length > 0 && length <= LONGEST_VERSION && !g_str_equal(text, ".") && !g_str_equal(text, "..") &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,_-+~^") == length;
}

static gboolean take_number(const char *text, gint64 *field) {
    guint64 number;

    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &number, NULL))
        return FALSE;
    *field = (gint64) number;
    return TRUE;
}

static gboolean take_boolean(const char *text, gint *field) {
    gboolean value;

    if (!repart_boolean_parse(text, &value))
        return FALSE;
    *field = value;
    return TRUE;
}

static gboolean take_mode(const char *text, gint *field) {
    guint64 mode;

    if (!g_ascii_string_to_unsigned(text, 8, 0, 07777, &mode, NULL) || mode & ~(guint64) MODES)
        return FALSE;
    *field = (gint) mode;
    return TRUE;
}

static gboolean take_sha256(const char *text, PatternFields *fields) {
    g_autoptr(GBytes) digest = strlen(text) == SHA256_HEX_SIZE ? hex_decode(text, -1) : NULL;

    if (!digest)
        return FALSE;
    memcpy(fields->sha256, g_bytes_get_data(digest, NULL), SHA256_SIZE);
    fields->has_sha256 = TRUE;
    return TRUE;
}

static gboolean take_version(const char *text, PatternFields *fields) {
    if (!pattern_is_version(text))
        return FALSE;
    g_free(fields->version);
    fields->version = g_strdup(text);
    return TRUE;
}

/* What stands in the place of MARK. */
static gboolean take(char mark, const char *text, PatternFields *fields) {
    switch (mark) {
    case 'v':
        return take_version(text, fields);
    case 'u':
        return fields->has_uuid = uuid_parse_text(text, &fields->uuid);
    case 'f':
        return fields->has_flags = g_ascii_string_to_unsigned(
                       text + (g_str_has_prefix(text, "0x") ? 2 : 0), 16, 0, G_MAXUINT64, &fields->flags, NULL);
    case 't':
        return take_number(text, &fields->mtime);
    case 'm':
        return take_mode(text, &fields->mode);
    case 's':
        return take_number(text, &fields->size);
    case 'd':
        return take_number(text, &fields->tries_done);
    case 'l':
        return take_number(text, &fields->tries_left);
    case 'a':
        return take_boolean(text, &fields->no_auto);
    case 'r':
        return take_boolean(text, &fields->read_only);
    case 'g':
        return take_boolean(text, &fields->grow);
    default:
        return take_sha256(text, fields);
    }
}

gboolean pattern_match(const Pattern *pattern, const char *name, PatternFields *ret) {
    g_auto(PatternFields) fields;
    const char *at = name;

    pattern_fields_init(&fields);
    for (guint i = 0; i < pattern->elements->len; i++) {
        const Element *element = &g_array_index(pattern->elements, Element, i);
        if (!element->mark) {
            if (!g_str_has_prefix(at, element->text))
                return FALSE;
            at += strlen(element->text);
            continue;
        }
        const Element *next = i + 1 < pattern->elements->len ? element + 1 : NULL;
        const char *end = next ? strstr(at, next->text) : at + strlen(at);
        g_autofree char *text = end ? g_strndup(at, end - at) : NULL;
        if (!text || !take(element->mark, text, &fields))
            return FALSE;
        at = end;
    }
    if (*at)
        return FALSE;
    pattern_fields_clear(ret);
    *ret = fields;
    fields.version = NULL;
    return TRUE;
}

const Pattern *pattern_match_any(const GPtrArray *patterns, const char *name, PatternFields *ret) {
    for (guint i = 0; i < patterns->len; i++)
        if (pattern_match(patterns->pdata[i], name, ret))
            return patterns->pdata[i];
    return NULL;
}

static gboolean put_number(GString *out, gint64 number) {
    if (number >= 0)
        g_string_append_printf(out, "%" G_GINT64_FORMAT, number);
    return number >= 0;
}

static gboolean put_sha256(GString *out, const PatternFields *fields) {
    g_autofree char *text = hex_encode(fields->sha256, SHA256_SIZE);

    if (fields->has_sha256)
        g_string_append(out, text);
    return fields->has_sha256;
}

static gboolean put_uuid(GString *out, const PatternFields *fields) {
    g_autofree char *text = uuid_to_text(&fields->uuid);

    if (fields->has_uuid)
        g_string_append(out, text);
    return fields->has_uuid;
}

/* FALSE: FIELDS have nothing for MARK. */
static gboolean put(GString *out, char mark, const PatternFields *fields) {
    switch (mark) {
    case 'v':
        g_string_append(out, fields->version);
        return TRUE;
    case 'u':
        return put_uuid(out, fields);
    case 'f':
        if (fields->has_flags)
            g_string_append_printf(out, "%" G_GINT64_MODIFIER "x", fields->flags);
        return fields->has_flags;
    case 't':
        return put_number(out, fields->mtime);
    case 'm':
        if (fields->mode >= 0)
            g_string_append_printf(out, "%03o", (guint) fields->mode);
        return fields->mode >= 0;
    case 's':
        return put_number(out, fields->size);
    case 'd':
        return put_number(out, fields->tries_done);
    case 'l':
        return put_number(out, fields->tries_left);
    case 'a':
        return put_number(out, fields->no_auto);
    case 'r':
        return put_number(out, fields->read_only);
    case 'g':
        return put_number(out, fields->grow);
    default:
        return put_sha256(out, fields);
    }
}

char *pattern_format(const Pattern *pattern, const PatternFields *fields, GError **error) {
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint i = 0; i < pattern->elements->len; i++) {
        const Element *element = &g_array_index(pattern->elements, Element, i);
        if (!element->mark)
            g_string_append(out, element->text);
        else if (!put(out, element->mark, fields)) {
            update_fail(error, UPDATE_ERROR_CONFIGURATION,
                    "the pattern \"%s\" wants @%c, which neither the source nor the target gives", pattern->text,
                    element->mark);
            return NULL;
        }
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}
