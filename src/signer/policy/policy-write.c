/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/policy/policy-write.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "signer/policy/keys.h"
#include "signer/text/error.h"
#include "signer/text/text.h"

#define TARGETS_MAX 64
#define LIMIT_MAX 100000

/* What systems that record before they enforce have, and a profile to look after a broken one. */
#define ALLOWED_DEFAULT "ipe.enforce=0 systemd.unit=emergency.target"

static gboolean read_shared(const SignerRequest *request, gboolean *ret_share, GError **error) {
    const char *keys = signer_request_get_string(request, "keys");

    *ret_share = !keys || g_str_equal(keys, "builder");
    return (keys ? *ret_share || g_str_equal(keys, "separate") : !json_object_has_member(request->json, "keys")) ||
           signer_refuse(error, SIGNER_ERROR_MALFORMED, "'keys' is 'builder' or 'separate'");
}

gboolean signer_policy_check_targets(const SignerPolicy *policy, JsonObject *targets, GError **error) {
    g_autoptr(GList) names = json_object_get_members(targets);
    guint n = g_list_length(names);

    if (n == 0 || n > TARGETS_MAX)
        return signer_refuse(error, SIGNER_ERROR_MALFORMED, "A request names 1 to %d targets", TARGETS_MAX);
    for (const GList *name = names; name; name = name->next) {
        const char *id = signer_json_get_string(targets, name->data);
        const SignerTarget *present = policy ? signer_policy_find_target(policy, name->data) : NULL;
        if (!signer_is_name(name->data) || !signer_is_file_name(id) || strlen(id) > 64)
            return signer_refuse(
                    error, SIGNER_ERROR_MALFORMED, "'targets' has names of targets (a-z 0-9 _ -) and their IMAGE_ID");
        if (present && !g_str_equal(present->image_id, id))
            return signer_refuse(error, SIGNER_ERROR_CONTENT, "The target %s is there already, and makes %s",
                    present->name, present->image_id);
    }
    return TRUE;
}

/* Those that POLICY (may be NULL) does not have; how many. */
static guint append_targets(GString *text, const SignerPolicy *policy, JsonObject *targets) {
    g_autoptr(GList) names = g_list_sort(json_object_get_members(targets), (GCompareFunc) strcmp);
    guint n = 0;

    for (const GList *name = names; name; name = name->next) {
        if (policy && signer_policy_find_target(policy, name->data))
            continue;
        g_string_append_printf(text, "\n[Target %s]\nImageID=%s\n", (const char *) name->data,
                signer_json_get_string(targets, name->data));
        n++;
    }
    return n;
}

static void append_keys(GString *text, gboolean share) {
    for (SignerPurpose purpose = 0; purpose < SIGNER_N_PURPOSES; purpose++) {
        const char *name = signer_purpose_to_string(purpose);
        int same = share ? signer_keys_shared_with(purpose) : -1;
        if (same >= 0)
            g_string_append_printf(
                    text, "\n[Key %s]\nSameAs=%s\n", name, signer_purpose_to_string((SignerPurpose) same));
        else
            g_string_append_printf(text, "\n[Key %s]\nSource=file\nKey=%s.key\nCertificate=%s.crt\n", name, name, name);
    }
}

static gboolean append_words(GString *text, const SignerRequest *request, GError **error) {
    JsonArray *words = signer_request_get_array(request, "commandLineAllow");

    if (!json_object_has_member(request->json, "commandLineAllow")) {
        g_string_append(text, "CommandLineAllow=" ALLOWED_DEFAULT "\n");
        return TRUE;
    }
    for (guint i = 0; words && i < json_array_get_length(words); i++) {
        JsonNode *node = json_array_get_element(words, i);
        const char *word = json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
        /* Whoever asks could allow himself everything. */
        if (!signer_is_title(word) || strpbrk(word, " *?"))
            return signer_refuse(
                    error, SIGNER_ERROR_MALFORMED, "'commandLineAllow' has words of command lines, without * and ?");
        g_string_append_printf(text, "CommandLineAllow=%s\n", word);
    }
    return words || signer_refuse(error, SIGNER_ERROR_MALFORMED, "'commandLineAllow' is a list of words");
}

