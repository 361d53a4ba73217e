/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/family/family-repositories.h"

#include "distro/rpm/family/family.h"

static gboolean is_tumbleweed(const ImageConfig *config) {
    return g_str_equal(config->release, "tumbleweed");
}

static gboolean is_current_leap(const ImageConfig *config) {
    return g_str_equal(config->release, "current") || g_str_equal(config->release, "stable") ||
           g_str_equal(config->release, "leap");
}

/* Where other architectures than x86-64 lie, with a slash at its end. */
static const char *opensuse_ports(Architecture architecture) {
    switch (architecture) {
    case ARCHITECTURE_ARM64:
        return "ports/aarch64/";
    case ARCHITECTURE_PPC64_LE:
        return "ports/ppc/";
    case ARCHITECTURE_S390X:
        return "ports/zsystems/";
    case ARCHITECTURE_RISCV64:
        return "ports/riscv/";
    default:
        return "";
    }
}

static char *opensuse_release(const ImageConfig *config) {
    return is_current_leap(config) ? g_strdup("openSUSE-current") : g_strconcat("leap/", config->release, NULL);
}

/* The address of the main repository. */
static char *opensuse_oss(const ImageConfig *config) {
    g_autofree char *release = opensuse_release(config);
    g_autofree char *path =
            is_tumbleweed(config)
                    ? g_strconcat(opensuse_ports(config->architecture), "tumbleweed/repo/oss", NULL)
                    : g_strconcat(opensuse_ports(config->architecture), "distribution/", release, "/repo/oss", NULL);
    return config->local_mirror ? g_strdup(config->local_mirror) : repository_text_join(config->mirror, path);
}

/* Which of them signs a release cannot be said for sure; each repository has its own beside its metadata. */
void rpm_add_opensuse_keys(const ImageConfig *config, GPtrArray *keys) {
    static const char *const tumbleweed[] = {"RPM-GPG-KEY-openSUSE-Tumbleweed", "RPM-GPG-KEY-openSUSE", NULL};
    static const char *const leap[] = {"RPM-GPG-KEY-openSUSE", "RPM-GPG-KEY-openSUSE-16-Backports",
            "RPM-GPG-KEY-openSUSE-2022", "RPM-GPG-KEY-openSUSE-Backports", "RPM-GPG-KEY-openSUSE-Backports-2023",
            "RPM-GPG-KEY-SuSE-SLE-15", "RPM-GPG-KEY-SuSE-SLE-Main-2023", "RPM-GPG-KEY-SuSE-ALP-Main", NULL};
    g_autofree char *oss = opensuse_oss(config);

    for (const char *const *name = is_tumbleweed(config) ? tumbleweed : leap; *name; name++) {
        RpmKey *key = g_new0(RpmKey, 1);
        key->name = g_strdup(*name);
        key->url = keys->len == 0 ? g_strconcat(oss, "/repodata/repomd.xml.key", NULL) : NULL;
        key->optional = TRUE;
        g_ptr_array_add(keys, key);
    }
}

#define SUSE_ON (REPOSITORY_ENABLED | REPOSITORY_SIGNED)

/* "#": the ports of the architecture, "@": the release. */
static void add_suse(RepositoryText *text, const char *id, const char *pattern, RepositoryFlags flags) {
    g_autofree char *release = opensuse_release(text->config);
    g_autoptr(GString) path = g_string_new(pattern);

    g_string_replace(path, "#", opensuse_ports(text->config->architecture), 0);
    g_string_replace(path, "@", release, 0);
    repository_text_add(text, id, "", text->config->mirror, path->str, flags | REPOSITORY_SIGNED);
}

static gboolean add_tumbleweed_snapshot(RepositoryText *text, GError **error) {
    const ImageConfig *config = text->config;
    g_autofree char *oss = g_strdup_printf("history/%s/tumbleweed/repo/oss", config->snapshot);
    g_autofree char *non_oss = g_strdup_printf("history/%s/tumbleweed/repo/non-oss", config->snapshot);

    if (config->architecture != ARCHITECTURE_X86_64)
        return rpm_refuse(error, config, "there are snapshots for Architecture=x86-64 only; remove Snapshot=");
    repository_text_add(text, "oss", "", config->mirror, oss, SUSE_ON);
    repository_text_add(text, "non-oss", "", config->mirror, non_oss, REPOSITORY_SIGNED);
    return TRUE;
}

static gboolean add_tumbleweed(RepositoryText *text, GError **error) {
    if (text->config->snapshot)
        return add_tumbleweed_snapshot(text, error);
    add_suse(text, "oss", "#tumbleweed/repo/oss", REPOSITORY_ENABLED);
    add_suse(text, "oss-debug", "#debug/tumbleweed/repo/oss", 0);
    add_suse(text, "oss-source", "#source/tumbleweed/repo/oss", 0);
    add_suse(text, "non-oss", "#tumbleweed/repo/non-oss", 0);
    add_suse(text, "non-oss-source", "#source/tumbleweed/repo/non-oss", 0);
    add_suse(text, "oss-update", "#update/tumbleweed", REPOSITORY_ENABLED);
    add_suse(text, "non-oss-update", "#update/tumbleweed-non-oss", 0);
    return TRUE;
}

/* Since 16 the repository itself has the updates. */
static gboolean updates_lie_apart(const ImageConfig *config) {
    return !is_current_leap(config) && rpm_major_release(config) < 16;
}

gboolean rpm_add_opensuse(RepositoryText *text, GError **error) {
    const ImageConfig *config = text->config;

    if (is_tumbleweed(config))
        return add_tumbleweed(text, error);
    if (config->snapshot)
        return rpm_refuse(error, config, "there are snapshots of Release=tumbleweed only; remove Snapshot=");
    if (is_current_leap(config) && config->architecture != ARCHITECTURE_X86_64)
        return rpm_refuse(error, config, "this Release= is for x86-64 only; name a release such as 15.6");
    add_suse(text, "oss", "#distribution/@/repo/oss", REPOSITORY_ENABLED);
    add_suse(text, "non-oss", "#distribution/@/repo/non-oss", 0);
    add_suse(text, "oss-debug", "#debug/distribution/@/repo/oss", 0);
    add_suse(text, "non-oss-debug", "#debug/distribution/@/repo/non-oss", 0);
    add_suse(text, "oss-source", "#source/distribution/@/repo/oss", 0);
    add_suse(text, "non-oss-source", "#source/distribution/@/repo/non-oss", 0);
    if (updates_lie_apart(config)) {
        add_suse(text, "oss-update", "#update/@/oss", REPOSITORY_ENABLED);
        add_suse(text, "non-oss-update", "#update/@/non-oss", 0);
    }
    return TRUE;
}

/* The package that says which system it is, unless the recipe names one. */
const char *rpm_opensuse_release_package(const ImageConfig *config) {
    for (char **package = config->packages; *package; package++)
        if (g_str_has_suffix(*package, "-release"))
            return NULL;
    return is_tumbleweed(config) || updates_lie_apart(config) ? "openSUSE-release" : "Leap-release";
}
