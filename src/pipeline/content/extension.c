/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/content/extension.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "pipeline/content/recipe-environment.h"
#include "pipeline/state/boot-rules.h"
#include "text/os-release.h"
#include "tree/tree.h"

/* Which files an extension is for, unless the recipe's environment says something else. */
#define DEFAULT_SCOPE "initrd system portable"

char *extension_release_path(const ImageConfig *config) {
    if (config->format != OUTPUT_FORMAT_SYSEXT && config->format != OUTPUT_FORMAT_CONFEXT)
        return NULL;
    return g_strdup_printf("%s/extension-release.d/extension-release.%s",
            config->format == OUTPUT_FORMAT_SYSEXT ? "usr/lib" : "etc", config->output);
}

static char *read_optional(ImageBuild *image, const char *path, GError **error) {
    return tree_exists(image->root_fd, path) ? tree_read_file(image->root_fd, path, NULL, error)
                                             : g_strdup("");
}

/* Adds NAME=VALUE to the file unless it has NAME; VALUE NULL: nothing. */
static void add_field(GString *text, const char *name, const char *value) {
    g_autofree char *old = os_release_get(text->str, name);
    gboolean plain =
            value && strspn(value, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-+~^ ") == strlen(value);

    if (!value || old)
        return;
    if (text->len > 0 && text->str[text->len - 1] != '\n')
        g_string_append_c(text, '\n');
    if (plain && !strchr(value, ' '))
        g_string_append_printf(text, "%s=%s\n", name, value);
    else {
        g_autofree char *quoted = plain ? g_strdup_printf("\"%s\"", value) : g_shell_quote(value);
        g_string_append_printf(text, "%s=%s\n", name, quoted);
    }
}

static void add_prefixed(GString *text, const char *prefix, const char *name, const char *value) {
    g_autofree char *whole = g_strconcat(prefix, name, NULL);
    add_field(text, whole, value);
}

static void fill_release(ImageBuild *image, const char *os_release, GString *text) {
    const ImageConfig *config = image->config;
    const char *prefix = config->format == OUTPUT_FORMAT_SYSEXT ? "SYSEXT_" : "CONFEXT_";
    g_autofree char *level_name = g_strconcat(prefix, "LEVEL", NULL);
    g_autofree char *scope_name = g_strconcat(prefix, "SCOPE", NULL);
    g_autofree char *id = os_release_get(os_release, "ID");
    g_autofree char *version = os_release_get(os_release, "VERSION_ID");
    g_autofree char *level = os_release_get(os_release, level_name);
    g_autofree char *scope = recipe_environment_value(config, scope_name);

    add_field(text, "ID", id ? id : "_any");
    add_field(text, level_name, level && *level ? level : NULL);
    add_field(text, "VERSION_ID", version && *version ? version : NULL);
    add_prefixed(text, prefix, "ID", config->image_id);
    add_prefixed(text, prefix, "VERSION_ID", config->image_version);
    add_field(text, scope_name, scope ? scope : DEFAULT_SCOPE);
    add_field(text, "ARCHITECTURE", architecture_to_string(config->architecture));
}

gboolean extension_configure_release(ImageBuild *image, GError **error) {
    g_autofree char *path = extension_release_path(image->config);
    g_autofree char *os_release = NULL;
    g_autofree char *old = NULL;
    g_autoptr(GString) text = NULL;

    if (!path)
        return TRUE;
    if (!(os_release = read_optional(image, "usr/lib/os-release", error)) ||
            !(old = read_optional(image, path, error)))
        return FALSE;
    text = g_string_new(old);
    fill_release(image, os_release, text);
    return tree_write_file(image->root_fd, path, text->str, text->len, 0644, error);
}

gboolean extension_configure_mount_points(ImageBuild *image, GError **error) {
    static const struct {
        const char *path;
        mode_t mode;
    } files[] = {
            {"etc/passwd", 0644},
            {"etc/group", 0644},
            {"etc/shadow", 0600},
            {"etc/gshadow", 0600},
            {"etc/nsswitch.conf", 0644},
            {"etc/resolv.conf", 0644},
            {"etc/machine-id", 0644},
    };

    if (image->config->format != OUTPUT_FORMAT_PORTABLE)
        return TRUE;
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        struct stat info;
        if (fstatat(image->root_fd, files[i].path, &info, AT_SYMLINK_NOFOLLOW) < 0 &&
                !tree_write_file(image->root_fd, files[i].path, "", 0, files[i].mode, error))
            return FALSE;
    }
    return TRUE;
}

/* FALSE with errno. The directory itself stays. */
static gboolean remove_empty_below(int parent_fd, const char *name) {
    AUTO_FD fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int dir_fd = fd;
    AUTO_DIR dir = fd >= 0 ? fdopendir(steal_fd(&fd)) : NULL;
    struct dirent *entry;

    if (!dir)
        return FALSE;
    while ((entry = readdir(dir))) {
        struct stat info;
        if (g_str_equal(entry->d_name, ".") || g_str_equal(entry->d_name, "..") ||
                fstatat(dir_fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(info.st_mode))
            continue;
        if (!remove_empty_below(dir_fd, entry->d_name) ||
                (unlinkat(dir_fd, entry->d_name, AT_REMOVEDIR) < 0 && errno != ENOTEMPTY && errno != EEXIST))
            return FALSE;
    }
    return TRUE;
}

gboolean wants_remove_empty_directories(const ImageBuild *image) {
    return boot_format_is_attached(image->config->format) && image->config->format != OUTPUT_FORMAT_PORTABLE;
}

gboolean step_remove_empty_directories(ImageBuild *image, GError **error) {
    if (remove_empty_below(image->root_fd, "."))
        return TRUE;
    return set_errno_error(error, errno, "Cannot remove empty directories of the tree");
}
