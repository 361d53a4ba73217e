/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "pipeline/kernel/kernel-modules-files.h"
#include "pipeline/kernel/kernel-modules-stage.h"
#include "pipeline/kernel/kernel-modules.h"

#define VERSION "6.1.0-test"
#define MODULES "usr/lib/modules/" VERSION
#define FIRMWARE "usr/lib/firmware"

static char *base;

static void write_file(const char *path, const void *data, gssize size) {
    g_autofree char *full = g_build_filename(base, path, NULL);
    g_autofree char *parent = g_path_get_dirname(full);
    g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
    g_assert_true(g_file_set_contents(full, data, size, NULL));
}

static void make_link(const char *path, const char *target) {
    g_autofree char *full = g_build_filename(base, path, NULL);
    g_autofree char *parent = g_path_get_dirname(full);
    g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
    g_assert_cmpint(symlink(target, full), ==, 0);
}

/* An object file with a .modinfo section that holds TEXT, in which '|' ends an entry. */
static void write_module(const char *path, const char *text) {
    static const char names[] = "\0.modinfo\0.shstrtab\0.strtab\0.symtab";
    gsize info_size = strlen(text) + 1;
    g_autofree char *info = g_strdelimit(g_strdup(text), "|", '\0');
    Elf64_Ehdr header = {
            .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
            .e_type = ET_REL,
            .e_machine = EM_X86_64,
            .e_version = EV_CURRENT,
            .e_ehsize = sizeof(Elf64_Ehdr),
            .e_shentsize = sizeof(Elf64_Shdr),
            .e_shnum = 3,
            .e_shstrndx = 2,
            .e_shoff = sizeof(Elf64_Ehdr),
    };
    gsize data_offset = sizeof header + 3 * sizeof(Elf64_Shdr);
    Elf64_Shdr sections[3] = {
            {0},
            {.sh_name = 1,
                    .sh_type = SHT_PROGBITS,
                    .sh_offset = data_offset,
                    .sh_size = info_size,
                    .sh_addralign = 1},
            {.sh_name = 10,
                    .sh_type = SHT_STRTAB,
                    .sh_offset = data_offset + info_size,
                    .sh_size = sizeof names,
                    .sh_addralign = 1},
    };
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_byte_array_append(file, (const guint8 *) &header, sizeof header);
    g_byte_array_append(file, (const guint8 *) sections, sizeof sections);
    g_byte_array_append(file, (const guint8 *) info, info_size);
    g_byte_array_append(file, (const guint8 *) names, sizeof names);
    write_file(path, file->data, file->len);
}

static void clean(void) {
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", base);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
    g_assert_cmpint(g_mkdir_with_parents(base, 0755), ==, 0);
}

