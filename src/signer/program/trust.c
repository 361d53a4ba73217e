/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/program/trust.h"

#include <stdio.h>

#include "base/hex.h"
#include "format/efi/pe/authenticode.h"
#include "signer/judges/judges.h"
#include "signer/policy/policy-write.h"
#include "signer/text/error.h"
#include "signer/text/text.h"

static gboolean trust_file(const char *policies, const char *project, const char *path, GError **error) {
    g_autofree char *data = NULL;
    gsize size;
    guint8 digest[SHA256_SIZE];
    gboolean added = FALSE;

    if (!g_file_get_contents(path, &data, &size, error))
        return FALSE;
    if (signer_is_kernel((const guint8 *) data, size))
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s is a kernel, which is never signed alone", path);
    if (!authenticode_digest(data, size, digest, error)) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    g_autofree char *hex = hex_encode(digest, sizeof digest);
    g_autofree char *name = g_path_get_basename(path);
    if (!signer_policy_trust(policies, project, hex, name, &added, error))
        return FALSE;
    printf("%s %s %s\n", hex, added ? "is trusted from now on:" : "is trusted already:", name);
    return TRUE;
}

gboolean check_project(const char *project, GError **error) {
    g_auto(GStrv) parts = g_strsplit(project, "/", -1);

    return (g_strv_length(parts) == 2 && signer_is_name(parts[0]) && signer_is_name(parts[1])) ||
           signer_refuse(error, SIGNER_ERROR_UNKNOWN, "%s is no NAMESPACE/PROJECT", project);
}

gboolean add_targets(const char *policies, const char *project, char *const *targets, GError **error) {
    g_autoptr(JsonObject) object = json_object_new();
    guint n = 0;

    for (char *const *target = targets; *target; target++) {
        g_auto(GStrv) parts = g_strsplit(*target, "=", 2);
        if (!parts[0] || !parts[1])
            return signer_refuse(error, SIGNER_ERROR_MALFORMED, "%s: expected NAME=IMAGE_ID", *target);
        json_object_set_string_member(object, parts[0], parts[1]);
    }
    if (!check_project(project, error) || !signer_policy_add_targets(policies, project, object, &n, error))
        return FALSE;
    printf("%u targets were added to %s\n", n, project);
    return TRUE;
}

gboolean trust_files(const char *policies, const char *project, char *const *files, GError **error) {
    if (!check_project(project, error))
        return FALSE;
    for (char *const *file = files; *file; file++)
        if (!trust_file(policies, project, *file, error))
            return FALSE;
    return TRUE;
}
