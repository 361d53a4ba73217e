/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/family/family-repositories.h"

static const RepositoryRow fedora_rows[] = {
        {"fedora", "@/Everything/$basearch/os", REPOSITORY_ENABLED},
        {"fedora-debuginfo", "@/Everything/$basearch/debug/tree", 0},
        {"fedora-source", "@/Everything/source/tree", 0},
        {"updates", "linux/updates/$releasever/Everything/$basearch", REPOSITORY_ENABLED | REPOSITORY_OF_UPDATES},
        {"updates-debuginfo", "linux/updates/$releasever/Everything/$basearch/debug", REPOSITORY_OF_UPDATES},
        {"updates-source", "linux/updates/$releasever/Everything/source/tree", REPOSITORY_OF_UPDATES},
        {"updates-testing", "linux/updates/testing/$releasever/Everything/$basearch", REPOSITORY_OF_UPDATES},
        {"updates-testing-debuginfo", "linux/updates/testing/$releasever/Everything/$basearch/debug",
                REPOSITORY_OF_UPDATES},
        {"updates-testing-source", "linux/updates/testing/$releasever/Everything/source/tree", REPOSITORY_OF_UPDATES},
};

static char *fedora_folder(const ImageConfig *config) {
    g_autofree char *capital = g_strdup(config->release);

    capital[0] = g_ascii_toupper(capital[0]);
    if (config->snapshot)
        return g_strdup_printf("compose/%s/Fedora-%s-%s/compose", config->release, capital, config->snapshot);
    return g_strdup(
            g_str_equal(config->release, "rawhide") ? "linux/development/$releasever" : "linux/releases/$releasever");
}

static void add_eln(RepositoryText *text) {
    static const char *const names[] = {"AppStream", "BaseOS", "Extras", "CRB"};
    const char *mirror = text->config->mirror;

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *id = g_ascii_strdown(names[i], -1);
        g_autofree char *binary = g_strdup_printf("%s/$basearch/os", names[i]);
        g_autofree char *debug = g_strdup_printf("%s/$basearch/debug/tree", names[i]);
        g_autofree char *source = g_strdup_printf("%s/source/tree", names[i]);
        repository_text_add(text, id, "", mirror, binary, REPOSITORY_ENABLED);
        repository_text_add(text, id, "-debuginfo", mirror, debug, 0);
        repository_text_add(text, id, "-source", mirror, source, 0);
    }
}

gboolean rpm_add_fedora(RepositoryText *text, GError **error) {
    const ImageConfig *config = text->config;
    g_autofree char *folder = fedora_folder(config);
    gboolean frozen = config->snapshot || g_str_equal(config->release, "rawhide");

    if (g_str_equal(config->release, "eln"))
        add_eln(text);
    else
        repository_text_add_rows(text, fedora_rows, G_N_ELEMENTS(fedora_rows), config->mirror, folder, !frozen);
    return TRUE;
}
