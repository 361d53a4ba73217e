/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/family-repositories.h"

#include <string.h>

static gboolean has_minor(const ImageConfig *config) {
    return strchr(config->release, '.') != NULL;
}

/* EPEL is off until Repositories= names it. Since EPEL 10 minor releases have repositories of their own. */
static void add_epel(RepositoryText *text) {
    const ImageConfig *config = text->config;
    gboolean ten = rpm_major_release(config) >= 10;
    gboolean minor = ten && has_minor(config);
    g_autofree char *release = ten ? g_strdup(config->release) : g_strdup_printf("%d", rpm_major_release(config));
    g_autofree char *folder = g_strconcat(release, minor ? "z" : "", NULL);
    g_autofree char *mirror = config->mirror ? repository_text_join(config->mirror, "../fedora") : NULL;
    static const struct {
        const char *id, *metalink, *old, *path;
    } rows[] = {
            {"epel", "epel%z-%r", "epel-%r", "epel/%f/Everything/$basearch"},
            {"epel-debuginfo", "epel%z-debug-%r", "epel-debug-%r", "epel/%f/Everything/$basearch/debug"},
            {"epel-source", "epel%z-source-%r", "epel-source-%r", "epel/%f/Everything/source/tree"},
            {"epel-testing", "epel%z-testing-%r", "testing-epel%r", "epel/testing/%f/Everything/$basearch"},
            {"epel-testing-debuginfo", "epel%z-testing-debug-%r", "testing-debug-epel%r",
                    "epel/testing/%f/Everything/$basearch/debug"},
            {"epel-testing-source", "epel%z-testing-source-%r", "testing-source-epel%r",
                    "epel/testing/%f/Everything/source/tree"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) metalink = g_string_new(ten ? rows[i].metalink : rows[i].old);
        g_autoptr(GString) path = g_string_new(rows[i].path);
        g_string_replace(metalink, "%z", minor ? "-z" : "", 0);
        g_string_replace(metalink, "%r", release, 0);
        g_string_replace(path, "%f", folder, 0);
        RepositoryRow row = {rows[i].id, metalink->str, path->str, 0};
        repository_text_add_rows(
                text, &row, 1, mirror, "https://mirrors.fedoraproject.org/metalink?arch=$basearch&repo=", "", TRUE);
    }
}

static void add_hyperscale(RepositoryText *text) {
    static const char *const parts[] = {"main", "experimental", "facebook", "hotfixes", "spin", "intel", "kernel"};

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *id = g_strconcat("hyperscale-packages-", parts[i], NULL);
        g_autofree char *metalink = g_strdup_printf("centos-hyperscale-sig-packages-%s-$stream", parts[i]);
        g_autofree char *path = g_strdup_printf("SIGs/$stream/hyperscale/$basearch/packages-%s", parts[i]);
        RepositoryRow row = {id, metalink, path, REPOSITORY_FIRST | REPOSITORY_SIGNED};
        repository_text_add_rows(text, &row, 1, text->config->mirror,
                "https://mirrors.centos.org/metalink?arch=$basearch&repo=", "", TRUE);
    }
}

static const RepositoryRow centos_rows[] = {
        {"baseos", "centos-baseos-$stream", "@/BaseOS/$basearch/os", REPOSITORY_ENABLED | REPOSITORY_SIGNED},
        {"baseos-debuginfo", "centos-baseos-debug-$stream", "@/BaseOS/$basearch/debug/tree", REPOSITORY_SIGNED},
        {"baseos-source", "centos-baseos-source-$stream", "@/BaseOS/source/tree", REPOSITORY_SIGNED},
        {"appstream", "centos-appstream-$stream", "@/AppStream/$basearch/os", REPOSITORY_ENABLED | REPOSITORY_SIGNED},
        {"appstream-debuginfo", "centos-appstream-debug-$stream", "@/AppStream/$basearch/debug/tree",
                REPOSITORY_SIGNED},
        {"appstream-source", "centos-appstream-source-$stream", "@/AppStream/source/tree", REPOSITORY_SIGNED},
        {"crb", "centos-crb-$stream", "@/CRB/$basearch/os", REPOSITORY_ENABLED | REPOSITORY_SIGNED},
        {"crb-debuginfo", "centos-crb-debug-$stream", "@/CRB/$basearch/debug/tree", REPOSITORY_SIGNED},
        {"crb-source", "centos-crb-source-$stream", "@/CRB/source/tree", REPOSITORY_SIGNED},
        /* Signed with the key of the group that makes it. */
        {"extras", "centos-extras-sig-extras-common-$stream", "SIGs/$stream/extras/$basearch/extras-common",
                REPOSITORY_ENABLED | REPOSITORY_OF_UPDATES},
        {"extras-source", "centos-extras-sig-extras-common-source-$stream", "SIGs/$stream/extras/source/extras-common",
                REPOSITORY_OF_UPDATES},
};

