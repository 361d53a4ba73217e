/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/pe/pe-writer.h"

#include "format/efi/pe/pe-internal.h"

#define PE_LOCAL_SYMBOLS_STRIPPED 0x0008

typedef struct {
    PeSection header;
    GBytes *content;  /* without padding; NULL: none in the file */
    gboolean dropped; /* its content stands in another section */
} OutputSection;

struct PeWriter {
    PeImage *original;
    GArray *sections; /* of OutputSection */
    guint16 cleared_dll_characteristics;
    guint64 added_data; /* bytes */
};

static void output_section_clear(gpointer data) {
    OutputSection *section = data;
    g_clear_pointer(&section->content, g_bytes_unref);
}

PeWriter *pe_writer_new(GBytes *original, GError **error) {
    g_autoptr(PeWriter) writer = g_new0(PeWriter, 1);
    writer->sections = g_array_new(FALSE, TRUE, sizeof(OutputSection));
    g_array_set_clear_func(writer->sections, output_section_clear);
    writer->original = pe_image_new(original, error);
    if (!writer->original)
        return NULL;

    guint32 address, size;
    if (pe_image_get_directory(writer->original, PE_DIRECTORY_SECURITY, &address, &size)) {
        g_set_error(error, PE_ERROR, PE_ERROR_UNSUPPORTED,
                "the image is signed; changing it would break the signature");
        return NULL;
    }
    for (guint i = 0; i < writer->original->n_sections; i++) {
        const PeSection *section = &writer->original->sections[i];
        OutputSection output = {.header = *section};
        if (section->raw_size > 0)
            output.content = g_bytes_new_from_bytes(original, section->raw_offset, section->raw_size);
        g_array_append_val(writer->sections, output);
    }
    return g_steal_pointer(&writer);
}

void pe_writer_free(PeWriter *writer) {
    if (!writer)
        return;
    g_array_unref(writer->sections);
    pe_image_free(writer->original);
    g_free(writer);
}

const PeImage *pe_writer_get_original(const PeWriter *writer) {
    return writer->original;
}

static OutputSection *get_section(const PeWriter *writer, guint index) {
    return &g_array_index(writer->sections, OutputSection, index);
}

static guint count_sections(const PeWriter *writer) {
    guint n = 0;
    for (guint i = 0; i < writer->sections->len; i++)
        n += !get_section(writer, i)->dropped;
    return n;
}

/* End in memory of everything so far, aligned. */
static guint64 memory_end(const PeWriter *writer) {
    guint64 end = writer->original->size_of_headers;
    for (guint i = 0; i < writer->sections->len; i++) {
        const PeSection *header = &get_section(writer, i)->header;
        end = MAX(end, (guint64) header->virtual_address + MAX(header->virtual_size, header->raw_size));
    }
    return pe_align(end, writer->original->section_alignment);
}

/* Bytes from the start of section INDEX to the next one in memory. */
static guint64 room_of(const PeWriter *writer, guint index) {
    guint32 start = get_section(writer, index)->header.virtual_address;
    guint64 next = G_MAXUINT32;
    for (guint i = 0; i < writer->sections->len; i++) {
        guint32 address = get_section(writer, i)->header.virtual_address;
        if (address > start)
            next = MIN(next, address);
    }
    return next - start;
}

gboolean pe_writer_replace(PeWriter *writer, guint index, GBytes *content, GError **error) {
    g_return_val_if_fail(index < writer->sections->len, FALSE);
    OutputSection *section = get_section(writer, index);
    guint64 room = room_of(writer, index);

    gsize size = g_bytes_get_size(content);
    if (size > room) {
        g_set_error(error, PE_ERROR, PE_ERROR_NO_SPACE,
                "%s has %zu bytes, but the image has room for %" G_GUINT64_FORMAT, section->header.name,
                size, room);
        return FALSE;
    }
    g_clear_pointer(&section->content, g_bytes_unref);
    section->content = g_bytes_ref(content);
    section->header.virtual_size = size;
    return TRUE;
}

static gboolean is_inside(const PeSection *section, guint32 address) {
    return address >= section->virtual_address &&
           address - section->virtual_address < MAX(section->virtual_size, section->raw_size);
}

