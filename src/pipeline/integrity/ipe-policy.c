/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The language of IPE policies, as Documentation/admin-guide/LSM/ipe.rst of the kernel describes it. */

#include "pipeline/integrity/ipe-policy.h"

#include <stdarg.h>
#include <string.h>

#include "pipeline/state/image-build.h"

#define BLANKS " \t\r"

typedef enum { VALUE_TRUTH, VALUE_DIGEST } ValueKind;

static const char *const operations[] = {
        "EXECUTE", "FIRMWARE", "KMODULE", "KEXEC_IMAGE", "KEXEC_INITRAMFS", "POLICY", "X509_CERT", NULL};

static const struct {
    const char *name;
    ValueKind kind;
} properties[] = {
        {"boot_verified", VALUE_TRUTH},
        {"dmverity_signature", VALUE_TRUTH},
        {"dmverity_roothash", VALUE_DIGEST},
        {"fsverity_signature", VALUE_TRUTH},
        {"fsverity_digest", VALUE_DIGEST},
};

typedef struct {
    const char *origin, *name;
    guint line;
    gboolean has_header, has_default;
    gboolean defaults[G_N_ELEMENTS(operations)];
} Parser;

/* Always FALSE, so that callers can return it. */
static gboolean fail(const Parser *parser, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean fail(const Parser *parser, GError **error, const char *format, ...) {
    g_autofree char *what = NULL;
    va_list arguments;

    va_start(arguments, format);
    what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "%s:%u: %s", parser->origin, parser->line, what);
    return FALSE;
}

