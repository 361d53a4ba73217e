/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies of the kernel's Integrity Policy Enforcement (Documentation/admin-guide/LSM/ipe.rst): the kernel
 * only takes a signed one, and the image's key is in its keyring when the firmware knows it. */

#include "pipeline/integrity/ipe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/compare.h"
#include "base/directory.h"
#include "crypto/cms/cms.h"
#include "events/events.h"
#include "events/step.h"
#include "pipeline/integrity/ipe-policy.h"
#include "pipeline/integrity/offline-early.h"
#include "pipeline/integrity/offline.h"
#include "tree/tree.h"

#define POLICY_DIRECTORY "/usr/lib/ipe"
#define SOURCE_SUFFIX ".pol"
#define SIGNED_SUFFIX ".p7b"


static gboolean sign_policy(int root_fd, const char *name, const KeySource *key,
        const Certificate *certificate, GError **error) {
    g_autofree char *source = g_strconcat(POLICY_DIRECTORY "/", name, SOURCE_SUFFIX, NULL);
    g_autofree char *target = g_strconcat(POLICY_DIRECTORY "/", name, SIGNED_SUFFIX, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GBytes) message = NULL;
    gsize length;

    if (tree_exists(root_fd, target))
        return TRUE;
    if (!(text = tree_read_file(root_fd, source, &length, error)))
        return FALSE;
    if (!ipe_policy_check(source, text, length, name, error))
        return FALSE;
    if (!(message = cms_sign_data(key, certificate, text, length, 0, error))) {
        g_prefix_error(error, "%s: ", source);
        return FALSE;
    }
    return tree_write_file(root_fd, target, g_bytes_get_data(message, NULL),
            (gssize) g_bytes_get_size(message), 0644, error);
}

/* The names, without suffix, of what ends with SOURCE_SUFFIX; NULL when the tree has no policies. */
static GPtrArray *list_policies(int root_fd, GError **error) {
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    AUTO_FD fd = tree_open(root_fd, POLICY_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, error);
    g_autoptr(GPtrArray) present = fd >= 0 ? list_directory_fd(steal_fd(&fd), error) : NULL;

    if (!present)
        return NULL;
    for (guint i = 0; i < present->len; i++) {
        const char *name = present->pdata[i];
        if (*name != '.' && g_str_has_suffix(name, SOURCE_SUFFIX))
            g_ptr_array_add(names, g_strndup(name, strlen(name) - strlen(SOURCE_SUFFIX)));
    }
    g_ptr_array_sort(names, compare_strings);
    return g_steal_pointer(&names);
}

gboolean ipe_sign_policies(
        int root_fd, const KeySource *key, const Certificate *certificate, GError **error) {
    g_autoptr(GPtrArray) names = NULL;

    if (!tree_exists(root_fd, POLICY_DIRECTORY))
        return TRUE;
    if (!(names = list_policies(root_fd, error)))
        return FALSE;
    for (guint i = 0; i < names->len; i++)
        if (!sign_policy(root_fd, names->pdata[i], key, certificate, error))
            return FALSE;
    return TRUE;
}

/* The kernel takes nothing that is not signed, so that the image would run without the policy. */
static gboolean warn_of_unsigned(int root_fd, GError **error) {
    g_autoptr(GPtrArray) names = list_policies(root_fd, error);

    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *target = g_strconcat(POLICY_DIRECTORY "/", name, SIGNED_SUFFIX, NULL);

        if (!tree_exists(root_fd, target))
            events_warning("%s/%s%s is not signed, so no system will load it: there is no verity key; make one "
                       "with "
                       "'particleos genkey', set VerityKey=, or bring along %s%s",
                    POLICY_DIRECTORY, name, SOURCE_SUFFIX, name, SIGNED_SUFFIX);
    }
    return TRUE;
}

static gboolean sign_policy_elsewhere(ImageBuild *image, const char *name, GError **error) {
    g_autofree char *source = g_strconcat(POLICY_DIRECTORY "/", name, SOURCE_SUFFIX, NULL);
    g_autofree char *target = g_strconcat(POLICY_DIRECTORY "/", name, SIGNED_SUFFIX, NULL);
    gsize size;

    if (tree_exists(image->root_fd, target))
        return TRUE;
    g_autofree char *text = tree_read_file(image->root_fd, source, &size, error);
    if (!text || !ipe_policy_check(source, text, size, name, error))
        return FALSE;
    g_autoptr(GBytes) policy = g_bytes_new_take(g_steal_pointer(&text), size);
    g_autoptr(GBytes) message = offline_sign_early(
            image, SIGNING_IPE, source + 1, policy, image->build->verity_certificate, error);
    return message && tree_write_file(image->root_fd, target, g_bytes_get_data(message, NULL),
                              (gssize) g_bytes_get_size(message), 0644, error);
}

static gboolean sign_elsewhere(ImageBuild *image, GError **error) {
    g_autoptr(GPtrArray) names = list_policies(image->root_fd, error);

    for (guint i = 0; names && i < names->len; i++)
        if (!sign_policy_elsewhere(image, names->pdata[i], error))
            return FALSE;
    return names != NULL;
}

gboolean wants_ipe(const ImageBuild *image) {
    return tree_exists(image->root_fd, POLICY_DIRECTORY);
}

gboolean step_ipe(ImageBuild *image, GError **error) {
    g_autoptr(EventsStep) step = NULL;

    if (!image->build->verity_key)
        return warn_of_unsigned(image->root_fd, error);
    if (offline_verity_is_wanted(image->build, image->config))
        return sign_elsewhere(image, error);
    step = events_step_begin(image->name, "Signing integrity policies");
    if (!ipe_sign_policies(
                image->root_fd, image->build->verity_key, image->build->verity_certificate, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}
