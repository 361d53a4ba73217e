/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/sha256.h"
#include "kitchen/publish/rollout.h"

#define SUMS "SHA256SUMS"
#define SETS ".sets"
/* Of each channel: links of its hundredths, and what it points to while it has no set for all. */
#define BUCKETS ".buckets"
#define NOTHING ".nothing"
#define BUCKET_LINK "b"

struct Publisher {
    char *directory;
    Store *store;
    SignService *signer;
    LogMirror *log; /* or NULL */
    StoreFault fault;
    gpointer fault_user;
};

/* What the signer made of a set. */
typedef struct {
    char *text;
    GBytes *signature;
    char *proof; /* that it is in the signer's log, or NULL */
    char *key;   /* of the log, or NULL */
    char *digest;
} Manifest;

static void manifest_clear(Manifest *manifest) {
    g_clear_pointer(&manifest->text, g_free);
    g_clear_pointer(&manifest->signature, g_bytes_unref);
    g_clear_pointer(&manifest->proof, g_free);
    g_clear_pointer(&manifest->key, g_free);
    g_clear_pointer(&manifest->digest, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Manifest, manifest_clear)

static void reach(Publisher *publisher, const char *where) {
    if (publisher->fault)
        publisher->fault(publisher->fault_user, where);
}

Publisher *publisher_new(const char *directory, Store *store, SignService *signer) {
    Publisher *publisher = g_new0(Publisher, 1);

    publisher->directory = g_strdup(directory);
    publisher->store = store;
    publisher->signer = signer;
    return publisher;
}

void publisher_free(Publisher *publisher) {
    if (!publisher)
        return;
    g_free(publisher->directory);
    g_free(publisher);
}

SignService *publisher_signer(Publisher *publisher) {
    return publisher->signer;
}

void publisher_set_fault(Publisher *publisher, StoreFault fault, gpointer user) {
    publisher->fault = fault;
    publisher->fault_user = user;
}

void publisher_set_log(Publisher *publisher, LogMirror *log) {
    publisher->log = log;
}

gboolean publisher_publish_log(Publisher *publisher, GError **error) {
    return !publisher->log || log_mirror_update(publisher->log, error);
}

PublishFile *publish_file_new(const char *name, const char *digest) {
    PublishFile *file = g_new0(PublishFile, 1);

    file->name = g_strdup(name);
    file->digest = g_strdup(digest);
    return file;
}

void publish_file_free(PublishFile *file) {
    if (!file)
        return;
    g_free(file->name);
    g_free(file->digest);
    g_free(file);
}

PublishApproval *publish_approval_new(const char *not_after, const char *signature) {
    PublishApproval *approval = g_new0(PublishApproval, 1);

    approval->not_after = g_strdup(not_after);
    approval->signature = g_strdup(signature);
    return approval;
}

void publish_approval_free(PublishApproval *approval) {
    if (!approval)
        return;
    g_free(approval->not_after);
    g_free(approval->signature);
    g_free(approval);
}

char *publish_name(const char *target, const char *channel, const char *name) {
    return g_strdup_printf("%s.%s.%s", target, channel, name);
}

char *publish_latest_name(const char *name, const char *version) {
    const char *found = strstr(name, version);

    return found ? g_strdup_printf("%.*slatest%s", (int) (found - name), name, found + strlen(version)) : NULL;
}

/* ---- the signer ---- */

static JsonArray *list_approvals(GPtrArray *approvals) {
    JsonArray *list = json_array_new();

    for (guint i = 0; i < approvals->len; i++) {
        const PublishApproval *approval = approvals->pdata[i];
        JsonObject *object = json_object_new();

        json_object_set_string_member(object, "notAfter", approval->not_after);
        json_object_set_string_member(object, "signature", approval->signature);
        json_array_add_object_element(list, object);
    }
    return list;
}

/* Another one for each set of approvals: the same request has the same content. Owned by the caller. */
static char *request_id(const PublishSet *set) {
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint n = set->approvals ? set->approvals->len : 0;

    for (guint i = 0; i < n; i++)
        g_checksum_update(sum, (const guchar *) ((const PublishApproval *) set->approvals->pdata[i])->signature, -1);
    return n == 0 ? g_strdup_printf("manifest:%s:%s:%s:%s", set->target, set->channel, set->version,
                            set->best_before ?: "ever")
                  : g_strdup_printf("manifest:%s:%s:%s:%s:%.8s", set->target, set->channel, set->version,
                            set->best_before ?: "ever", g_checksum_get_string(sum));
}

static JsonObject *make_request(const PublishSet *set) {
    g_autofree char *id = request_id(set);
    JsonObject *request = sign_request_new("manifest", id, set->space, set->project, set->target);
    JsonArray *entries = json_array_new();

    for (guint i = 0; i < set->files->len; i++) {
        const PublishFile *file = set->files->pdata[i];
        JsonObject *entry = json_object_new();

        json_object_set_string_member(entry, "name", file->name);
        json_object_set_string_member(entry, "sha256", file->digest);
        json_array_add_object_element(entries, entry);
    }
    json_object_set_string_member(request, "job", "publish");
    json_object_set_string_member(request, "imageVersion", set->version);
    json_object_set_string_member(request, "channel", set->channel);
    json_object_set_array_member(request, "entries", entries);
    if (set->best_before)
        json_object_set_string_member(request, "bestBefore", set->best_before);
    if (set->is_private)
        json_object_set_boolean_member(request, "private", TRUE);
    if (set->approvals && set->approvals->len > 0)
        json_object_set_array_member(request, "approvals", list_approvals(set->approvals));
    return request;
}

static const char *get_text(JsonObject *object, const char *name) {
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
                   ? json_node_get_string(node)
                   : NULL;
}

static gboolean sign(Publisher *publisher, const PublishSet *set, Manifest *manifest, GError **error) {
    g_autoptr(JsonObject) request = make_request(set);
    g_autoptr(JsonObject) answer = sign_service_ask(publisher->signer, request, NULL, 0, error);
    JsonNode *node = answer ? json_object_get_member(answer, "answers") : NULL;
    JsonObject *answers = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *text = answer ? get_text(answer, "manifest") : NULL, *signature = get_text(answers, "manifest");
    guint8 digest[SHA256_SIZE];
    gsize size = 0;
    guchar *data = NULL;

    if (!answer)
        return FALSE;
    if (!text || !signature || (publisher->log && !get_text(answer, "proof"))) {
        g_set_error(error, SIGN_SERVICE_ERROR, SIGN_SERVICE_ERROR_REFUSED,
                "The signer gave no manifest, or no proof that it is in its log");
        return FALSE;
    }
    data = g_base64_decode(signature, &size);
    sha256_buffer(text, strlen(text), digest);
    manifest->text = g_strdup(text);
    manifest->proof = g_strdup(get_text(answer, "proof"));
    manifest->key = g_strconcat(get_text(answer, "logKey") ?: "", "\n", NULL);
    manifest->signature = g_bytes_new_take(data, size);
    manifest->digest = hex_encode(digest, sizeof digest);
    return TRUE;
}

/* ---- the set ---- */

static gboolean write_file(
        Publisher *publisher, int directory, const char *name, const void *data, gsize size, GError **error) {
    AUTO_FD fd = -1;

    reach(publisher, "publish.write");
    fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0 || !write_all(fd, data, size) || fsync(fd) < 0)
        return set_errno_error(error, errno, "Cannot write %s", name);
    return TRUE;
}

