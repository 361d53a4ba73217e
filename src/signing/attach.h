/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Puts signatures that were made elsewhere into the files of an image. */

#include "signing/request-directory.h"

typedef struct {
    gboolean answered;    /* all is signed that the image itself needs before it can be made: build again */
    gboolean finished;    /* the image is whole; else requests of the next round were written */
    guint round;          /* of these */
    guint n_requests;     /* in it */
    guint n_places;       /* of things that were completed */
    guint64 bytes_written;
} SigningResult;

/* Checks all answers, and either writes the next requests (programs can only be signed when the policies inside are), or
 * puts everything into its places, compresses and sums up the files, and removes DIRECTORY. Refused, without any change
 * to the image: answers that are missing, that are no signatures of what was asked by the key that was asked, or that
 * answer nothing. May be repeated after it was interrupted. */
gboolean signing_attach(SigningDirectory *directory, SigningResult *ret_result, GError **error) G_GNUC_WARN_UNUSED_RESULT;
