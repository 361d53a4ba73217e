/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/judges/case.h"

#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "signer/client/packet.h"
#include "signer/text/error.h"

#define SALT_SIZE 32

SignerCase *signer_case_new(SignerKeys *keys, const char *policies, const SignerRequest *request, GPtrArray *objects) {
    SignerCase *this = g_new0(SignerCase, 1);

    this->keys = keys;
    this->policies = policies;
    this->request = request;
    this->objects = objects;
    this->time = g_get_real_time() / G_USEC_PER_SEC;
    this->purposes = g_ptr_array_new();
    this->root_hashes = g_ptr_array_new_with_free_func(g_free);
    this->programs = g_ptr_array_new_with_free_func(g_free);
    this->versions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    this->facts = json_object_new();
    this->signatures = json_array_new();
    this->answers = json_object_new();
    this->extra = json_object_new();
    return this;
}

void signer_case_free(SignerCase *this) {
    if (!this)
        return;
    signer_policy_free(this->policy);
    signing_thing_free(this->thing);
    g_ptr_array_unref(this->purposes);
    g_ptr_array_unref(this->root_hashes);
    g_free(this->program);
    g_ptr_array_unref(this->programs);
    g_hash_table_unref(this->versions);
    g_free(this->text);
    g_clear_pointer(&this->payload, g_bytes_unref);
    json_object_unref(this->facts);
    json_array_unref(this->signatures);
    json_object_unref(this->answers);
    json_object_unref(this->extra);
    g_free(this);
}

gboolean signer_case_take_thing(
        SignerCase *this, SigningType type, gsize largest, SignerPurpose purpose, GError **error) {
    SignerObject *object = signer_objects_find(this->objects, "thing", error);
    GBytes *content = object ? signer_object_read(object, largest, error) : NULL;

    if (!content)
        return FALSE;
    this->thing =
            signing_thing_new(type, this->request->title ?: signer_type_to_string(this->request->type), content, NULL);
    g_ptr_array_add(this->purposes, GUINT_TO_POINTER(purpose));
    return TRUE;
}

void signer_case_answer(SignerCase *this, const char *name, GBytes *data) {
    gsize size;
    const guchar *bytes = g_bytes_get_data(data, &size);
    g_autofree char *text = g_base64_encode(bytes, size);
    json_object_set_string_member(this->answers, name, text);
}

static void note_signature(
        SignerCase *this, const SignerPair *pair, SignerPurpose purpose, const char *name, GBytes *bytes) {
    JsonObject *note = json_object_new();
    g_autofree char *digest = signing_digest(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));

    json_object_set_string_member(note, "name", name);
    json_object_set_string_member(note, "purpose", signer_purpose_to_string(purpose));
    json_object_set_string_member(note, "key", certificate_get_fingerprint(pair->certificate));
    json_object_set_string_member(note, "digest", digest);
    json_array_add_object_element(this->signatures, note);
}

GBytes *signer_case_sign_bytes(SignerCase *this, const SignerPair *pair, SignerPurpose purpose, const char *name,
        GBytes *bytes, GError **error) {
    g_autoptr(GError) problem = NULL;
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    g_autoptr(GBytes) signature = key_source_sign(pair->key, data, size, &problem);
    g_autoptr(GBytes) public_key = signature ? certificate_get_public_key_pem(pair->certificate, &problem) : NULL;

    /* A key whose public half is not that of its private one would not be noticed before an image starts. */
    if (!public_key || !public_key_verify(public_key, data, size, signature, &problem)) {
        signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_FAILED, "The key for %s cannot sign",
                signer_purpose_to_string(purpose));
        return NULL;
    }
    note_signature(this, pair, purpose, name, bytes);
    return g_steal_pointer(&signature);
}

/* ---- things ---- */

typedef struct {
    SignerCase *this;
    SignerPair pairs[SIGNER_N_PURPOSES];
    gboolean open[SIGNER_N_PURPOSES];
} Desk;

/* Whose key signs what is asked. */
static SignerPurpose purpose_of(SigningType type) {
    static const SignerPurpose purposes[] = {
            [SIGNING_VERITY] = SIGNER_PURPOSE_VERITY,
            [SIGNING_PCR] = SIGNER_PURPOSE_PCR,
            [SIGNING_PE] = SIGNER_PURPOSE_SECURE_BOOT,
            [SIGNING_VARIABLE] = SIGNER_PURPOSE_ENROLMENT,
            [SIGNING_IPE] = SIGNER_PURPOSE_IPE,
            [SIGNING_MANIFEST] = SIGNER_PURPOSE_MANIFEST,
    };
    return purposes[type];
}

static GBytes *answer(gpointer user, const SigningRequest *request, GError **error) {
    Desk *desk = user;
    SignerPurpose purpose = purpose_of(request->type);

    if (!desk->open[purpose] || !certificate_equal(desk->pairs[purpose].certificate, request->certificate))
        return NULL;
    GBytes *signature =
            signer_case_sign_bytes(desk->this, &desk->pairs[purpose], purpose, request->name, request->bytes, error);
    if (signature)
        signer_case_answer(desk->this, request->name, signature);
    return signature;
}