static gboolean write_text(Publisher *publisher, int directory, const char *name, const char *text, GError **error) {
    return write_file(publisher, directory, name, text, strlen(text), error);
}

static gboolean link_files(Publisher *publisher, int directory, GPtrArray *files, GError **error) {
    for (guint i = 0; files && i < files->len; i++) {
        const PublishFile *file = files->pdata[i];

        if (strchr(file->name, '/') || *file->name == '.') {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s cannot be published", file->name);
            return FALSE;
        }
        if (!store_link(publisher->store, file->digest, directory, file->name, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean link_latest(Publisher *publisher, int directory, const PublishSet *set, GError **error) {
    for (guint i = 0; i < set->files->len; i++) {
        const PublishFile *file = set->files->pdata[i];
        g_autofree char *latest = publish_latest_name(file->name, set->version);

        if (!latest)
            continue;
        reach(publisher, "publish.latest");
        if (symlinkat(file->name, directory, latest) < 0)
            return set_errno_error(error, errno, "Cannot make the link %s", latest);
    }
    return TRUE;
}

/* In every set of CHANNEL, and in what it points to without one: CHANNEL/b leads to the links of its hundredths. */
static gboolean link_buckets(int directory, const char *channel, GError **error) {
    g_autofree char *target = g_strconcat("../../" BUCKETS "/", channel, NULL);

    return symlinkat(target, directory, BUCKET_LINK) == 0 || errno == EEXIST ||
           set_errno_error(error, errno, "Cannot make the link to the buckets of %s", channel);
}

static gboolean fill(
        Publisher *publisher, int directory, const PublishSet *set, const Manifest *manifest, GError **error) {
    g_autofree char *best_before = set->best_before ? g_strconcat("BEST-BEFORE-", set->best_before, NULL) : NULL;
    gsize size = 0;
    const void *signature = g_bytes_get_data(manifest->signature, &size);

    if (!link_files(publisher, directory, set->files, error) || !link_files(publisher, directory, set->former, error) ||
            !link_latest(publisher, directory, set, error) || !link_buckets(directory, set->channel, error) ||
            (best_before && !write_file(publisher, directory, best_before, "", 0, error)) ||
            (manifest->proof && (!write_text(publisher, directory, SUMS ".tlog-proof", manifest->proof, error) ||
                                        !write_text(publisher, directory, SUMS ".log-key", manifest->key, error))) ||
            !write_file(publisher, directory, SUMS ".gpg", signature, size, error) ||
            !write_text(publisher, directory, SUMS, manifest->text, error))
        return FALSE;
    reach(publisher, "publish.sync");
    return fsync(directory) == 0 || set_errno_error(error, errno, "Cannot sync a set");
}

/* Removes the directory NAME of files below PARENT; one that is not there is no error. */
static gboolean remove_set(Publisher *publisher, int parent, const char *name, GError **error) {
    AUTO_FD directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    g_autoptr(GPtrArray) names = NULL;

    if (directory < 0)
        return errno == ENOENT || set_errno_error(error, errno, "Cannot open the set %s", name);
    names = list_directory_at(directory, ".", error);
    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        reach(publisher, "publish.unlink");
        if (unlinkat(directory, names->pdata[i], 0) < 0 && errno != ENOENT)
            return set_errno_error(error, errno, "Cannot remove %s", (const char *) names->pdata[i]);
    }
    reach(publisher, "publish.rmdir");
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 || set_errno_error(error, errno, "Cannot remove the set %s", name);
}

/* Makes the set below SETS, unless it is there. */
static gboolean make_set(
        Publisher *publisher, int sets, const PublishSet *set, const Manifest *manifest, GError **error) {
    g_autofree char *fresh = g_strconcat(".new-", manifest->digest, NULL);
    AUTO_FD directory = -1;

    /* What has its name is whole. */
    if (faccessat(sets, manifest->digest, F_OK, 0) == 0)
        return TRUE;
    if (!remove_set(publisher, sets, fresh, error))
        return FALSE;
    reach(publisher, "publish.mkdir");
    if (mkdirat(sets, fresh, 0755) < 0)
        return set_errno_error(error, errno, "Cannot make a set");
    directory = openat(sets, fresh, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return set_errno_error(error, errno, "Cannot open a set");
    if (!fill(publisher, directory, set, manifest, error))
        return FALSE;
    reach(publisher, "publish.rename");
    if (renameat(sets, fresh, sets, manifest->digest) < 0 || fsync(sets) < 0)
        return set_errno_error(error, errno, "Cannot put the set in place");
    return TRUE;
}

/* ---- links ---- */

/* Lets NAME in DIRECTORY point to TARGET, at once; nothing when it does. TARGET NULL: there is no NAME. */
static gboolean point(int directory, const char *name, const char *target, GError **error) {
    g_autofree char *fresh = g_strconcat(".", name, ".new", NULL);
    char now[PATH_MAX] = "";
    ssize_t size = readlinkat(directory, name, now, sizeof now - 1);

    if (!target)
        return size < 0 || unlinkat(directory, name, 0) == 0 || set_errno_error(error, errno, "Cannot remove %s", name);
    if (size > 0 && strcmp(now, target) == 0)
        return TRUE;
    if (unlinkat(directory, fresh, 0) < 0 && errno != ENOENT)
        return set_errno_error(error, errno, "Cannot remove %s", fresh);
    if (symlinkat(target, directory, fresh) < 0)
        return set_errno_error(error, errno, "Cannot make the link %s", name);
    return renameat(directory, fresh, directory, name) == 0 || set_errno_error(error, errno, "Cannot switch %s", name);
}

/* The directory PATH below DIRECTORY, which is made. */
static int open_made(int directory, const char *path, GError **error) {
    int fd = -1;

    if ((mkdirat(directory, path, 0755) < 0 && errno != EEXIST) ||
            (fd = openat(directory, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
        (void) set_errno_error(error, errno, "Cannot make %s", path);
    return fd;
}

static gboolean switch_buckets(
        Publisher *publisher, int directory, const char *channel, GPtrArray *offers, GError **error) {
    AUTO_FD all = open_made(directory, BUCKETS, error);
    AUTO_FD buckets = all >= 0 ? open_made(all, channel, error) : -1;

    if (buckets < 0)
        return FALSE;
    reach(publisher, "publish.buckets");
    for (int i = 0; i < ROLLOUT_BUCKETS; i++) {
        const RolloutOffer *offer = rollout_choose(offers, i);
        g_autofree char *target = offer ? g_strconcat("../../" SETS "/", offer->digest, NULL) : NULL;
        char name[3] = {(char) ('0' + i / 10), (char) ('0' + i % 10), '\0'};

        if (i == ROLLOUT_BUCKETS / 2)
            reach(publisher, "publish.bucket");
        if (!point(buckets, name, target, error))
            return FALSE;
    }
    return fsync(buckets) == 0 || set_errno_error(error, errno, "Cannot sync the buckets of %s", channel);
}

/* What CHANNEL points to while no version is for all: its hundredths, and nothing else. Owned by the caller. */
static char *make_nothing(int directory, const char *channel, GError **error) {
    AUTO_FD all = open_made(directory, NOTHING, error);
    AUTO_FD nothing = all >= 0 ? open_made(all, channel, error) : -1;

    return nothing >= 0 && link_buckets(nothing, channel, error) ? g_strconcat(NOTHING "/", channel, NULL) : NULL;
}

/* Sets of before there were buckets have no link to them. */
static gboolean complete_sets(int directory, const char *channel, GPtrArray *offers, GError **error) {
    for (guint i = 0; i < offers->len; i++) {
        const RolloutOffer *offer = offers->pdata[i];
        g_autofree char *path = g_strconcat(SETS "/", offer->digest, NULL);
        AUTO_FD set = openat(directory, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (set < 0)
            return set_errno_error(error, errno, "Cannot open the set %s", offer->digest);
        if (!link_buckets(set, channel, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean switch_channel(
        Publisher *publisher, int directory, const char *channel, GPtrArray *offers, GError **error) {
    const RolloutOffer *offer = rollout_choose(offers, ROLLOUT_ALL);
    g_autofree char *target =
            offer ? g_strconcat(SETS "/", offer->digest, NULL) : make_nothing(directory, channel, error);

    reach(publisher, "publish.switch");
    if (!target || !point(directory, channel, target, error))
        return FALSE;
    reach(publisher, "publish.switched");
    return fsync(directory) == 0 || set_errno_error(error, errno, "Cannot sync the channel %s", channel);
}

static char *target_path(Publisher *publisher, const char *space, const char *project, const char *target) {
    return g_build_filename(publisher->directory, space, project, target, NULL);
}

gboolean publisher_prepare(Publisher *publisher, const PublishSet *set, char **ret_digest, GError **error) {
    g_autofree char *path = target_path(publisher, set->space, set->project, set->target);
    g_autofree char *sets_path = g_build_filename(path, SETS, NULL);
    g_auto(Manifest) manifest = {0};
    AUTO_FD sets = -1;

    if (!sign(publisher, set, &manifest, error))
        return FALSE;
    reach(publisher, "publish.directories");
    if (g_mkdir_with_parents(sets_path, 0755) < 0)
        return set_errno_error(error, errno, "Cannot make %s", sets_path);
    sets = open(sets_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sets < 0)
        return set_errno_error(error, errno, "Cannot open %s", sets_path);
    if (!make_set(publisher, sets, set, &manifest, error))
        return FALSE;
    *ret_digest = g_steal_pointer(&manifest.digest);
    return TRUE;
}

gboolean publisher_switch(Publisher *publisher, const PublishPlace *place, GPtrArray *offers, GError **error) {
    g_autofree char *path = target_path(publisher, place->space, place->project, place->target);
    AUTO_FD directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0 && errno == ENOENT && offers->len == 0)
        return TRUE; /* nothing was ever published there */
    if (directory < 0)
        return set_errno_error(error, errno, "Cannot open %s", path);
    return complete_sets(directory, place->channel, offers, error) &&
           switch_buckets(publisher, directory, place->channel, offers, error) &&
           switch_channel(publisher, directory, place->channel, offers, error);
}

char *publisher_current(
        Publisher *publisher, const char *space, const char *project, const char *target, const char *channel) {
    g_autofree char *path = target_path(publisher, space, project, target);
    g_autofree char *link = g_build_filename(path, channel, NULL);
    g_autofree char *text = g_file_read_link(link, NULL);

    return text && g_str_has_prefix(text, SETS "/") ? g_strdup(text + strlen(SETS "/")) : NULL;
}

gboolean publisher_is_fresh(Publisher *publisher, const PublishSet *set, const char *digest) {
    g_autofree char *path = target_path(publisher, set->space, set->project, set->target);
    g_autofree char *name = g_strconcat("BEST-BEFORE-", set->best_before, NULL);
    g_autofree char *file = g_build_filename(path, SETS, digest, name, NULL);

    return !set->best_before || g_file_test(file, G_FILE_TEST_EXISTS);
}

/* Adds the sets that links in PATH point to. */
static void keep_current(const char *path, GHashTable *kept) {
    g_autoptr(GPtrArray) names = list_directory_if_any(path);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *link = g_build_filename(path, names->pdata[i], NULL);
        g_autofree char *text = g_file_read_link(link, NULL);
        const char *found = text ? strstr(text, SETS "/") : NULL;

        if (found)
            g_hash_table_add(kept, g_strdup(found + strlen(SETS "/")));
    }
}

static void keep_buckets(const char *path, GHashTable *kept) {
    g_autofree char *all = g_build_filename(path, BUCKETS, NULL);
    g_autoptr(GPtrArray) channels = list_directory_if_any(all);

    for (guint i = 0; i < channels->len; i++) {
        g_autofree char *buckets = g_build_filename(all, channels->pdata[i], NULL);

        keep_current(buckets, kept);
    }
}

gboolean publisher_prune(Publisher *publisher, const char *space, const char *project, const char *target,
        GHashTable *kept, GError **error) {
    g_autofree char *path = target_path(publisher, space, project, target);
    g_autofree char *sets_path = g_build_filename(path, SETS, NULL);
    g_autoptr(GHashTable) current = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) names = list_directory_if_any(sets_path);
    AUTO_FD sets = open(sets_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    keep_current(path, current);
    keep_buckets(path, current);
    for (guint i = 0; sets >= 0 && i < names->len; i++) {
        const char *name = names->pdata[i];

        if (!g_hash_table_contains(current, name) && !g_hash_table_contains(kept, name) &&
                !remove_set(publisher, sets, name, error))
            return FALSE;
    }
    return TRUE;
}
