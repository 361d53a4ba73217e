/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verify/release.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/io.h"
#include "format/tlog/tlog-proof.h"
#include "signer/client/leaf.h"
#include "verify/log-view.h"

#define SUMS "SHA256SUMS"
#define SUMS_MAX (1024 * 1024)
#define KEY_MAX 4096
#define BEST_BEFORE "BEST-BEFORE-"
/* From a channel up to the directory that has the log: CHANNEL, TARGET, PROJECT, NAMESPACE. */
#define LEVELS_ABOVE 4

typedef struct {
    const VerifyOptions *options;
    char *only;             /* the one file that counts, or NULL */
    Place *place, *log;     /* LOG: NULL when there is none */
    TlogVerifier verifier;
    TlogCheckpoint proved;  /* by the proof beside the manifest */
    LogView *view;          /* or NULL */
    char *manifest;
    JsonObject *leaf, *report;
} Verifying;

static void verifying_clear(Verifying *this) {
    g_free(this->only);
    place_free(this->place);
    log_view_free(this->view);
    place_free(this->log);
    tlog_verifier_clear(&this->verifier);
    tlog_checkpoint_clear(&this->proved);
    g_free(this->manifest);
    g_clear_pointer(&this->leaf, json_object_unref);
    g_clear_pointer(&this->report, json_object_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Verifying, verifying_clear)

static gboolean bad(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean bad(GError **error, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, VERIFY_ERROR, VERIFY_ERROR_BAD, text);
    return FALSE;
}

static const char *get_text(JsonObject *object, const char *name) {
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node)
                                                                                                  : NULL;
}

/* ---- where things are ---- */

static gboolean is_url(const char *address) {
    return g_str_has_prefix(address, "http://") || g_str_has_prefix(address, "https://");
}

/* The address above ADDRESS, or NULL. */
static char *go_up(const char *address, guint levels) {
    g_autofree char *text = g_strdup(address);

    for (guint i = 0; i < levels; i++) {
        char *slash = strrchr(text, '/');
        if (!slash || slash == text || slash[-1] == '/')
            return NULL;
        *slash = '\0';
    }
    return g_steal_pointer(&text);
}

/* Whether ADDRESS is of one file, whose name is NAME, and not of a directory: a server's are told apart by the dot. */
static gboolean names_file(const char *address, const char *name) {
    return is_url(address) ? strchr(name, '.') || g_str_equal(name, SUMS) : !g_file_test(address, G_FILE_TEST_IS_DIR);
}

/* A channel has a manifest; what has none beside or in it is nothing that can be verified. */
static gboolean find_place(Verifying *this, GError **error) {
    g_autofree char *address = g_strdup(this->options->address);

    while (g_str_has_suffix(address, "/") && address[1])
        address[strlen(address) - 1] = '\0';
    const char *slash = strrchr(address, '/');
    const char *name = slash ? slash + 1 : address;
    gboolean is_file = names_file(address, name);
    if (is_file && !g_str_equal(name, SUMS))
        this->only = g_strdup(name);
    g_autofree char *directory = !is_file ? g_strdup(address) : slash ? g_strndup(address, (gsize) (slash - address)) : g_strdup(".");
    g_autofree char *channel = g_strdup(directory);
    gsize n = strlen(channel);
    /* A bucket of a rollout (CHANNEL/b/42) lies in its channel. */
    if (n > 5 && g_str_has_prefix(channel + n - 5, "/b/") && g_ascii_isdigit(channel[n - 2]) && g_ascii_isdigit(channel[n - 1]))
        channel[n - 5] = '\0';
    g_autofree char *above = is_url(address) ? go_up(channel, LEVELS_ABOVE) : NULL;
    g_autofree char *log = this->options->log ? g_strdup(this->options->log) : above ? g_strconcat(above, "/log", NULL) : NULL;
    return (this->place = place_new(directory, error)) && (!log || (this->log = place_new(log, error)));
}

/* The key that was given, or the one that the log shows, when it has the fingerprint that was given. */
static gboolean find_key(Verifying *this, GError **error) {
    const char *key = this->options->key;
    g_autoptr(GBytes) shown = NULL;

    if (strchr(key, '+'))
        return tlog_verifier_parse(key, &this->verifier, error);
    if (!hex_is_lower(key, SHA256_HEX_SIZE))
        return bad(error, "%s is neither a fingerprint (64 lower-case hexadecimal digits) nor a key (NAME+HASH+BASE64) of a log", key);
    if (!(shown = place_fetch(this->log ?: this->place, this->log ? "key" : SUMS ".log-key", KEY_MAX, error)))
        return FALSE;
    g_autofree char *text = g_strndup(g_bytes_get_data(shown, NULL) ?: "", g_bytes_get_size(shown));
    if (!tlog_verifier_parse(g_strchomp(text), &this->verifier, error))
        return FALSE;
    g_autofree char *fingerprint = tlog_verifier_get_fingerprint(&this->verifier);
    return g_str_equal(fingerprint, key) ||
           bad(error, "The key of this log has the fingerprint %s, not %s: it is the log of somebody else", fingerprint, key);
}

