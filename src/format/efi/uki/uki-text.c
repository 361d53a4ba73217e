/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/uki/uki-text.h"

#include <string.h>

#include "format/efi/pe/pe-internal.h"
#include "format/efi/uki/uki.h"
#include "text/os-release.h"

#define SBAT_HEADER "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"

const char uki_default_sbat[] =
        SBAT_HEADER "uki,1,UKI,uki,1,https://uapi-group.org/specifications/specs/unified_kernel_image/\n";

const char uki_addon_sbat[] = SBAT_HEADER
        "uki-addon,1,UKI "
        "Addon,addon,1,https://www.freedesktop.org/software/systemd/man/latest/systemd-stub.html\n";

char *uki_read_sbat(const PeImage *pe) {
    const PeSection *section = pe_image_find_section(pe, ".sbat");
    if (!section)
        return NULL;
    gsize size;
    const char *data = (const char *) pe_image_get_data(pe, section, &size);
    g_autofree char *text = g_strndup(data, strnlen(data, size));
    return g_utf8_validate(text, -1, NULL) ? g_steal_pointer(&text) : NULL;
}

char *uki_merge_sbat(const char *const *texts) {
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GString *merged = g_string_new(SBAT_HEADER);
    for (const char *const *text = texts; *text; text++) {
        g_auto(GStrv) lines = g_strsplit_set(*text, "\r\n", -1);
        for (char **line = lines; *line; line++)
            if (**line && !g_str_has_prefix(*line, "sbat,") && g_hash_table_add(seen, g_strdup(*line)))
                g_string_append_printf(merged, "%s\n", *line);
    }
    return g_string_free(merged, FALSE);
}

static gboolean is_word(const char *text) {
    for (const char *c = text; *c; c++)
        if (!g_ascii_isalnum(*c))
            return FALSE;
    return TRUE;
}

char *uki_profile_text(const char *const *keys, const char *const *values, gsize n) {
    GString *out = g_string_new(NULL);
    for (gsize i = 0; i < n; i++) {
        g_string_append_printf(out, "%s=", keys[i]);
        if (is_word(values[i]))
            g_string_append(out, values[i]);
        else
            os_release_append_quoted(out, values[i]);
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}

/* Linux/x86 boot protocol: a pointer, relative to 0x200, to a string whose first word is the version. */
char *uki_kernel_version(const void *data, gsize size) {
    const guint8 *image = data;
    if (size < 0x210 || memcmp(image + 0x202, "HdrS", 4) != 0)
        return NULL;
    gsize start = 0x200 + (gsize) read_le16(image + 0x20e);
    gsize end = start;
    while (end < size && end < start + 128 && image[end] > ' ' && image[end] < 0x7f)
        end++;
    if (end == start || end == size)
        return NULL;
    return g_strndup((const char *) image + start, end - start);
}

/* .sdmagic reads "#### LoaderInfo: systemd-stub 257.13-1 ####". */
char *uki_stub_version(GBytes *stub) {
    g_autoptr(PeImage) pe = pe_image_new(stub, NULL);
    const PeSection *section = pe ? pe_image_find_section(pe, ".sdmagic") : NULL;
    if (!section)
        return NULL;
    gsize size;
    const char *data = (const char *) pe_image_get_data(pe, section, &size);
    g_autofree char *text = g_strndup(data, strnlen(data, size));
    const char *prefix = "#### LoaderInfo: systemd-stub ";
    if (!g_str_has_prefix(text, prefix))
        return NULL;
    const char *version = text + strlen(prefix);
    return g_strndup(version, strcspn(version, " "));
}

gboolean uki_stub_starts_unsigned_kernel(const char *version, gboolean is_x86_64) {
    return g_ascii_strtoull(version, NULL, 10) >= (is_x86_64 ? 257 : 262);
}
