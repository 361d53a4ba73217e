/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sandbox/program-packages.h"

#include <string.h>

#include "text/os-release.h"

static const ProgramPackages known[] = {
        {"apt-ftparchive", "apt-utils", "apt-utils", "apt", NULL, "--version", PROGRAM_OF_TOOLS},
        {"apt-get", "apt", "apt", "apt", NULL, "--version", PROGRAM_OF_TOOLS},
        {"dpkg", "dpkg", "dpkg", "dpkg", "dpkg", "--version", PROGRAM_OF_TOOLS},
        {"dpkg-divert", "dpkg", "dpkg", "dpkg", "dpkg", "--version", PROGRAM_OF_TOOLS},
        {"pacman", "pacman-package-manager", "pacman", "pacman", NULL, "--version", PROGRAM_OF_TOOLS},
        {"pacman-key", "pacman-package-manager", "pacman", "pacman", NULL, "--version", PROGRAM_OF_TOOLS},
        {"repo-add", "pacman-package-manager", "pacman", "pacman", NULL, "--version", PROGRAM_OF_TOOLS},
        {"createrepo_c", "createrepo-c", "createrepo_c", "createrepo_c", "createrepo_c", "--version", PROGRAM_OF_TOOLS},
        {"dnf", "dnf", "dnf", "dnf", "dnf", "--version", PROGRAM_OF_TOOLS},
        {"rpm", "rpm", "rpm", "rpm-tools", "rpm", "--version", PROGRAM_OF_TOOLS},
        {"zypper", "zypper", "zypper", "zypper", "zypper", "--version", PROGRAM_OF_TOOLS},

        {"mattrib", "mtools", "mtools", "mtools", "mtools", "--version", PROGRAM_OF_TOOLS},
        {"mcopy", "mtools", "mtools", "mtools", "mtools", "--version", PROGRAM_OF_TOOLS},
        {"mmd", "mtools", "mtools", "mtools", "mtools", "--version", PROGRAM_OF_TOOLS},
        {"mkfs.vfat", "dosfstools", "dosfstools", "dosfstools", "dosfstools", "--help", PROGRAM_OF_TOOLS},
        {"debugfs", "e2fsprogs", "e2fsprogs", "e2fsprogs", "e2fsprogs", "-V", PROGRAM_OF_TOOLS},
        {"mke2fs", "e2fsprogs", "e2fsprogs", "e2fsprogs", "e2fsprogs", "-V", PROGRAM_OF_TOOLS},
        {"mkfs.ext4", "e2fsprogs", "e2fsprogs", "e2fsprogs", "e2fsprogs", "-V", PROGRAM_OF_TOOLS},
        {"mkfs.btrfs", "btrfs-progs", "btrfs-progs", "btrfs-progs", "btrfsprogs", "--version",
                PROGRAM_OF_TOOLS},
        {"mksquashfs", "squashfs-tools", "squashfs-tools", "squashfs-tools", "squashfs", "-version",
                PROGRAM_OF_TOOLS},
        {"mkswap", "util-linux", "util-linux", "util-linux", "util-linux", "--version", PROGRAM_OF_TOOLS},
        {"cryptsetup", "cryptsetup-bin", "cryptsetup", "cryptsetup", "cryptsetup", "--version",
                PROGRAM_OF_CHOSEN_TOOLS},
        {"gpg", "gpg", "gnupg2", "gnupg", "gpg2", "--version", PROGRAM_OF_CHOSEN_TOOLS},

        {"depmod", "kmod", "kmod", "kmod", "kmod", "--version", PROGRAM_OF_IMAGE},
        {"locale-gen", "locales", NULL, "glibc", NULL, "--version", PROGRAM_OF_IMAGE},
        {"systemctl", "systemd", "systemd", "systemd", "systemd", "--version", PROGRAM_OF_IMAGE},
        {"systemd-firstboot", "systemd", "systemd", "systemd", "systemd", "--version", PROGRAM_OF_TOOLS},
        {"systemd-hwdb", "udev", "systemd-udev", "systemd", "udev", "--version", PROGRAM_OF_IMAGE},
        {"systemd-sysusers", "systemd", "systemd", "systemd", "systemd", "--version", PROGRAM_OF_IMAGE},
        {"systemd-tmpfiles", "systemd", "systemd", "systemd", "systemd", "--version", PROGRAM_OF_IMAGE},

        {"coredumpctl", "systemd-coredump", "systemd", "systemd", "systemd-coredump", "--version",
                PROGRAM_OF_HOST},
        {"journalctl", "systemd", "systemd", "systemd", "systemd", "--version", PROGRAM_OF_HOST},
        {"newuidmap", "uidmap", "shadow-utils", "shadow", "shadow", NULL, PROGRAM_OF_HOST},
        {"qemu-img", "qemu-utils", "qemu-img", "qemu-img", "qemu-img", "--version", PROGRAM_OF_HOST},
        {"qemu-system-aarch64", "qemu-system-arm", "qemu-system-aarch64", "qemu-system-aarch64", "qemu-arm",
                "--version", PROGRAM_OF_HOST},
        {"qemu-system-x86_64", "qemu-system-x86", "qemu-system-x86", "qemu-system-x86", "qemu-x86",
                "--version", PROGRAM_OF_HOST},
        {"setpriv", "util-linux", "util-linux", "util-linux", "util-linux", "--version", PROGRAM_OF_HOST},
        {"socat", "socat", "socat", "socat", "socat", "-V", PROGRAM_OF_HOST},
        {"ssh", "openssh-client", "openssh-clients", "openssh", "openssh-clients", "-V", PROGRAM_OF_HOST},
        {"strace", "strace", "strace", "strace", "strace", "--version", PROGRAM_OF_HOST},
        {"swtpm", "swtpm", "swtpm", "swtpm", "swtpm", "--version", PROGRAM_OF_HOST},
        {"systemd-dissect", "systemd-container", "systemd-container", "systemd", "systemd-container",
                "--version", PROGRAM_OF_HOST},
        {"systemd-journal-remote", "systemd-journal-remote", "systemd-journal-remote", "systemd",
                "systemd-journal-remote", "--version", PROGRAM_OF_HOST},
        {"systemd-nspawn", "systemd-container", "systemd-container", "systemd", "systemd-container",
                "--version", PROGRAM_OF_HOST},
        {"systemd-repart", "systemd-repart", "systemd-udev", "systemd", "systemd", "--version",
                PROGRAM_OF_HOST},
        {"systemd-storagetm", "systemd", "systemd-udev", "systemd", "systemd", "--version", PROGRAM_OF_HOST},
        {"systemd-sysupdate", "systemd-container", "systemd-udev", "systemd", "systemd-container",
                "--version", PROGRAM_OF_HOST},
        {"systemd-vmspawn", "systemd-container", "systemd-container", "systemd", "systemd-container",
                "--version", PROGRAM_OF_HOST},
        {"virt-fw-vars", "python3-virt-firmware", "python3-virt-firmware", "virt-firmware",
                "python3-virt-firmware", NULL, PROGRAM_OF_HOST},
        {"virtiofsd", "virtiofsd", "virtiofsd", "virtiofsd", "virtiofsd", "--version", PROGRAM_OF_HOST},
};

