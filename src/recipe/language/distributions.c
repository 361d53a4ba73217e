/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/language/distributions.h"

#include <fnmatch.h>
#include <string.h>

#include "text/os-release.h"

typedef struct {
    const char *release;
    const char *file_system;
    Distribution tools;
    gboolean foreign_keys;
    const char *kernels;     /* globs separated by spaces */
    const char *not_kernels; /* exceptions */
} Facts;

#define RPM_KERNELS "kernel kernel-core"

static const Facts facts[_DISTRIBUTION_MAX] = {
        [DISTRIBUTION_DEBIAN] = {"testing", "ext4", DISTRIBUTION_DEBIAN, FALSE, "linux-image-*", ""},
        [DISTRIBUTION_UBUNTU] = {"devel", "ext4", DISTRIBUTION_DEBIAN, FALSE, "linux-*", "linux-tools-*"},
        [DISTRIBUTION_KALI] = {"kali-rolling", "ext4", DISTRIBUTION_KALI, FALSE, "linux-image-*", ""},
        [DISTRIBUTION_FEDORA] = {"rawhide", "btrfs", DISTRIBUTION_FEDORA, TRUE, RPM_KERNELS, ""},
        [DISTRIBUTION_ARCH] = {"rolling", "ext4", DISTRIBUTION_ARCH, TRUE,
                "linux linux-lts linux-zen linux-hardened linux-rt linux-rt-lts", ""},
        [DISTRIBUTION_OPENSUSE] = {"tumbleweed", "btrfs", DISTRIBUTION_OPENSUSE, TRUE,
                "kernel-default kernel-kvmsmall", ""},
        [DISTRIBUTION_CENTOS] = {"10", "xfs", DISTRIBUTION_FEDORA, TRUE, RPM_KERNELS, ""},
        [DISTRIBUTION_RHEL] = {"10", "xfs", DISTRIBUTION_FEDORA, TRUE, RPM_KERNELS, ""},
        [DISTRIBUTION_RHEL_UBI] = {"10", "xfs", DISTRIBUTION_FEDORA, TRUE, RPM_KERNELS, ""},
        [DISTRIBUTION_ROCKY] = {"10", "xfs", DISTRIBUTION_FEDORA, TRUE, RPM_KERNELS, ""},
        [DISTRIBUTION_ALMA] = {"10", "xfs", DISTRIBUTION_FEDORA, TRUE, RPM_KERNELS, ""},
        [DISTRIBUTION_AZURE] = {"3.0", "ext4", DISTRIBUTION_AZURE, TRUE, RPM_KERNELS, ""},
        [DISTRIBUTION_MAGEIA] = {"cauldron", "ext4", DISTRIBUTION_MAGEIA, TRUE, RPM_KERNELS, ""},
        [DISTRIBUTION_OPENMANDRIVA] = {"cooker", "ext4", DISTRIBUTION_OPENMANDRIVA, TRUE, RPM_KERNELS, ""},
        [DISTRIBUTION_POSTMARKETOS] = {"edge", "ext4", DISTRIBUTION_POSTMARKETOS, TRUE, "linux-*",
                "*-doc *-dev *-manual linux-tools-* linux-firmware-* linux-timemachine linux-headers "
                "linux-apfs-rw-src"},
        [DISTRIBUTION_CUSTOM] = {"", "ext4", DISTRIBUTION_CUSTOM, FALSE, "", ""},
};

const char *distribution_default_release(Distribution distribution) {
    return facts[distribution].release;
}

const char *distribution_file_system(Distribution distribution) {
    return facts[distribution].file_system;
}

Distribution distribution_for_tools(Distribution host) {
    return facts[host].tools;
}

gboolean distribution_has_foreign_keys(Distribution distribution) {
    return facts[distribution].foreign_keys;
}

static gboolean matches_any(const char *globs, const char *text) {
    g_auto(GStrv) list = g_strsplit(globs, " ", -1);
    for (char **glob = list; *glob; glob++)
        if (**glob && fnmatch(*glob, text, 0) == 0)
            return TRUE;
    return FALSE;
}

gboolean distribution_is_kernel_package(Distribution distribution, const char *package) {
    return matches_any(facts[distribution].kernels, package) &&
           !matches_any(facts[distribution].not_kernels, package);
}

/* NULL when there is no os-release. */
static GHashTable *read_os_release(const char *root) {
    static const char *const places[] = {"etc/os-release", "usr/lib/os-release"};
    g_autofree char *text = NULL;
    for (gsize i = 0; !text && i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = g_build_filename(root, places[i], NULL);
        g_file_get_contents(path, &text, NULL, NULL);
    }
    return text ? os_release_parse(text) : NULL;
}

static gboolean known_distribution(const char *id, Distribution *ret) {
    return distribution_from_string(strcmp(id, "azurelinux") == 0 ? "azure" : id, ret);
}

static char *release_of(GHashTable *os_release, Distribution distribution, const char *id) {
    const char *version = g_hash_table_lookup(os_release, "VERSION_ID");
    const char *codename = g_hash_table_lookup(os_release, "VERSION_CODENAME");
    gboolean by_name = distribution == DISTRIBUTION_DEBIAN || distribution == DISTRIBUTION_UBUNTU ||
                       distribution == DISTRIBUTION_KALI;
    if (strcmp(id, "opensuse-tumbleweed") == 0)
        version = "tumbleweed";
    if (by_name && codename && *codename)
        version = codename;
    return g_strdup(version && *version ? version : distribution_default_release(distribution));
}

gboolean distribution_detect(const char *root, Distribution *ret, char **ret_release, char **ret_id) {
    g_autoptr(GHashTable) os_release = read_os_release(root);
    if (!os_release)
        return FALSE;
    const char *id = g_hash_table_lookup(os_release, "ID") ?: "linux";
    const char *like = g_hash_table_lookup(os_release, "ID_LIKE") ?: "";
    if (ret_id)
        *ret_id = g_strdup(id);
    g_autofree char *words = g_strconcat(id, " ", like, NULL);
    g_auto(GStrv) list = g_strsplit(words, " ", -1);
    for (char **word = list; *word; word++)
        if (**word && known_distribution(*word, ret)) {
            *ret_release = release_of(os_release, *ret, id);
            return TRUE;
        }
    return FALSE;
}

gboolean distribution_detect_host(Distribution *ret, char **ret_release) {
    const char *name = g_getenv("MKOSI_HOST_DISTRIBUTION"), *release = g_getenv("MKOSI_HOST_RELEASE");
    if (name && distribution_from_string(name, ret)) {
        *ret_release = g_strdup(release && *release ? release : distribution_default_release(*ret));
        return TRUE;
    }
    return distribution_detect("/", ret, ret_release, NULL);
}
