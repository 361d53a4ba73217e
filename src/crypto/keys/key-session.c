/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/keys/key-session.h"

#include <openssl/err.h>
#include <openssl/ui.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/keys/key-session-private.h"
#include "crypto/sources/openssl-error.h"
#include "crypto/sources/pkcs11-uri.h"

/* Longer than any PIN; what OpenSSL has room for in its own prompts. */
#define LONGEST_ANSWER 1024

typedef struct {
    char *prompt, *answer;
    gboolean given; /* since the last key_session_begin() */
    gboolean wrong; /* and so never given again */
} Answer;

struct KeySession {
    KeyAsk ask;
    gpointer data;
    GPtrArray *answers; /* Answer */
    GHashTable *keys; /* ID to KeySource */
    GHashTable *certificates; /* ID to Certificate */
    GHashTable *tokens; /* a set of strings */
    GMutex lock;
    GMutex ask_lock; /* guards answers and error: signatures of several threads may ask */
    int asking; /* atomic */
    KeyWaiting waiting;
    gpointer waiting_data;
    UI_METHOD *ui;
    GError *error; /* of the last question */
    gboolean opening; /* a key: later on tokens may ask for each signature */
};

void key_session_wipe(char *answer) {
    if (answer)
        OPENSSL_cleanse(answer, strlen(answer));
    g_free(answer);
}

static void answer_free(gpointer data) {
    Answer *answer = data;

    key_session_wipe(answer->answer);
    g_free(answer->prompt);
    g_free(answer);
}

/* ---- what OpenSSL calls ---- */

static int ui_open(UI *ui) {
    return 1;
}

static int ui_write(UI *ui, UI_STRING *string) {
    return 1;
}

/* Where a method keeps its session. */
static int session_index(void) {
    static gsize index; /* and one */
    if (g_once_init_enter(&index))
        g_once_init_leave(&index, CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_UI_METHOD, 0, NULL, NULL, NULL, NULL) + 1);
    return (int) index - 1;
}

/* A provider that got no answer, or has nobody to ask, turns to OpenSSL's default, which would read from the terminal. As
 * long as a key is opened, no answer is no answer. */
static KeySession *session_of(UI *ui) {
    KeySession *session = UI_get0_user_data(ui);
    if (session)
        return session;
    session = (KeySession *) UI_method_get_ex_data(UI_get_method(ui), session_index());
    return session && !session->opening ? session : NULL;
}

static int ui_read(UI *ui, UI_STRING *string) {
    KeySession *session = session_of(ui);

    if (UI_get_string_type(string) != UIT_PROMPT && UI_get_string_type(string) != UIT_VERIFY)
        return 1;
    g_autofree char *prompt = g_strdup(UI_get0_output_string(string));
    for (gsize length = strlen(prompt); length > 0 && strchr(": ", prompt[length - 1]); length--)
        prompt[length - 1] = '\0';
    char *answer = session ? key_session_answer(session, prompt) : NULL;
    gboolean good = answer && UI_set_result(ui, string, answer) == 0;
    key_session_wipe(answer);
    return good ? 1 : -1;
}

static int ui_close(UI *ui) {
    return 1;
}

UI_METHOD *key_session_ui(KeySession *session) {
    if (!session->ui && (session->ui = UI_create_method("particleos"))) {
        UI_method_set_opener(session->ui, ui_open);
        UI_method_set_writer(session->ui, ui_write);
        UI_method_set_reader(session->ui, ui_read);
        UI_method_set_closer(session->ui, ui_close);
        UI_method_set_ex_data(session->ui, session_index(), session);
    }
    return session->ui;
}

void key_session_take_over(KeySession *session) {
    UI_set_default_method(key_session_ui(session));
}

/* ---- answers ---- */

KeySession *key_session_new(KeyAsk ask, gpointer data) {
    KeySession *session = g_new0(KeySession, 1);

    session->ask = ask;
    session->data = data;
    session->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) key_source_unref);
    session->certificates =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) certificate_unref);
    session->tokens = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_mutex_init(&session->lock);
    g_mutex_init(&session->ask_lock);
    session->answers = g_ptr_array_new_with_free_func(answer_free);
    return session;
}

