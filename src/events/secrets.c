/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "events/secrets.h"

#include <string.h>

#define STARS "***"

/* Shorter ones are also parts of ordinary words. */
#define LONG_ENOUGH 8
#define SHORTEST 4
/* A recipe that has more is up to something. */
#define MOST_SECRETS 1024

#define SECRET_WORDS "passw(?:or)?d|passphrase|token|secret|credential|api[-_]?key|access[-_]?key|private[-_]?key"
/* As variables of the environment are called. */
#define SECRET_VARIABLE                                                                                                \
    "(?!GIT_CONFIG_KEY_)[A-Z0-9_]*(?:TOKEN|PASS|PWD|SECRET|KEY(?!MAP|BOARD|RING)|CRED|AUTH(?!OR)|COOKIE|"              \
    "PIN(?!N))[A-Z0-9_]*"
#define VALUE "(?:\"[^\"\\n]*\"|'[^'\\n]*'|[^\\s'\"]+)"

static const struct {
    const char *form, *replacement;
} forms[] = {
        /* scheme://user:password@host; a user alone is none where keys are used. */
        {"\\b((?!ssh:|git\\+ssh:|sftp:)[A-Za-z][A-Za-z0-9+.-]*://)[^/\\s'\"]*@", "\\1" STARS "@"},
        {"\\b((?:ssh|git\\+ssh|sftp)://[^:/\\s'\"@]*:)[^/\\s'\"]*@", "\\1" STARS "@"},
        {"(?i)\\b(pin-value=)[^&;\\s'\"]+", "\\1" STARS},
        {"(?<![A-Za-z0-9_])(" SECRET_VARIABLE "=)" VALUE, "\\1" STARS},
        /* Behind the name of a setting stands what is wrong with it, or a path. A token of PKCS#11 is a
           device. */
        {"(?i)(?<![a-z0-9_-])(?!(?<=[:;])token=)([a-z0-9_-]*(?:" SECRET_WORDS
         ")[a-z0-9_-]*=)(?![:/])(?:\"[^\"\\n]*\"|'[^'\\n]*'|[^\\s'\"&;]+)",
                "\\1" STARS},
        {"(io\\.systemd\\.(?:stub\\.)?credential(?:\\.binary)?:[^=\\s]*=)[^,\\s'\"]+", "\\1" STARS},
        {"(set[-_]credential(?:_binary)? [^:\\s]+:)(?!/)[^\\s'\"]+", "\\1" STARS},
        {"(?i)\\b(authorization:\\s*)[^\\n'\"]+", "\\1" STARS},
        /* The configuration of an image. */
        {"(\"(?:" SECRET_VARIABLE "|[^\"\\n]*(?i:" SECRET_WORDS ")[^\"\\n]*)\"\\s*:\\s*)"
         "(?:\"(?:[^\"\\\\]|\\\\.)*\"|\\[[^\\]]*\\]|\\{[^}]*\\})",
                "\\1\"" STARS "\""},
};

struct Secrets {
    GMutex lock;
    GPtrArray *known; /* longer ones first */
};

Secrets *secrets_new(void) {
    Secrets *secrets = g_new0(Secrets, 1);
    g_mutex_init(&secrets->lock);
    secrets->known = g_ptr_array_new_with_free_func(g_free);
    return secrets;
}

void secrets_free(Secrets *secrets) {
    if (!secrets)
        return;
    g_ptr_array_unref(secrets->known);
    g_mutex_clear(&secrets->lock);
    g_free(secrets);
}

/* They are the same for all threads, and live as long as the process. */
static GRegex *const *compiled_forms(void) {
    static gsize done;
    static GRegex *regexes[G_N_ELEMENTS(forms)];

    if (g_once_init_enter(&done)) {
        for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
            regexes[i] = g_regex_new(forms[i].form, G_REGEX_RAW | G_REGEX_OPTIMIZE, 0, NULL);
            g_assert(regexes[i]);
        }
        g_once_init_leave(&done, 1);
    }
    return regexes;
}

