/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/archive/tar.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define BLOCK 512

/* What fits into the octal fields; the last byte of each is their end. */
#define MAX_ID 07777777u
#define MAX_SIZE G_GUINT64_CONSTANT(077777777777)

/* POSIX.1-2001, pax, "ustar Interchange Format". */
typedef struct {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[6];
    char version[2];
    char user[32];
    char group[32];
    char major[8];
    char minor[8];
    char prefix[155];
    char padding[12];
} Header;
G_STATIC_ASSERT(sizeof(Header) == BLOCK);

struct TarWriter {
    Compressor *compressor;
    GByteArray *records; /* of the next entry */
    guint64 left;        /* data that the current entry still needs */
    gsize padding;       /* behind it */
};

TarWriter *tar_writer_new(Compressor *compressor) {
    TarWriter *writer = g_new0(TarWriter, 1);
    writer->compressor = compressor;
    writer->records = g_byte_array_new();
    return writer;
}

void tar_writer_free(TarWriter *writer) {
    if (!writer)
        return;
    g_byte_array_unref(writer->records);
    g_free(writer);
}

static gsize decimal_length(gsize number) {
    gsize length = 1;
    while (number >= 10) {
        number /= 10;
        length++;
    }
    return length;
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
void tar_writer_add_record(TarWriter *writer, const char *key, const void *value, gsize size) {
    gsize rest = 1 + strlen(key) + 1 + size + 1;
    gsize length = rest + decimal_length(rest);

    length = rest + decimal_length(length);
    g_autofree char *head = g_strdup_printf("%" G_GSIZE_FORMAT " %s=", length, key);
    g_byte_array_append(writer->records, (const guint8 *) head, strlen(head));
    g_byte_array_append(writer->records, value, size);
    g_byte_array_append(writer->records, (const guint8 *) "\n", 1);
}

/* The first "=" ends the name of a record: GNU tar writes it, and "%", in this form. */
void tar_writer_add_xattr(TarWriter *writer, const char *attribute, const void *value, gsize size) {
    g_autoptr(GString) key = g_string_new("SCHILY.xattr.");

    for (const char *at = attribute; *at; at++)
        if (*at == '=' || *at == '%')
            g_string_append_printf(key, "%%%02X", (guint8) *at);
        else
            g_string_append_c(key, *at);
    tar_writer_add_record(writer, key->str, value, size);
}

static void add_number(TarWriter *writer, const char *key, guint64 number) {
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    tar_writer_add_record(writer, key, text, strlen(text));
}

static void add_time(TarWriter *writer, gint64 time) {
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, time);
    tar_writer_add_record(writer, "mtime", text, strlen(text));
}

static void put_octal(char *field, gsize size, guint64 number) {
    g_snprintf(field, size, "%0*" G_GINT64_MODIFIER "o", (int) size - 1, number);
}

/* Fields that are full need no end. */
static void put_text(char *field, gsize size, const char *text) {
    memcpy(field, text, MIN(size, strlen(text)));
}

/* NAME as a whole, or cut in two at a slash. */
static gboolean put_name(Header *header, const char *name) {
    gsize length = strlen(name);

    put_text(header->name, sizeof header->name, name);
    if (length <= sizeof header->name)
        return TRUE;
    for (gsize cut = MIN(sizeof header->prefix, length - 2); cut > 0; cut--) {
        if (name[cut] != '/')
            continue;
        if (length - cut - 1 > sizeof header->name)
            break;
        memset(header->name, 0, sizeof header->name);
        put_text(header->name, sizeof header->name, name + cut + 1);
        memcpy(header->prefix, name, cut);
        return TRUE;
    }
    return FALSE;
}

static char entry_type(const TarEntry *entry) {
    if (entry->is_hard_link)
        return '1';
    switch (entry->mode & S_IFMT) {
    case S_IFLNK:
        return '2';
    case S_IFCHR:
        return '3';
    case S_IFBLK:
        return '4';
    case S_IFDIR:
        return '5';
    case S_IFIFO:
        return '6';
    default:
        return '0';
    }
}

static gboolean put_padding(TarWriter *writer, gsize size, GError **error) {
    static const char zeros[BLOCK];
    return compressor_write(writer->compressor, zeros, -size % BLOCK, error);
}

