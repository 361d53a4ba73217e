/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the signer signs for a project: signer.d/NAMESPACE/PROJECT.conf, written by the signer itself or by
 * an administrator, never by who asks. particleos-signer(1) explains the settings. */

#include <glib.h>

#include "base/sha256.h"
#include "crypto/sources/key-source.h"

typedef enum {
    SIGNER_PURPOSE_SECURE_BOOT,
    SIGNER_PURPOSE_ENROLMENT,
    SIGNER_PURPOSE_VERITY,
    SIGNER_PURPOSE_PCR,
    SIGNER_PURPOSE_IPE,
    SIGNER_PURPOSE_MANIFEST,
    SIGNER_N_PURPOSES,
} SignerPurpose;

/* "secure-boot", "enrolment", "verity", "pcr", "ipe", "manifest" */
const char *signer_purpose_to_string(SignerPurpose purpose);
/* The purpose of that name, or -1. */
int signer_purpose_from_string(const char *name);

/* Where the key for a purpose is. Paths are as in the file. */
typedef struct {
    KeySourceKind kind;
    char *engine;      /* name of the engine or provider; NULL for files */
    char *key;         /* NULL: there is none */
    char *certificate; /* a path */
    int same_as;       /* the purpose whose key is this one's, too; -1: one of its own */
} SignerKey;

typedef struct {
    char *name, *image_id;
    char **initrd; /* IDs of profiles that mount nothing that is signed; "*": all */
} SignerTarget;

/* Somebody whose signature counts as an approval. */
typedef struct {
    char *name;
    GBytes *key; /* format/sshsig/sshsig.h */
} SignerPerson;

/* A channel that people approve releases for. */
typedef struct {
    char *name;
    guint64 approvals; /* of different people; 0: none is needed */
    GPtrArray *people; /* of SignerPerson */
} SignerChannel;

/* The lowest generation of a component that may still start. */
typedef struct {
    char *component;
    guint64 generation;
} SignerFloor;

typedef struct {
    char *path;           /* of the file, for messages */
    char *digest;         /* SHA-256 of the file in hexadecimal */
    gboolean development; /* the first program of each name is trusted */
    gboolean is_private;  /* the published log shows digests of its leaves alone */
    guint64 signatures_per_hour;
    SignerKey keys[SIGNER_N_PURPOSES];
    GPtrArray *targets;   /* of SignerTarget */
    GPtrArray *channels;  /* of SignerChannel */
    GPtrArray *allowed;   /* words of command lines, with * and ?, although they open or undo something */
    GPtrArray *forbidden; /* others that are not */
    GHashTable *trusted;  /* a set of Authenticode digests in hexadecimal */
    GPtrArray *vendors_db, *vendors_kek; /* paths of certificates that may be enrolled, too */
    GPtrArray *floors;                   /* of SignerFloor */
} SignerPolicy;

/* Reads SIZE bytes at TEXT, the file PATH. Errors begin with file and line. */
SignerPolicy *signer_policy_parse(const char *path, const char *text, gsize size, GError **error);

/* The policy of PROJECT ("NAMESPACE/PROJECT") below DIRECTORY. SIGNER_ERROR_UNKNOWN: there is none. */
SignerPolicy *signer_policy_load(const char *directory, const char *project, GError **error);

/* DIRECTORY/PROJECT.conf; owned by the caller. */
char *signer_policy_path(const char *directory, const char *project);

void signer_policy_free(SignerPolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignerPolicy, signer_policy_free)

/* NULL when there is none. */
const SignerTarget *signer_policy_find_target(const SignerPolicy *policy, const char *name);

/* NULL when the policy says nothing about it. */
const SignerChannel *signer_policy_find_channel(const SignerPolicy *policy, const char *name);

/* Whether the profile ID ("" for a program without profiles) of TARGET may mount nothing that is signed. */
gboolean signer_target_is_initrd(const SignerTarget *target, const char *id);

/* The key for PURPOSE; NULL, with ERROR set, when the policy has none. */
const SignerKey *signer_policy_get_key(const SignerPolicy *policy, SignerPurpose purpose, GError **error);
