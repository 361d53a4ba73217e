/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/family/family-repositories.h"

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
    g_autofree char *mirror = repository_text_join(config->mirror, "../fedora");
    static const struct {
        const char *id, *path;
    } rows[] = {
            {"epel", "epel/%f/Everything/$basearch"},
            {"epel-debuginfo", "epel/%f/Everything/$basearch/debug"},
            {"epel-source", "epel/%f/Everything/source/tree"},
            {"epel-testing", "epel/testing/%f/Everything/$basearch"},
            {"epel-testing-debuginfo", "epel/testing/%f/Everything/$basearch/debug"},
            {"epel-testing-source", "epel/testing/%f/Everything/source/tree"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) path = g_string_new(rows[i].path);
        g_string_replace(path, "%f", folder, 0);
        repository_text_add(text, rows[i].id, "", mirror, path->str, 0);
    }
}

static void add_hyperscale(RepositoryText *text) {
    static const char *const parts[] = {"main", "experimental", "facebook", "hotfixes", "spin", "intel", "kernel"};

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *id = g_strconcat("hyperscale-packages-", parts[i], NULL);
        g_autofree char *path = g_strdup_printf("SIGs/$stream/hyperscale/$basearch/packages-%s", parts[i]);
        repository_text_add(text, id, "", text->config->mirror, path, REPOSITORY_FIRST | REPOSITORY_SIGNED);
    }
}

static const RepositoryRow centos_rows[] = {
        {"baseos", "@/BaseOS/$basearch/os", REPOSITORY_ENABLED | REPOSITORY_SIGNED},
        {"baseos-debuginfo", "@/BaseOS/$basearch/debug/tree", REPOSITORY_SIGNED},
        {"baseos-source", "@/BaseOS/source/tree", REPOSITORY_SIGNED},
        {"appstream", "@/AppStream/$basearch/os", REPOSITORY_ENABLED | REPOSITORY_SIGNED},
        {"appstream-debuginfo", "@/AppStream/$basearch/debug/tree", REPOSITORY_SIGNED},
        {"appstream-source", "@/AppStream/source/tree", REPOSITORY_SIGNED},
        {"crb", "@/CRB/$basearch/os", REPOSITORY_ENABLED | REPOSITORY_SIGNED},
        {"crb-debuginfo", "@/CRB/$basearch/debug/tree", REPOSITORY_SIGNED},
        {"crb-source", "@/CRB/source/tree", REPOSITORY_SIGNED},
        /* Signed with the key of the group that makes it. */
        {"extras", "SIGs/$stream/extras/$basearch/extras-common", REPOSITORY_ENABLED | REPOSITORY_OF_UPDATES},
        {"extras-source", "SIGs/$stream/extras/source/extras-common", REPOSITORY_OF_UPDATES},
};

gboolean rpm_add_centos(RepositoryText *text, GError **error) {
    const ImageConfig *config = text->config;
    g_autofree char *folder = config->snapshot ? g_strdup_printf("stream-%s/production/CentOS-Stream-%s-%s/compose",
                                                         config->release, config->release, config->snapshot)
                                               : g_strdup("$stream");

    repository_text_add_rows(text, centos_rows, G_N_ELEMENTS(centos_rows), config->mirror, folder, !config->snapshot);
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

    if (!rpm_refuse_snapshot(config, error))
        return FALSE;
    add_parts(text, config->mirror, ubi ? "ubi" : "rhel", ubi ? "ubi%v/%v" : "rhel%d/%v");
    add_epel(text);
    return TRUE;
}

gboolean rpm_add_rebuild(RepositoryText *text, GError **error) {
    static const char *const names[] = {"BaseOS", "AppStream", "CRB", "extras"};
    const ImageConfig *config = text->config;

    if (!rpm_refuse_snapshot(config, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_strdup_printf("$releasever/%s/$basearch/os", names[i]);
        repository_text_add(text, names[i], "", config->mirror, path, REPOSITORY_ENABLED | REPOSITORY_SIGNED);
    }
    add_epel(text);
    return TRUE;
}
