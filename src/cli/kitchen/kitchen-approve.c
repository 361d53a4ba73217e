/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/kitchen/kitchen-approve.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "crypto/certificates/certificate.h"
#include "signer/client/statement.h"

/* An approval that is brought today is good for so many days. */
#define DAYS_GOOD 7
#define VERSION_LENGTH 14

/* Where all of it is. */
typedef struct {
    KitchenClient *client;
    const KitchenApproval *approval;
    char *directory; /* for files that come and go */
    char *path;      /* of the release, in the API */
    char *instance;
    char *not_after;
    const char *version;
} Desk;

static gboolean refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean refuse(GError **error, const char *format, ...) {
    va_list arguments;
    g_autofree char *text = NULL;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, KITCHEN_CLIENT_ERROR, KITCHEN_CLIENT_ERROR_REFUSED, text);
    return FALSE;
}

/* The text of the member NAME; NULL when there is none. */
static const char *text_of(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
                   ? json_node_get_string(node)
                   : NULL;
}

static JsonArray *array_of(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);

    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static gboolean is_version(const char *text) {
    return text && strlen(text) == VERSION_LENGTH && strspn(text, "0123456789") == VERSION_LENGTH;
}

/* Names that neither a terminal nor a file system takes for something else. */
static gboolean is_plain(const char *text) {
    return text && text[0] && text[0] != '.' && text[0] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-") == strlen(text);
}

/* ---- files ---- */

/* Fetches a file and compares it with what the service says of it. */
static gboolean check_file(Desk *desk, const char *name, const char *digest, gint64 size, GError **error) {
    const char *directory = desk->approval->files ?: desk->directory;
    g_autofree char *path = g_build_filename(directory, name, NULL);
    guint8 bytes[SHA256_SIZE];
    g_autofree char *found = NULL;
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

    if (fd < 0)
        return set_errno_error(error, errno, "Cannot make %s", path);
    if (!kitchen_client_fetch(desk->client, digest, fd, error) || !sha256_fd(fd, bytes, error))
        return FALSE;
    found = hex_encode(bytes, sizeof bytes);
    if (!desk->approval->files)
        (void) g_unlink(path);
    if (strcmp(found, digest) == 0 && lseek(fd, 0, SEEK_END) == size)
        return TRUE;
    return refuse(error, "%s is not what the service says that it is: its SHA-256 is %s", name, found);
}

/* What TARGET lists, each file fetched; the digest that the statement has. NULL with ERROR set. */
static char *check_files(Desk *desk, const char *target, JsonArray *files, GError **error) {
    g_autofree char *prefix = g_strdup_printf("%s.%s.", target, desk->approval->channel);
    g_autoptr(GPtrArray) pairs = g_ptr_array_new();

    for (guint i = 0; i < json_array_get_length(files); i++) {
        JsonObject *file = json_array_get_object_element(files, i);
        const char *name = text_of(file, "name"), *digest = text_of(file, "sha256");
        gint64 size = json_object_get_int_member_with_default(file, "size", -1);

        if (!is_plain(name) || !g_str_has_prefix(name, prefix) || !strstr(name, desk->version) || !digest ||
                !hex_is_lower(digest, SHA256_HEX_SIZE)) {
            refuse(error, "The service lists a file that is not of %s in %s, version %s: %.200s", target,
                    desk->approval->channel, desk->version, is_plain(name) ? name : "an impossible name");
            return NULL;
        }
        if (!check_file(desk, name, digest, size, error))
            return NULL;
        printf("  %s  %s  %" G_GINT64_FORMAT "\n", digest, name, size);
        g_ptr_array_add(pairs, (gpointer) digest);
        g_ptr_array_add(pairs, (gpointer) name);
    }
    return signer_statement_digest((const char *const *) pairs->pdata, pairs->len / 2);
}

/* ---- the statement ---- */