/* ---- from the key to the manifest ---- */

static gboolean check_proof(Verifying *this, const TlogProof *proof, GError **error) {
    gsize size = 0;
    const char *line = proof->extra ? g_bytes_get_data(proof->extra, &size) : NULL;
    g_autoptr(GBytes) entry = line ? signer_leaf_entry(line, size, &this->leaf, error) : NULL;

    if (!line)
        return bad(error, "it does not say which entry it is about");
    return entry && tlog_proof_check(proof, g_bytes_get_data(entry, NULL), g_bytes_get_size(entry), &this->verifier,
                            &this->proved, error);
}

static gboolean load_manifest(Verifying *this, GError **error) {
    g_autoptr(GBytes) manifest = place_fetch(this->place, SUMS, SUMS_MAX, error);
    g_autoptr(GBytes) text = manifest ? place_fetch(this->place, SUMS ".tlog-proof", TLOG_PROOF_SIZE_MAX, error) : NULL;
    g_auto(TlogProof) proof = {0};
    guint8 digest[SHA256_SIZE];

    if (!text)
        return FALSE;
    sha256_buffer(g_bytes_get_data(manifest, NULL), g_bytes_get_size(manifest), digest);
    g_autofree char *hex = hex_encode(digest, sizeof digest);
    if (!tlog_proof_parse(g_bytes_get_data(text, NULL) ?: "", g_bytes_get_size(text), &proof, error) ||
            !check_proof(this, &proof, error)) {
        g_autofree char *what = place_describe(this->place, SUMS ".tlog-proof");
        g_prefix_error(error, "%s: ", what);
        return FALSE;
    }
    JsonNode *facts = json_object_get_member(this->leaf, "facts");
    const char *logged = facts && JSON_NODE_HOLDS_OBJECT(facts) ? get_text(json_node_get_object(facts), "manifest") : NULL;
    if (g_strcmp0(get_text(this->leaf, "type"), "manifest") != 0 || g_strcmp0(logged, hex) != 0)
        return bad(error,
                "The manifest has the digest %s, and what the signer logged is %s: it is not the one that was signed", hex,
                logged ?: "no manifest");
    this->manifest = g_strndup(g_bytes_get_data(manifest, NULL) ?: "", g_bytes_get_size(manifest));
    json_object_set_string_member(this->report, "manifest", hex);
    json_object_set_string_member(this->report, "channel", get_text(json_node_get_object(facts), "channel") ?: "");
    json_object_set_int_member(this->report, "leaf", (gint64) proof.index);
    return TRUE;
}

/* Who asked for the manifest, as the signer's log has it. */
static void report_leaf(Verifying *this) {
    static const char *const names[] = {"namespace", "project", "target"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        json_object_set_string_member(this->report, names[i], get_text(this->leaf, names[i]) ?: "");
    json_object_set_string_member(this->report, "version", get_text(this->leaf, "imageVersion") ?: "");
    json_object_set_int_member(this->report, "time", json_object_get_int_member_with_default(this->leaf, "time", 0));
    json_object_set_string_member(this->report, "log", this->verifier.name);
}

/* ---- the log ---- */

static gboolean save(const char *path, const char *note, GError **error) {
    g_autofree char *fresh = g_strconcat(path, ".new", NULL);
    AUTO_FD fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

    return (fd >= 0 && write_all(fd, note, strlen(note)) && rename(fresh, path) == 0) ||
           set_errno_error(error, errno, "Cannot write %s", path);
}

/* Without the log, only what is the same is known to continue the other. */
static gboolean check_remembered(Verifying *this, const TlogCheckpoint *former, GError **error) {
    if (this->view)
        return log_view_check_former(this->view, former, error);
    if (former->size == this->proved.size)
        return tlog_hash_equal(&former->root, &this->proved.root) ||
               bad(error, "The log of the proof is not the one of %s: entries were removed, changed or put elsewhere",
                       this->options->checkpoint);
    return bad(error, "%s speaks of another time than the proof, so the log is needed to compare them: --log=",
            this->options->checkpoint);
}

static gboolean check_checkpoint_file(Verifying *this, GError **error) {
    const char *path = this->options->checkpoint;
    g_autofree char *text = NULL;
    g_auto(TlogCheckpoint) former = {NULL};
    g_autoptr(GError) problem = NULL;
    gsize size = 0;

    if (!path)
        return TRUE;
    if (!g_file_get_contents(path, &text, &size, &problem)) {
        if (g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&problem));
        return FALSE;
    }
    if (!tlog_checkpoint_open(text, size, &this->verifier, &former, error)) {
        g_prefix_error(error, "%s: ", path);
        return FALSE;
    }
    json_object_set_int_member(this->report, "remembered", (gint64) former.size);
    return check_remembered(this, &former, error);
}

