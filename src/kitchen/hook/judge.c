/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "judge.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"

#define TEXT_MAX 128
#define WHSEC "whsec_"
/* Several, while a secret is exchanged; more are an attempt to keep us busy. */
#define SIGNATURES_MAX 8

static const char *const names[] = {"github", "gitlab", "gitlab-signed", "gitea", "forgejo"};

/* By kind: the headers that name event and delivery; the first one that is there counts. */
static const char *const event_headers[][3] = {{"X-GitHub-Event"}, {"X-Gitlab-Event"}, {"X-Gitlab-Event"},
        {"X-Gitea-Event"}, {"X-Forgejo-Event", "X-Gitea-Event"}};
static const char *const delivery_headers[][3] = {{"X-GitHub-Delivery"}, {"Idempotency-Key", "X-Gitlab-Event-UUID"},
        {"webhook-id"}, {"X-Gitea-Delivery"}, {"X-Forgejo-Delivery", "X-Gitea-Delivery"}};

const char *hook_kind_name(HookKind kind) {
    return names[kind];
}

int hook_kind_by_name(const char *word) {
    for (int kind = 0; kind < HOOK_N_KINDS; kind++)
        if (g_strcmp0(word, names[kind]) == 0)
            return kind;
    return -1;
}

void hook_verdict_clear(HookVerdict *verdict) {
    g_clear_pointer(&verdict->delivery, g_free);
    g_clear_pointer(&verdict->event, g_free);
    g_clear_pointer(&verdict->problem, g_free);
}

/* The text of the first of HEADERS that is there, made short and printable. */
static char *take_text(const char *const *headers, HookHeader header, gpointer user) {
    const char *value = NULL;
    char *text = NULL;

    for (guint i = 0; i < 3 && headers[i] && !value; i++)
        value = header(user, headers[i]);
    if (!value || !value[0])
        return NULL;
    text = g_strndup(value, TEXT_MAX);
    for (char *at = text; *at; at++)
        if (!g_ascii_isprint(*at))
            *at = '?';
    return text;
}

static void mac(const void *key, gsize key_size, const void *data, gsize size, guint8 *ret_mac) {
    unsigned length = 0;

    if (!HMAC(EVP_sha256(), key, (int) key_size, data, size, ret_mac, &length) || length != SHA256_SIZE)
        g_error("OpenSSL has no HMAC-SHA256");
}

