/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signing/thing.h"

#include <openssl/x509.h>
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "crypto/cms/cms.h"
#include "format/efi/pe/authenticode.h"
#include "format/efi/uki/pcr.h"
#include "format/efi/uki/uki.h"
#include "format/efi/variables/efi-authenticated-variable.h"
#include "format/verity/signature/verity-signature.h"

G_DEFINE_QUARK(signing - error - quark, signing_error)

/* How much of a digest tells requests apart. */
#define NAME_DIGITS 16

static const char *const type_names[SIGNING_N_TYPES] = {
        [SIGNING_VERITY] = "verity",
        [SIGNING_PCR] = "pcr",
        [SIGNING_PE] = "pe",
        [SIGNING_VARIABLE] = "variable",
        [SIGNING_IPE] = "ipe",
        [SIGNING_MANIFEST] = "manifest",
};

const char *signing_type_to_string(SigningType type) {
    return type_names[type];
}

int signing_type_from_string(const char *name) {
    for (int i = 0; i < SIGNING_N_TYPES; i++)
        if (g_strcmp0(name, type_names[i]) == 0)
            return i;
    return -1;
}

void signing_request_free(SigningRequest *request) {
    if (!request)
        return;
    g_free(request->name);
    g_free(request->what);
    g_free(request->obs);
    certificate_unref(request->certificate);
    g_bytes_unref(request->bytes);
    g_free(request);
}

SigningThing *signing_thing_new(SigningType type, const char *title, GBytes *content, GPtrArray *places) {
    SigningThing *thing = g_new0(SigningThing, 1);
    thing->type = type;
    thing->title = g_strdup(title);
    thing->content = content;
    thing->places = places;
    return thing;
}

void signing_thing_free(SigningThing *thing) {
    if (!thing)
        return;
    g_free(thing->title);
    g_bytes_unref(thing->content);
    g_clear_pointer(&thing->places, g_ptr_array_unref);
    g_free(thing);
}

char *signing_digest(const void *data, gsize size) {
    guint8 digest[SHA256_SIZE];
    sha256_buffer(data, size, digest);
    return hex_encode(digest, sizeof digest);
}