/* fat needs nls; wifi needs firmware, softly crc, and something that is not there; gpu stands alone. */
static int make_tree(gboolean with_firmware) {
    clean();
    write_module(MODULES "/kernel/fs/fat/fat_fs.ko", "name=fat_fs|depends=nls_base");
    write_module(MODULES "/kernel/fs/nls/nls_base.ko", "name=nls_base|depends=");
    write_module(MODULES "/kernel/drivers/net/wifi.ko",
            "name=wifi|depends=lost|softdep=pre: crc post: fat-fs|firmware=wifi/a.bin|firmware=wifi/b-*.bin|"
            "firmware=linked/c.bin|firmware=not/there.bin");
    write_module(MODULES "/kernel/lib/crc.ko", "name=crc|depends=builtin_part");
    write_module(MODULES "/kernel/drivers/gpu/gpu.ko", "name=gpu|firmware=gpu.bin");
    write_file(MODULES "/modules.builtin", "kernel/lib/builtin_part.ko\n", -1);
    static const char builtin[] = "builtin_part.firmware=builtin.bin\0builtin_part.license=GPL";
    write_file(MODULES "/modules.builtin.modinfo", builtin, sizeof builtin);
    write_file(MODULES "/vdso/vdso64.so", "x", 1);
    if (with_firmware) {
        write_file(FIRMWARE "/wifi/a.bin.xz", "a", 1);
        write_file(FIRMWARE "/wifi/b-1.bin", "b", 1);
        write_file(FIRMWARE "/wifi/b-2.bin.zst", "b", 1);
        write_file(FIRMWARE "/wifi/unused.bin", "u", 1);
        write_file(FIRMWARE "/real/deep/c.bin", "c", 1);
        write_file(FIRMWARE "/gpu.bin", "g", 1);
        write_file(FIRMWARE "/amd-ucode/x.bin", "m", 1);
        make_link(FIRMWARE "/linked", "hop");
        make_link(FIRMWARE "/hop", "/" FIRMWARE "/real/deep");
        make_link(FIRMWARE "/builtin.bin", "wifi/unused.bin");
    }
    int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

/* Names joined by spaces, without what all have in common. */
static char *join(GPtrArray *paths, const char *prefix) {
    GString *joined = g_string_new(NULL);
    for (guint i = 0; i < paths->len; i++) {
        const char *path = paths->pdata[i];
        g_assert_true(g_str_has_prefix(path, prefix));
        g_string_append_printf(joined, "%s%s", i > 0 ? " " : "", path + strlen(prefix));
    }
    return g_string_free(joined, FALSE);
}

static void check(int root, const KernelModuleFilter *filter, const char *modules, const char *firmware,
        const char *missing) {
    g_autoptr(GError) error = NULL;
    g_autoptr(KernelModuleSet) set = kernel_modules_required(root, VERSION, filter, &error);
    g_assert_no_error(error);
    g_autofree char *our_modules = join(set->modules, MODULES "/kernel/");
    g_autofree char *our_firmware = join(set->firmware, FIRMWARE "/");
    g_autofree char *our_missing = join(set->missing, "");
    g_assert_cmpstr(our_modules, ==, modules);
    g_assert_cmpstr(our_firmware, ==, firmware);
    g_assert_cmpstr(our_missing, ==, missing);
    g_assert_cmpuint(set->n_available, ==, 5);
}

static void test_everything(void) {
    AUTO_FD root = make_tree(FALSE);
    check(root, NULL,
            "drivers/gpu/gpu.ko drivers/net/wifi.ko fs/fat/fat_fs.ko fs/nls/nls_base.ko lib/crc.ko", "",
            "wifi: lost");
}

static void test_dependencies(void) {
    AUTO_FD root = make_tree(FALSE);
    KernelModuleFilter filter = {.modules = (const char *[]){"fat-fs", NULL}};
    check(root, &filter, "fs/fat/fat_fs.ko fs/nls/nls_base.ko", "", "");
    filter.modules = (const char *[]){"/drivers/", "-gpu", NULL};
    check(root, &filter, "drivers/net/wifi.ko fs/fat/fat_fs.ko fs/nls/nls_base.ko lib/crc.ko", "",
            "wifi: lost");
}

/* depmod's files say the same without reading modules: here only they know. */
static void test_depmod_files(void) {
    AUTO_FD root = make_tree(FALSE);
    write_file(MODULES "/modules.dep",
            "kernel/fs/fat/fat_fs.ko: kernel/drivers/gpu/gpu.ko kernel/fs/nls/nls_base.ko\n"
            "kernel/fs/nls/nls_base.ko:\nkernel/drivers/gpu/gpu.ko:\n",
            -1);
    write_file(MODULES "/modules.softdep", "# comment\nsoftdep nls_base post: checksum_32\n", -1);
    write_file(MODULES "/modules.alias", "alias pci:v1d2* gpu\nalias checksum-32 crc\n", -1);
    KernelModuleFilter filter = {.modules = (const char *[]){"fat-fs", NULL}};
    check(root, &filter, "drivers/gpu/gpu.ko fs/fat/fat_fs.ko fs/nls/nls_base.ko lib/crc.ko", "", "");
}

static void test_firmware(void) {
    AUTO_FD root = make_tree(TRUE);
    const char *modules = "drivers/net/wifi.ko fs/fat/fat_fs.ko fs/nls/nls_base.ko lib/crc.ko";
    KernelModuleFilter filter = {.modules = (const char *[]){"wifi", NULL}};
    check(root, &filter, modules,
            "builtin.bin hop linked real/deep/c.bin wifi/a.bin.xz wifi/b-1.bin wifi/b-2.bin.zst "
            "wifi/unused.bin",
            "wifi: lost");
    filter.firmware = (const char *[]){"gpu.bin", "-b-*", "-/linked/", NULL};
    check(root, &filter, modules, "builtin.bin gpu.bin wifi/a.bin.xz wifi/unused.bin", "wifi: lost");
    filter.firmware = NULL;
    filter.firmware_exclude = (const char *[]){"re:^wifi/", "re:builtin", NULL};
    check(root, &filter, modules, "hop linked real/deep/c.bin", "wifi: lost");
}

static void test_exclude(void) {
    AUTO_FD root = make_tree(FALSE);
    KernelModuleFilter filter = {.modules_exclude = (const char *[]){"re:^drivers/", "re:crc", NULL}};
    check(root, &filter, "fs/fat/fat_fs.ko fs/nls/nls_base.ko", "", "");
    filter.modules = (const char *[]){"re:gpu", NULL};
    check(root, &filter, "drivers/gpu/gpu.ko fs/fat/fat_fs.ko fs/nls/nls_base.ko", "", "");
}

static gboolean exists(const char *path) {
    g_autofree char *full = g_build_filename(base, path, NULL);
    return g_file_test(full, G_FILE_TEST_EXISTS);
}

static void test_prune(void) {
    AUTO_FD root = make_tree(TRUE);
    g_autoptr(GError) error = NULL;
    KernelModuleFilter filter = {.modules = (const char *[]){"gpu", NULL}};
    g_autoptr(KernelModuleSet) set = kernel_modules_required(root, VERSION, &filter, &error);
    g_assert_no_error(error);
    g_assert_true(kernel_modules_prune(root, VERSION, set, &error));
    g_assert_no_error(error);
    g_assert_true(exists(MODULES "/kernel/drivers/gpu/gpu.ko"));
    g_assert_false(exists(MODULES "/kernel/drivers/net"));
    g_assert_false(exists(MODULES "/kernel/fs"));
    g_assert_true(exists(MODULES "/modules.builtin"));
    g_assert_true(exists(FIRMWARE "/gpu.bin"));
    g_assert_true(exists(FIRMWARE "/builtin.bin"));
    g_assert_true(exists(FIRMWARE "/amd-ucode/x.bin"));
    g_assert_false(exists(FIRMWARE "/real"));
    g_assert_false(exists(FIRMWARE "/wifi/a.bin.xz"));
}

static void test_paths(void) {
    AUTO_FD root = make_tree(TRUE);
    g_autoptr(GError) error = NULL;
    KernelModuleFilter filter = {
            .modules = (const char *[]){"gpu", NULL}, .firmware = (const char *[]){"-builtin.bin", NULL}};
    g_autoptr(KernelModuleSet) set = kernel_modules_required(root, VERSION, &filter, &error);
    g_autoptr(GPtrArray) paths = kernel_modules_paths(root, VERSION, set, &error);
    g_assert_no_error(error);
    g_autofree char *joined = join(paths, "usr");
    g_assert_cmpstr(joined, ==,
            " /lib /lib/firmware /lib/firmware/gpu.bin /lib/modules /lib/modules/" VERSION
            " /lib/modules/" VERSION "/kernel /lib/modules/" VERSION "/kernel/drivers /lib/modules/" VERSION
            "/kernel/drivers/gpu /lib/modules/" VERSION "/kernel/drivers/gpu/gpu.ko /lib/modules/" VERSION
            "/modules.builtin /lib/modules/" VERSION "/modules.builtin.modinfo /lib/modules/" VERSION
            "/vdso /lib/modules/" VERSION "/vdso/vdso64.so");
}

static void test_stage(void) {
    AUTO_FD root = make_tree(TRUE);
    g_autoptr(GError) error = NULL;
    KernelModuleFilter filter = {.modules = (const char *[]){"wifi", NULL}};
    g_autoptr(KernelModuleSet) set = kernel_modules_required(root, VERSION, &filter, &error);
    g_assert_no_error(error);
    g_assert_cmpint(mkdirat(root, "stage", 0755), ==, 0);
    AUTO_FD stage = openat(root, "stage", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_true(kernel_modules_stage(root, VERSION, set, stage, &error));
    g_assert_no_error(error);
    g_assert_true(exists("stage/" MODULES "/kernel/drivers/net/wifi.ko"));
    g_assert_false(exists("stage/" MODULES "/kernel/drivers/gpu"));
    g_assert_true(exists("stage/" MODULES "/modules.builtin"));
    g_assert_true(exists("stage/" FIRMWARE "/real/deep/c.bin"));
    g_autofree char *link = g_build_filename(base, "stage/" FIRMWARE "/hop", NULL);
    g_autofree char *target = g_file_read_link(link, NULL);
    g_assert_cmpstr(target, ==, "/" FIRMWARE "/real/deep");
}

/* The builtin configuration of the default initrd says what "default" is. */
static void test_default(void) {
    AUTO_FD root = make_tree(FALSE);
    write_module(MODULES "/kernel/drivers/md/dm-verity.ko", "name=dm_verity|depends=crc");
    g_autoptr(GError) error = NULL;
    KernelModuleFilter filter = {.modules = (const char *[]){"default", NULL}};
    g_autoptr(KernelModuleSet) set = kernel_modules_required(root, VERSION, &filter, &error);
    g_assert_no_error(error);
    g_autofree char *modules = join(set->modules, MODULES "/kernel/");
    g_assert_cmpstr(modules, ==, "drivers/md/dm-verity.ko fs/nls/nls_base.ko lib/crc.ko");
}

static void test_versions(void) {
    AUTO_FD root = make_tree(FALSE);
    write_file("usr/lib/modules/6.10.0/vmlinuz", "x", 1);
    write_file("usr/lib/modules/6.9.12/kernel/x.ko", "x", 1);
    write_file("usr/lib/modules/6.10.0~rc1/kernel/x.ko", "x", 1);
    write_file("usr/lib/modules/5.0/updates/x.ko", "x", 1);
    write_file("usr/lib/modules/README", "x", 1);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) versions = kernel_versions(root, &error);
    g_assert_no_error(error);
    g_autofree char *joined = g_strjoinv(" ", versions);
    g_assert_cmpstr(joined, ==, VERSION " 6.9.12 6.10.0~rc1 6.10.0");
}

static void test_broken(void) {
    AUTO_FD root = make_tree(TRUE);
    write_file(MODULES "/kernel/broken.ko", "this is no module", -1);
    g_autoptr(GError) error = NULL;
    g_autoptr(KernelModuleSet) set = kernel_modules_required(root, VERSION, NULL, &error);
    g_assert_null(set);
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error->message, "kernel/broken.ko"));

    g_clear_error(&error);
    g_autoptr(KernelModuleSet) none = kernel_modules_required(root, "1.2.3", NULL, &error);
    g_assert_null(none);
    g_assert_nonnull(strstr(error->message, "/usr/lib/modules/1.2.3"));
}

