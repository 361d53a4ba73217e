/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pe-fixture.h"

#include <string.h>

#define HEADERS_SIZE 0x400
#define PE_OFFSET 0x80
#define OPTIONAL_OFFSET (PE_OFFSET + 24)
#define OPTIONAL_SIZE (112 + 16 * 8)
#define SECTIONS_OFFSET (OPTIONAL_OFFSET + OPTIONAL_SIZE)

static void put16(GByteArray *file, guint offset, guint16 value) {
    memcpy(file->data + offset, &(guint16){GUINT16_TO_LE(value)}, 2);
}

static void put32(GByteArray *file, guint offset, guint32 value) {
    memcpy(file->data + offset, &(guint32){GUINT32_TO_LE(value)}, 4);
}

static guint32 align(guint32 value, guint32 alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

static GByteArray *start(void) {
    GByteArray *file = g_byte_array_new();
    g_byte_array_set_size(file, HEADERS_SIZE);
    memset(file->data, 0, file->len);
    memcpy(file->data, "MZ", 2);
    put32(file, 0x3c, PE_OFFSET);
    memcpy(file->data + PE_OFFSET, "PE\0\0", 4);
    put16(file, PE_OFFSET + 4, 0x8664);
    put16(file, PE_OFFSET + 4 + 16, OPTIONAL_SIZE);
    put16(file, PE_OFFSET + 4 + 18, 0x022e);
    put16(file, OPTIONAL_OFFSET, 0x20b);
    put32(file, OPTIONAL_OFFSET + 16, 0x1000); /* entry point */
    put32(file, OPTIONAL_OFFSET + 32, 0x1000); /* section alignment */
    put32(file, OPTIONAL_OFFSET + 36, 0x200);  /* file alignment */
    put32(file, OPTIONAL_OFFSET + 60, HEADERS_SIZE);
    put16(file, OPTIONAL_OFFSET + 68, 10); /* EFI application */
    put16(file, OPTIONAL_OFFSET + 70, 0x160);
    put32(file, OPTIONAL_OFFSET + 108, 16);
    return file;
}

static void add(GByteArray *file, const char *name, const void *data, gsize size, guint32 address) {
    guint n = file->data[PE_OFFSET + 6];
    guint header = SECTIONS_OFFSET + n * 40;
    memcpy(file->data + header, name, strlen(name));
    put32(file, header + 8, size);
    put32(file, header + 12, address);
    put32(file, header + 16, align(size, 0x200));
    put32(file, header + 20, file->len);
    put32(file, header + 36, 0x40000040);
    put16(file, PE_OFFSET + 6, n + 1);
    put32(file, OPTIONAL_OFFSET + 56, align(address + size, 0x1000));

    guint old = file->len;
    g_byte_array_append(file, data, size);
    guint used = file->len;
    g_byte_array_set_size(file, align(used, 0x200));
    memset(file->data + used, 0, file->len - used);
    g_assert_cmpuint(old % 0x200, ==, 0);
}

GBytes *pe_fixture_stub(void) {
    static const char sbat[] = "sbat,1,SBAT Version,sbat,1,https://example.com\nstub,1,Stub,stub,1,x\n";
    g_autoptr(GByteArray) file = start();
    g_autoptr(GBytes) text = pe_fixture_noise(700, 1);
    add(file, ".text", g_bytes_get_data(text, NULL), 700, 0x1000);
    add(file, ".data", "data", 4, 0x2000);
    add(file, ".sbat", sbat, strlen(sbat), 0x3000);
    return g_byte_array_free_to_bytes(g_steal_pointer(&file));
}

GBytes *pe_fixture_old_stub(void) {
    static const char sbat[] = "sbat,1,SBAT Version,sbat,1,https://example.com\nstub,1,Stub,stub,1,x\n";
    static const char names[] = "\0.linux\0.osrel\0.cmdline\0.initrd\0.splash\0.dtb\0.pcrsig\0.pcrpkey";
    g_autoptr(GByteArray) file = start();
    g_autoptr(GBytes) text = pe_fixture_noise(700, 1);
    add(file, ".text", g_bytes_get_data(text, NULL), 700, 0x1000);
    add(file, ".data", names, sizeof names, 0x2000);
    add(file, ".sbat", sbat, strlen(sbat), 0x3000);
    add(file, ".sdmagic", "#### LoaderInfo: systemd-stub 252.39 ####", 41, 0x3100);
    return g_byte_array_free_to_bytes(g_steal_pointer(&file));
}

GBytes *pe_fixture_kernel(gsize size, guint32 seed) {
    g_autoptr(GByteArray) file = start();
    g_autoptr(GBytes) text = pe_fixture_noise(size, seed);
    add(file, ".text", g_bytes_get_data(text, NULL), size, 0x1000);
    return g_byte_array_free_to_bytes(g_steal_pointer(&file));
}

GBytes *pe_fixture_noise(gsize size, guint32 seed) {
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    guint8 *data = g_malloc(size);
    for (gsize i = 0; i < size; i++)
        data[i] = g_rand_int(rand);
    return g_bytes_new_take(data, size);
}