static int compare_lengths(gconstpointer a, gconstpointer b) {
    gsize x = strlen(*(char *const *) a), y = strlen(*(char *const *) b);
    return (x < y) - (x > y);
}

static gboolean is_telling(const char *secret) {
    gsize length = strlen(secret);
    return length >= LONG_ENOUGH || (length >= SHORTEST && strspn(secret, G_CSET_a_2_z G_CSET_A_2_Z) != length);
}

static void remember(Secrets *secrets, const char *secret) {
    if (!is_telling(secret))
        return;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&secrets->lock);
    GPtrArray *known = secrets->known;
    if (known->len < MOST_SECRETS && !g_ptr_array_find_with_equal_func(known, secret, g_str_equal, NULL)) {
        g_ptr_array_add(known, g_strdup(secret));
        g_ptr_array_sort(known, compare_lengths);
    }
}

void secrets_add(Secrets *secrets, const char *secret) {
    g_auto(GStrv) lines = g_strsplit_set(secret, "\r\n", -1);

    for (char **line = lines; *line; line++)
        remember(secrets, g_strstrip(*line));
}

void secrets_add_addresses(Secrets *secrets, const char *text) {
    g_autoptr(GRegex) regex = g_regex_new("://[^:/\\s'\"]*:([^/\\s'\"]*)@", G_REGEX_RAW, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    for (g_regex_match(regex, text, 0, &match); g_match_info_matches(match); g_match_info_next(match, NULL)) {
        g_autofree char *password = g_match_info_fetch(match, 1);
        g_autofree char *decoded = g_uri_unescape_string(password, NULL);
        remember(secrets, password);
        if (decoded)
            remember(secrets, decoded);
    }
}

gboolean secrets_is_name(const char *name) {
    return g_regex_match_simple("^" SECRET_VARIABLE "$", name, G_REGEX_RAW, 0) ||
           g_regex_match_simple(SECRET_WORDS, name, G_REGEX_RAW | G_REGEX_CASELESS, 0);
}

static gboolean is_word_character(char c) {
    return g_ascii_isalnum(c) || c == '_';
}

/* Whether SECRET at AT of TEXT is more than a part of something else. */
static gboolean stands_alone(const char *text, const char *at, gsize length) {
    return length >= LONG_ENOUGH || ((at == text || !is_word_character(at[-1])) && !is_word_character(at[length]));
}

static char *without(const char *text, const char *secret) {
    g_autoptr(GString) result = g_string_new(NULL);
    gsize length = strlen(secret);
    const char *start = text;

    for (const char *at = text; (at = strstr(at, secret));) {
        if (!stands_alone(text, at, length)) {
            at++;
            continue;
        }
        g_string_append_len(result, start, at - start);
        g_string_append(result, STARS);
        start = at += length;
    }
    g_string_append(result, start);
    return g_string_free(g_steal_pointer(&result), FALSE);
}

char *secrets_redact_known(Secrets *secrets, const char *text) {
    char *result = g_strdup(text);

    if (!secrets)
        return result;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&secrets->lock);
    for (guint i = 0; i < secrets->known->len; i++) {
        const char *secret = secrets->known->pdata[i];
        if (!strstr(result, secret))
            continue;
        char *next = without(result, secret);
        g_free(result);
        result = next;
    }
    return result;
}

char *secrets_redact(Secrets *secrets, const char *text) {
    char *result = secrets_redact_known(secrets, text);

    /* What none of the forms can do without. */
    if (!strpbrk(result, "=:"))
        return result;
    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
        char *next = g_regex_replace(compiled_forms()[i], result, -1, 0, forms[i].replacement, 0, NULL);
        if (!next) /* too much for the expression: better nothing than a secret */
            next = g_strdup(STARS);
        g_free(result);
        result = next;
    }
    return result;
}
