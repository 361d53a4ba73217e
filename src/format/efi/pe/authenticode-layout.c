/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/pe/authenticode-layout.h"

#include <string.h>

#include "base/little-endian.h"
#include "crypto/sources/error.h"

/* Offsets of the "PE Format" specification. */
#define DOS_HEADER_SIZE 0x40
#define DOS_PE_OFFSET 0x3c
#define COFF_HEADER_SIZE 24 /* with the signature in front */
#define COFF_N_SECTIONS 6
#define COFF_OPTIONAL_HEADER_SIZE 20
#define OPTIONAL_MAGIC_PE32 0x10b
#define OPTIONAL_MAGIC_PE32_PLUS 0x20b
#define OPTIONAL_SIZE_OF_HEADERS 60
#define OPTIONAL_CHECKSUM 64
#define OPTIONAL_N_DIRECTORIES_PE32 92
#define OPTIONAL_N_DIRECTORIES_PE32_PLUS 108
#define DIRECTORY_ENTRY_SIZE 8
#define DIRECTORY_SECURITY 4
#define SECTION_HEADER_SIZE 40
#define SECTION_RAW_SIZE 16
#define SECTION_RAW_OFFSET 20

#define CERTIFICATE_ALIGNMENT 8

static gboolean set_malformed(GError **error, const char *what) {
    g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_MALFORMED, "Not a valid PE image: %s", what);
    return FALSE;
}

static gboolean read_certificate_table(PeLayout *layout, const guint8 *image, GError **error) {
    gsize offset = read_le32(image + layout->certificates_entry_offset);
    gsize size = read_le32(image + layout->certificates_entry_offset + 4);
    layout->certificates_offset = 0;
    layout->certificates_size = 0;
    if (size == 0)
        return TRUE;
    if (offset < layout->headers_size || offset > layout->size || size > layout->size - offset)
        return set_malformed(error, "the certificate table is outside of the file");
    if (offset + size != layout->size)
        return set_malformed(error, "data after the certificate table");
    layout->certificates_offset = offset;
    layout->certificates_size = size;
    return TRUE;
}

static gboolean read_optional_header(
        PeLayout *layout, const guint8 *image, gsize start, gsize optional_size, GError **error) {
    if (optional_size < OPTIONAL_N_DIRECTORIES_PE32 + 4)
        return set_malformed(error, "the optional header is too short");
    const guint8 *optional = image + start;
    guint16 magic = read_le16(optional);
    if (magic != OPTIONAL_MAGIC_PE32 && magic != OPTIONAL_MAGIC_PE32_PLUS)
        return set_malformed(error, "unknown optional header");
    gsize n_directories_offset =
            magic == OPTIONAL_MAGIC_PE32 ? OPTIONAL_N_DIRECTORIES_PE32 : OPTIONAL_N_DIRECTORIES_PE32_PLUS;
    gsize entry = n_directories_offset + 4 + DIRECTORY_SECURITY * DIRECTORY_ENTRY_SIZE;
    if (entry + DIRECTORY_ENTRY_SIZE > optional_size ||
            read_le32(optional + n_directories_offset) <= DIRECTORY_SECURITY)
        return set_malformed(error, "no room for a certificate table");

    layout->checksum_offset = start + OPTIONAL_CHECKSUM;
    layout->certificates_entry_offset = start + entry;
    layout->headers_size = read_le32(optional + OPTIONAL_SIZE_OF_HEADERS);
    return TRUE;
}

gboolean pe_layout_read(PeLayout *layout, const guint8 *image, gsize size, GError **error) {
    *layout = (PeLayout){.size = size};
    if (size < DOS_HEADER_SIZE || size > G_MAXUINT32 || image[0] != 'M' || image[1] != 'Z')
        return set_malformed(error, "no DOS header");
    gsize pe = read_le32(image + DOS_PE_OFFSET);
    if (pe > size || size - pe < COFF_HEADER_SIZE || memcmp(image + pe, "PE\0", 4) != 0)
        return set_malformed(error, "no PE header");

    gsize optional = pe + COFF_HEADER_SIZE;
    gsize optional_size = read_le16(image + pe + COFF_OPTIONAL_HEADER_SIZE);
    layout->n_sections = read_le16(image + pe + COFF_N_SECTIONS);
    layout->sections_offset = optional + optional_size;
    if (optional_size > size - optional)
        return set_malformed(error, "the optional header is cut off");
    if (!read_optional_header(layout, image, optional, optional_size, error))
        return FALSE;

    gsize table_end = layout->sections_offset + (gsize) layout->n_sections * SECTION_HEADER_SIZE;
    if (layout->headers_size > size || table_end > layout->headers_size)
        return set_malformed(error, "the section table is outside of the headers");
    return read_certificate_table(layout, image, error);
}