/* What stands behind "KEY=" in WORD, or NULL. */
static const char *value_of(const char *word, const char *key) {
    gsize length = strlen(key);
    return strncmp(word, key, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

/* Three numbers of 16 bits: 1.2.3. */
static gboolean is_version(const char *text) {
    g_auto(GStrv) parts = g_strsplit(text, ".", -1);

    if (g_strv_length(parts) != 3)
        return FALSE;
    for (char **part = parts; *part; part++)
        if (!g_ascii_string_to_unsigned(*part, 10, 0, G_MAXUINT16, NULL, NULL))
            return FALSE;
    return TRUE;
}

/* Name of an algorithm and bytes: sha256:0123... */
static gboolean is_digest(const char *text) {
    const char *colon = strchr(text, ':');
    gsize length = colon ? strlen(colon + 1) : 0;

    return colon && colon != text && length && length % 2 == 0 &&
           strspn(colon + 1, "0123456789abcdefABCDEF") == length;
}

static gboolean parse_header(Parser *parser, char **words, GError **error) {
    const char *name = words[0] ? value_of(words[0], "policy_name") : NULL;
    const char *version = name && words[1] ? value_of(words[1], "policy_version") : NULL;

    if (!name || !version || words[2])
        return fail(parser, error,
                "a policy begins with a line 'policy_name=%s policy_version=MAJOR.MINOR.REVISION'",
                parser->name);
    if (!g_str_equal(name, parser->name))
        return fail(parser, error,
                "policy_name=%s: systemd activates a policy by the name of its file, which is '%s'", name,
                parser->name);
    if (!is_version(version))
        return fail(parser, error, "policy_version=%s: not three numbers below 65536, like 1.0.0", version);
    parser->has_header = TRUE;
    return TRUE;
}

static gboolean parse_operation(const Parser *parser, const char *word, int *ret, GError **error) {
    const char *value = word ? value_of(word, "op") : NULL;
    g_autofree char *known = NULL;

    if (!value)
        return fail(parser, error, "a rule begins with op=, not with '%s'", word ?: "");
    for (int i = 0; operations[i]; i++)
        if (g_str_equal(value, operations[i])) {
            *ret = i;
            return TRUE;
        }
    known = g_strjoinv(", ", (char **) operations);
    return fail(parser, error, "op=%s: unknown operation (expected one of %s)", value, known);
}

static gboolean parse_property(const Parser *parser, const char *word, GError **error) {
    for (gsize i = 0; i < G_N_ELEMENTS(properties); i++) {
        const char *value = value_of(word, properties[i].name);

        if (!value)
            continue;
        if (properties[i].kind == VALUE_TRUTH && !g_str_equal(value, "TRUE") && !g_str_equal(value, "FALSE"))
            return fail(parser, error, "%s: expected TRUE or FALSE", word);
        if (properties[i].kind == VALUE_DIGEST && !is_digest(value))
            return fail(parser, error, "%s: expected ALGORITHM:HEXADECIMAL, like sha256:0123...", word);
        return TRUE;
    }
    return fail(parser, error,
            "'%s': not a property (boot_verified=, dmverity_signature=, dmverity_roothash=, "
            "fsverity_signature=, fsverity_digest=) and not the action",
            word);
}

static gboolean parse_action(const Parser *parser, const char *word, GError **error) {
    const char *value = word ? value_of(word, "action") : NULL;

    if (!value)
        return fail(parser, error, "a rule ends with action=ALLOW or action=DENY");
    if (!g_str_equal(value, "ALLOW") && !g_str_equal(value, "DENY"))
        return fail(parser, error, "action=%s: expected ALLOW or DENY", value);
    return TRUE;
}

/* DEFAULT [op=OPERATION] action=ACTION */
static gboolean parse_default(Parser *parser, char **words, GError **error) {
    gboolean *seen = &parser->has_default;
    int operation = 0;

    words++;
    if (*words && value_of(*words, "op")) {
        if (!parse_operation(parser, *words, &operation, error))
            return FALSE;
        seen = &parser->defaults[operation];
        words++;
    }
    if (!parse_action(parser, *words, error))
        return FALSE;
    if (words[1])
        return fail(parser, error, "'%s' behind the action", words[1]);
    if (*seen)
        return fail(parser, error, "a second DEFAULT for the same");
    *seen = TRUE;
    return TRUE;
}

/* op=OPERATION [PROPERTY...] action=ACTION */
static gboolean parse_rule(Parser *parser, char **words, GError **error) {
    guint last = g_strv_length(words) - 1;
    int operation;

    if (!parse_operation(parser, words[0], &operation, error) || !parse_action(parser, words[last], error))
        return FALSE;
    for (guint i = 1; i < last; i++)
        if (!parse_property(parser, words[i], error))
            return FALSE;
    return TRUE;
}

static gboolean parse_line(Parser *parser, char *line, GError **error) {
    g_auto(GStrv) pieces = NULL;
    g_autoptr(GPtrArray) words = g_ptr_array_new();

    line[strcspn(line, "#")] = 0;
    pieces = g_strsplit_set(line, BLANKS, -1);
    for (char **piece = pieces; *piece; piece++)
        if (**piece)
            g_ptr_array_add(words, *piece);
    if (words->len == 0)
        return TRUE;
    g_ptr_array_add(words, NULL);

    char **list = (char **) words->pdata;
    if (!parser->has_header)
        return parse_header(parser, list, error);
    return g_str_equal(list[0], "DEFAULT") ? parse_default(parser, list, error)
                                           : parse_rule(parser, list, error);
}

static gboolean check_defaults(const Parser *parser, GError **error) {
    if (!parser->has_header)
        return fail(parser, error, "a policy begins with a line 'policy_name=%s policy_version=1.0.0'",
                parser->name);
    for (gsize i = 0; !parser->has_default && operations[i]; i++)
        if (!parser->defaults[i])
            return fail(parser, error, "there is neither 'DEFAULT action=' nor 'DEFAULT op=%s action='",
                    operations[i]);
    return TRUE;
}

gboolean ipe_policy_check(
        const char *origin, const char *text, gsize length, const char *name, GError **error) {
    g_autofree char *copy = g_strndup(text ?: "", length);
    g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
    Parser parser = {.origin = origin, .name = name, .line = 1};

    for (guint i = 0; lines[i]; i++) {
        parser.line = i + 1;
        if (!parse_line(&parser, lines[i], error))
            return FALSE;
    }
    if (strlen(copy) != length)
        return fail(&parser, error, "a null byte");
    return check_defaults(&parser, error);
}
