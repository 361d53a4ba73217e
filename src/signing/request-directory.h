/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* NAME.signing: what an image waits for, to be carried to where the keys are. signing.json says what is asked and how the
 * image is finished; requests/NAME are the bytes to be signed, answers/NAME.sig the signatures; things/ has what they are
 * about, for signers that look; hashes.cpio.rsasign is the same for the signer of the Open Build Service, whose answer is
 * hashes.cpio.rsasign.sig. */

#include <gio/gio.h>

#include "signing/thing.h"

#define SIGNING_SUFFIX ".signing"

/* How the image is finished once everything is signed. */
typedef struct {
    char *compression; /* suffix of the files: "zst"; NULL: they stay as they are */
    gint64 level;
    char **compressed; /* names of the files that are compressed */
    gboolean checksum; /* IMAGE.SHA256SUMS is written */
    Certificate *manifest_certificate; /* and signed by this key; NULL: no */
    gint64 manifest_time; /* seconds since 1970; -1: that of the key */
} SigningFinish;

typedef struct {
    char *path;
    char *image;             /* the name of the output */
    guint round;             /* from 1 */
    char **files;            /* names of the files of the image beside the directory */
    GPtrArray *certificates; /* of Certificate: of the keys that sign */
    GPtrArray *things;       /* of SigningThing, without places */
    gboolean new_things;     /* they are written; else they are as the directory has them */
    GPtrArray *asked;        /* names of requests */
    GHashTable *obs;         /* path of a request to GBytes, from the archive of answers; NULL: there is none */
    SigningFinish finish;
} SigningDirectory;

SigningDirectory *signing_directory_new(const char *path, const char *image);
void signing_directory_free(SigningDirectory *directory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SigningDirectory, signing_directory_free)

/* Reads the directory PATH. What it says is a stranger's: names without slashes, sizes with limits. */
SigningDirectory *signing_directory_load(const char *path, GError **error);

/* The same from SIZE bytes of signing.json at TEXT, without the archive of answers. */
SigningDirectory *signing_directory_parse(const char *path, const char *text, gsize size, GError **error);

/* Writes DIRECTORY with REQUESTS (of SigningRequest), which become what is asked. Answers that are there stay. */
gboolean signing_directory_write(SigningDirectory *directory, GPtrArray *requests, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The answer to REQUEST in the directory PATH (answers/ of somebody), checked as by signing_directory_answer(). */
GBytes *signing_answer_read(const char *path, const SigningRequest *request, GError **error);

/* Writes it there. */
gboolean signing_answer_write(const char *path, const SigningRequest *request, GBytes *signature, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The answer to REQUEST, checked with its certificate. NULL: there is none, or, with ERROR set, it is no signature of
 * these bytes by that key. */
GBytes *signing_directory_answer(const SigningDirectory *directory, const SigningRequest *request, GError **error);

/* Writes answers/NAME.sig. */
gboolean signing_directory_put(
        const SigningDirectory *directory, const SigningRequest *request, GBytes *signature, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes all answers: what they were for is done. */
void signing_directory_forget_answers(const SigningDirectory *directory);

/* The names of all answers/NAME.sig, without suffix, sorted. */
GPtrArray *signing_directory_list_answers(const SigningDirectory *directory);