char *signer_policy_make(const SignerRequest *request, gboolean development, gboolean *ret_share, GError **error) {
    g_autoptr(GString) text = g_string_new("# Written by particleos-signer; see particleos-signer(1).\n[Project]\n");
    JsonNode *wanted = json_object_get_member(request->json, "development");
    gint64 limit = signer_json_get_number(request->json, "signaturesPerHour");

    if (!read_shared(request, ret_share, error))
        return NULL;
    if (wanted && json_node_get_value_type(wanted) != G_TYPE_BOOLEAN) {
        signer_refuse(error, SIGNER_ERROR_MALFORMED, "'development' is true or false");
        return NULL;
    }
    if (json_object_has_member(request->json, "signaturesPerHour") && (limit < 0 || limit > LIMIT_MAX)) {
        signer_refuse(error, SIGNER_ERROR_MALFORMED, "'signaturesPerHour' is a number up to %d", LIMIT_MAX);
        return NULL;
    }
    if (wanted)
        development = json_node_get_boolean(wanted);
    g_string_append_printf(text, "Development=%s\n", development ? "yes" : "no");
    if (limit >= 0)
        g_string_append_printf(text, "SignaturesPerHour=%" G_GINT64_FORMAT "\n", limit);
    if (!append_words(text, request, error))
        return NULL;
    append_keys(text, *ret_share);
    JsonObject *targets = signer_request_get_object(request, "targets");
    if (!signer_policy_check_targets(NULL, targets, error))
        return NULL;
    append_targets(text, NULL, targets);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Where a file is that will be PATH; owned by the caller. */
static char *path_beside(const char *path) {
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *base = g_path_get_basename(path);
    return g_strdup_printf("%s/.%s.new", directory, base);
}

/* Writes TEXT there, with owner and mode as LIKE (may be NULL). */
static gboolean write_beside(const char *path, const char *text, const struct stat *like, GError **error) {
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *beside = path_beside(path);
    AUTO_FD fd = -1;

    if (g_mkdir_with_parents(directory, 0700) < 0)
        return set_errno_error(error, errno, "Cannot make %s", directory);
    (void) g_unlink(beside);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return (fd >= 0 && write_all(fd, text, strlen(text)) &&
                   (!like || (fchown(fd, like->st_uid, like->st_gid) == 0 && fchmod(fd, like->st_mode & 0777) == 0)) &&
                   fsync(fd) == 0) ||
           set_errno_error(error, errno, "Cannot write %s", beside);
}

static gboolean sync_parent(const char *path, GError **error) {
    g_autofree char *directory = g_path_get_dirname(path);
    AUTO_FD fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return (fd >= 0 && fsync(fd) == 0) || set_errno_error(error, errno, "Cannot write %s", directory);
}

gboolean signer_policy_stage(const char *directory, const char *project, const char *text, GError **error) {
    g_autofree char *path = signer_policy_path(directory, project);
    return write_beside(path, text, NULL, error) && sync_parent(path, error);
}

gboolean signer_policy_publish(const char *directory, const char *project, GError **error) {
    g_autofree char *path = signer_policy_path(directory, project);
    g_autofree char *beside = path_beside(path);

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    if (renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return sync_parent(path, error);
    if (errno == ENOENT)
        return signer_refuse(error, SIGNER_ERROR_UNKNOWN,
                "The policy of %s was taken away; only an administrator can bring it back", project);
    return set_errno_error(error, errno, "Cannot make the policy %s", path);
}

/* Gives the policy PATH the text CHANGED, which has to be good. */
static gboolean replace_policy(const char *path, const char *changed, GError **error) {
    g_autoptr(SignerPolicy) checked = signer_policy_parse(path, changed, strlen(changed), error);
    g_autofree char *beside = path_beside(path);
    struct stat st;

    if (!checked)
        return FALSE;
    if (stat(path, &st) < 0)
        return set_errno_error(error, errno, "Cannot examine %s", path);
    if (!write_beside(path, changed, &st, error))
        return FALSE;
    return rename(beside, path) == 0 ? sync_parent(path, error)
                                     : set_errno_error(error, errno, "Cannot write %s", path);
}

gboolean signer_policy_add_targets(
        const char *directory, const char *project, JsonObject *targets, guint *ret_n, GError **error) {
    g_autofree char *path = signer_policy_path(directory, project);
    g_autoptr(SignerPolicy) policy = signer_policy_load(directory, project, error);
    g_autofree char *text = NULL;
    g_autoptr(GString) changed = NULL;
    guint n;

    if (!policy || !signer_policy_check_targets(policy, targets, error) ||
            !g_file_get_contents(path, &text, NULL, error))
        return FALSE;
    changed = g_string_new(text);
    n = append_targets(changed, policy, targets);
    if (ret_n)
        *ret_n = n;
    return n == 0 || replace_policy(path, changed->str, error);
}

/* TEXT with LINES behind the first [Project]. */
static char *insert(const char *text, const char *lines) {
    const char *section = g_str_has_prefix(text, "[Project]") ? text : strstr(text, "\n[Project]");
    const char *end = section ? strchr(section + 1, '\n') : NULL;

    if (!end)
        return g_strdup_printf("%s\n[Project]\n%s", text, lines);
    return g_strdup_printf("%.*s%s%s", (int) (end + 1 - text), text, lines, end + 1);
}

gboolean signer_policy_trust(const char *directory, const char *project, const char *digest, const char *name,
        gboolean *ret_added, GError **error) {
    g_autofree char *path = signer_policy_path(directory, project);
    g_autoptr(SignerPolicy) policy = signer_policy_load(directory, project, error);
    g_autofree char *text = NULL;

    *ret_added = FALSE;
    if (!policy)
        return FALSE;
    if (g_hash_table_contains(policy->trusted, digest))
        return TRUE;
    if (!g_file_get_contents(path, &text, NULL, error))
        return FALSE;
    g_autofree char *plain = g_strdup(name);
    for (char *c = plain; *c; c++)
        if (!g_ascii_isprint(*c))
            *c = '?';
    g_autofree char *lines = g_strdup_printf("# %s\nTrust=%s\n", plain, digest);
    g_autofree char *changed = insert(text, lines);
    *ret_added = replace_policy(path, changed, error);
    return *ret_added;
}
