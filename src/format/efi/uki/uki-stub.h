/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a systemd-stub knows about: later versions read and measure more sections than earlier ones do, and what
 * a stub does not know it neither uses nor measures. */

#include "format/efi/pe/pe.h"
#include "format/efi/uki/uki-sections.h"

/* Whether the stub in PE (a stub, or a UKI made of one) knows SECTION. It has the names of the sections in its
 * own data, between NULs. A program without any such names is taken to know all of them. */
gboolean uki_stub_knows_section(const PeImage *pe, UkiSection section);

/* Those of SECTIONS (content by UkiSection, borrowed) that the stub in PE knows; NULL for the others. */
void uki_stub_select_sections(
        const PeImage *pe, GBytes *const sections[N_UKI_SECTIONS], GBytes *ret_sections[N_UKI_SECTIONS]);