void key_session_free(KeySession *session) {
    if (!session)
        return;
    g_hash_table_unref(session->keys);
    g_hash_table_unref(session->certificates);
    g_hash_table_unref(session->tokens);
    g_mutex_clear(&session->lock);
    g_mutex_clear(&session->ask_lock);
    g_ptr_array_unref(session->answers);
    g_clear_error(&session->error);
    if (session->ui && UI_get_default_method() == session->ui)
        UI_set_default_method(UI_null());
    if (session->ui)
        UI_destroy_method(session->ui);
    g_free(session);
}

void key_session_begin(KeySession *session) {
    secret_forbid_core_dumps();
    for (guint i = 0; i < session->answers->len; i++)
        ((Answer *) session->answers->pdata[i])->given = FALSE;
    g_clear_error(&session->error);
    session->opening = TRUE;
}

gboolean key_session_meet_token(KeySession *session, const char *id, gboolean *ret_first) {
    *ret_first = g_hash_table_size(session->tokens) == 0;
    return !g_hash_table_add(session->tokens, g_strdup(id));
}

static Answer *find_answer(KeySession *session, const char *prompt) {
    for (guint i = 0; i < session->answers->len; i++) {
        Answer *answer = session->answers->pdata[i];
        if (g_str_equal(answer->prompt, prompt))
            return answer;
    }
    return NULL;
}

static char *ask(KeySession *session, const char *prompt) {
    g_atomic_int_set(&session->asking, 1);
    char *text = session->ask ? session->ask(prompt, session->data, &session->error) : NULL;
    g_atomic_int_set(&session->asking, 0);
    if (text && strlen(text) > LONGEST_ANSWER) {
        key_session_wipe(g_steal_pointer(&text));
        g_set_error(&session->error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING, "the answer is longer than %d bytes",
                LONGEST_ANSWER);
    }
    if (!text && !session->error)
        g_set_error(&session->error, CRYPTO_ERROR, CRYPTO_ERROR_MISSING, "nobody can be asked");
    return text;
}

/* Somebody has to say yes to each signature, so nothing is kept. */
static char *ask_for_signature(KeySession *session, const char *prompt) {
    g_autofree char *reason = g_strconcat(prompt, " (the token wants it for each signature with this key)", NULL);
    g_clear_error(&session->error);
    return ask(session, reason);
}

static char *ask_and_keep(KeySession *session, const char *prompt) {
    char *text = session->error ? NULL : ask(session, prompt);
    if (!text)
        return NULL;
    Answer *answer = g_new0(Answer, 1);
    answer->prompt = g_strdup(prompt);
    answer->answer = text;
    answer->given = TRUE;
    g_ptr_array_add(session->answers, answer);
    return g_strdup(text);
}

char *key_session_answer(KeySession *session, const char *prompt) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&session->ask_lock);
    Answer *answer = find_answer(session, prompt);

    if (!answer)
        return session->opening ? ask_and_keep(session, prompt) : ask_for_signature(session, prompt);
    if (answer->wrong || (answer->given && session->opening))
        return NULL;
    answer->given = TRUE;
    return g_strdup(answer->answer);
}

/* Whether something was asked for, which did not help. What was a wrong answer once is never given again, because tokens
 * lock. */
static gboolean was_asked(KeySession *session) {
    gboolean asked = FALSE;

    for (guint i = 0; i < session->answers->len; i++) {
        Answer *answer = session->answers->pdata[i];
        asked |= answer->given || answer->wrong;
        answer->wrong |= answer->given;
    }
    return asked;
}

gboolean key_session_take_error(KeySession *session, const char *what, GError **error) {
    if (session->error) {
        g_propagate_prefixed_error(error, g_steal_pointer(&session->error), "Cannot open %s: ", what);
        ERR_clear_error();
        return TRUE;
    }
    if (was_asked(session))
        return crypto_set_openssl_error(error, CRYPTO_ERROR_PERMISSION,
                       "Cannot open %s (check the PIN or passphrase, which is not tried again, and that the token is "
                       "there and has this key)",
                       what),
               TRUE;
    return FALSE;
}

/* ---- signatures in tokens ---- */

void key_session_on_wait(KeySession *session, KeyWaiting tell, gpointer data) {
    session->waiting = tell;
    session->waiting_data = data;
}

static gpointer begin_signature(const char *what, gpointer data) {
    KeySession *session = data;
    return key_wait_begin(session->waiting, session->waiting_data, what, &session->asking);
}

