/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Releases that people approve. What they sign is written here from what the signer knows, so that an approval of another build,
 * channel, target, project or time is a bad signature. */

#include <string.h>

#include "format/sshsig/sshsig.h"
#include "signer/client/protocol.h"
#include "signer/client/statement.h"
#include "signer/judges/judges.h"
#include "signer/text/error.h"
#include "signer/text/text.h"

/* Where a judge is. */
typedef struct {
    SignerCase *this;
    const SignerChannel *channel;
    SignerStatement statement;
    GHashTable *names; /* a set of those who approved */
    GString *why;      /* why others do not count */
} Judge;

/* The highest version below this one that the channel had and nobody withdrew; NULL: none. */
static const char *find_previous(const SignerCase *this, const SignerIndex *index, const GPtrArray *offers) {
    const SignerRequest *request = this->request;
    const char *found = NULL;

    for (guint i = 0; offers && i < offers->len; i++) {
        const SignerOffer *offer = offers->pdata[i];
        if (strcmp(offer->version, request->version) < 0 && (!found || strcmp(offer->version, found) > 0) &&
                !signer_index_is_withdrawn(index, request->owner, offer->version))
            found = offer->version;
    }
    return found;
}

/* Those who approved the same entries before. */
static void add_known(Judge *judge, const GPtrArray *offers) {
    for (guint i = 0; offers && i < offers->len; i++) {
        const SignerOffer *offer = offers->pdata[i];
        GHashTableIter names;
        gpointer name;

        if (!g_str_equal(offer->version, judge->statement.version) ||
                g_strcmp0(offer->entries, judge->statement.entries) != 0)
            continue;
        g_hash_table_iter_init(&names, offer->approved);
        while (g_hash_table_iter_next(&names, &name, NULL))
            g_hash_table_add(judge->names, g_strdup(name));
    }
}

static const SignerPerson *find_person(const SignerChannel *channel, GBytes *key) {
    for (guint i = 0; i < channel->people->len; i++)
        if (g_bytes_equal(((SignerPerson *) channel->people->pdata[i])->key, key))
            return channel->people->pdata[i];
    return NULL;
}

static void does_not_count(Judge *judge, const char *who, const char *why) {
    g_string_append_printf(judge->why, "; that of %s does not count: %s", who, why);
}

static void judge_approval(Judge *judge, const char *signature, const char *not_after, gint64 until) {
    gint64 left = until - judge->this->time;
    g_autoptr(GBytes) key = sshsig_peek_key(signature, strlen(signature), NULL);
    const SignerPerson *person = key ? find_person(judge->channel, key) : NULL;
    g_autofree char *who = person ? g_strdup(person->name) : key ? sshsig_key_fingerprint(key) : g_strdup("nobody");

    judge->statement.not_after = not_after;
    g_autofree char *text = signer_statement_to_text(&judge->statement);
    if (!person)
        does_not_count(judge, who, key ? "the policy does not name the key" : "it is no signature by a key of SSH");
    else if (left < 0 || left > SIGNER_APPROVAL_DAYS * 24 * 60 * 60)
        does_not_count(judge, who, left < 0 ? "it is over" : "it would be good for too long");
    else if (!sshsig_verify(signature, strlen(signature), person->key, SIGNER_STATEMENT_PURPOSE, text, strlen(text), NULL))
        does_not_count(judge, who, "it is not of this release, or the channel has moved on since");
    else
        g_hash_table_add(judge->names, g_strdup(person->name));
}

static gboolean judge_all(Judge *judge, GError **error) {
    JsonArray *approvals = signer_request_get_array(judge->this->request, "approvals");
    guint n = approvals ? json_array_get_length(approvals) : 0;

    if (n > SIGNER_APPROVALS_MAX)
        return signer_refuse(error, SIGNER_ERROR_MALFORMED, "A manifest has at most %d approvals", SIGNER_APPROVALS_MAX);
    for (guint i = 0; i < n; i++) {
        JsonNode *node = json_array_get_element(approvals, i);
        JsonObject *approval = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        const char *signature = approval ? signer_json_get_string(approval, "signature") : NULL;
        const char *not_after = approval ? signer_json_get_string(approval, "notAfter") : NULL;
        gint64 until = 0;

        if (!signature || !signer_is_version(not_after, &until) || json_object_get_size(approval) != 2)
            return signer_refuse(error, SIGNER_ERROR_MALFORMED, "An approval has a signature and notAfter, 14 digits");
        judge_approval(judge, signature, not_after, until);
    }
    return TRUE;
}

/* In an order that is always the same. */
static JsonArray *list_names(GHashTable *names) {
    g_autoptr(GList) sorted = g_list_sort(g_hash_table_get_keys(names), (GCompareFunc) strcmp);
    JsonArray *list = json_array_new();

    for (const GList *name = sorted; name; name = name->next)
        json_array_add_string_element(list, name->data);
    return list;
}

static gboolean check_enough(const Judge *judge, GError **error) {
    guint n = g_hash_table_size(judge->names);

    return n >= judge->channel->approvals ||
           signer_refuse(error, SIGNER_ERROR_APPROVAL,
                   "Releases of %s to the channel %s need %" G_GUINT64_FORMAT " approvals, and %s has %u%s",
                   judge->this->request->owner, judge->channel->name, judge->channel->approvals,
                   judge->statement.version, n, judge->why->str);
}

gboolean signer_compare_approvals(SignerCase *this, const SignerIndex *index, GError **error) {
    const SignerRequest *request = this->request;
    const char *name = json_object_get_string_member(this->facts, "channel");
    const SignerChannel *channel = signer_policy_find_channel(this->policy, name);
    const GPtrArray *offers = signer_index_get_offers(index, request->owner, request->target, name);
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) why = g_string_new(NULL);
    g_autoptr(Certificate) certificate = NULL;

    if (!channel || channel->approvals == 0)
        return TRUE;
    certificate = signer_keys_open_certificate(this->keys, this->policy, request->owner, SIGNER_PURPOSE_MANIFEST, error);
    if (!certificate)
        return FALSE;
    Judge judge = {.this = this, .channel = channel, .names = names, .why = why};
    judge.statement = (SignerStatement){.instance = certificate_get_fingerprint(certificate),
            .project = request->owner,
            .target = request->target,
            .channel = name,
            .version = request->version,
            .entries = json_object_get_string_member(this->facts, "entries"),
            .previous = find_previous(this, index, offers)};
    add_known(&judge, offers);
    if (!judge_all(&judge, error) || !check_enough(&judge, error))
        return FALSE;
    json_object_set_array_member(this->facts, "approvals", list_names(names));
    return TRUE;
}
