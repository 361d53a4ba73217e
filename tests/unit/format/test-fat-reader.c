/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-keys.h"

#include "format/fat/fat-reader.h"

/* File systems made by dosfstools and filled by mtools. */

#define BIG_SIZE 300001
#define LONG_NAME "a rather long name, with Ünicode.efi"

typedef struct {
    int bits;
    int megabytes;
} FatKind;

static const FatKind kinds[] = {{12, 4}, {16, 20}, {32, 64}};

static gboolean have_tools(void) {
    return test_have_tool("mkfs.vfat") && test_have_tool("mcopy") && test_have_tool("mmd");
}

/* A file system at an offset inside of a file, as on a disk. */
static char *make_image(TestKeys *scratch, const FatKind *kind, guint64 offset) {
    g_autofree guint8 *big = g_malloc(BIG_SIZE);
    for (gsize i = 0; i < BIG_SIZE; i++)
        big[i] = (guint8) (i * i >> 3);
    g_autofree char *big_path = test_file(scratch, "big", big, BIG_SIZE);
    g_autofree char *small_path = test_file(scratch, "small", "small", 5);
    g_autofree char *empty_path = test_file(scratch, "empty", "", 0);
    char *path = g_build_filename(scratch->directory, "fat.img", NULL);
    g_assert_true(test_shell(NULL,
            "export PATH=$PATH:/usr/sbin LC_ALL=C.UTF-8 MTOOLS_SKIP_CHECK=1; cd %s && rm -f fat fat.img && "
            "truncate -s %dM fat && mkfs.vfat -F %d fat && mmd -i fat ::/EFI ::/EFI/Linux ::/empty && "
            "mcopy -i fat big '::/EFI/Linux/" LONG_NAME "' && mcopy -i fat small ::/EFI/BOOTX64.EFI && "
            "mcopy -i fat small ::/EFI/second && mdel -i fat ::/EFI/second && mcopy -i fat empty ::/none && "
            "truncate -s %" G_GUINT64_FORMAT " fat.img && cat fat >> fat.img",
            scratch->directory, kind->megabytes, kind->bits, offset));
    return path;
}

static void check_content(FatReader *reader) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) root = fat_reader_list(reader, "", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(root->len, ==, 3);
    g_autoptr(GPtrArray) linux_entries = fat_reader_list(reader, "efi/LINUX", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(linux_entries->len, ==, 1);
    FatEntry *big = linux_entries->pdata[0];
    g_assert_cmpstr(big->name, ==, LONG_NAME);
    g_autoptr(GBytes) content = fat_reader_read(reader, big, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_bytes_get_size(content), ==, BIG_SIZE);
    const guint8 *data = g_bytes_get_data(content, NULL);
    for (gsize i = 0; i < BIG_SIZE; i++)
        g_assert_cmpuint(data[i], ==, (guint8) (i * i >> 3));

    g_autoptr(FatEntry) loader = fat_reader_find(reader, "EFI/BOOTX64.EFI", &error);
    g_assert_no_error(error);
    g_autoptr(GBytes) small = fat_reader_read(reader, loader, &error);
    g_assert_cmpmem(g_bytes_get_data(small, NULL), g_bytes_get_size(small), "small", 5);
    g_autoptr(FatEntry) none = fat_reader_find(reader, "none", &error);
    g_autoptr(GBytes) nothing = fat_reader_read(reader, none, &error);
    g_assert_cmpuint(g_bytes_get_size(nothing), ==, 0);
    g_assert_null(fat_reader_find(reader, "EFI/second", &error));
    g_assert_no_error(error);
    g_autoptr(GPtrArray) absent = fat_reader_list(reader, "no/such", &error);
    g_assert_cmpuint(absent->len, ==, 0);
}

static void test_read(void) {
    if (!have_tools())
        return;
    g_autoptr(TestKeys) scratch = test_keys_new("fat");
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        guint64 offset = i * 4096, size = (guint64) kinds[i].megabytes << 20;
        g_autofree char *path = make_image(scratch, &kinds[i], offset);
        AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
        g_autoptr(GError) error = NULL;
        g_autoptr(FatReader) reader = fat_reader_new(fd, offset, size, &error);
        g_assert_no_error(error);
        g_assert_cmpint(fat_reader_get_bits(reader), ==, kinds[i].bits);
        check_content(reader);
        g_assert_null(fat_reader_new(fd, offset, size - 512, &error));
        g_assert_nonnull(error);
    }
}

/* Visits everything; whatever is damaged must end in an error, not in a crash or without end. */
static void visit(FatReader *reader, const char *path, int depth) {
    g_autoptr(GPtrArray) entries = fat_reader_list(reader, path, NULL);
    for (guint i = 0; entries && i < MIN(entries->len, 20); i++) {
        const FatEntry *entry = entries->pdata[i];
        g_autofree char *below = g_strdup_printf("%s/%s", path, entry->name);
        g_autoptr(GBytes) content =
                entry->is_directory || entry->size > (8 << 20) ? NULL : fat_reader_read(reader, entry, NULL);
        if (entry->is_directory && depth < 4)
            visit(reader, below, depth + 1);
    }
}

static void test_damaged(void) {
    if (!have_tools())
        return;
    g_autoptr(TestKeys) scratch = test_keys_new("fat");
    g_autofree char *path = make_image(scratch, &kinds[0], 0);
    AUTO_FD fd = open(path, O_RDWR | O_CLOEXEC);
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    guint8 original[128 * 1024];
    g_assert_cmpint(pread(fd, original, sizeof original, 0), ==, sizeof original);
    for (guint round = 0; round < 300; round++) {
        g_autofree guint8 *copy = g_memdup2(original, sizeof original);
        guint limit = round % 2 ? 64 : sizeof original;
        for (guint i = 0; i < (limit == 64 ? 2 : 200); i++)
            copy[g_rand_int_range(random, 0, (int) limit)] = (guint8) g_rand_int(random);
        g_assert_cmpint(pwrite(fd, copy, sizeof original, 0), ==, sizeof original);
        g_autoptr(FatReader) reader = fat_reader_new(fd, 0, (guint64) kinds[0].megabytes << 20, NULL);
        if (reader)
            visit(reader, "", 0);
    }
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fat-reader/read", test_read);
    g_test_add_func("/fat-reader/damaged", test_damaged);
    return g_test_run();
}
