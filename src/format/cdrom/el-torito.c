/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/cdrom/el-torito.h"

#include <string.h>

#include "base/io.h"

#define SECTOR 2048

/* Sectors of the volume. The first 16 belong to the partition table. */
enum {
    PRIMARY_SECTOR = 16,
    BOOT_SECTOR,
    TERMINATOR_SECTOR,
    CATALOG_SECTOR,
    ROOT_SECTOR,
    END_SECTOR,
};
G_STATIC_ASSERT(END_SECTOR *SECTOR == EL_TORITO_END);

/* ECMA-119, 8: volume descriptors. */
typedef struct {
    guint8 type;
    char identifier[5];
    guint8 version;
} __attribute__((packed)) DescriptorHead;

/* The same number in both byte orders (ECMA-119, 7.2.3 and 7.3.3). */
typedef struct {
    guint16 little, big;
} __attribute__((packed)) Both16;
typedef struct {
    guint32 little, big;
} __attribute__((packed)) Both32;

/* ECMA-119, 9.1. */
typedef struct {
    guint8 length;
    guint8 attribute_length;
    Both32 extent;
    Both32 size;
    guint8 time[7];
    guint8 flags;
    guint8 unit_size, gap_size;
    Both16 volume_number;
    guint8 name_length;
    guint8 name;
} __attribute__((packed)) DirectoryRecord;
G_STATIC_ASSERT(sizeof(DirectoryRecord) == 34);

/* ECMA-119, 8.4. */
typedef struct {
    DescriptorHead head;
    guint8 unused1;
    char system[EL_TORITO_SYSTEM_SIZE];
    char volume[EL_TORITO_VOLUME_SIZE];
    guint8 unused2[8];
    Both32 volume_size;
    guint8 unused3[32];
    Both16 set_size, sequence_number, block_size;
    Both32 path_table_size;
    guint32 path_tables[4];
    DirectoryRecord root;
    char set[128];
    char publisher[EL_TORITO_PUBLISHER_SIZE];
    char preparer[128];
    char application[128];
    char files[3][37];
    char created[17], modified[17], expires[17], effective[17];
    guint8 structure_version;
    guint8 rest[1166];
} __attribute__((packed)) PrimaryDescriptor;
G_STATIC_ASSERT(sizeof(PrimaryDescriptor) == SECTOR);

/* El Torito, figure 7. */
typedef struct {
    DescriptorHead head;
    char system[32];
    guint8 unused[32];
    guint32 catalog;
    guint8 rest[1973];
} __attribute__((packed)) BootDescriptor;
G_STATIC_ASSERT(sizeof(BootDescriptor) == SECTOR);

/* El Torito, figures 2 to 4. */
typedef struct {
    guint8 header;
    guint8 platform;
    guint16 reserved;
    char identifier[24];
    guint16 checksum;
    guint8 key[2];
} __attribute__((packed)) ValidationEntry;
typedef struct {
    guint8 indicator;
    guint8 media;
    guint16 load_segment;
    guint8 system_type;
    guint8 unused;
    guint16 sector_count;
    guint32 sector;
    guint8 rest[20];
} __attribute__((packed)) BootEntry;
typedef struct {
    ValidationEntry validation;
    BootEntry entry;
    guint8 last_header[32];
    guint8 rest[SECTOR - 96];
} __attribute__((packed)) BootCatalog;
G_STATIC_ASSERT(sizeof(BootCatalog) == SECTOR);

#define PLATFORM_EFI 0xef
#define BOOTABLE 0x88
#define LAST_HEADER 0x91
#define FLAG_DIRECTORY 2

gboolean el_torito_valid_identifier(const char *text, gsize size) {
    if (!text)
        return TRUE;
    for (const char *c = text; *c; c++)
        if (!g_ascii_isalnum(*c) && !strchr("_ !\"%&'()*+,-./:;<=>?", *c))
            return FALSE;
    return strlen(text) <= size;
}

static Both16 both16(guint16 number) {
    return (Both16){GUINT16_TO_LE(number), GUINT16_TO_BE(number)};
}

static Both32 both32(guint32 number) {
    return (Both32){GUINT32_TO_LE(number), GUINT32_TO_BE(number)};
}

static void put_text(char *field, gsize size, const char *text) {
    memset(field, ' ', size);
    if (text)
        memcpy(field, text, MIN(size, strlen(text)));
}

