/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/outputs/disk-labels.h"

gboolean disk_labels_open(ImageBuild *image, SelinuxLabels **ret, GError **error) {
    Feature wanted = image->config->selinux_relabel;

    *ret = NULL;
    if (wanted == FEATURE_DISABLED || (wanted == FEATURE_AUTO && !selinux_has_policy(image->root_fd)))
        return TRUE;
    if ((*ret = selinux_labels_new(image->root_fd, image->places.directory, error)))
        return TRUE;
    g_prefix_error(error, "SELinuxRelabel=%s: ", wanted == FEATURE_AUTO ? "auto" : "yes");
    return FALSE;
}

gboolean disk_label_of(const char *path, mode_t mode, GBytes **ret, gpointer data, GError **error) {
    return selinux_label_of(data, path, mode, ret, error);
}
