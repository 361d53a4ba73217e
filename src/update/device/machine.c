/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/device/machine.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/directory.h"
#include "text/os-release.h"
#include "update/transfer/error.h"

#define MAPPED_DEPTH 8
#define FAT_MAGIC 0x4d44

static const char *keep(Machine *machine, char *text) {
    if (text)
        g_ptr_array_add(machine->texts, text);
    return text;
}

char *machine_path(const Machine *machine, const char *name) {
    return *machine->root ? g_build_filename(machine->root, name, NULL) : g_strdup(name);
}

static char *read_text(const Machine *machine, const char *name) {
    g_autofree char *path = machine_path(machine, name);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? g_strstrip(text) : NULL;
}

/* As systemd calls it. */
static const char *architecture(void) {
    static const char *const names[][2] = {{"x86_64", "x86-64"}, {"aarch64", "arm64"}, {"riscv64", "riscv64"},
            {"i686", "x86"}, {"i586", "x86"}, {"armv7l", "arm"}, {"ppc64le", "ppc64-le"}, {"s390x", "s390x"},
            {"loongarch64", "loongarch64"}};
    struct utsname name;

    if (uname(&name) == 0)
        for (guint i = 0; i < G_N_ELEMENTS(names); i++)
            if (g_str_equal(names[i][0], name.machine))
                return names[i][1];
    return NULL;
}

static void read_specifiers(Machine *machine) {
    g_autofree char *etc = read_text(machine, "/etc/os-release");
    g_autofree char *usr = etc ? NULL : read_text(machine, "/usr/lib/os-release");
    const char *release = etc ? etc : usr ? usr : "";
    TransferSpecifiers *specifiers = &machine->specifiers;
    struct utsname name;

    machine->image_id = os_release_get(release, "IMAGE_ID");
    machine->image_version = os_release_get(release, "IMAGE_VERSION");
    specifiers->architecture = architecture();
    specifiers->image_id = machine->image_id;
    specifiers->image_version = machine->image_version;
    specifiers->build_id = keep(machine, os_release_get(release, "BUILD_ID"));
    specifiers->os_id = keep(machine, os_release_get(release, "ID"));
    specifiers->version_id = keep(machine, os_release_get(release, "VERSION_ID"));
    specifiers->variant_id = keep(machine, os_release_get(release, "VARIANT_ID"));
    specifiers->machine_id = keep(machine, read_text(machine, "/etc/machine-id"));
    specifiers->host_name = keep(machine, read_text(machine, "/etc/hostname"));
    if (!*machine->root && uname(&name) == 0) {
        specifiers->kernel = keep(machine, g_strdup(name.release));
        specifiers->boot_id = keep(machine, read_text(machine, "/proc/sys/kernel/random/boot_id"));
    }
}

/* The directory that VARIABLE names, or the first of PLACES that is a FAT file system of its own. */
static char *find_boot(const Machine *machine, const char *variable, const char *const *places) {
    const char *named = g_getenv(variable);
    struct statfs info;

    if (named)
        return *named ? g_strdup(named) : NULL;
    for (guint i = 0; places[i]; i++) {
        g_autofree char *path = machine_path(machine, places[i]);
        if (statfs(path, &info) == 0 && info.f_type == FAT_MAGIC)
            return g_steal_pointer(&path);
    }
    return NULL;
}