/* modprobe and ours agree on what a real kernel's modules need. PARTICLEOS_TEST_KERNEL_ROOT is a tree on
 * which depmod ran. */
static void test_judge_modprobe(void) {
    const char *path = g_getenv("PARTICLEOS_TEST_KERNEL_ROOT");
    if (!path) {
        g_test_skip("PARTICLEOS_TEST_KERNEL_ROOT does not name a tree with a kernel");
        return;
    }
    g_autofree char *modprobe = g_find_program_in_path("modprobe");
    if (!modprobe) {
        g_test_skip("modprobe is not installed");
        return;
    }
    AUTO_FD root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) versions = kernel_versions(root, &error);
    g_assert_no_error(error);
    g_assert_nonnull(versions[0]);
    static const char *const names[] = {"btrfs", "ext4", "virtio_net", "dm_crypt", "vfat", "usbhid"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        KernelModuleFilter filter = {.modules = (const char *[]){names[i], NULL}};
        g_autoptr(KernelModuleSet) set = kernel_modules_required(root, versions[0], &filter, &error);
        g_assert_no_error(error);
        g_autoptr(GHashTable) ours = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (guint n = 0; n < set->modules->len; n++)
            g_hash_table_add(ours, g_path_get_basename(set->modules->pdata[n]));
        g_autofree char *command = g_strdup_printf(
                "%s -d '%s' -S %s -i --show-depends %s", modprobe, path, versions[0], names[i]);
        g_autofree char *output = NULL;
        g_assert_true(g_spawn_command_line_sync(command, &output, NULL, NULL, &error));
        g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
        for (char **line = lines; *line; line++)
            if (g_str_has_prefix(*line, "insmod ")) {
                g_autofree char *name = g_path_get_basename(g_strchomp(*line));
                if (!g_hash_table_contains(ours, name))
                    g_error("%s needs %s", names[i], name);
            }
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    base = g_dir_make_tmp("test-kernel-modules-XXXXXX", NULL);
    g_test_add_func("/kernel-modules/everything", test_everything);
    g_test_add_func("/kernel-modules/dependencies", test_dependencies);
    g_test_add_func("/kernel-modules/depmod-files", test_depmod_files);
    g_test_add_func("/kernel-modules/firmware", test_firmware);
    g_test_add_func("/kernel-modules/exclude", test_exclude);
    g_test_add_func("/kernel-modules/prune", test_prune);
    g_test_add_func("/kernel-modules/paths", test_paths);
    g_test_add_func("/kernel-modules/stage", test_stage);
    g_test_add_func("/kernel-modules/default", test_default);
    g_test_add_func("/kernel-modules/versions", test_versions);
    g_test_add_func("/kernel-modules/broken", test_broken);
    g_test_add_func("/kernel-modules/judge/modprobe", test_judge_modprobe);
    int status = g_test_run();
    clean();
    rmdir(base);
    g_free(base);
    return status;
}
