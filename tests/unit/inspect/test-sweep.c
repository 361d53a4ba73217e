/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pe-fixture.h"
#include "test-keys.h"

#include "format/efi/pe/authenticode.h"
#include "format/efi/pe/pe-audit.h"
#include "format/fat/fat-audit.h"
#include "inspect/disk/gpt-audit.h"

/* The sanitizers look at memory, for which a part of the bytes is enough; they make each of them thirty times slower. */
#ifdef __SANITIZE_ADDRESS__
#define STRIDE 13
#else
#define STRIDE 1
#endif

/* Byte by byte: whatever one changes in a partition table, in what describes a FAT file system, or in the
 * headers of a signed program, is found. */

#define SIZE (4 * 1024 * 1024)
#define FAT32_SIZE (36 * 1024 * 1024) /* mtools goes by the number of clusters */
#define SECTOR 512

typedef guint (*ProblemsFunc)(int fd);

static int make(TestKeys *keys, const char *name, guint64 size, const char *commands) {
    g_autofree char *path = g_build_filename(keys->directory, name, NULL);
    g_assert_true(test_shell(NULL,
            "cd %s && rm -f %s && truncate -s %" G_GUINT64_FORMAT
            " %s && export MTOOLS_SKIP_CHECK=1 PATH=$PATH:/usr/sbin:/sbin && %s",
            keys->directory, name, size, name, commands));
    int fd = open(path, O_RDWR | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void change(int fd, guint64 offset, guint8 mask) {
    guint8 byte = 0;
    g_assert_cmpint(pread(fd, &byte, 1, offset), ==, 1);
    byte ^= mask;
    g_assert_cmpint(pwrite(fd, &byte, 1, offset), ==, 1);
}

/* Bytes from START to END, but for those that mean nothing: each change is found. */
static void sweep(int fd, ProblemsFunc count, guint64 start, guint64 end) {
    static const guint8 masks[] = {0x01, 0x80};
    for (guint64 at = start; at < end; at += STRIDE)
        for (gsize i = 0; i < G_N_ELEMENTS(masks); i++) {
            change(fd, at, masks[i]);
            if (count(fd) == 0)
                g_test_fail_printf("byte %" G_GUINT64_FORMAT ", bits %#x", at, masks[i]);
            change(fd, at, masks[i]);
        }
}

static guint count_in_table(int fd) {
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    inspect_gpt_audit(fd, SIZE, problems);
    return problems->len;
}

static void test_partition_table(void) {
    if (!test_have_tool("sfdisk"))
        return;
    g_autoptr(TestKeys) keys = test_keys_new("owner");
    AUTO_FD fd = make(keys, "disk", SIZE,
            "printf 'label: gpt\\nstart=2048, size=1024, name=one\\nstart=4096, size=1024, name=two\\n' | "
            "sfdisk "
            "--no-reread --no-tell-kernel disk");
    g_assert_cmpuint(count_in_table(fd), ==, 0);
    /* Where the disk ends by cylinder, head and sector nobody asks any more. */
    sweep(fd, count_in_table, 0, 451);
    sweep(fd, count_in_table, 454, 2 * SECTOR);
    sweep(fd, count_in_table, 2 * SECTOR, 2 * SECTOR + 3 * 128);
    sweep(fd, count_in_table, SIZE - 33 * SECTOR, SIZE - 33 * SECTOR + 3 * 128);
    sweep(fd, count_in_table, SIZE - SECTOR, SIZE);
}

static guint count_in_fat(int fd) {
    g_autoptr(FatReader) reader = fat_reader_new(fd, 0, lseek(fd, 0, SEEK_END), NULL);
    if (!reader)
        return 1;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) files = fat_reader_audit(reader, problems);
    return problems->len;
}

static void test_fat(gconstpointer data) {
    const char *options = data;
    if (!test_have_tool("mkfs.vfat") || !test_have_tool("mcopy"))
        return;
    gboolean fat32 = strstr(options, "32") != NULL;
    g_autoptr(TestKeys) keys = test_keys_new("owner");
    g_autofree char *commands = g_strdup_printf(
            "mkfs.vfat %s disk && mmd -i disk ::/EFI && seq 900 > f && mcopy -i disk f ::/EFI/BOOTX64.EFI",
            options);
    AUTO_FD fd = make(keys, "disk", fat32 ? FAT32_SIZE : SIZE, commands);
    g_assert_cmpuint(count_in_fat(fd), ==, 0);
    guint8 boot[SECTOR];
    g_assert_cmpint(pread(fd, boot, sizeof boot, 0), ==, sizeof boot);
    guint reserved = boot[14];
    /* The jump, the name of the maker, tracks and heads, serial number and label are for nobody; of the copy
     * of FAT32 all counts but the mark that it is mounted. */
    sweep(fd, count_in_fat, 11, 24);
    sweep(fd, count_in_fat, fat32 ? 32 : 54, fat32 ? 64 : 62);
    sweep(fd, count_in_fat, fat32 ? 82 : 62, SECTOR);
    if (fat32) {
        sweep(fd, count_in_fat, 6 * SECTOR, 6 * SECTOR + 65);
        sweep(fd, count_in_fat, 6 * SECTOR + 66, 7 * SECTOR);
    }
    sweep(fd, count_in_fat, (guint64) reserved * SECTOR, (guint64) reserved * SECTOR + 32);
}

static void test_program(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(TestKeys) keys = test_keys_new("owner");
    g_autoptr(GBytes) bare = pe_fixture_kernel(2000, 1);
    g_autoptr(GBytes) image =
            authenticode_sign(bare, keys->key, keys->certificate, AUTHENTICODE_REPLACE, &error);
    g_assert_no_error(error);
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(image, &size);
    for (gsize at = 0; at < 0x400 + 2048 + 8; at += STRIDE) {
        guint8 *copy = g_memdup2(data, size);
        copy[at] ^= 0x10;
        g_autoptr(GBytes) changed = g_bytes_new_take(copy, size);
        g_autoptr(PeImage) pe = pe_image_new(changed, NULL);
        g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
        if (pe)
            pe_audit(pe, problems);
        if (pe && problems->len == 0 && authenticode_verify(copy, size, keys->certificate, NULL, NULL))
            g_test_fail_printf("byte %" G_GSIZE_FORMAT, at);
    }
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sweep/partition-table", test_partition_table);
    g_test_add_data_func("/sweep/fat12", "-F 12", test_fat);
    g_test_add_data_func("/sweep/fat16", "-F 16 -s 1", test_fat);
    g_test_add_data_func("/sweep/fat32", "-F 32 -s 1", test_fat);
    g_test_add_func("/sweep/program", test_program);
    return g_test_run();
}
