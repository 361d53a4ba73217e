/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/family/family.h"

#include <stdlib.h>
#include <string.h>

#include "distro/rpm/family/family-repositories.h"

#define KEYS_OF_FEDORA                                                                                                 \
    "https://raw.githubusercontent.com/rpm-software-management/distribution-gpg-keys/main/keys/fedora/"
#define KEYS_OF_AZURE                                                                                                  \
    "https://raw.githubusercontent.com/rpm-software-management/distribution-gpg-keys/main/keys/azure-linux/"

void rpm_key_free(RpmKey *key) {
    if (!key)
        return;
    g_free(key->name);
    g_free(key->url);
    g_free(key);
}

const char *rpm_architecture(Architecture architecture) {
    static const struct {
        Architecture architecture;
        const char *name;
    } names[] = {
            {ARCHITECTURE_ARM64, "aarch64"},
            {ARCHITECTURE_MIPS64_LE, "mips64el"},
            {ARCHITECTURE_MIPS_LE, "mipsel"},
            {ARCHITECTURE_PPC64_LE, "ppc64le"},
            {ARCHITECTURE_RISCV64, "riscv64"},
            {ARCHITECTURE_S390X, "s390x"},
            {ARCHITECTURE_X86_64, "x86_64"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (names[i].architecture == architecture)
            return names[i].name;
    return NULL;
}

int rpm_major_release(const ImageConfig *config) {
    return atoi(config->release);
}

/* %d: the major release, %s: the release, %m: the mirror. */
static const struct {
    Distribution distribution;
    const char *name, *url;
} known_keys[] = {
        {DISTRIBUTION_FEDORA, "RPM-GPG-KEY-fedora-%s-primary", KEYS_OF_FEDORA "RPM-GPG-KEY-fedora-%s-primary"},
        {DISTRIBUTION_CENTOS, "RPM-GPG-KEY-CentOS-Official%o",
                "https://www.centos.org/keys/RPM-GPG-KEY-CentOS-Official%o"},
        {DISTRIBUTION_CENTOS, "RPM-GPG-KEY-CentOS-SIG-Extras",
                "https://www.centos.org/keys/RPM-GPG-KEY-CentOS-SIG-Extras"},
        {DISTRIBUTION_RHEL, "RPM-GPG-KEY-redhat%d-release", "https://access.redhat.com/security/data/fd431d51.txt"},
        {DISTRIBUTION_RHEL_UBI, "RPM-GPG-KEY-redhat%d-release", "https://access.redhat.com/security/data/fd431d51.txt"},
        {DISTRIBUTION_ROCKY, "RPM-GPG-KEY-Rocky-%d", "%m/RPM-GPG-KEY-Rocky-%d"},
        {DISTRIBUTION_ALMA, "RPM-GPG-KEY-AlmaLinux-%d", "%m/RPM-GPG-KEY-AlmaLinux-%d"},
        {DISTRIBUTION_AZURE, "MICROSOFT-RPM-GPG-KEY", KEYS_OF_AZURE "MICROSOFT-RPM-GPG-KEY"},
        {DISTRIBUTION_MAGEIA, "RPM-GPG-KEY-Mageia", "%m/distrib/%s/%a/media/core/release/media_info/pubkey"},
        {DISTRIBUTION_OPENMANDRIVA, "RPM-GPG-KEY-OpenMandriva",
                "https://raw.githubusercontent.com/OpenMandrivaAssociation/openmandriva-repos/master/"
                "RPM-GPG-KEY-OpenMandriva"},
};

/* ELN is signed as Rawhide is. */
static const char *release_of_keys(const ImageConfig *config) {
    return g_str_equal(config->release, "eln") ? "rawhide" : config->release;
}

static char *expand_key(const ImageConfig *config, const char *pattern) {
    g_autoptr(GString) text = g_string_new(pattern);
    g_autofree char *major = g_strdup_printf("%d", rpm_major_release(config));

    g_string_replace(text, "%m", config->mirror ? config->mirror : "", 0);
    g_string_replace(text, "%s", release_of_keys(config), 0);
    g_string_replace(text, "%d", major, 0);
    g_string_replace(text, "%a", rpm_architecture(config->architecture), 0);
    g_string_replace(text, "%o", rpm_major_release(config) == 9 ? "" : "-SHA256", 0);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

GPtrArray *rpm_family_keys(const ImageConfig *config) {
    GPtrArray *keys = g_ptr_array_new_with_free_func((GDestroyNotify) rpm_key_free);

    if (config->distribution == DISTRIBUTION_OPENSUSE)
        rpm_add_opensuse_keys(config, keys);

    for (gsize i = 0; i < G_N_ELEMENTS(known_keys); i++) {
        if (known_keys[i].distribution != config->distribution)
            continue;
        RpmKey *key = g_new0(RpmKey, 1);
        key->name = expand_key(config, known_keys[i].name);
        if (config->mirror || !strstr(known_keys[i].url, "%m"))
            key->url = expand_key(config, known_keys[i].url);
        g_ptr_array_add(keys, key);
    }
    return keys;
}

gboolean rpm_refuse(GError **error, const ImageConfig *config, const char *what) {
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_UNSUPPORTED, "Distribution=%s: %s",
            distribution_to_string(config->distribution), what);
    return FALSE;
}

gboolean rpm_refuse_snapshot(const ImageConfig *config, GError **error) {
    if (!config->snapshot)
        return TRUE;
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_UNSUPPORTED,
            "Snapshot=%s: there are no snapshots of %s; use fedora, centos or opensuse, or remove it", config->snapshot,
            distribution_to_string(config->distribution));
    return FALSE;
}

static gboolean rpm_add_azure(RepositoryText *text, GError **error) {
    static const char *const names[] = {"base", "extended", "ms-oss", "ms-non-oss", "cloud-native", "nvidia"};
    const ImageConfig *config = text->config;
    const char *mirror = config->mirror;

    if (!rpm_refuse_snapshot(config, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *preview = g_str_equal(names[i], "nvidia") ? "NVIDIA" : names[i];
        g_autofree char *path = g_strdup_printf("%s/prod/%s/$basearch", config->release, names[i]);
        g_autofree char *early = g_strdup_printf("%s/preview/%s/$basearch", config->release, preview);
        repository_text_add(text, names[i], "", mirror, path, REPOSITORY_ENABLED | REPOSITORY_SIGNED);
        repository_text_add(text, preview, "-preview", mirror, early, REPOSITORY_SIGNED);
    }
    return TRUE;
}

static gboolean rpm_add_mageia(RepositoryText *text, GError **error) {
    if (!rpm_refuse_snapshot(text->config, error))
        return FALSE;
    for (guint i = 0; i < 2; i++) {
        const char *name = i == 0 ? "release" : "updates";
        g_autofree char *id = g_strconcat("core-", name, NULL);
        g_autofree char *path = g_strdup_printf("distrib/$releasever/$basearch/media/core/%s", name);
        repository_text_add(text, id, "", text->config->mirror, path, REPOSITORY_ENABLED | REPOSITORY_SIGNED);
    }
    return TRUE;
}

static gboolean rpm_add_openmandriva(RepositoryText *text, GError **error) {
    const char *mirror = text->config->mirror;

    if (!rpm_refuse_snapshot(text->config, error))
        return FALSE;
    repository_text_add(text, "main-release", "", mirror, "$releasever/repository/$basearch/main/release",
            REPOSITORY_ENABLED | REPOSITORY_SIGNED);
    repository_text_add(text, "main-updates", "", mirror, "$releasever/repository/$basearch/main/updates",
            REPOSITORY_ENABLED | REPOSITORY_SIGNED);
    return TRUE;
}

#define EL_BASE                                                                                                        \
    { "basesystem", NULL }

static const struct {
    Distribution distribution;
    const char *local; /* how the repository of LocalMirror= is called */
    gboolean (*add)(RepositoryText *text, GError **error);
    const char *base[4];
} families[] = {
        {DISTRIBUTION_FEDORA, "fedora", rpm_add_fedora, EL_BASE},
        {DISTRIBUTION_CENTOS, "appstream", rpm_add_centos, EL_BASE},
        {DISTRIBUTION_RHEL, "baseos", rpm_add_rhel, EL_BASE},
        {DISTRIBUTION_RHEL_UBI, "baseos", rpm_add_rhel, EL_BASE},
        {DISTRIBUTION_ROCKY, "AppStream", rpm_add_rebuild, EL_BASE},
        {DISTRIBUTION_ALMA, "AppStream", rpm_add_rebuild, EL_BASE},
        {DISTRIBUTION_AZURE, "base", rpm_add_azure, {"filesystem", "azurelinux-release", NULL}},
        {DISTRIBUTION_MAGEIA, "core-release", rpm_add_mageia, {"filesystem", NULL}},
        {DISTRIBUTION_OPENMANDRIVA, "main-release", rpm_add_openmandriva, {"filesystem", NULL}},
        {DISTRIBUTION_OPENSUSE, "local-mirror", rpm_add_opensuse, {"filesystem", NULL}},
};

static gsize find_family(const ImageConfig *config) {
    for (gsize i = 0; i < G_N_ELEMENTS(families); i++)
        if (families[i].distribution == config->distribution)
            return i;
    g_return_val_if_reached(0);
}

char *rpm_family_repositories(const ImageConfig *config, const char *keys, GError **error) {
    gsize family = find_family(config);
    g_autoptr(GString) written = g_string_new(NULL);
    RepositoryText text = {.text = written, .config = config, .keys = keys};

    if (config->local_mirror)
        repository_text_add(&text, families[family].local, "", config->local_mirror, "",
                REPOSITORY_ENABLED | (config->distribution == DISTRIBUTION_OPENSUSE ? REPOSITORY_SIGNED : 0));
    else if (!families[family].add(&text, error))
        return NULL;
    return g_string_free(g_steal_pointer(&written), FALSE);
}

char **rpm_family_base(const ImageConfig *config) {
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    const char *release = config->distribution == DISTRIBUTION_OPENSUSE ? rpm_opensuse_release_package(config) : NULL;

    g_strv_builder_addv(builder, (const char **) families[find_family(config)].base);
    if (release)
        g_strv_builder_add(builder, release);
    return g_strv_builder_end(builder);
}

/* Enterprise Linux 9 and Azure Linux still have it in /var; the rebuild of rpm in Hyperscale's experimental repository
 * has not. */
const char *rpm_family_database(const ImageConfig *config) {
    gboolean enterprise = config->distribution == DISTRIBUTION_CENTOS || config->distribution == DISTRIBUTION_RHEL ||
                          config->distribution == DISTRIBUTION_RHEL_UBI || config->distribution == DISTRIBUTION_ROCKY ||
                          config->distribution == DISTRIBUTION_ALMA;
    gboolean rebuilt = g_strv_contains((const char *const *) config->repositories, "hyperscale-packages-experimental");

    if (config->distribution == DISTRIBUTION_AZURE || (enterprise && rpm_major_release(config) <= 9 && !rebuilt))
        return "var/lib/rpm";
    return "usr/lib/sysimage/rpm";
}
