/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sign=offline and Verity=defer: images are built without private keys. Zeros stand where signatures will be; what is to
 * be signed is written into OUTPUT.signing, and the verb attach puts the answers in. */

#include "pipeline/state/image-build.h"

/* When a build begins and ends. */
void offline_start(Build *build);
void offline_stop(Build *build);

/* Whether all signatures of this build are made elsewhere. */
gboolean offline_is_wanted(const Build *build);

/* Whether those of verity of this image are. With Verity=defer its signature partitions stay empty, as mkosi leaves
 * them; else they hold a signature of zeros. */
gboolean offline_verity_is_wanted(const Build *build, const ImageConfig *config);

/* Loads the certificate PATH that SETTING names; the key of RET_KEY gives zeros instead of signatures. */
gboolean offline_load_pair(Build *build, const char *setting, const char *path, KeySource **ret_key,
        Certificate **ret_certificate, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same key once more, from the certificate PATH that was loaded before. For the threads of images. */
KeySource *offline_open_key(Build *build, const char *path, GError **error);

/* Sets an error that names where Sign=offline was set, and the reason. Returns FALSE. */
gboolean offline_refuse(const Build *build, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* An error when the output of IMAGE is of a format in which nothing can be signed later. Before something is signed. */
gboolean offline_check_format(const ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Looks for what in the outputs waits for signatures: image->waiting. Then compression and checksums come later. */
gboolean wants_offline(const ImageBuild *image);
gboolean step_offline_scan(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether PROGRAM, a PE image, waits for a signature. */
gboolean offline_is_pending(const Build *build, GBytes *program);

/* THINGS (of SigningThing) wait where signatures can be put in. */
void offline_note_found(Build *build, GPtrArray *things);

/* An error when zeros stand for a signature somewhere else, where nobody would put one. */
gboolean offline_check_found(Build *build, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes OUTPUT.signing. */
gboolean offline_is_waiting(const ImageBuild *image);
gboolean step_offline_requests(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;
