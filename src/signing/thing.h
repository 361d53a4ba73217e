/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A thing that waits for signatures: a program, a UEFI variable, a verity root hash, policies of PCRs. Where a signature
 * will be, it has zeros of the same size, so that nothing moves when the signature is put in. */

#include <glib.h>

#include "crypto/certificates/certificate.h"

#define SIGNING_ERROR signing_error_quark()
GQuark signing_error_quark(void);

typedef enum {
    SIGNING_ERROR_FAILED,
    SIGNING_ERROR_MALFORMED, /* a directory of requests that is not as we write it */
    SIGNING_ERROR_MISSING,   /* answers that are not there */
    SIGNING_ERROR_WRONG,     /* answers that are no signatures of what was asked */
} SigningError;

typedef enum {
    SIGNING_VERITY,   /* a verity signature partition; a request: its root hash in hexadecimal */
    SIGNING_PCR,      /* JSON with policies; a request: one policy */
    SIGNING_PE,       /* a program, a UKI with its policies; a request: signed attributes of Authenticode */
    SIGNING_VARIABLE, /* an update of a UEFI variable; a request: what it is an update of */
    SIGNING_IPE,      /* a policy of IPE, signed as it is */
    SIGNING_MANIFEST, /* OpenPGP: a file and what is signed with it */
    SIGNING_N_TYPES,
} SigningType;

/* "verity", "pcr", "pe", "variable", "ipe", "manifest" */
const char *signing_type_to_string(SigningType type);
/* The type of that name, or -1. */
int signing_type_from_string(const char *name);

/* Bytes that a key has to sign: RSA with PKCS#1 v1.5 padding over their SHA-256 digest, ECDSA, or Ed25519. */
typedef struct {
    SigningType type;
    char *name; /* of its files: type, and the beginning of the digest of BYTES */
    char *what; /* for people */
    char *obs;  /* its path in the archive for the Open Build Service */
    Certificate *certificate; /* of the key that is wanted */
    GBytes *bytes;
} SigningRequest;

void signing_request_free(SigningRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SigningRequest, signing_request_free)

typedef struct {
    SigningType type;
    char *title;     /* "EFI/Linux/image.efi" */
    GBytes *content; /* with zeros for signatures */
    GPtrArray *places; /* of SigningPlace (places.h) */
} SigningThing;

/* Takes the references of CONTENT and PLACES (may be NULL). */
SigningThing *signing_thing_new(SigningType type, const char *title, GBytes *content, GPtrArray *places);
void signing_thing_free(SigningThing *thing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SigningThing, signing_thing_free)

/* The signature that REQUEST asks for. NULL: there is none yet, or, with ERROR set, something is wrong with it. */
typedef GBytes *(*SigningAnswer)(gpointer user, const SigningRequest *request, GError **error);

/* Asks ANSWER for the signatures that THING waits for and that CERTIFICATES (an array of Certificate) are of. Programs are
 * asked for when the policies inside are signed. REQUESTS receives what was not answered (SigningRequest). Returns the
 * finished thing, of the same size (of an IPE policy the signed one, of what is signed with OpenPGP the
 * signature); NULL without ERROR set while something is missing. */
GBytes *signing_thing_complete(const SigningThing *thing, GPtrArray *certificates, SigningAnswer answer, gpointer user,
        GPtrArray *requests, GError **error);

/* Whether THING waits for a signature by one of CERTIFICATES. */
gboolean signing_thing_is_pending(const SigningThing *thing, GPtrArray *certificates);

/* A key of CERTIFICATE, which has to last as long, that gives zeros for signatures. */
KeySource *signing_key_without_answer(const Certificate *certificate);

/* Adds the SHA-256 digests, in hexadecimal, of all bytes that THING has zeros as signatures of: those of programs
 * with zeros inside, too. */
void signing_thing_add_pending(const SigningThing *thing, GPtrArray *certificates, GHashTable *digests);

/* The SHA-256 digest of SIZE bytes at DATA in hexadecimal; owned by the caller. */
char *signing_digest(const void *data, gsize size);

/* A key that asks for signatures later needs to know how large they will be: an error for keys whose signatures differ in
 * size (elliptic curves). PURPOSE is the setting that names CERTIFICATE. */
gboolean signing_check_certificate(const Certificate *certificate, const char *purpose, GError **error) G_GNUC_WARN_UNUSED_RESULT;