static gboolean check_log(Verifying *this, GError **error) {
    if (this->log && !(this->view = log_view_new(this->log, &this->verifier, error)))
        return FALSE;
    if (this->view && !log_view_check_former(this->view, &this->proved, error)) {
        g_prefix_error(error, "The proof of the manifest is of another log than the one that is shown: ");
        return FALSE;
    }
    if (!check_checkpoint_file(this, error))
        return FALSE;
    if (this->options->whole_log && !this->view)
        return bad(error, "There is no log to read: --log=");
    if (this->options->whole_log && !log_view_check_entries(this->view, error))
        return FALSE;
    json_object_set_int_member(
            this->report, "entries", (gint64) (this->view ? log_view_get_checkpoint(this->view)->size : this->proved.size));
    return TRUE;
}

/* ---- from the manifest to the files ---- */

static gboolean check_date(Verifying *this, const char *name, GError **error) {
    g_autofree char *day = g_strconcat(name + strlen(BEST_BEFORE), "T23:59:59Z", NULL);
    g_autoptr(GDateTime) end = g_date_time_new_from_iso8601(day, NULL);

    if (!end)
        return bad(error, "%s names no day", name);
    json_object_set_string_member(this->report, "bestBefore", name + strlen(BEST_BEFORE));
    return g_date_time_to_unix(end) >= this->options->now ||
           bad(error, "The manifest is stale: it was good until %s, so somebody may hold newer versions back",
                   name + strlen(BEST_BEFORE));
}

static gboolean check_file(Verifying *this, const char *digest, const char *name, JsonArray *files, GError **error) {
    guint8 found[SHA256_SIZE];
    guint64 size = 0;

    if (!place_digest(this->place, name, found, &size, error))
        return FALSE;
    g_autofree char *hex = hex_encode(found, sizeof found);
    if (!g_str_equal(hex, digest))
        return bad(error, "%s has the digest %s, and the manifest says %s: it was changed, or is not loaded to its end", name, hex,
                digest);
    JsonObject *file = json_object_new();
    json_object_set_string_member(file, "name", name);
    json_object_set_string_member(file, "sha256", hex);
    json_object_set_int_member(file, "size", (gint64) size);
    json_array_add_object_element(files, file);
    return TRUE;
}

static gboolean check_line(Verifying *this, const char *line, JsonArray *files, GError **error) {
    gboolean good = strlen(line) > SHA256_HEX_SIZE + 2 && line[SHA256_HEX_SIZE] == ' ' && line[SHA256_HEX_SIZE + 1] == '*';
    g_autofree char *digest = good ? g_strndup(line, SHA256_HEX_SIZE) : NULL;
    const char *name = good ? line + SHA256_HEX_SIZE + 2 : NULL;

    if (!good || !hex_is_lower(digest, SHA256_HEX_SIZE) || strchr(name, '/') || *name == '.')
        return bad(error, "The manifest has a line that names no file: %.80s", line);
    if (g_str_has_prefix(name, BEST_BEFORE))
        return check_date(this, name, error);
    return (this->only && !g_str_equal(this->only, name)) || check_file(this, digest, name, files, error);
}

static gboolean check_files(Verifying *this, GError **error) {
    JsonArray *files = json_array_new();
    g_auto(GStrv) lines = g_strsplit(this->manifest, "\n", -1);

    json_object_set_array_member(this->report, "files", files);
    for (char **line = lines; *line; line++)
        if (**line && !check_line(this, *line, files, error))
            return FALSE;
    if (json_array_get_length(files) > 0)
        return TRUE;
    return this->only ? bad(error, "The manifest does not name %s", this->only) : bad(error, "The manifest names no file");
}

JsonObject *verify_release(const VerifyOptions *options, GError **error) {
    g_auto(Verifying) this = {.options = options, .report = json_object_new()};

    if (!find_place(&this, error) || !find_key(&this, error) || !load_manifest(&this, error))
        return NULL;
    report_leaf(&this);
    if (!check_log(&this, error) || !check_files(&this, error))
        return NULL;
    /* Only what is good is remembered. */
    if (this.view && options->checkpoint && !save(options->checkpoint, log_view_get_note(this.view), error))
        return NULL;
    return g_steal_pointer(&this.report);
}
