/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PE images: headers, the profiles of a UKI, replacing a section of it. */
#include "format/efi/pe/pe-writer.h"
#include "format/efi/uki/uki.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) image = g_bytes_new_static(data, size);
    g_free(uki_kernel_version(data, size));
    g_free(uki_stub_version(image));
    g_autoptr(UkiView) view = uki_view_new(image, &error);
    g_assert_true(!view == !!error);
    for (guint i = 0; view && i < view->profiles->len; i++)
        for (guint section = 0; section < N_UKI_SECTIONS; section++)
            g_free(uki_profile_view_get_text(view->profiles->pdata[i], section));

    g_autoptr(PeWriter) writer = pe_writer_new(image, NULL);
    if (!writer || pe_writer_get_original(writer)->n_sections == 0)
        return 0;
    g_autoptr(GBytes) content = g_bytes_new_static("replaced", 8);
    /* A table that lies about sizes may ask for a file of gigabytes. */
    if (pe_writer_get_original(writer)->file_alignment > 0x10000 ||
            pe_writer_get_original(writer)->n_sections > 200)
        return 0;
    if (pe_writer_replace(writer, 0, content, NULL)) {
        g_autoptr(GBytes) written = pe_writer_finish(writer, NULL);
        g_autoptr(PeImage) again = written ? pe_image_new(written, NULL) : NULL;
    }
    return 0;
}