static gboolean sign(Desk *desk, const char *statement, char **ret_signature, GError **error) {
    g_autofree char *path = g_build_filename(desk->directory, "statement", NULL);
    g_autofree char *signature = g_strconcat(path, ".sig", NULL);
    g_autofree char *usual = g_build_filename(g_get_home_dir(), ".ssh", "id_ed25519", NULL);
    const char *key = desk->approval->key ?: usual;
    const char *argv[] = {
            "ssh-keygen", "-q", "-Y", "sign", "-n", SIGNER_STATEMENT_PURPOSE, "-f", key, path, NULL};
    int status = 0;

    (void) g_unlink(signature);
    /* It may ask for a passphrase, or for a touch. */
    return g_file_set_contents(path, statement, -1, error) &&
           g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL,
                   NULL, &status, error) &&
           g_spawn_check_wait_status(status, error) && g_file_get_contents(signature, ret_signature, NULL, error);
}

static gboolean bring(
        Desk *desk, const char *target, const char *statement, const char *signature, GError **error) {
    g_autofree char *path = g_strconcat(desk->path, "/approve", NULL);
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *body = json_object_new();
    g_autofree char *text = NULL;
    g_autoptr(JsonNode) answer = NULL;

    json_object_set_string_member(body, "target", target);
    json_object_set_string_member(body, "statement", statement);
    json_object_set_string_member(body, "signature", signature);
    json_node_take_object(node, body);
    text = json_to_string(node, FALSE);
    answer = kitchen_client_ask(desk->client, "POST", path, text, error);
    return answer != NULL;
}

/* The statement about TARGET, after all of it was looked at. NULL with ERROR set. */
static char *make_statement(Desk *desk, JsonObject *target, GError **error) {
    const char *name = text_of(target, "name"), *previous = text_of(target, "previous");
    JsonArray *files = array_of(target, "files");
    g_autofree char *entries = NULL;

    if (!is_plain(name) || !files || (previous && !is_version(previous))) {
        refuse(error, "The service's answer makes no sense");
        return NULL;
    }
    printf("%s: version %s after %s\n", name, desk->version, previous ?: "nothing");
    entries = check_files(desk, name, files, error);
    if (!entries)
        return NULL;
    return signer_statement_to_text(&(SignerStatement){.instance = desk->instance,
            .project = desk->approval->project,
            .target = name,
            .channel = desk->approval->channel,
            .version = desk->version,
            .entries = entries,
            .previous = previous,
            .not_after = desk->not_after});
}

/* ---- showing ---- */

/* Who holds the key for manifests: the person may know its fingerprint. */
static gboolean read_instance(Desk *desk, JsonObject *release, GError **error) {
    const char *pem = text_of(release, "certificate");
    g_autofree char *path = g_build_filename(desk->directory, "certificate", NULL);
    g_autoptr(Certificate) certificate = NULL;

    if (!pem)
        return refuse(error, "The service has no certificate of the project's key for manifests yet");
    if (!g_file_set_contents(path, pem, -1, error) || !(certificate = certificate_load(path, error)))
        return FALSE;
    desk->instance = g_strdup(certificate_get_fingerprint(certificate));
    if (desk->approval->instance && g_ascii_strcasecmp(desk->approval->instance, desk->instance) != 0)
        return refuse(error, "The service has another key for manifests: its fingerprint is %s", desk->instance);
    printf("Key for manifests: %s\n", desk->instance);
    return TRUE;
}

/* TEXT without what a terminal would obey. */
static void print_words(const char *what, const char *text) {
    g_autofree char *copy = g_strdup(text);

    for (char *at = copy; at && *at; at++)
        if ((guint8) *at < 0x20 || *at == 0x7f)
            *at = '?';
    if (copy)
        printf("%s%s\n", what, copy);
}

