/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/uki/uki-stub.h"

#include <string.h>

/* Names are in the constants of the program: in .rodata, or where an old linker script put them. What was added
 * to the stub (a kernel, an initrd) says nothing about it. */
static const char *const stub_parts[] = {".text", ".rodata", ".data"};

static gboolean contains_name(const PeImage *pe, const char *name) {
    char needle[PE_SECTION_NAME_MAX + 3] = "";
    gsize length = strlen(name) + 1;

    memcpy(needle, name, strlen(name));
    for (gsize i = 0; i < G_N_ELEMENTS(stub_parts); i++) {
        const PeSection *section = pe_image_find_section(pe, stub_parts[i]);
        gsize size = 0;
        const guint8 *data = section ? pe_image_get_data(pe, section, &size) : NULL;
        const guint8 *at = data;

        while (at && (at = memmem(at, size - (at - data), needle, length))) {
            if (at == data || at[-1] == '\0')
                return TRUE;
            at++;
        }
    }
    return FALSE;
}

gboolean uki_stub_knows_section(const PeImage *pe, UkiSection section) {
    return contains_name(pe, uki_section_name(section)) ||
           !contains_name(pe, uki_section_name(UKI_SECTION_LINUX));
}

void uki_stub_select_sections(
        const PeImage *pe, GBytes *const sections[N_UKI_SECTIONS], GBytes *ret_sections[N_UKI_SECTIONS]) {
    for (guint i = 0; i < N_UKI_SECTIONS; i++)
        ret_sections[i] = sections[i] && uki_stub_knows_section(pe, i) ? sections[i] : NULL;
}
