/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/pe/pe.h"

#include "format/efi/pe/pe-internal.h"

G_DEFINE_QUARK(pe - error - quark, pe_error)

#define DOS_HEADER_SIZE 0x40
#define DOS_PE_OFFSET 0x3c

static gboolean malformed(GError **error, const char *what) {
    g_set_error(error, PE_ERROR, PE_ERROR_MALFORMED, "not a valid PE image: %s", what);
    return FALSE;
}

gboolean pe_is_image(const void *data, gsize size) {
    const guint8 *p = data;
    if (size < DOS_HEADER_SIZE || p[0] != 'M' || p[1] != 'Z')
        return FALSE;
    guint32 offset = read_le32(p + DOS_PE_OFFSET);
    if (offset > size || size - offset < PE_SIGNATURE_SIZE + PE_COFF_SIZE)
        return FALSE;
    return memcmp(p + offset, "PE\0\0", PE_SIGNATURE_SIZE) == 0;
}

static gboolean is_power_of_two(guint32 value) {
    return value != 0 && (value & (value - 1)) == 0;
}

/* Offset of the data directories inside the optional header; their count is the 32 bits before. */
static gsize directories_offset(const PeImage *pe) {
    return pe->plus ? 112 : 96;
}

static gboolean parse_optional_header(PeImage *pe, const guint8 *data, gsize optional_size, GError **error) {
    if (optional_size < 2)
        return malformed(error, "no optional header");
    const guint8 *optional = data + pe->optional_offset;
    guint16 magic = read_le16(optional);
    if (magic != PE_MAGIC_32 && magic != PE_MAGIC_32_PLUS)
        return malformed(error, "unknown kind of optional header");
    pe->plus = magic == PE_MAGIC_32_PLUS;
    if (optional_size < directories_offset(pe))
        return malformed(error, "optional header too short");

    pe->section_alignment = read_le32(optional + PE_OPTIONAL_SECTION_ALIGNMENT);
    pe->file_alignment = read_le32(optional + PE_OPTIONAL_FILE_ALIGNMENT);
    pe->size_of_image = read_le32(optional + PE_OPTIONAL_IMAGE_SIZE);
    pe->size_of_headers = read_le32(optional + PE_OPTIONAL_HEADERS_SIZE);
    pe->dll_characteristics = read_le16(optional + PE_OPTIONAL_DLL_CHARACTERISTICS);
    pe->n_directories = read_le32(optional + directories_offset(pe) - 4);

    if (!is_power_of_two(pe->section_alignment) || !is_power_of_two(pe->file_alignment))
        return malformed(error, "alignments are no powers of two");
    if (pe->n_directories > (optional_size - directories_offset(pe)) / 8)
        return malformed(error, "more data directories than the optional header holds");
    return TRUE;
}

static gboolean parse_section(PeSection *section, const guint8 *header, gsize size, GError **error) {
    memcpy(section->name, header, PE_SECTION_NAME_MAX);
    section->virtual_size = read_le32(header + 8);
    section->virtual_address = read_le32(header + 12);
    section->raw_size = read_le32(header + 16);
    section->raw_offset = read_le32(header + 20);
    section->characteristics = read_le32(header + 36);

    if ((guint64) section->virtual_address + section->virtual_size > G_MAXUINT32)
        return malformed(error, "a section ends beyond 4 GiB of memory");
    /* Uninitialised data has no place in the file, whatever the offset says. */
    if (section->raw_size > 0 && (guint64) section->raw_offset + section->raw_size > size)
        return malformed(error, "a section ends after the file");
    return TRUE;
}

static gboolean parse_headers(PeImage *pe, GError **error) {
    gsize size;
    const guint8 *data = g_bytes_get_data(pe->bytes, &size);

    if (!pe_is_image(data, size))
        return malformed(error, "wrong magic number");
    pe->coff_offset = (gsize) read_le32(data + DOS_PE_OFFSET) + PE_SIGNATURE_SIZE;
    pe->optional_offset = pe->coff_offset + PE_COFF_SIZE;
    const guint8 *coff = data + pe->coff_offset;
    pe->machine = read_le16(coff + PE_COFF_MACHINE);
    pe->n_sections = read_le16(coff + PE_COFF_N_SECTIONS);

    gsize optional_size = read_le16(coff + PE_COFF_OPTIONAL_SIZE);
    if (optional_size > size - pe->optional_offset)
        return malformed(error, "the optional header ends after the file");
    if (!parse_optional_header(pe, data, optional_size, error))
        return FALSE;

    pe->sections_offset = pe->optional_offset + optional_size;
    gsize sections_size = (gsize) pe->n_sections * PE_SECTION_HEADER_SIZE;
    if (sections_size > size - pe->sections_offset)
        return malformed(error, "the section table ends after the file");
    if (pe->size_of_headers > size || pe->sections_offset + sections_size > pe->size_of_headers)
        return malformed(error, "wrong size of headers");

    pe->sections = g_new0(PeSection, pe->n_sections + 1);
    for (guint i = 0; i < pe->n_sections; i++)
        if (!parse_section(
                    &pe->sections[i], data + pe->sections_offset + i * PE_SECTION_HEADER_SIZE, size, error))
            return FALSE;
    return TRUE;
}

PeImage *pe_image_new(GBytes *image, GError **error) {
    g_autoptr(PeImage) pe = g_new0(PeImage, 1);
    pe->bytes = g_bytes_ref(image);
    if (!parse_headers(pe, error))
        return NULL;
    return g_steal_pointer(&pe);
}

void pe_image_free(PeImage *pe) {
    if (!pe)
        return;
    g_bytes_unref(pe->bytes);
    g_free(pe->sections);
    g_free(pe);
}

const PeSection *pe_image_find_section(const PeImage *pe, const char *name) {
    for (guint i = 0; i < pe->n_sections; i++)
        if (g_str_equal(pe->sections[i].name, name))
            return &pe->sections[i];
    return NULL;
}

const guint8 *pe_image_get_data(const PeImage *pe, const PeSection *section, gsize *ret_size) {
    const guint8 *data = g_bytes_get_data(pe->bytes, NULL);
    *ret_size = MIN(section->virtual_size, section->raw_size);
    return *ret_size > 0 ? data + section->raw_offset : data;
}

GBytes *pe_image_get_bytes(const PeImage *pe, const PeSection *section) {
    gsize size = MIN(section->virtual_size, section->raw_size);
    return g_bytes_new_from_bytes(pe->bytes, size > 0 ? section->raw_offset : 0, size);
}

gboolean pe_image_get_directory(
        const PeImage *pe, PeDirectory directory, guint32 *ret_address, guint32 *ret_size) {
    if (directory >= pe->n_directories)
        return FALSE;
    const guint8 *data = g_bytes_get_data(pe->bytes, NULL);
    const guint8 *entry = data + pe->optional_offset + directories_offset(pe) + directory * 8;
    guint32 address = read_le32(entry), size = read_le32(entry + 4);
    if (address == 0 || size == 0)
        return FALSE;
    *ret_address = address;
    *ret_size = size;
    return TRUE;
}

guint pe_image_get_max_sections(const PeImage *pe) {
    guint64 first = G_MAXUINT32;
    for (guint i = 0; i < pe->n_sections; i++)
        first = MIN(first, pe->sections[i].virtual_address);
    /* Headers are padded to the file alignment, and may not reach into the first section's memory. */
    first &= ~((guint64) pe->file_alignment - 1);
    if (first < pe->sections_offset)
        return 0;
    return MIN((first - pe->sections_offset) / PE_SECTION_HEADER_SIZE, G_MAXUINT16);
}