/* Copies of a thing have one request, wherever they are. */
static char *request_name(SigningType type, GBytes *bytes) {
    g_autofree char *hex = signing_digest(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    return g_strdup_printf("%s-%.*s", type_names[type], NAME_DIGITS, hex);
}

gboolean signing_check_certificate(const Certificate *certificate, const char *purpose, GError **error) {
    EVP_PKEY *pkey = X509_get0_pubkey(certificate_peek(certificate));

    if (pkey && public_key_get_signature_size(pkey) > 0)
        return TRUE;
    g_set_error(error, SIGNING_ERROR, SIGNING_ERROR_FAILED,
            "%s=: what is signed elsewhere leaves room for the signature, and those of %s keys are not all of one size; "
            "take an RSA key",
            purpose, certificate_get_key_type(certificate, NULL));
    return FALSE;
}

/* Where a thing is completed, step by step. */
typedef struct {
    const SigningThing *thing;
    GPtrArray *certificates;
    SigningAnswer answer;
    gpointer user;
    GPtrArray *requests; /* or NULL */
    GBytes *content;     /* as far as it has come */
    SigningType type;    /* of the requests of this step */
    Certificate *certificate; /* whose key they are for */
    guint n_missing;
    gboolean found; /* something was to be signed */
} Desk;

static char *describe(const Desk *desk, GBytes *bytes) {
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    guint8 digest[SHA256_SIZE];
    g_autofree char *hex = NULL;

    switch (desk->type) {
    case SIGNING_VERITY:
        return g_strdup_printf("the root hash %.*s of %s", (int) size, (const char *) data, desk->thing->title);
    case SIGNING_PCR:
        hex = hex_encode(data, MIN(size, 32));
        return g_strdup_printf("the PCR policy %s of %s", hex, desk->thing->title);
    case SIGNING_PE:
        if (!authenticode_digest(g_bytes_get_data(desk->thing->content, NULL),
                    g_bytes_get_size(desk->thing->content), digest, NULL))
            return g_strdup_printf("the program %s", desk->thing->title);
        hex = hex_encode(digest, sizeof digest);
        return g_strdup_printf("the program %s (Authenticode digest %s)", desk->thing->title, hex);
    case SIGNING_IPE:
        return g_strdup_printf("the integrity policy %s", desk->thing->title);
    case SIGNING_MANIFEST:
        return g_strdup_printf("the OpenPGP signature in %s", desk->thing->title);
    default:
        return g_strdup_printf("the UEFI variable in %s", desk->thing->title);
    }
}

/* Where the Open Build Service expects such a request. */
static char *obs_path(const Desk *desk, GBytes *bytes) {
    g_autofree char *base = g_path_get_basename(desk->thing->title);
    g_autofree char *hex = NULL;

    g_strdelimit(base, " ", '-');
    switch (desk->type) {
    case SIGNING_VERITY:
        return g_strdup_printf("roothashes/%s.roothash", base);
    case SIGNING_PCR:
        hex = hex_encode(g_bytes_get_data(bytes, NULL), MIN(g_bytes_get_size(bytes), 32));
        return g_strdup_printf("pcrs/%s/%s%s", base, hex, g_bytes_get_size(bytes) > 32 ? "-with-reference" : "");
    case SIGNING_PE:
        return g_str_has_prefix(desk->thing->title, "EFI/Linux/") || !strchr(desk->thing->title, '/')
                       ? g_strdup_printf("ukis/%s", base)
                       : g_strdup_printf("bootloaders/%s", desk->thing->title);
    case SIGNING_IPE:
        return g_strdup_printf("ipe/%s", base);
    case SIGNING_MANIFEST:
        return g_strdup_printf("manifests/%s", base);
    default:
        return g_strdup_printf("authvars/%s", base);
    }
}

static gboolean is_asked(const GPtrArray *requests, const char *name) {
    for (guint i = 0; i < requests->len; i++)
        if (g_str_equal(((SigningRequest *) requests->pdata[i])->name, name))
            return TRUE;
    return FALSE;
}

/* Asks for a signature. Until there is one, zeros stand for it. */
static GBytes *ask(gpointer user, const void *data, gsize size, GError **error) {
    Desk *desk = user;
    g_autoptr(GError) problem = NULL;
    g_autoptr(SigningRequest) request = g_new0(SigningRequest, 1);

    request->type = desk->type;
    request->bytes = g_bytes_new(data, size);
    request->certificate = certificate_ref(desk->certificate);
    request->name = request_name(desk->type, request->bytes);
    request->what = describe(desk, request->bytes);
    request->obs = obs_path(desk, request->bytes);
    GBytes *signature = desk->answer ? desk->answer(desk->user, request, &problem) : NULL;
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    if (signature)
        return signature;
    desk->n_missing++;
    if (desk->requests && !is_asked(desk->requests, request->name))
        g_ptr_array_add(desk->requests, g_steal_pointer(&request));
    return public_key_make_pending(X509_get0_pubkey(certificate_peek(desk->certificate)));
}

/* The step of completing that each type of request has. */
static GBytes *complete_step(Desk *desk, const KeySource *key, GError **error) {
    GBytes *content = desk->content;

    switch (desk->type) {
    case SIGNING_VERITY:
        return verity_signature_complete(content, key, desk->certificate, error);
    case SIGNING_PCR:
        return desk->thing->type == SIGNING_PCR
                       ? pcr_json_complete(g_bytes_get_data(content, NULL), g_bytes_get_size(content), key, error)
                       : uki_complete_signatures(content, key, error);
    case SIGNING_PE:
        return authenticode_complete(content, key, desk->certificate, error);
    case SIGNING_VARIABLE: {
        g_autofree char *name = g_path_get_basename(desk->thing->title);
        char *dot = strrchr(name, '.');
        if (dot)
            *dot = '\0';
        return efi_authenticated_variable_complete(name, content, key, desk->certificate, error);
    }
    case SIGNING_IPE: {
        gsize size;
        const void *data = g_bytes_get_data(content, &size);
        return cms_sign_data(key, desk->certificate, data, size, 0, error);
    }
    case SIGNING_MANIFEST: {
        gsize size;
        const void *data = g_bytes_get_data(content, &size);
        return key_source_sign(key, data, size, error);
    }
    default:
        return NULL;
    }
}

/* All requests of one type. */
static gboolean complete_type(Desk *desk, SigningType type, GError **error) {
    desk->type = type;
    for (guint i = 0; i < desk->certificates->len; i++) {
        desk->certificate = desk->certificates->pdata[i];
        EVP_PKEY *pkey = X509_get0_pubkey(certificate_peek(desk->certificate));
        g_autoptr(GError) problem = NULL;

        if (!pkey || public_key_get_signature_size(pkey) == 0)
            continue;
        g_autoptr(KeySource) key =
                key_source_new_elsewhere(pkey, certificate_get_subject(desk->certificate), ask, desk);
        GBytes *made = complete_step(desk, key, &problem);
        if (problem) {
            g_propagate_prefixed_error(error, g_steal_pointer(&problem), "%s: ", desk->thing->title);
            return FALSE;
        }
        if (!made)
            continue;
        g_bytes_unref(desk->content);
        desk->content = made;
        desk->found = TRUE;
    }
    return TRUE;
}

/* Completes the thing of DESK, all of which but the first five fields is made here. ALL: programs are asked for although
 * something inside of them is missing. */
static GBytes *complete(Desk *desk, gboolean all, GError **error) {
    const SigningThing *thing = desk->thing;
    gboolean good;

    desk->content = g_bytes_ref(thing->content);
    good = (thing->type != SIGNING_PE || complete_type(desk, SIGNING_PCR, error)) &&
           ((desk->n_missing > 0 && !all) || complete_type(desk, thing->type, error));
    g_autoptr(GBytes) content = g_steal_pointer(&desk->content);
    return good && desk->n_missing == 0 ? g_steal_pointer(&content) : NULL;
}

GBytes *signing_thing_complete(const SigningThing *thing, GPtrArray *certificates, SigningAnswer answer, gpointer user,
        GPtrArray *requests, GError **error) {
    Desk desk = {thing, certificates, answer, user, requests};
    return complete(&desk, FALSE, error);
}

gboolean signing_thing_is_pending(const SigningThing *thing, GPtrArray *certificates) {
    Desk desk = {thing, certificates};
    g_autoptr(GBytes) made = complete(&desk, FALSE, NULL);
    return desk.found;
}

static GBytes *add_digest(gpointer user, const SigningRequest *request, GError **error) {
    g_hash_table_add(user, signing_digest(g_bytes_get_data(request->bytes, NULL), g_bytes_get_size(request->bytes)));
    return NULL;
}

void signing_thing_add_pending(const SigningThing *thing, GPtrArray *certificates, GHashTable *digests) {
    Desk desk = {thing, certificates, add_digest, digests};
    g_autoptr(GBytes) made = complete(&desk, TRUE, NULL);
}

static GBytes *leave_room(gpointer user, const void *data, gsize size, GError **error) {
    return public_key_make_pending(user);
}

KeySource *signing_key_without_answer(const Certificate *certificate) {
    EVP_PKEY *pkey = X509_get0_pubkey(certificate_peek(certificate));
    return key_source_new_elsewhere(pkey, certificate_get_subject(certificate), leave_room, pkey);
}
