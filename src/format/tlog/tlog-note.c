/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tlog-note.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/hex.h"

#define DASH "\xe2\x80\x94 "
#define ED25519 1
#define HASH_SIZE 4
/* SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410). */
static const guint8 spki[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)

static gboolean malformed(GError **error, const char *what) {
    g_set_error_literal(error, TLOG_ERROR, TLOG_ERROR_MALFORMED, what);
    return FALSE;
}

void tlog_verifier_clear(TlogVerifier *verifier) {
    g_clear_pointer(&verifier->name, g_free);
}

gboolean tlog_is_key_name(const char *name) {
    if (!name || !*name || !g_utf8_validate(name, -1, NULL))
        return FALSE;
    for (const char *p = name; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '+' || g_unichar_isspace(c) || g_unichar_iscntrl(c))
            return FALSE;
    }
    return TRUE;
}

/* The four bytes that say which key signed. */
static void hash_key(const TlogVerifier *verifier, guint8 ret[static HASH_SIZE]) {
    g_autoptr(Sha256) sha = sha256_new();
    const guint8 middle[] = {'\n', ED25519};
    guint8 digest[SHA256_SIZE];

    sha256_update(sha, verifier->name, strlen(verifier->name));
    sha256_update(sha, middle, sizeof middle);
    sha256_update(sha, verifier->key, TLOG_KEY_SIZE);
    sha256_finish(sha, digest);
    memcpy(ret, digest, HASH_SIZE);
}

char *tlog_verifier_to_text(const TlogVerifier *verifier) {
    guint8 hash[HASH_SIZE], key[1 + TLOG_KEY_SIZE] = {ED25519};

    hash_key(verifier, hash);
    memcpy(key + 1, verifier->key, TLOG_KEY_SIZE);
    g_autofree char *hex = hex_encode(hash, sizeof hash);
    g_autofree char *text = g_base64_encode(key, sizeof key);
    return g_strdup_printf("%s+%s+%s", verifier->name, hex, text);
}

/* The bytes that TEXT is the one spelling of; NULL when it is none. Owned by the caller. */
static GBytes *decode(const char *text) {
    gsize size = 0;
    g_autofree guchar *data = g_base64_decode(text, &size);
    g_autofree char *again = g_base64_encode(data, size);

    return g_str_equal(again, text) ? g_bytes_new_take(g_steal_pointer(&data), size) : NULL;
}

gboolean tlog_verifier_parse(const char *text, TlogVerifier *ret, GError **error) {
    g_auto(TlogVerifier) verifier = {NULL};
    g_auto(GStrv) parts = g_strsplit(text, "+", 3);
    guint8 hash[HASH_SIZE];

    if (g_strv_length(parts) != 3 || !tlog_is_key_name(parts[0]))
        return malformed(error, "it is no key of a log: expected NAME+HASH+BASE64");
    g_autoptr(GBytes) key = decode(parts[2]);
    gsize size = 0;
    const guint8 *data = key ? g_bytes_get_data(key, &size) : NULL;
    if (size != 1 + TLOG_KEY_SIZE || data[0] != ED25519)
        return malformed(error, "it is no Ed25519 key of a log");
    verifier.name = g_strdup(parts[0]);
    memcpy(verifier.key, data + 1, TLOG_KEY_SIZE);
    hash_key(&verifier, hash);
    g_autofree char *hex = hex_encode(hash, sizeof hash);
    if (!g_str_equal(hex, parts[1]))
        return malformed(error, "the key of the log has another hash than it says; was it copied completely?");
    *ret = verifier;
    verifier.name = NULL;
    return TRUE;
}

char *tlog_verifier_get_fingerprint(const TlogVerifier *verifier) {
    guint8 der[sizeof spki + TLOG_KEY_SIZE], digest[SHA256_SIZE];

    memcpy(der, spki, sizeof spki);
    memcpy(der + sizeof spki, verifier->key, TLOG_KEY_SIZE);
    sha256_buffer(der, sizeof der, digest);
    return hex_encode(digest, sizeof digest);
}

