/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/uki/uki-addon.h"

#include <string.h>

#include "format/efi/pe/pe-writer.h"
#include "format/efi/uki/uki-text.h"
#include "format/efi/uki/uki.h"

static gboolean add(PeWriter *writer, const char *name, GBytes *content, GError **error) {
    return pe_writer_add(writer, name, PE_SCN_MEM_READ | PE_SCN_CNT_INITIALIZED_DATA, content, error);
}

static gboolean add_text(PeWriter *writer, const char *name, const char *text, GError **error) {
    g_autoptr(GBytes) content = g_bytes_new(text, strlen(text));
    return add(writer, name, content, error);
}

static gboolean add_sections(PeWriter *writer, const UkiAddonSpec *spec, GError **error) {
    g_autoptr(GBytes) initrd = NULL;

    if (spec->cmdline && *spec->cmdline && !add_text(writer, ".cmdline", spec->cmdline, error))
        return FALSE;
    if (spec->initrds && spec->initrds->len > 0) {
        initrd = uki_join_initrds(spec->initrds);
        if (!add(writer, ".initrd", initrd, error))
            return FALSE;
    }
    return add_text(writer, ".sbat", uki_addon_sbat, error);
}

GBytes *uki_addon_build(const UkiAddonSpec *spec, GError **error) {
    g_autoptr(PeWriter) writer = NULL;
    GBytes *image = NULL;

    if ((!spec->cmdline || !*spec->cmdline) && (!spec->initrds || spec->initrds->len == 0)) {
        g_set_error(error, UKI_ERROR, UKI_ERROR_INVALID,
                "the addon would be empty; it needs a kernel command line or a tree with files");
        return NULL;
    }
    if ((writer = pe_writer_new(spec->stub, error)) && add_sections(writer, spec, error))
        image = pe_writer_finish(writer, error);
    if (!image)
        g_prefix_error(error, "assembling the addon: ");
    return image;
}