/* Whether something in the image relies on the place of SECTION in memory, as far as the headers say. */
static gboolean is_referred_to(const PeImage *pe, const PeSection *section) {
    const guint8 *optional = (const guint8 *) g_bytes_get_data(pe->bytes, NULL) + pe->optional_offset;

    if ((section->characteristics & (PE_SCN_CNT_CODE | PE_SCN_MEM_EXECUTE | PE_SCN_MEM_WRITE)) ||
            is_inside(section, read_le32(optional + PE_OPTIONAL_ENTRY_POINT)))
        return TRUE;
    for (guint i = 0; i < pe->n_directories; i++) {
        guint32 address, size;
        /* The security directory is an offset in the file, and there is none. */
        if (i != PE_DIRECTORY_SECURITY && pe_image_get_directory(pe, i, &address, &size) &&
                is_inside(section, address))
            return TRUE;
    }
    return FALSE;
}

gboolean pe_writer_replace_or_move(PeWriter *writer, guint index, GBytes *content, GError **error) {
    g_return_val_if_fail(index < writer->original->n_sections, FALSE);
    const PeSection original = writer->original->sections[index];

    if (g_bytes_get_size(content) <= room_of(writer, index))
        return pe_writer_replace(writer, index, content, error);
    if (is_referred_to(writer->original, &original)) {
        g_set_error(error, PE_ERROR, PE_ERROR_NO_SPACE,
                "%s has %zu bytes, but the image has room for %" G_GUINT64_FORMAT
                ", and other parts of the image rely on its place",
                original.name, g_bytes_get_size(content), room_of(writer, index));
        return FALSE;
    }
    if (!pe_writer_add(writer, original.name, original.characteristics, content, error))
        return FALSE;
    get_section(writer, index)->dropped = TRUE;
    return TRUE;
}

gboolean pe_writer_add(
        PeWriter *writer, const char *name, guint32 characteristics, GBytes *content, GError **error) {
    g_return_val_if_fail(strlen(name) <= PE_SECTION_NAME_MAX, FALSE);
    guint64 address = memory_end(writer);
    gsize size = g_bytes_get_size(content);
    if (address + size > G_MAXUINT32) {
        g_set_error(
                error, PE_ERROR, PE_ERROR_NO_SPACE, "the image would be larger than 4 GiB with %s", name);
        return FALSE;
    }

    OutputSection section = {
            .header = {.virtual_size = size, .virtual_address = address, .characteristics = characteristics},
            .content = g_bytes_ref(content),
    };
    g_strlcpy(section.header.name, name, sizeof section.header.name);
    g_array_append_val(writer->sections, section);
    if (characteristics & PE_SCN_CNT_INITIALIZED_DATA)
        writer->added_data += size;
    return TRUE;
}

void pe_writer_clear_dll_characteristics(PeWriter *writer, guint16 flags) {
    writer->cleared_dll_characteristics |= flags;
}

/* How large the headers become, padded to the file alignment. */
static gboolean plan_headers(const PeWriter *writer, guint32 *ret_size, GError **error) {
    const PeImage *pe = writer->original;
    guint room = pe_image_get_max_sections(pe);
    guint n = count_sections(writer);
    if (n > room) {
        g_set_error(error, PE_ERROR, PE_ERROR_NO_SPACE,
                "%u sections are needed, but the headers of the image have room for %u at most", n, room);
        return FALSE;
    }
    guint64 needed = pe->sections_offset + (guint64) n * PE_SECTION_HEADER_SIZE;
    *ret_size = pe_align(MAX(needed, pe->size_of_headers), pe->file_alignment);
    return TRUE;
}

