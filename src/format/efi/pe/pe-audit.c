/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/pe/pe-audit.h"

#include <string.h>

#include "base/sha256.h"
#include "format/efi/pe/authenticode.h"
#include "format/efi/pe/pe-internal.h"

#define SYMBOL_SIZE 18
#define OPTIONAL_SUBSYSTEM 68
#define SUBSYSTEM_FIRST 10 /* application, boot service driver, runtime driver */
#define SUBSYSTEM_LAST 12
#define CERTIFICATE_ALIGNMENT 8
#define CERTIFICATE_HEADER 8
#define CERTIFICATE_PKCS7 0x0002u
#define CERTIFICATE_REVISION 0x0200u

static void G_GNUC_PRINTF(2, 3) complain(GPtrArray *problems, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(problems, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static gboolean is_zero(const guint8 *data, gsize size) {
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

static int compare_file_order(gconstpointer a, gconstpointer b) {
    const PeSection *x = *(const PeSection *const *) a, *y = *(const PeSection *const *) b;
    return x->raw_offset < y->raw_offset ? -1 : x->raw_offset > y->raw_offset;
}

static int compare_memory_order(gconstpointer a, gconstpointer b) {
    const PeSection *x = *(const PeSection *const *) a, *y = *(const PeSection *const *) b;
    return x->virtual_address < y->virtual_address ? -1 : x->virtual_address > y->virtual_address;
}

static void check_memory(const PeImage *pe, GPtrArray *sections, GPtrArray *problems) {
    guint64 end = pe->size_of_headers;
    g_ptr_array_sort(sections, compare_memory_order);
    for (guint i = 0; i < sections->len; i++) {
        const PeSection *section = sections->pdata[i];
        if (section->virtual_size == 0 && section->raw_size > 0)
            complain(problems, "section %s has bytes in the file, but none in memory", section->name);
        /* Firmware puts sections where they say; those of Debian 12 are not aligned as the header says. */
        if (section->virtual_address < end)
            complain(problems, "section %s overlaps another one, or the headers, in memory", section->name);
        end = (guint64) section->virtual_address + section->virtual_size;
    }
    if (end > pe->size_of_image)
        complain(problems, "sections reach beyond the size of the image");
}

/* Returns where the last section ends. */
static guint64 check_file(const PeImage *pe, GPtrArray *sections, GPtrArray *problems) {
    guint64 end = pe->size_of_headers;
    g_ptr_array_sort(sections, compare_file_order);
    for (guint i = 0; i < sections->len; i++) {
        const PeSection *section = sections->pdata[i];
        if (section->raw_size == 0)
            continue;
        if (section->raw_offset != end)
            complain(
                    problems, "section %s overlaps another one in the file, or leaves a gap", section->name);
        end = (guint64) section->raw_offset + section->raw_size;
    }
    return end;
}

/* The sum of all 16-bit words but the field's own, and the size. */
static guint32 compute_checksum(const guint8 *data, gsize size, gsize field) {
    guint64 sum = 0;
    for (gsize i = 0; i < size; i += 2)
        if (i != field && i != field + 2)
            sum += i + 1 < size ? read_le16(data + i) : data[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (guint32) (sum + size);
}

static void check_headers(const PeImage *pe, const guint8 *data, gsize size, GPtrArray *problems) {
    const guint8 *optional = data + pe->optional_offset;
    guint16 subsystem = read_le16(optional + OPTIONAL_SUBSYSTEM);
    guint32 checksum = read_le32(optional + PE_OPTIONAL_CHECKSUM);
    if (subsystem < SUBSYSTEM_FIRST || subsystem > SUBSYSTEM_LAST)
        complain(problems, "it is not for UEFI");
    /* No signature covers this field. */
    if (checksum != 0 &&
            (pe->optional_offset % 2 != 0 ||
                    checksum != compute_checksum(data, size, pe->optional_offset + PE_OPTIONAL_CHECKSUM)))
        complain(problems, "its checksum is wrong");
}

/* Each entry must be a signature of this image. Returns how many entries there are. */
static guint check_entries(const guint8 *table, gsize size, GPtrArray *problems) {
    guint n = 0;
    for (gsize done = 0; done < size; n++) {
        if (size - done < CERTIFICATE_HEADER)
            break;
        gsize length = read_le32(table + done);
        if (length <= CERTIFICATE_HEADER || length > size - done)
            break;
        gsize step = MIN(pe_align(length, CERTIFICATE_ALIGNMENT), size - done);
        if (read_le16(table + done + 4) != CERTIFICATE_REVISION ||
                read_le16(table + done + 6) != CERTIFICATE_PKCS7)
            complain(problems, "entry %u of the certificate table is of an unknown kind", n + 1);
        if (!is_zero(table + done + length, step - length))
            complain(problems, "unknown bytes after entry %u of the certificate table", n + 1);
        done += step;
    }
    return n;
}

static void check_signatures(const PeImage *pe, const guint8 *data, gsize size, GPtrArray *problems) {
    guint32 offset = 0, table_size = 0;
    if (!pe_image_get_directory(pe, PE_DIRECTORY_SECURITY, &offset, &table_size))
        return;
    g_autoptr(GError) error = NULL;
    guint8 digest[SHA256_SIZE];
    g_autoptr(GPtrArray) signatures = authenticode_parse(data, size, &error);
    if (!signatures || !authenticode_digest(data, size, digest, &error)) {
        complain(problems, "%s", error->message);
        return;
    }
    if (offset % CERTIFICATE_ALIGNMENT != 0)
        complain(problems, "its certificate table is not aligned");
    if (check_entries(data + offset, table_size, problems) != signatures->len)
        complain(problems, "its certificate table has entries that are no signatures by SHA-256");
    for (guint i = 0; i < signatures->len; i++) {
        const AuthenticodeSignature *signature = signatures->pdata[i];
        if (memcmp(signature->digest, digest, SHA256_SIZE) != 0)
            complain(problems, "signature %u is of another program, or of this one before it was changed",
                    i + 1);
    }
}

/* The table of symbols that linkers leave behind the sections, with its strings; nothing loads it, and
 * signatures cover it. Returns where it ends, or END when there is none. */
static guint64 skip_symbols(const PeImage *pe, const guint8 *data, guint64 end, guint64 limit) {
    guint64 start = read_le32(data + pe->coff_offset + PE_COFF_SYMBOLS);
    guint64 strings = start + (guint64) read_le32(data + pe->coff_offset + PE_COFF_N_SYMBOLS) * SYMBOL_SIZE;
    if (start == 0 || start != end || strings > limit || limit - strings < 4)
        return end;
    guint64 size = read_le32(data + strings);
    return size < 4 || size > limit - strings ? end : strings + size;
}

void pe_audit(const PeImage *pe, GPtrArray *problems) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(pe->bytes, &size);
    g_autoptr(GPtrArray) sections = g_ptr_array_new();
    guint32 table = 0, table_size = 0;
    for (guint i = 0; i < pe->n_sections; i++)
        g_ptr_array_add(sections, &pe->sections[i]);
    check_memory(pe, sections, problems);
    guint64 end = check_file(pe, sections, problems);
    guint64 limit = pe_image_get_directory(pe, PE_DIRECTORY_SECURITY, &table, &table_size) ? table : size;
    end = skip_symbols(pe, data, end, limit);
    /* Signing pads to a multiple of eight. */
    if (end <= size && limit > end &&
            (limit - end >= CERTIFICATE_ALIGNMENT || !is_zero(data + end, limit - end)))
        complain(problems, "bytes after the last section");
    check_headers(pe, data, size, problems);
    check_signatures(pe, data, size, problems);
}
