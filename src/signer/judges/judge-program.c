/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Boot loaders, addons, tools: code, and so nothing that could be judged but by knowing it. */

#include <string.h>

#include "format/efi/pe/authenticode.h"
#include "format/efi/pe/pe.h"
#include "format/efi/uki/uki-sections.h"
#include "inspect/boot/uki-audit.h"
#include "signer/judges/judges.h"
#include "signer/text/error.h"

/* What a UKI takes from an addon (systemd-stub(7)), and we do not sign there. */
static const char *const never[] = {".linux", ".initrd", ".ucode", ".profile", ".pcrsig", ".pcrpkey", ".uname", NULL};

static gboolean check_command_line(
        const SignerCase *this, const PeImage *pe, const PeSection *section, GError **error) {
    gsize size;
    const char *data = (const char *) pe_image_get_data(pe, section, &size);

    while (size > 0 && (data[size - 1] == '\0' || data[size - 1] == '\n'))
        size--;
    if (!g_utf8_validate_len(data, size, NULL))
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s: its command line is no text", this->thing->title);
    g_autofree char *text = g_strndup(data, size);
    g_autoptr(GPtrArray) hashes = signer_list_root_hashes(text);
    if (hashes->len > 0)
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s: an addon names no root hash, that is for the UKI to do",
                this->thing->title);
    return signer_check_words(this->policy, text, this->thing->title, error);
}

/* A program that brings something for a UKI has nothing else; of others only their makers know the sections.
 */
static gboolean is_addon(const PeImage *pe) {
    for (guint i = 0; i < pe->n_sections; i++) {
        int section = uki_section_from_name(pe->sections[i].name);
        if (section >= 0 && section != UKI_SECTION_SBAT && section != UKI_SECTION_OSREL)
            return TRUE;
    }
    return FALSE;
}

gboolean signer_judge_program(SignerCase *this, GBytes *image, GError **error) {
    g_autoptr(GError) problem = NULL;
    g_autoptr(PeImage) pe = pe_image_new(image, &problem);
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);

    if (!pe)
        return signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_CONTENT, "%s", this->thing->title);
    if (is_addon(pe))
        uki_audit_sections(pe, problems);
    if (problems->len > 0)
        return signer_refuse(
                error, SIGNER_ERROR_CONTENT, "%s: %s", this->thing->title, (const char *) problems->pdata[0]);
    for (guint i = 0; i < pe->n_sections; i++) {
        const PeSection *section = &pe->sections[i];
        if (g_strv_contains(never, section->name))
            return signer_refuse(error, SIGNER_ERROR_CONTENT,
                    "%s: it is no UKI, and has a section %s all the same, which an addon would add to one",
                    this->thing->title, section->name);
        if (strcmp(section->name, ".cmdline") == 0 && !check_command_line(this, pe, section, error))
            return FALSE;
    }
    this->program = g_strdup(json_object_get_string_member(this->facts, "authenticode"));
    return TRUE;
}