static gboolean is_same_directory(const char *a, const char *b) {
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

Machine *machine_new(const char *root, const char *disk, const char *boot) {
    static const char *const esp[] = {"/efi", "/boot/efi", "/boot", NULL}, *const xbootldr[] = {"/boot", NULL};
    Machine *machine = g_new0(Machine, 1);

    machine->root = root && !g_str_equal(root, "/") ? g_strdup(root) : g_strdup("");
    machine->disk = g_strdup(disk);
    machine->texts = g_ptr_array_new_with_free_func(g_free);
    read_specifiers(machine);
    machine->esp = boot ? g_strdup(boot) : find_boot(machine, "SYSTEMD_ESP_PATH", esp);
    machine->xbootldr = boot ? NULL : find_boot(machine, "SYSTEMD_XBOOTLDR_PATH", xbootldr);
    /* One file system is the ESP. */
    if (machine->esp && machine->xbootldr && is_same_directory(machine->esp, machine->xbootldr))
        g_clear_pointer(&machine->xbootldr, g_free);
    return machine;
}

void machine_free(Machine *machine) {
    if (!machine)
        return;
    g_free(machine->root);
    g_free(machine->disk);
    g_free(machine->esp);
    g_free(machine->xbootldr);
    g_free(machine->image_id);
    g_free(machine->image_version);
    g_ptr_array_unref(machine->texts);
    g_free(machine);
}

char **machine_definitions(const Machine *machine) {
    static const char *const places[] = {
            "/etc/sysupdate.d", "/run/sysupdate.d", "/usr/local/lib/sysupdate.d", "/usr/lib/sysupdate.d"};
    char **directories = g_new0(char *, G_N_ELEMENTS(places) + 1);

    for (guint i = 0; i < G_N_ELEMENTS(places); i++)
        directories[i] = machine_path(machine, places[i]);
    return directories;
}

/* What DEVICE ("8:1") is part of: what is mapped (dm-verity, LUKS) to what it lies on, a partition to its disk. */
static char *find_whole(const char *device) {
    g_autofree char *at = g_strdup_printf("/sys/dev/block/%s", device);

    for (guint depth = 0; depth < MAPPED_DEPTH; depth++) {
        g_autofree char *slaves = g_build_filename(at, "slaves", NULL);
        g_autoptr(GPtrArray) names = list_directory_if_any(slaves);
        if (names->len == 0)
            break;
        char *below = g_build_filename(slaves, names->pdata[0], NULL);
        g_free(at);
        at = below;
    }
    g_autofree char *real = realpath(at, NULL);
    g_autofree char *partition = real ? g_build_filename(real, "partition", NULL) : NULL;
    if (!real)
        return NULL;
    if (g_file_test(partition, G_FILE_TEST_EXISTS)) {
        char *parent = g_path_get_dirname(real);
        g_free(real);
        real = parent;
    }
    g_autofree char *name = g_path_get_basename(real);
    g_strdelimit(name, "!", '/');
    return g_build_filename("/dev", name, NULL);
}

const char *machine_find_disk(Machine *machine, GError **error) {
    static const char *const places[] = {"/usr", "/"};
    struct stat info;

    for (guint i = 0; !machine->disk && !*machine->root && i < G_N_ELEMENTS(places); i++)
        if (stat(places[i], &info) == 0 && major(info.st_dev) != 0) {
            g_autofree char *device = g_strdup_printf("%u:%u", major(info.st_dev), minor(info.st_dev));
            machine->disk = find_whole(device);
        }
    if (!machine->disk)
        update_fail(error, UPDATE_ERROR_CONFIGURATION,
                "Cannot find the disk that /usr is on; --image= names it, or Path= of the transfer files");
    return machine->disk;
}

char *machine_target_directory(const Machine *machine, const Transfer *transfer, GError **error) {
    const char *boot = machine->xbootldr ? machine->xbootldr : machine->esp;
    const char *below = transfer->target_relative == TRANSFER_RELATIVE_ESP        ? machine->esp
                        : transfer->target_relative == TRANSFER_RELATIVE_XBOOTLDR ? machine->xbootldr
                        : transfer->target_relative == TRANSFER_RELATIVE_BOOT     ? boot
                                                                                  : NULL;

    if (transfer->target_relative == TRANSFER_RELATIVE_ROOT)
        return machine_path(machine, transfer->target_path);
    if (below)
        return g_build_filename(below, transfer->target_path, NULL);
    update_fail(error, UPDATE_ERROR_CONFIGURATION,
            "%s: PathRelativeTo=: no such partition is mounted; --boot-path= says where it is", transfer->path);
    return NULL;
}
