/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/image.h"

#include "distro/apt/command.h"
#include "distro/apt/sources.h"
#include "events/events.h"
#include "tree/tree.h"

#define AUTO_GENERATOR "/etc/systemd/system-generators/systemd-gpt-auto-generator"

static char *with_codename(const char *text, const char *codename) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, "VERSION_CODENAME=")) {
            g_free(*line);
            *line = g_strconcat("VERSION_CODENAME=", codename, NULL);
        }
    return g_strjoinv("\n", lines);
}

static gboolean rewrite(int root_fd, const char *path, GError **error) {
    g_autofree char *old = tree_read_file(root_fd, path, NULL, error);
    g_autofree char *new = old ? with_codename(old, "sid") : NULL;

    return new &&tree_write_file(root_fd, path, new, -1, 0644, error);
}

gboolean apt_image_fix_os_release(DistroSession *session, Sandbox *sandbox, int root_fd, GError **error) {
    static const char *const divert[] = {"dpkg-divert", "--quiet", "--root=" BUILDROOT, "--local", "--add",
            "--rename", "--divert", "/etc/os-release.dpkg", "/etc/os-release", NULL};
    const ImageConfig *config = session->config;

    if (config->distribution != DISTRIBUTION_DEBIAN ||
            (!g_str_equal(config->release, "unstable") && !g_str_equal(config->release, "sid")) ||
            !tree_exists(root_fd, "usr/lib/os-release"))
        return TRUE;
    if (!rewrite(root_fd, "usr/lib/os-release", error))
        return FALSE;
    if (!tree_exists(root_fd, "etc/os-release"))
        return TRUE;

    g_autofree char *text = tree_read_file(root_fd, "usr/lib/os-release", NULL, error);
    return text && sandbox_run(sandbox, divert, error) &&
           tree_write_file(root_fd, "etc/os-release", text, -1, 0644, error);
}

char *apt_image_configuration(DistroSession *session) {
    const ImageConfig *config = session->config;
    g_autoptr(GError) failure = NULL;
    char *sources;

    /* An archive of snapshots is no place to get updates from. */
    if (config->snapshot || !g_strv_contains((const char *const *) config->packages, "apt"))
        return NULL;
    if (!(sources = apt_sources(config, APT_SOURCES_FOR_IMAGE, &failure)))
        events_debug("apt in the image gets no sources: %s", failure->message);
    return sources;
}

static gboolean write_sources(DistroSession *session, int root_fd, GError **error) {
    g_autofree char *path =
            g_strconcat("etc/apt/sources.list.d/", session->config->release, ".sources", NULL);
    g_autofree char *sources = apt_image_configuration(session);

    return !sources || tree_exists(root_fd, path) ||
           tree_write_file(root_fd, path, sources, -1, 0644, error);
}

gboolean apt_image_finish(DistroSession *session, int root_fd, GError **error) {
    if (!tree_remove_glob(root_fd, AUTO_GENERATOR, error))
        return FALSE;
    return write_sources(session, root_fd, error);
}