typedef struct {
    guint32 offset, size;
} Range;

static int compare_ranges(gconstpointer a, gconstpointer b) {
    const Range *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The raw data of the sections that have any, in the order of the file. */
static GArray *collect_sections(const PeLayout *layout, const guint8 *image) {
    GArray *ranges = g_array_new(FALSE, FALSE, sizeof(Range));
    for (guint i = 0; i < layout->n_sections; i++) {
        const guint8 *header = image + layout->sections_offset + (gsize) i * SECTION_HEADER_SIZE;
        Range range = {read_le32(header + SECTION_RAW_OFFSET), read_le32(header + SECTION_RAW_SIZE)};
        if (range.size > 0)
            g_array_append_val(ranges, range);
    }
    g_array_sort(ranges, compare_ranges);
    return ranges;
}

static gboolean digest_sections(
        const PeLayout *layout, const guint8 *image, Sha256 *sha, gsize *ret_end, GError **error) {
    gsize limit = layout->certificates_size > 0 ? layout->certificates_offset : layout->size;
    gsize end = layout->headers_size;
    g_autoptr(GArray) ranges = collect_sections(layout, image);
    for (guint i = 0; i < ranges->len; i++) {
        Range range = g_array_index(ranges, Range, i);
        /* Firmware takes what follows the sum of all sizes as the rest of the file, so a gap or an overlap
         * would leave bytes out of the digest or count them twice. */
        if (range.offset != end)
            return set_malformed(error, "its sections leave a gap or overlap");
        if (range.size > limit - end)
            return set_malformed(error, "a section is outside of the file");
        sha256_update(sha, image + range.offset, range.size);
        end += range.size;
    }
    *ret_end = end;
    return TRUE;
}

static void digest_headers(const PeLayout *layout, const guint8 *image, Sha256 *sha) {
    gsize after_checksum = layout->checksum_offset + 4;
    gsize after_entry = layout->certificates_entry_offset + DIRECTORY_ENTRY_SIZE;
    sha256_update(sha, image, layout->checksum_offset);
    sha256_update(sha, image + after_checksum, layout->certificates_entry_offset - after_checksum);
    sha256_update(sha, image + after_entry, layout->headers_size - after_entry);
}

/* What follows the sections, and the zeros that signing adds to make the size a multiple of 8. */
static void digest_rest(const PeLayout *layout, const guint8 *image, gsize start, Sha256 *sha) {
    static const guint8 zeros[CERTIFICATE_ALIGNMENT];
    gsize end = layout->certificates_size > 0 ? layout->certificates_offset : layout->size;
    gsize padding = layout->certificates_size > 0 ? 0 : (-layout->size) % CERTIFICATE_ALIGNMENT;
    sha256_update(sha, image + start, end - start);
    sha256_update(sha, zeros, padding);
}

gboolean pe_layout_digest(
        const PeLayout *layout, const guint8 *image, guint8 ret_digest[static SHA256_SIZE], GError **error) {
    g_autoptr(Sha256) sha = sha256_new();
    gsize end = 0;
    digest_headers(layout, image, sha);
    if (!digest_sections(layout, image, sha, &end, error))
        return FALSE;
    digest_rest(layout, image, end, sha);
    sha256_finish(sha, ret_digest);
    return TRUE;
}

/* The checksum of the PE format: a 16-bit sum with end-around carry over all words, plus the size. The field
 * itself counts as zero. */
static guint32 compute_checksum(const guint8 *image, gsize size) {
    guint64 sum = 0;
    for (gsize i = 0; i + 1 < size; i += 2)
        sum += read_le16(image + i);
    if (size % 2 != 0)
        sum += image[size - 1];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (guint32) (sum + size);
}

void pe_layout_set_certificates(
        const PeLayout *layout, guint8 *image, gsize size, gsize table_offset, gsize table_size) {
    write_le32(image + layout->certificates_entry_offset, (guint32) table_offset);
    write_le32(image + layout->certificates_entry_offset + 4, (guint32) table_size);
    write_le32(image + layout->checksum_offset, 0);
    write_le32(image + layout->checksum_offset, compute_checksum(image, size));
}