/* Gives every section its place in the file, in the order of the table. */
static gboolean plan_raw_data(PeWriter *writer, guint32 size_of_headers, gsize *ret_size, GError **error) {
    const PeImage *pe = writer->original;
    guint64 offset = size_of_headers;
    gboolean moved = FALSE;

    for (guint i = 0; i < writer->sections->len; i++) {
        OutputSection *section = get_section(writer, i);
        if (section->dropped)
            continue;
        guint64 size = section->content ? g_bytes_get_size(section->content) : 0;
        guint64 padded = pe_align(size, pe->file_alignment);
        if (i < pe->n_sections && size > 0 && section->header.raw_offset != offset)
            moved = TRUE;
        section->header.raw_offset = size > 0 ? offset : 0;
        section->header.raw_size = padded;
        offset += padded;
        if (offset > G_MAXUINT32) {
            g_set_error(error, PE_ERROR, PE_ERROR_NO_SPACE, "the file would be larger than 4 GiB");
            return FALSE;
        }
    }

    /* Debug entries are the only part of an image in memory that knows offsets in the file. */
    guint32 address, size;
    if (moved && pe_image_get_directory(pe, PE_DIRECTORY_DEBUG, &address, &size)) {
        g_set_error(error, PE_ERROR, PE_ERROR_UNSUPPORTED,
                "the headers have no room for more sections, and data of an image with debug information "
                "cannot be moved; use a stripped stub");
        return FALSE;
    }
    *ret_size = offset;
    return TRUE;
}

static void write_section_header(guint8 *p, const PeSection *header) {
    memset(p, 0, PE_SECTION_HEADER_SIZE);
    memcpy(p, header->name, strlen(header->name));
    write_le32(p + 8, header->virtual_size);
    write_le32(p + 12, header->virtual_address);
    write_le32(p + 16, header->raw_size);
    write_le32(p + 20, header->raw_offset);
    write_le32(p + 36, header->characteristics);
}

static void write_headers(const PeWriter *writer, guint8 *file, guint32 size_of_headers) {
    const PeImage *pe = writer->original;
    memcpy(file, g_bytes_get_data(pe->bytes, NULL), pe->sections_offset);

    guint8 *coff = file + pe->coff_offset;
    write_le16(coff + PE_COFF_N_SECTIONS, count_sections(writer));
    if (read_le32(coff + PE_COFF_SYMBOLS) != 0)
        write_le16(coff + PE_COFF_CHARACTERISTICS,
                read_le16(coff + PE_COFF_CHARACTERISTICS) | PE_LOCAL_SYMBOLS_STRIPPED);
    write_le32(coff + PE_COFF_SYMBOLS, 0);
    write_le32(coff + PE_COFF_N_SYMBOLS, 0);

    guint8 *optional = file + pe->optional_offset;
    guint32 data_size = read_le32(optional + PE_OPTIONAL_INITIALIZED_DATA);
    write_le32(optional + PE_OPTIONAL_INITIALIZED_DATA, data_size + writer->added_data);
    write_le32(optional + PE_OPTIONAL_IMAGE_SIZE, memory_end(writer));
    write_le32(optional + PE_OPTIONAL_HEADERS_SIZE, size_of_headers);
    write_le32(optional + PE_OPTIONAL_CHECKSUM, 0);
    write_le16(optional + PE_OPTIONAL_DLL_CHARACTERISTICS,
            pe->dll_characteristics & ~writer->cleared_dll_characteristics);

    guint8 *header = file + pe->sections_offset;
    for (guint i = 0; i < writer->sections->len; i++)
        if (!get_section(writer, i)->dropped) {
            write_section_header(header, &get_section(writer, i)->header);
            header += PE_SECTION_HEADER_SIZE;
        }
}

GBytes *pe_writer_finish(PeWriter *writer, GError **error) {
    guint32 size_of_headers;
    gsize size;
    if (!plan_headers(writer, &size_of_headers, error) ||
            !plan_raw_data(writer, size_of_headers, &size, error))
        return NULL;

    g_autofree guint8 *file = g_try_malloc0(size);
    if (!file) {
        g_set_error(error, PE_ERROR, PE_ERROR_NO_SPACE, "no memory for an image of %zu bytes", size);
        return NULL;
    }
    write_headers(writer, file, size_of_headers);
    for (guint i = 0; i < writer->sections->len; i++) {
        const OutputSection *section = get_section(writer, i);
        if (!section->content || section->dropped)
            continue;
        gsize content_size;
        const void *content = g_bytes_get_data(section->content, &content_size);
        if (content_size > 0)
            memcpy(file + section->header.raw_offset, content, content_size);
    }
    return g_bytes_new_take(g_steal_pointer(&file), size);
}
