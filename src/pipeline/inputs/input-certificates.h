/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Certificates as inputs: whose key it is that signs. Keys are not opened, so that nobody is asked for a
 * PIN. */

#include "pipeline/inputs/input-set-private.h"

/* By setting, SHA-256 of the certificates that IMAGE is signed with. */
Value *input_certificates(const InputSet *set, const ImageConfig *config);