gboolean rpm_add_centos(RepositoryText *text, GError **error) {
    const ImageConfig *config = text->config;
    const char *composes = "https://composes.stream.centos.org";
    const char *mirror = config->mirror ? config->mirror : config->snapshot ? composes : NULL;
    g_autofree char *folder = config->snapshot ? g_strdup_printf("stream-%s/production/CentOS-Stream-%s-%s/compose",
                                                         config->release, config->release, config->snapshot)
                                               : g_strdup("$stream");

    if (config->snapshot && !g_str_equal(mirror, composes))
        return rpm_refuse(error, config, "Snapshot= needs Mirror=https://composes.stream.centos.org, or none");
    if (g_strcmp0(mirror, composes) == 0 && !config->snapshot)
        return rpm_refuse(error, config, "Mirror=https://composes.stream.centos.org needs Snapshot=");
    repository_text_add_rows(text, centos_rows, G_N_ELEMENTS(centos_rows), mirror,
            "https://mirrors.centos.org/metalink?arch=$basearch&repo=", folder, !config->snapshot);
    add_epel(text);
    add_hyperscale(text);
    return TRUE;
}

/* ID: how its repositories are called, FOLDER: where they lie; %n is the name of the part, %v the release. */
static void add_parts(RepositoryText *text, const char *mirror, const char *id, const char *path) {
    static const char *const parts[] = {"baseos", "appstream", "codeready-builder"};
    static const struct {
        const char *suffix, *folder;
        RepositoryFlags flags;
    } kinds[] = {{"rpms", "os", REPOSITORY_ENABLED}, {"debug-rpms", "debug", 0}, {"source", "source", 0}};
    g_autofree char *major = g_strdup_printf("%d", rpm_major_release(text->config));

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(kinds); j++) {
            g_autofree char *name =
                    g_strdup_printf("%s-%s-%s-%s", id, text->config->release, parts[i], kinds[j].suffix);
            g_autoptr(GString) below = g_string_new(path);
            g_string_replace(below, "%d", major, 0);
            g_string_replace(below, "%v", text->config->release, 0);
            g_string_append_printf(below, "/$basearch/%s/%s", parts[i], kinds[j].folder);
            repository_text_add(text, name, "", mirror, below->str, kinds[j].flags | REPOSITORY_SIGNED);
        }
}

gboolean rpm_add_rhel(RepositoryText *text, GError **error) {
    const ImageConfig *config = text->config;
    gboolean ubi = config->distribution == DISTRIBUTION_RHEL_UBI;
    const char *mirror = config->mirror ? config->mirror : "https://cdn-ubi.redhat.com/content/public/ubi/dist";

    if (!rpm_refuse_snapshot(config, error))
        return FALSE;
    if (!ubi && !config->mirror)
        return rpm_refuse(error, config,
                "certificates of a subscription are not supported yet; set Mirror= to a mirror of your own, or "
                "bring etc/yum.repos.d/mkosi.repo with SandboxTrees=");
    add_parts(text, mirror, ubi ? "ubi" : "rhel", ubi ? "ubi%v/%v" : "rhel%d/%v");
    add_epel(text);
    return TRUE;
}

gboolean rpm_add_rebuild(RepositoryText *text, GError **error) {
    static const char *const names[] = {"BaseOS", "AppStream", "CRB", "extras"};
    const ImageConfig *config = text->config;
    gboolean rocky = config->distribution == DISTRIBUTION_ROCKY;

    if (!rpm_refuse_snapshot(config, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_strdup_printf("$releasever/%s/$basearch/os", names[i]);
        g_autofree char *lower = g_ascii_strdown(names[i], -1);
        g_autofree char *list =
                rocky ? g_strdup_printf("https://mirrors.rockylinux.org/mirrorlist?arch=$basearch&repo=%s-$releasever",
                                names[i])
                      : g_strdup_printf("https://mirrors.almalinux.org/mirrorlist/$releasever/%s", lower);
        if (config->mirror)
            repository_text_add(text, names[i], "", config->mirror, path, REPOSITORY_ENABLED | REPOSITORY_SIGNED);
        else
            repository_text_add_list(text, names[i], list, REPOSITORY_ENABLED | REPOSITORY_SIGNED);
    }
    add_epel(text);
    return TRUE;
}