static gboolean fail(HookVerdict *verdict, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean fail(HookVerdict *verdict, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    verdict->problem = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return FALSE;
}

/* A signature in hexadecimal, with PREFIX before it. */
static gboolean judge_hex(const char *header_name, const char *prefix, const char *value, const char *secret,
        GBytes *body, HookVerdict *verdict) {
    guint8 expected[SHA256_SIZE];
    g_autoptr(GBytes) given = NULL;
    gsize size = 0;
    const void *data = g_bytes_get_data(body, &size);

    if (!value)
        return fail(verdict, "The header %s is missing: set the secret of the hook at the forge", header_name);
    if (g_str_has_prefix(value, prefix))
        given = hex_decode(value + strlen(prefix), -1);
    if (!given || g_bytes_get_size(given) != SHA256_SIZE)
        return fail(verdict, "The header %s holds no HMAC-SHA256", header_name);
    mac(secret, strlen(secret), data ?: "", size, expected);
    if (CRYPTO_memcmp(g_bytes_get_data(given, NULL), expected, SHA256_SIZE) != 0)
        return fail(verdict, "The signature is wrong: the secret at the forge is not that of this hook");
    return TRUE;
}

static gboolean judge_token(const char *value, const char *secret, HookVerdict *verdict) {
    guint8 given[SHA256_SIZE], expected[SHA256_SIZE];

    if (!value)
        return fail(verdict, "The header X-Gitlab-Token is missing: set the secret token at the forge");
    sha256_buffer(value, strlen(value), given);
    sha256_buffer(secret, strlen(secret), expected);
    if (CRYPTO_memcmp(given, expected, SHA256_SIZE) != 0)
        return fail(verdict, "The token is wrong: that at the forge is not that of this hook");
    return TRUE;
}

static GBytes *signing_key(const char *secret) {
    gsize size = 0;
    guint8 *key = NULL;

    if (!g_str_has_prefix(secret, WHSEC))
        return g_bytes_new(secret, strlen(secret));
    key = g_base64_decode(secret + strlen(WHSEC), &size);
    return g_bytes_new_take(key, size);
}

/* One of the signatures "v1,BASE64" in LIST is EXPECTED. */
static gboolean any_matches(const char *list, const guint8 *expected) {
    g_auto(GStrv) words = g_strsplit(list, " ", SIGNATURES_MAX + 1);
    gboolean found = FALSE;

    for (guint i = 0; i < SIGNATURES_MAX && words[i]; i++) {
        gsize size = 0;
        g_autofree guint8 *given = NULL;

        if (!g_str_has_prefix(words[i], "v1,"))
            continue;
        given = g_base64_decode(words[i] + 3, &size);
        if (size == SHA256_SIZE && CRYPTO_memcmp(given, expected, SHA256_SIZE) == 0)
            found = TRUE;
    }
    return found;
}

static gboolean judge_signed(const char *id, const char *time, const char *value, const char *secret, GBytes *body,
        gint64 now, HookVerdict *verdict) {
    guint8 expected[SHA256_SIZE];
    gint64 seconds = 0;
    gsize size = 0;
    const void *data = g_bytes_get_data(body, &size);
    g_autoptr(GBytes) key = signing_key(secret);
    g_autoptr(GByteArray) text = g_byte_array_new();

    if (!id || !time || !value)
        return fail(verdict, "One of the headers webhook-id, webhook-timestamp and webhook-signature is missing: "
                             "set a signing token at the forge");
    if (!g_ascii_string_to_signed(time, 10, 0, G_MAXINT32 * G_GINT64_CONSTANT(64), &seconds, NULL))
        return fail(verdict, "The header webhook-timestamp holds no time");
    g_byte_array_append(text, (const guint8 *) id, strlen(id));
    g_byte_array_append(text, (const guint8 *) ".", 1);
    g_byte_array_append(text, (const guint8 *) time, strlen(time));
    g_byte_array_append(text, (const guint8 *) ".", 1);
    g_byte_array_append(text, data, size);
    mac(g_bytes_get_data(key, NULL), g_bytes_get_size(key), text->data, text->len, expected);
    if (!any_matches(value, expected))
        return fail(verdict, "The signature is wrong: the signing token at the forge is not that of this hook");
    if (ABS(now - seconds) > HOOK_AGE_MAX)
        return fail(verdict, "The delivery was signed %" G_GINT64_FORMAT " seconds %s: at most %d are accepted",
                ABS(now - seconds), seconds < now ? "ago" : "ahead", HOOK_AGE_MAX);
    return TRUE;
}

gboolean hook_judge(HookKind kind, const char *secret, GBytes *body, HookHeader header, gpointer user, gint64 now,
        HookVerdict *ret_verdict) {
    HookVerdict *verdict = ret_verdict;
    const char *forgejo = NULL;

    *verdict = (HookVerdict){NULL};
    verdict->event = take_text(event_headers[kind], header, user);
    verdict->delivery = take_text(delivery_headers[kind], header, user);
    if (!secret[0])
        return fail(verdict, "The hook has no secret");
    switch (kind) {
    case HOOK_GITHUB:
        return judge_hex("X-Hub-Signature-256", "sha256=", header(user, "X-Hub-Signature-256"), secret, body, verdict);
    case HOOK_GITLAB:
        return judge_token(header(user, "X-Gitlab-Token"), secret, verdict);
    case HOOK_GITLAB_SIGNED:
        return judge_signed(header(user, "webhook-id"), header(user, "webhook-timestamp"),
                header(user, "webhook-signature"), secret, body, now, verdict);
    case HOOK_FORGEJO:
        forgejo = header(user, "X-Forgejo-Signature");
        if (forgejo)
            return judge_hex("X-Forgejo-Signature", "", forgejo, secret, body, verdict);
        break;
    case HOOK_GITEA:
    case HOOK_N_KINDS:
        break;
    }
    return judge_hex("X-Gitea-Signature", "", header(user, "X-Gitea-Signature"), secret, body, verdict);
}
