/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SHA256SUMS: what a channel offers. Target and channel are in each name, so that devices of another one
 * find nothing. */

#include <string.h>

#include "format/openpgp/openpgp.h"
#include "signer/client/protocol.h"
#include "signer/judges/judges.h"
#include "signer/text/error.h"
#include "signer/text/text.h"

/* The name that systemd-sysupdate knows, and the digest of the empty file, which it is. */
#define BEST_BEFORE "BEST-BEFORE-"
#define EMPTY_DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define BEST_BEFORE_DAYS_MAX 31
#define VERSION_LENGTH 14

/* Where a judge is. */
typedef struct {
    SignerCase *this;
    char *prefix;
    GString *text;
    GHashTable *seen;
    gboolean has_version; /* a file of this version is among them */
} Judge;

/* systemd-sysupdate takes what it finds in a name for a version, so each begins with that: "IMAGE_ID_VERSION", behind
 * target and channel. Owned by NAME; NULL with ERROR set when it is not so. */
static const char *find_version(const Judge *judge, const char *name, GError **error) {
    const char *version = judge->this->request->version;
    g_autofree char *start = g_strdup_printf("%s%s_", judge->prefix, judge->this->target->image_id);
    const char *found = name + strlen(start);

    if (!g_str_has_prefix(name, start) || strspn(found, "0123456789") != VERSION_LENGTH ||
            (found[VERSION_LENGTH] && !strchr("._-+", found[VERSION_LENGTH]))) {
        signer_refuse(error, SIGNER_ERROR_CONTENT, "%s does not begin with %s and a version", name, start);
        return NULL;
    }
    if (strncmp(found, version, VERSION_LENGTH) > 0) {
        signer_refuse(error, SIGNER_ERROR_VERSION, "%s is newer than %s, the version of this manifest", name, version);
        return NULL;
    }
    return found;
}

/* Programs are known to the log by the digests of their files. */
static gboolean check_program(Judge *judge, const char *name, const char *version, const char *digest, GError **error) {
    g_autofree char *lower = g_ascii_strdown(name, -1);

    if (g_str_has_suffix(lower, ".efi"))
        g_ptr_array_add(judge->this->programs, g_strdup_printf("%s %.*s %s", digest, VERSION_LENGTH, version, name));
    else if (strstr(lower, ".efi."))
        return signer_refuse(error, SIGNER_ERROR_CONTENT,
                "%s is a program that is compressed or renamed, so that nobody can tell whether it was "
                "signed here; "
                "publish it as it is",
                name);
    return TRUE;
}

static gboolean judge_entry(Judge *judge, JsonNode *node, GError **error) {
    JsonObject *entry = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *name = entry ? signer_json_get_string(entry, "name") : NULL;
    const char *digest = entry ? signer_json_get_string(entry, "sha256") : NULL;

    if (!name || !digest || json_object_get_size(entry) != 2 || !signer_is_digest(digest))
        return signer_refuse(error, SIGNER_ERROR_MALFORMED, "An entry has a name and its sha256, and nothing else");
    if (!signer_is_file_name(name))
        return signer_refuse(
                error, SIGNER_ERROR_CONTENT, "An entry is called what no file is called that is published");
    if (!g_str_has_prefix(name, judge->prefix) || !signer_is_file_name(name + strlen(judge->prefix)))
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s does not begin with %s, so it is not of this channel",
                name, judge->prefix);
    if (!g_hash_table_add(judge->seen, (char *) name))
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s is there twice", name);
    g_string_append_printf(judge->text, "%s *%s\n", digest, name);
    const char *version = find_version(judge, name, error);
    if (!version)
        return FALSE;
    g_hash_table_add(judge->this->versions, g_strndup(version, VERSION_LENGTH));
    judge->has_version = judge->has_version || strncmp(version, judge->this->request->version, VERSION_LENGTH) == 0;
    return check_program(judge, name, version, digest, error);
}

static gboolean judge_best_before(Judge *judge, GError **error) {
    const SignerCase *this = judge->this;
    const char *date = signer_request_get_string(this->request, "bestBefore");

    if (!json_object_has_member(this->request->json, "bestBefore"))
        return TRUE;
    gboolean good = date && strlen(date) == 10 && date[4] == '-' && date[7] == '-';
    g_autofree char *version = good ? g_strdup_printf("%.4s%.2s%.2s000000", date, date + 5, date + 8) : NULL;
    gint64 when = 0;
    if (!signer_is_version(version, &when))
        return signer_refuse(error, SIGNER_ERROR_MALFORMED, "bestBefore is a day, like 2026-11-29");
    gint64 days = (when - this->time) / (24 * 60 * 60);
    if (days < -1 || days > BEST_BEFORE_DAYS_MAX)
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "bestBefore=%s is past, or more than %d days ahead", date,
                BEST_BEFORE_DAYS_MAX);
    g_string_append_printf(judge->text, EMPTY_DIGEST " *" BEST_BEFORE "%s\n", date);
    return TRUE;
}

static gboolean judge_entries(Judge *judge, GError **error) {
    SignerCase *this = judge->this;
    JsonArray *entries = signer_request_get_array(this->request, "entries");
    guint n = json_array_get_length(entries);

    if (n == 0 || n > SIGNER_ENTRIES_MAX)
        return signer_refuse(error, SIGNER_ERROR_MALFORMED, "A manifest has 1 to %d entries", SIGNER_ENTRIES_MAX);
    for (guint i = 0; i < n; i++)
        if (!judge_entry(judge, json_array_get_element(entries, i), error))
            return FALSE;
    if (!judge->has_version)
        return signer_refuse(
                error, SIGNER_ERROR_VERSION, "No file of the manifest is of its version %s", this->request->version);
    g_autofree char *digest = signing_digest(judge->text->str, judge->text->len);
    json_object_set_string_member(this->facts, "entries", digest);
    return judge_best_before(judge, error);
}