const ProgramPackages *program_packages_find(const char *program) {
    g_autofree char *name = g_path_get_basename(program);

    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(known[i].program, name) == 0)
            return &known[i];
    return NULL;
}

/* The words of ID= and ID_LIKE=, the nearest relative first. */
static char **read_family(const char *root) {
    g_autofree char *path = g_build_filename(root, "usr/lib/os-release", NULL), *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return g_new0(char *, 1);
    g_autoptr(GHashTable) os_release = os_release_parse(text);
    const char *id = g_hash_table_lookup(os_release, "ID"), *like = g_hash_table_lookup(os_release, "ID_LIKE");
    g_autofree char *family = g_strconcat(id ? id : "", " ", like ? like : "", NULL);
    return g_strsplit(family, " ", -1);
}

const char *program_packages_in(const ProgramPackages *packages, const char *root) {
    const struct {
        const char *id, *package;
    } families[] = {
            {"debian", packages->debian},
            {"ubuntu", packages->debian},
            {"fedora", packages->fedora},
            {"rhel", packages->fedora},
            {"centos", packages->fedora},
            {"arch", packages->arch},
            {"opensuse", packages->opensuse},
            {"suse", packages->opensuse},
    };
    g_auto(GStrv) family = read_family(root);

    for (char **id = family; *id; id++)
        for (gsize i = 0; i < G_N_ELEMENTS(families); i++)
            if (strcmp(*id, families[i].id) == 0 || (strcmp(families[i].id, "opensuse") == 0 &&
                                                            g_str_has_prefix(*id, "opensuse-")))
                return families[i].package;
    return packages->debian;
}

char *program_packages_advice(const char *program) {
    const ProgramPackages *packages = program_packages_find(program);
    const char *package = packages ? program_packages_in(packages, "/") : NULL;
    g_autoptr(GString) advice = g_string_new("install the package ");

    g_string_append(advice, package ? package : "that has it");
    if (packages && packages->place == PROGRAM_OF_TOOLS)
        g_string_append(advice, ", or use a tools tree, which has it (ToolsTree=default)");
    else if (packages && packages->place == PROGRAM_OF_CHOSEN_TOOLS)
        g_string_append_printf(advice, ", or use a tools tree with it (ToolsTree=default, ToolsTreePackages=%s)",
                package ? package : program);
    return g_string_free(g_steal_pointer(&advice), FALSE);
}