static DescriptorHead descriptor_head(guint8 type) {
    DescriptorHead head = {.type = type, .version = 1};
    memcpy(head.identifier, "CD001", sizeof head.identifier);
    return head;
}

/* NAME: 0 for the directory itself, 1 for its parent. */
static DirectoryRecord root_record(GDateTime *time, guint8 name) {
    return (DirectoryRecord){
            .length = sizeof(DirectoryRecord),
            .extent = both32(ROOT_SECTOR),
            .size = both32(SECTOR),
            .time = {CLAMP(g_date_time_get_year(time) - 1900, 0, 255), g_date_time_get_month(time),
                    g_date_time_get_day_of_month(time), g_date_time_get_hour(time),
                    g_date_time_get_minute(time), g_date_time_get_second(time), 0},
            .flags = FLAG_DIRECTORY,
            .volume_number = both16(1),
            .name_length = 1,
            .name = name,
    };
}

static void put_time(char field[17], GDateTime *time) {
    g_autofree char *text = time ? g_date_time_format(time, "%Y%m%d%H%M%S00") : NULL;

    memset(field, '0', 16);
    if (text)
        memcpy(field, text, 16);
    field[16] = 0; /* the offset from GMT */
}

static void fill_primary(PrimaryDescriptor *primary, const ElTorito *options, GDateTime *time) {
    primary->head = descriptor_head(1);
    put_text(primary->system, sizeof primary->system, options->system);
    put_text(primary->volume, sizeof primary->volume, options->volume);
    /* Firmware takes the boot image to reach to the end of the volume. */
    primary->volume_size = both32(MIN(options->disk_size / SECTOR, G_MAXUINT32));
    primary->set_size = primary->sequence_number = both16(1);
    primary->block_size = both16(SECTOR);
    primary->root = root_record(time, 0);
    put_text(primary->set, sizeof primary->set, NULL);
    put_text(primary->publisher, sizeof primary->publisher, options->publisher);
    put_text(primary->preparer, sizeof primary->preparer, NULL);
    put_text(primary->application, sizeof primary->application, "PARTICLEOS");
    put_text(primary->files[0], sizeof primary->files, NULL);
    put_time(primary->created, time);
    put_time(primary->modified, time);
    put_time(primary->expires, NULL);
    put_time(primary->effective, NULL);
    primary->structure_version = 1;
}

static void fill_catalog(BootCatalog *catalog, const ElTorito *options) {
    guint16 sum = 0;

    catalog->validation = (ValidationEntry){.header = 1, .platform = PLATFORM_EFI, .key = {0x55, 0xaa}};
    for (gsize i = 0; i < sizeof(ValidationEntry); i += 2)
        sum += ((guint8 *) &catalog->validation)[i] | ((guint8 *) &catalog->validation)[i + 1] << 8;
    catalog->validation.checksum = GUINT16_TO_LE((guint16) -sum);
    /* No emulation. A sector count of 0 says that the image goes on to the end of the volume: 16 bits are
     * too few for an ESP. */
    catalog->entry = (BootEntry){
            .indicator = BOOTABLE,
            .sector = GUINT32_TO_LE(options->esp_offset / SECTOR),
    };
    catalog->last_header[0] = LAST_HEADER;
    catalog->last_header[1] = PLATFORM_EFI;
}

gboolean el_torito_write(int fd, const ElTorito *options, GError **error) {
    struct {
        PrimaryDescriptor primary;
        BootDescriptor boot;
        guint8 terminator[SECTOR];
        BootCatalog catalog;
        guint8 root[SECTOR];
    } __attribute__((packed)) sectors = {0};
    G_STATIC_ASSERT(sizeof sectors == EL_TORITO_END - PRIMARY_SECTOR * SECTOR);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(options->time);

    g_return_val_if_fail(options->esp_offset % SECTOR == 0 && time, FALSE);
    fill_primary(&sectors.primary, options, time);
    sectors.boot.head = descriptor_head(0);
    memcpy(sectors.boot.system, "EL TORITO SPECIFICATION", 23);
    sectors.boot.catalog = GUINT32_TO_LE(CATALOG_SECTOR);
    const DescriptorHead last = descriptor_head(255);
    memcpy(sectors.terminator, &last, sizeof last);
    fill_catalog(&sectors.catalog, options);
    const DirectoryRecord records[] = {root_record(time, 0), root_record(time, 1)};
    memcpy(sectors.root, records, sizeof records);
    return pwrite_all(fd, &sectors, sizeof sectors, PRIMARY_SECTOR * SECTOR, error);
}