static gboolean open_keys(Desk *desk, GPtrArray *certificates, GError **error) {
    SignerCase *this = desk->this;

    for (guint i = 0; i < this->purposes->len; i++) {
        SignerPurpose purpose = GPOINTER_TO_UINT(this->purposes->pdata[i]);
        if (!signer_keys_open(this->keys, this->policy, this->request->owner, purpose, &desk->pairs[purpose], error))
            return FALSE;
        desk->open[purpose] = TRUE;
        g_ptr_array_add(certificates, desk->pairs[purpose].certificate);
    }
    return TRUE;
}

/* Programs whose policies alone are ours are not. */
static gboolean has_signature_for(const SignerCase *this, SignerPurpose purpose) {
    for (guint i = 0; i < json_array_get_length(this->signatures); i++) {
        JsonObject *note = json_array_get_object_element(this->signatures, i);
        if (g_str_equal(json_object_get_string_member(note, "purpose"), signer_purpose_to_string(purpose)))
            return TRUE;
    }
    return FALSE;
}

/* What NULL without an error means. */
static gboolean nothing_pending(const SignerCase *this, GError **error) {
    return signer_refuse(error, SIGNER_ERROR_CONTENT,
            "%s: it waits for no signature by the keys of %s; was it built with their certificates?",
            this->thing->title, this->request->owner);
}

GBytes *signer_case_sign_thing(SignerCase *this, GError **error) {
    Desk desk = {.this = this};
    g_autoptr(GPtrArray) certificates = g_ptr_array_new();
    g_autoptr(GError) problem = NULL;
    GBytes *done = NULL;

    if (open_keys(&desk, certificates, error)) {
        done = signing_thing_complete(this->thing, certificates, answer, &desk, NULL, &problem);
        if (problem && problem->domain == SIGNER_ERROR)
            g_propagate_error(error, g_steal_pointer(&problem));
        else if (problem)
            signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_CONTENT, "%s", this->thing->title);
        else if (done && !has_signature_for(this, GPOINTER_TO_UINT(this->purposes->pdata[this->purposes->len - 1])))
            g_clear_pointer(&done, g_bytes_unref);
        if (!done && error && !*error)
            nothing_pending(this, error);
    }
    for (guint i = 0; i < SIGNER_N_PURPOSES; i++)
        signer_pair_clear(&desk.pairs[i]);
    return done;
}

/* ---- for the log ---- */

/* Whether the log may show it is no part of what is asked for. */
static char *request_to_text(const SignerCase *this) {
    g_autoptr(JsonObject) request = json_object_new();
    g_autoptr(GList) names = json_object_get_members(this->request->json);

    for (const GList *name = names; name; name = name->next)
        if (!g_str_equal(name->data, "private"))
            json_object_set_member(request, name->data, json_object_dup_member(this->request->json, name->data));
    return signer_packet_to_text(request);
}

char *signer_case_digest(const SignerCase *this) {
    g_autofree char *text = request_to_text(this);
    g_autoptr(GString) all = g_string_new(text);

    for (guint i = 0; i < this->objects->len; i++) {
        const SignerObject *object = this->objects->pdata[i];
        g_string_append_printf(all, "\n%s %s", object->name, object->digest);
    }
    return signing_digest(all->str, all->len);
}

static void put(JsonObject *leaf, const char *name, const char *value) {
    if (value)
        json_object_set_string_member(leaf, name, value);
}

/* Makes a leaf of which others see a digest one that they cannot guess. */
static gboolean add_salt(const SignerCase *this, JsonObject *leaf, GError **error) {
    guint8 salt[SALT_SIZE];
    gboolean wanted = json_object_get_boolean_member_with_default(this->request->json, "private", FALSE) ||
                      (this->policy && this->policy->is_private);

    if (!wanted)
        return TRUE;
    if (getentropy(salt, sizeof salt) < 0)
        return signer_refuse(error, SIGNER_ERROR_FAILED, "There is no randomness for a private leaf");
    g_autofree char *hex = hex_encode(salt, sizeof salt);
    json_object_set_string_member(leaf, "salt", hex);
    return TRUE;
}

JsonObject *signer_case_make_leaf(const SignerCase *this, GError **error) {
    g_autoptr(JsonObject) leaf = json_object_new();
    g_autofree char *digest = signer_case_digest(this);

    if (!add_salt(this, leaf, error))
        return NULL;
    json_object_set_int_member(leaf, "time", this->time);
    put(leaf, "id", this->request->id);
    put(leaf, "type", signer_type_to_string(this->request->type));
    put(leaf, "namespace", this->request->namespace);
    put(leaf, "project", this->request->project);
    put(leaf, "target", this->request->target);
    put(leaf, "job", this->request->job);
    put(leaf, "imageVersion", this->request->version);
    put(leaf, "request", digest);
    put(leaf, "policy", this->policy ? this->policy->digest : NULL);
    json_object_set_array_member(leaf, "signatures", json_array_ref(this->signatures));
    json_object_set_object_member(leaf, "facts", json_object_ref(this->facts));
    return g_steal_pointer(&leaf);
}