char *tlog_note_make(
        const char *text, const TlogVerifier *verifier, const guint8 signature[static TLOG_SIGNATURE_SIZE]) {
    guint8 all[HASH_SIZE + TLOG_SIGNATURE_SIZE];

    hash_key(verifier, all);
    memcpy(all + HASH_SIZE, signature, TLOG_SIGNATURE_SIZE);
    g_autofree char *encoded = g_base64_encode(all, sizeof all);
    return g_strdup_printf("%s\n" DASH "%s %s\n", text, verifier->name, encoded);
}

static gboolean is_good(const TlogVerifier *verifier, const char *text, gsize size, const guint8 *signature) {
    g_autoptr(EVP_PKEY) key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, verifier->key, TLOG_KEY_SIZE);
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();

    return key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
           EVP_DigestVerify(context, signature, TLOG_SIGNATURE_SIZE, (const guint8 *) text, size) == 1;
}

/* One line of signatures. RET_GOOD becomes TRUE when it is a good one of VERIFIER; a bad one of it is an error. */
static gboolean check_line(
        const char *line, const char *text, gsize size, const TlogVerifier *verifier, gboolean *ret_good, GError **error) {
    const char *name = line + strlen(DASH);
    const char *space = g_str_has_prefix(line, DASH) ? strchr(name, ' ') : NULL;
    g_autoptr(GBytes) all = space ? decode(space + 1) : NULL;
    gsize n = 0;
    const guint8 *data = all ? g_bytes_get_data(all, &n) : NULL;
    guint8 hash[HASH_SIZE];

    if (n <= HASH_SIZE || space == name)
        return malformed(error, "it has a line that is no signature where signatures are");
    hash_key(verifier, hash);
    if (strncmp(name, verifier->name, (gsize) (space - name)) != 0 || strlen(verifier->name) != (gsize) (space - name) ||
            memcmp(data, hash, HASH_SIZE) != 0)
        return TRUE;
    if (n != HASH_SIZE + TLOG_SIGNATURE_SIZE || !is_good(verifier, text, size, data + HASH_SIZE)) {
        g_set_error(error, TLOG_ERROR, TLOG_ERROR_SIGNATURE, "the signature of %s is bad", verifier->name);
        return FALSE;
    }
    *ret_good = TRUE;
    return TRUE;
}

static gboolean is_text(const char *data, gsize size) {
    if (size == 0 || size > TLOG_NOTE_SIZE_MAX || !g_utf8_validate(data, (gssize) size, NULL) || data[size - 1] != '\n')
        return FALSE;
    for (gsize i = 0; i < size; i++)
        if ((guchar) data[i] < 0x20 && data[i] != '\n')
            return FALSE;
    return TRUE;
}

char *tlog_note_open(const char *data, gsize size, const TlogVerifier *verifier, GError **error) {
    gboolean good = FALSE;

    if (!is_text(data, size)) {
        malformed(error, "it is no signed note");
        return NULL;
    }
    const char *end = g_strrstr_len(data, (gssize) size, "\n\n");
    if (!end || end == data) {
        malformed(error, "it is no signed note: it has no signatures");
        return NULL;
    }
    gsize length = (gsize) (end - data) + 1;
    g_autofree char *rest = g_strndup(end + 2, size - length - 1);
    g_auto(GStrv) lines = g_strsplit(rest, "\n", -1);
    /* Behind the last newline is nothing. */
    for (char **line = lines; *line && (line[1] || **line); line++)
        if (!check_line(*line, data, length, verifier, &good, error))
            return NULL;
    if (good)
        return g_strndup(data, length);
    g_set_error(error, TLOG_ERROR, TLOG_ERROR_SIGNATURE, "%s has not signed it with the key that is known", verifier->name);
    return NULL;
}