gboolean signer_judge_manifest(SignerCase *this, GError **error) {
    const char *channel = signer_request_get_string(this->request, "channel");
    g_autofree char *prefix = g_strdup_printf("%s.%s.", this->request->target, channel);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    Judge judge = {this, prefix, text, seen, FALSE};

    if (!judge_entries(&judge, error))
        return FALSE;
    g_autofree char *digest = signing_digest(text->str, text->len);
    this->text = g_strdup(text->str);
    json_object_set_string_member(this->facts, "channel", channel);
    json_object_set_string_member(this->facts, "manifest", digest);
    return TRUE;
}

gboolean signer_check_withdrawn(SignerCase *this, const SignerIndex *index, GError **error) {
    GHashTableIter versions;
    gpointer version;

    g_hash_table_iter_init(&versions, this->versions);
    while (g_hash_table_iter_next(&versions, &version, NULL))
        if (signer_index_is_withdrawn(index, this->request->owner, version))
            return signer_refuse(error, SIGNER_ERROR_VERSION, "%s of %s was withdrawn, and is never signed again",
                    (const char *) version, this->request->owner);
    return TRUE;
}

/* A version below HIGHEST: what was signed before is signed anew, for those devices that a rollout has not reached. */
static gboolean check_again(
        SignerCase *this, const SignerIndex *index, const GPtrArray *offers, const char *highest, GError **error) {
    const SignerRequest *request = this->request;
    const char *channel = json_object_get_string_member(this->facts, "channel");
    const char *entries = json_object_get_string_member(this->facts, "entries");
    gboolean known = FALSE;

    for (guint i = 0; i < offers->len; i++) {
        const SignerOffer *offer = offers->pdata[i];
        gboolean over = this->time - offer->first > SIGNER_ROLLOUT_DAYS * 24 * 60 * 60;

        known = known || (g_str_equal(offer->version, request->version) && g_strcmp0(offer->entries, entries) == 0);
        if (over && strcmp(offer->version, request->version) > 0 &&
                !signer_index_is_withdrawn(index, request->owner, offer->version))
            return signer_refuse(error, SIGNER_ERROR_VERSION,
                    "The channel %s of %s has version %s for more than %d days; %s would be a step back. Withdraw it, or "
                    "publish a newer one",
                    channel, request->target, offer->version, SIGNER_ROLLOUT_DAYS, request->version);
    }
    return known || signer_refuse(error, SIGNER_ERROR_VERSION,
                            "The channel %s of %s is at version %s already; %s would be a step back", channel,
                            request->target, highest, request->version);
}

static gboolean compare_version(SignerCase *this, const SignerIndex *index, GError **error) {
    const SignerRequest *request = this->request;
    const char *channel = json_object_get_string_member(this->facts, "channel");
    const GPtrArray *offers = signer_index_get_offers(index, request->owner, request->target, channel);
    const char *highest = NULL;

    for (guint i = 0; offers && i < offers->len; i++) {
        const SignerOffer *offer = offers->pdata[i];
        highest = !highest || strcmp(offer->version, highest) > 0 ? offer->version : highest;
    }
    return !highest || strcmp(request->version, highest) >= 0 || check_again(this, index, offers, highest, error);
}

gboolean signer_compare_manifest(SignerCase *this, const SignerIndex *index, GError **error) {
    const SignerRequest *request = this->request;

    if (!compare_version(this, index, error))
        return FALSE;
    for (guint i = 0; i < this->programs->len; i++) {
        g_auto(GStrv) words = g_strsplit(this->programs->pdata[i], " ", 3);
        const char *version = signer_index_find_file(index, request->owner, request->target, words[0]);
        if (g_strcmp0(version, words[1]) != 0)
            return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s is no program that was signed as this version of %s",
                    words[2], request->target);
    }
    return signer_compare_approvals(this, index, error);
}

/* ---- signing ---- */

typedef struct {
    SignerCase *this;
    SignerPair pair;
} Desk;

static GBytes *sign(gpointer user, const void *data, gsize size, GError **error) {
    Desk *desk = user;
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    return signer_case_sign_bytes(desk->this, &desk->pair, SIGNER_PURPOSE_MANIFEST, "manifest", bytes, error);
}

static GBytes *make_packet(Desk *desk, GError **error) {
    g_autoptr(KeySource) key = key_source_new_elsewhere(key_source_peek(desk->pair.key), "manifest", sign, desk);
    g_autoptr(OpenpgpKey) openpgp = openpgp_key_new_for_certificate(key, desk->pair.certificate, error);
    g_autoptr(OpenpgpSignature) signature = openpgp ? openpgp_signature_new(openpgp) : NULL;

    if (!signature)
        return NULL;
    openpgp_signature_update(signature, desk->this->text, strlen(desk->this->text));
    return openpgp_signature_finish(signature, MAX(desk->this->time, openpgp_key_get_created(openpgp)), error);
}

gboolean signer_sign_manifest(SignerCase *this, GError **error) {
    Desk desk = {.this = this};
    g_autoptr(GBytes) packet = NULL;

    if (signer_keys_open(this->keys, this->policy, this->request->owner, SIGNER_PURPOSE_MANIFEST, &desk.pair, error))
        packet = make_packet(&desk, error);
    signer_pair_clear(&desk.pair);
    if (!packet)
        return FALSE;
    signer_case_answer(this, "manifest", packet);
    json_object_set_string_member(this->extra, "manifest", this->text);
    return TRUE;
}