static gboolean end_signature(gpointer wait, const char *what, gpointer data, GError **error) {
    KeySession *session = data;

    key_wait_end(wait);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&session->ask_lock);
    if (!error || !session->error)
        return FALSE;
    g_propagate_prefixed_error(error, g_steal_pointer(&session->error), "Cannot sign with %s: ", what);
    ERR_clear_error();
    return TRUE;
}

/* ---- keys ---- */

static KeySource *open_key(KeySession *session, KeySourceKind kind, const char *name, const char *locator,
        GError **error) {
    EVP_PKEY *pkey = kind == KEY_SOURCE_KIND_FILE     ? key_file_load(session, locator, error)
                     : kind == KEY_SOURCE_KIND_ENGINE ? key_engine_load(session, name, locator, error)
                                                      : key_provider_load(session, name, locator, error);
    KeySource *key;

    if (!pkey)
        return NULL;
    if (kind != KEY_SOURCE_KIND_FILE) {
        key = key_source_new_foreign(pkey, locator, kind == KEY_SOURCE_KIND_PROVIDER ? name : NULL);
        key_source_watch(key, begin_signature, end_signature, session);
        return key;
    }
    key = key_source_new_from_pkey(pkey, locator);
    EVP_PKEY_free(pkey);
    return key;
}

static Certificate *take_certificate(X509 *x509) {
    Certificate *certificate = x509 ? certificate_new_from_x509(x509) : NULL;
    X509_free(x509);
    return certificate;
}

static Certificate *open_certificate(KeySession *session, KeySourceKind kind, const char *name, const char *locator,
        GError **error) {
    if (kind == KEY_SOURCE_KIND_FILE)
        return certificate_file_load(session, locator, error);
    return take_certificate(kind == KEY_SOURCE_KIND_ENGINE
                                    ? certificate_engine_load(session, name, locator, error)
                                    : certificate_provider_load(session, name, locator, NULL, error));
}

static char *make_id(KeySourceKind kind, const char *name, const char *locator) {
    return g_strdup_printf("%d:%s:%s", kind, name ? name : "", locator);
}

/* OpenSSL calls back from within, so the session is locked here and where certificates are opened, and nowhere else. */
KeySource *key_session_open(KeySession *session, KeySourceKind kind, const char *name, const char *locator,
        GError **error) {
    g_autofree char *id = make_id(kind, name, locator);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&session->lock);
    KeySource *key = g_hash_table_lookup(session->keys, id);

    if (!key && (key = open_key(session, kind, name, locator, error)))
        g_hash_table_replace(session->keys, g_steal_pointer(&id), key);
    session->opening = FALSE;
    return key ? key_source_ref(key) : NULL;
}

Certificate *key_session_open_certificate(KeySession *session, KeySourceKind kind, const char *name,
        const char *locator, GError **error) {
    g_autofree char *id = make_id(kind, name, locator);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&session->lock);
    Certificate *certificate = g_hash_table_lookup(session->certificates, id);

    if (!certificate && (certificate = open_certificate(session, kind, name, locator, error)))
        g_hash_table_replace(session->certificates, g_steal_pointer(&id), certificate);
    session->opening = FALSE;
    return certificate ? certificate_ref(certificate) : NULL;
}

/* People give a certificate the label or the number of its key. A provider lists all that a token has, so that neither
 * is needed. */
static Certificate *find_certificate(KeySession *session, KeySourceKind kind, const char *name, const char *uri,
        const KeySource *key, GError **error) {
    g_autofree char *beside = pkcs11_uri_with(uri, "type", "cert");

    if (kind == KEY_SOURCE_KIND_ENGINE)
        return take_certificate(certificate_engine_load(session, name, beside, error));
    g_autofree char *unlabelled = pkcs11_uri_with(beside, "object", NULL);
    g_autofree char *all = pkcs11_uri_with(unlabelled, "id", NULL);
    return take_certificate(certificate_provider_load(session, name, all, key_source_peek(key), error));
}

Certificate *key_session_find_certificate(KeySession *session, KeySourceKind kind, const char *name, const char *uri,
        const KeySource *key, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&session->lock);
    g_autoptr(Certificate) certificate = find_certificate(session, kind, name, uri, key, error);

    session->opening = FALSE;
    return certificate && certificate_check_key(certificate, key, error) ? g_steal_pointer(&certificate) : NULL;
}

KeySource *key_source_new(KeySourceKind kind, const char *name, const char *locator, GError **error) {
    g_autoptr(KeySession) session = key_session_new(NULL, NULL);
    return key_session_open(session, kind, name, locator, error);
}