/* The commit, and why there was a build: packages, settings and command lines that differ. */
static gboolean show_build(Desk *desk, GError **error) {
    g_autofree char *path = g_strdup_printf(
            "projects/%s/builds/%" G_GINT64_FORMAT, desk->approval->project, desk->approval->build);
    g_autoptr(JsonNode) node = kitchen_client_ask(desk->client, "GET", path, NULL, error);
    JsonObject *build = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonArray *reasons = build ? array_of(build, "reasons") : NULL;

    if (!build)
        return node ? refuse(error, "The service's answer makes no sense") : FALSE;
    print_words("Commit: ", text_of(build, "commit"));
    print_words("Author: ", text_of(build, "author"));
    print_words("Subject: ", text_of(build, "subject"));
    for (guint i = 0; reasons && i < json_array_get_length(reasons); i++) {
        JsonNode *reason = json_array_get_element(reasons, i);
        const char *text = JSON_NODE_HOLDS_OBJECT(reason) ? text_of(json_node_get_object(reason), "text")
                           : json_node_get_value_type(reason) == G_TYPE_STRING ? json_node_get_string(reason)
                                                                                : NULL;
        print_words("Changed: ", text);
    }
    return TRUE;
}

static gboolean ask_person(const Desk *desk, GError **error) {
    char line[16] = "";

    if (desk->approval->yes)
        return TRUE;
    printf("Approve build #%" G_GINT64_FORMAT " for %s until %s? Write yes: ", desk->approval->build,
            desk->approval->channel, desk->not_after);
    fflush(stdout);
    return (fgets(line, sizeof line, stdin) && strcmp(g_strstrip(line), "yes") == 0) ||
           refuse(error, "Nothing was approved");
}

/* ---- all of it ---- */

static gboolean approve_targets(Desk *desk, JsonArray *targets, GError **error) {
    g_autoptr(GPtrArray) statements = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < json_array_get_length(targets); i++) {
        char *statement = make_statement(desk, json_array_get_object_element(targets, i), error);

        if (!statement)
            return FALSE;
        g_ptr_array_add(statements, statement);
    }
    if (!ask_person(desk, error))
        return FALSE;
    for (guint i = 0; i < statements->len; i++) {
        g_autofree char *signature = NULL;

        if (!sign(desk, statements->pdata[i], &signature, error) ||
                !bring(desk, text_of(json_array_get_object_element(targets, i), "name"), statements->pdata[i], signature,
                        error))
            return FALSE;
    }
    return TRUE;
}

static gboolean approve(Desk *desk, GError **error) {
    g_autoptr(JsonNode) node = kitchen_client_ask(desk->client, "GET", desk->path, NULL, error);
    JsonObject *release = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonArray *targets = release ? array_of(release, "targets") : NULL;

    if (!node)
        return FALSE;
    desk->version = release ? text_of(release, "version") : NULL;
    if (!is_version(desk->version) || !targets || json_array_get_length(targets) == 0)
        return refuse(error, "There is nothing to approve: release the build to the channel first");
    return read_instance(desk, release, error) && show_build(desk, error) && approve_targets(desk, targets, error);
}

static void remove_directory(const char *path) {
    static const char *const names[] = {"statement", "statement.sig", "certificate"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *file = g_build_filename(path, names[i], NULL);

        (void) g_unlink(file);
    }
    (void) g_rmdir(path);
}

gboolean kitchen_approve(KitchenClient *client, const KitchenApproval *approval, GError **error) {
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) end = g_date_time_add_days(now, DAYS_GOOD);
    Desk desk = {.client = client, .approval = approval};
    gboolean good = FALSE;

    desk.directory = g_dir_make_tmp("particleos-approve-XXXXXX", error);
    if (!desk.directory)
        return FALSE;
    desk.not_after = g_date_time_format(end, "%Y%m%d%H%M%S");
    desk.path = g_strdup_printf("projects/%s/channels/%s/releases/%" G_GINT64_FORMAT, approval->project,
            approval->channel, approval->build);
    good = approve(&desk, error);
    remove_directory(desk.directory);
    g_free(desk.directory);
    g_free(desk.path);
    g_free(desk.instance);
    g_free(desk.not_after);
    return good;
}
