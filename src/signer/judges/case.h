/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One request on its way: what is known of it, and what the log will say about it. */

#include <json-glib/json-glib.h>

#include "signer/log/index.h"
#include "signer/policy/keys.h"
#include "signer/policy/policy.h"
#include "signer/request/object.h"
#include "signer/request/request.h"
#include "signing/thing.h"

typedef struct {
    SignerKeys *keys;             /* borrowed */
    const char *policies;         /* directory; borrowed */
    const SignerRequest *request; /* borrowed */
    GPtrArray *objects;           /* of SignerObject; borrowed */
    SignerPolicy *policy;         /* NULL for create */
    const SignerTarget *target;   /* of POLICY; NULL where requests have none */
    gboolean development;         /* of new projects that do not say */
    gboolean repeated;            /* the request was answered before */
    gint64 time;                  /* of the request, or when it was answered first; seconds since 1970 */

    /* What the judges find. */
    SigningThing *thing;    /* what is completed; NULL: something else is signed */
    GPtrArray *purposes;    /* of GUINT_TO_POINTER(SignerPurpose): whose keys THING waits for; the last is that
                            of THING itself */
    GPtrArray *root_hashes; /* strings: that have to be signed in this job */
    char *program;          /* digest of a program that is no UKI, which somebody has to have trusted */
    GPtrArray *programs;    /* strings "DIGEST VERSION NAME": files of a manifest that have to be signed programs */
    GHashTable *versions;   /* a set of strings: those that a manifest lists */
    char *text;             /* of a manifest */
    GBytes *payload;        /* of an update of db or dbx, which firmware adds to what it has */
    JsonObject *facts;      /* for the log */

    /* What was signed. */
    JsonArray *signatures; /* for the log */
    JsonObject *answers;   /* name: base64 */
    JsonObject *extra;     /* other members of the answer */
} SignerCase;

/* OBJECTS, REQUEST and KEYS have to last as long. */
SignerCase *signer_case_new(SignerKeys *keys, const char *policies, const SignerRequest *request, GPtrArray *objects);
void signer_case_free(SignerCase *this);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignerCase, signer_case_free)

/* Reads the object "thing", at most LARGEST bytes, which becomes a thing of TYPE that waits for the key for
 * PURPOSE. */
gboolean signer_case_take_thing(SignerCase *this, SigningType type, gsize largest, SignerPurpose purpose,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Signs BYTES, and writes down the signature as NAME. Checks what the key makes. */
GBytes *signer_case_sign_bytes(SignerCase *this, const SignerPair *pair, SignerPurpose purpose, const char *name,
        GBytes *bytes, GError **error);

/* Signs what the thing waits for. Refused when it waits for nothing, or for other keys. The finished thing.
 */
GBytes *signer_case_sign_thing(SignerCase *this, GError **error);

/* Writes down DATA as the answer NAME. */
void signer_case_answer(SignerCase *this, const char *name, GBytes *data);

/* SHA-256 of the request with its objects: two that are equal get the same. Owned by the caller. */
char *signer_case_digest(const SignerCase *this);

/* The leaf for the log; with a salt where the request or the policy says that the project is private. */
JsonObject *signer_case_make_leaf(const SignerCase *this, GError **error);
