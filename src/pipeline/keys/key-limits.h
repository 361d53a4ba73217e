/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether those who check the signatures of an image know its keys: known before anything is signed. */

#include "crypto/keys/key-session.h"
#include "pipeline/keys/key-certificate.h"
#include "recipe/result/image-config.h"

/* An error that names the setting for a certificate of CONFIG whose algorithm cannot sign what it has to, a warning
 * for one that firmware or TPMs commonly do not know, and for one whose time is over or has not come. Certificates that
 * cannot be opened are for those who use them. */
gboolean key_limits_check(KeySession *session, const ImageConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether CONFIG is known to need the key of SignExpectedPcrKey=. */
gboolean key_limits_signs_pcrs(const ImageConfig *config);

/* The same for that key, once it is open: an error as well when SignExpectedPcrCertificate= names another one's. */
gboolean key_limits_check_pcr_key(
        KeySession *session, const ImageConfig *config, const KeySource *key, GError **error) G_GNUC_WARN_UNUSED_RESULT;
