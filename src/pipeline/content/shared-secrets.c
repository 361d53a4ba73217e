/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/content/shared-secrets.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "events/events.h"
#include "image/definitions/partition-definition.h"
#include "image/disk/disk.h"
#include "pipeline/state/boot-rules.h"
#include "tree/tree.h"

typedef struct {
    const char *directory, *pattern; /* in the tree, of its names */
    const char *what, *maker;        /* what it is, who makes it on a machine that has none */
} Secret;

static const Secret secrets[] = {
        {"etc/ssh", "ssh_host_*_key", "the private host keys of SSH", "\"ssh-keygen -A\""},
        {"etc/dropbear", "dropbear_*_host_key", "the private host keys of SSH", "\"dropbear -R\""},
        {"etc/ssl/private", "ssl-cert-snakeoil.key", "a private key for TLS", "\"make-ssl-cert generate-default-snakeoil\""},
        {"var/lib/systemd", "credential.secret", "the key for encrypted credentials", "\"systemd-creds setup\""},
        {"var/lib/systemd", "random-seed", "a seed for random numbers", "systemd-random-seed.service"},
        {"var/lib/dbus", "machine-id", "a machine ID", "\"dbus-uuidgen --ensure\""},
        {"etc/iscsi", "initiatorname.iscsi", "the name of an iSCSI initiator", "\"iscsi-iname\""},
        {"etc/nvme", "hostid", "the identity of an NVMe host", "\"nvme gen-hostnqn\""},
};

gboolean wants_shared_secrets(const ImageBuild *image) {
    OutputFormat format = image->config->format;
    return !boot_tree_is_partial(image->config) && format != OUTPUT_FORMAT_PORTABLE && format != OUTPUT_FORMAT_CPIO &&
           format != OUTPUT_FORMAT_NONE;
}

static gboolean is_below(const char *path, const char *directory) {
    gsize length = strlen(directory);
    return g_str_equal(directory, "/") ||
           (g_str_has_prefix(path, directory) && (path[length] == '\0' || path[length] == '/'));
}

static gboolean is_excluded(const PartitionDefinition *definition, const char *path) {
    for (guint i = 0; i < definition->exclude_files->len; i++) {
        const DefinitionExclude *exclude = definition->exclude_files->pdata[i];
        if (is_below(path, *exclude->path ? exclude->path : "/"))
            return TRUE;
    }
    return FALSE;
}

/* Whether some partition of the disk holds PATH of the tree; other outputs hold all of it. */
static gboolean is_in_output(ImageBuild *image, const char *path) {
    if (!image->disk.disk)
        return TRUE;
    GPtrArray *definitions = disk_get_definitions(image->disk.disk);
    for (guint i = 0; i < definitions->len; i++) {
        const PartitionDefinition *definition = definitions->pdata[i];
        for (guint j = 0; j < definition->copy_files->len; j++) {
            const DefinitionPair *pair = definition->copy_files->pdata[j];
            if (is_below(path, pair->source) && !is_excluded(definition, path))
                return TRUE;
        }
    }
    return FALSE;
}

/* A file with content below DIRECTORY of the tree: an empty one, or a link, is how an image asks for a new one. */
static gboolean has_content(int dir_fd, const char *name) {
    struct stat info;
    return fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
}

static gboolean is_there(ImageBuild *image, const Secret *secret) {
    AUTO_FD fd = tree_open(image->root_fd, secret->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, NULL);
    int dir_fd = fd;
    AUTO_DIR dir = fd >= 0 ? fdopendir(steal_fd(&fd)) : NULL;
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        g_autofree char *path = g_strconcat("/", secret->directory, "/", entry->d_name, NULL);
        if (fnmatch(secret->pattern, entry->d_name, FNM_PERIOD) == 0 && has_content(dir_fd, entry->d_name) &&
                is_in_output(image, path))
            return TRUE;
    }
    return FALSE;
}

gboolean step_shared_secrets(ImageBuild *image, GError **error) {
    for (gsize i = 0; i < G_N_ELEMENTS(secrets); i++)
        if (is_there(image, &secrets[i]))
            events_warning("%s: /%s/%s is in the image: %s, the same on all its machines. Remove it with "
                       "RemoveFiles=/%s/%s*, and have %s make it at first boot",
                    image->name, secrets[i].directory, secrets[i].pattern, secrets[i].what, secrets[i].directory,
                    secrets[i].pattern, secrets[i].maker);
    return TRUE;
}
