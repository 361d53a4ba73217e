/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a UKI may consist of, and which policies of PCRs belong to it. Pure functions over bytes. */

#include "format/efi/uki/pcr.h"
#include "format/efi/uki/uki-sections.h"

/* What is wrong with section INDEX of PE, which is called in their order with the same set SEEN (of char *, of PE): nobody
 * knows it, or there are two of it in one profile. NULL: nothing. */
const char *uki_audit_section(const PeImage *pe, guint index, GHashTable *seen);

/* Adds to PROBLEMS (an array of strings) what is wrong with any section. */
void uki_audit_sections(const PeImage *pe, GPtrArray *problems);

/* The policies that PROFILE of PE may have by the public key KEY (PEM or DER), of the banks and kinds that are among POLICIES: an
 * array of PcrPolicy without signatures. With VERIFY it fails unless POLICIES, all by KEY, hold all of them, with good
 * signatures. MEASURERS are as for pcr_policies_new(). */
GPtrArray *uki_expected_policies(const PeImage *pe, const UkiProfileView *profile, GPtrArray *policies, GBytes *key,
        gboolean verify, PcrMeasurer **measurers, GError **error);