static gboolean write_header(TarWriter *writer, Header *header, GError **error) {
    guint sum = 0;

    memcpy(header->magic, "ustar", 6);
    memcpy(header->version, "00", 2);
    memset(header->checksum, ' ', sizeof header->checksum);
    for (gsize i = 0; i < BLOCK; i++)
        sum += ((const guint8 *) header)[i];
    g_snprintf(header->checksum, sizeof header->checksum, "%06o", sum);
    return compressor_write(writer->compressor, header, BLOCK, error);
}

/* The entry with the records of the one that follows it. */
static gboolean write_records(TarWriter *writer, gint64 mtime, GError **error) {
    Header header = {.type = 'x'};
    gsize size = writer->records->len;

    if (size == 0)
        return TRUE;
    put_text(header.name, sizeof header.name, "././@PaxHeader");
    put_octal(header.mode, sizeof header.mode, 0644);
    put_octal(header.uid, sizeof header.uid, 0);
    put_octal(header.gid, sizeof header.gid, 0);
    put_octal(header.size, sizeof header.size, size);
    put_octal(header.mtime, sizeof header.mtime, mtime);
    if (!write_header(writer, &header, error) ||
            !compressor_write(writer->compressor, writer->records->data, size, error) ||
            !put_padding(writer, size, error))
        return FALSE;
    g_byte_array_set_size(writer->records, 0);
    return TRUE;
}

static void fill_header(
        TarWriter *writer, const TarEntry *entry, guint64 size, gint64 mtime, Header *header) {
    gboolean is_device = S_ISCHR(entry->mode) || S_ISBLK(entry->mode);

    if (!put_name(header, entry->name))
        tar_writer_add_record(writer, "path", entry->name, strlen(entry->name));
    if (entry->link && strlen(entry->link) > sizeof header->link)
        tar_writer_add_record(writer, "linkpath", entry->link, strlen(entry->link));
    if (entry->link)
        put_text(header->link, sizeof header->link, entry->link);
    if (entry->uid > MAX_ID)
        add_number(writer, "uid", entry->uid);
    if (entry->gid > MAX_ID)
        add_number(writer, "gid", entry->gid);
    if (size > MAX_SIZE)
        add_number(writer, "size", size);
    if (mtime != entry->mtime)
        add_time(writer, entry->mtime);
    put_octal(header->mode, sizeof header->mode, entry->mode & 07777);
    put_octal(header->uid, sizeof header->uid, entry->uid > MAX_ID ? 0 : entry->uid);
    put_octal(header->gid, sizeof header->gid, entry->gid > MAX_ID ? 0 : entry->gid);
    put_octal(header->size, sizeof header->size, size > MAX_SIZE ? 0 : size);
    put_octal(header->mtime, sizeof header->mtime, mtime);
    put_octal(header->major, sizeof header->major, is_device ? major(entry->device) : 0);
    put_octal(header->minor, sizeof header->minor, is_device ? minor(entry->device) : 0);
    header->type = entry_type(entry);
}

gboolean tar_writer_begin(TarWriter *writer, const TarEntry *entry, GError **error) {
    gint64 mtime = CLAMP(entry->mtime, 0, (gint64) MAX_SIZE);
    guint64 size = S_ISREG(entry->mode) && !entry->is_hard_link ? entry->size : 0;
    Header header = {0};

    g_return_val_if_fail(writer->left == 0, FALSE);
    fill_header(writer, entry, size, mtime, &header);
    writer->left = size;
    writer->padding = size % BLOCK;
    return write_records(writer, mtime, error) && write_header(writer, &header, error);
}

gboolean tar_writer_data(TarWriter *writer, const void *data, gsize size, GError **error) {
    g_return_val_if_fail(size <= writer->left, FALSE);
    writer->left -= size;
    return compressor_write(writer->compressor, data, size, error) &&
           (writer->left > 0 || put_padding(writer, writer->padding, error));
}

gboolean tar_writer_finish(TarWriter *writer, GError **error) {
    static const char end[2 * BLOCK];
    g_return_val_if_fail(writer->left == 0, FALSE);
    return compressor_write(writer->compressor, end, sizeof end, error);
}
