/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/log/index.h"

#include <string.h>

#include "signer/client/leaf.h"
#include "signer/request/request.h"
#include "signer/text/error.h"
#include "signer/text/text.h"

#define HOUR 3600
/* Between the parts of a key; in none of them. */
#define SEPARATOR "\n"

/* Signatures that were made at a time. */
typedef struct {
    gint64 time;
    gint64 n;
} Made;

struct SignerIndex {
    GHashTable *requests;  /* project, ID -> SignerAnswered */
    GHashTable *roots;     /* a set of project, target, job, root hash */
    GHashTable *files;     /* project, target, digest -> version */
    GHashTable *programs;  /* project, digest -> version */
    GHashTable *policies;  /* project, name -> gint64 */
    GHashTable *offers;    /* project, target, channel -> GPtrArray of SignerOffer */
    GHashTable *withdrawn; /* a set of project, version */
    GHashTable *firsts;    /* project -> (name -> digest) */
    GHashTable *made;      /* project -> GArray of Made, by time */
    GHashTable *created;   /* a set of projects */
};

static void answered_free(gpointer data) {
    g_free(((SignerAnswered *) data)->trusted);
    g_free(data);
}

static void offer_free(gpointer data) {
    SignerOffer *offer = data;

    g_free(offer->version);
    g_free(offer->entries);
    g_hash_table_unref(offer->approved);
    g_free(offer);
}

static GHashTable *table(GDestroyNotify free_value) {
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_value);
}

SignerIndex *signer_index_new(void) {
    SignerIndex *index = g_new0(SignerIndex, 1);

    index->requests = table(answered_free);
    index->roots = table(NULL);
    index->files = table(g_free);
    index->programs = table(g_free);
    index->policies = table(g_free);
    index->offers = table((GDestroyNotify) g_ptr_array_unref);
    index->withdrawn = table(NULL);
    index->firsts = table((GDestroyNotify) g_hash_table_unref);
    index->made = table((GDestroyNotify) g_array_unref);
    index->created = table(NULL);
    return index;
}

void signer_index_free(SignerIndex *index) {
    if (!index)
        return;
    g_hash_table_unref(index->requests);
    g_hash_table_unref(index->roots);
    g_hash_table_unref(index->files);
    g_hash_table_unref(index->programs);
    g_hash_table_unref(index->policies);
    g_hash_table_unref(index->offers);
    g_hash_table_unref(index->withdrawn);
    g_hash_table_unref(index->firsts);
    g_hash_table_unref(index->made);
    g_hash_table_unref(index->created);
    g_free(index);
}

static char *join(const char *a, const char *b, const char *c) {
    return g_strjoin(SEPARATOR, a, b, c, NULL);
}

/* Versions are digits of one length. */
static void raise_version(GHashTable *versions, char *key, const char *version) {
    const char *old = g_hash_table_lookup(versions, key);

    if (old && strcmp(old, version) >= 0)
        g_free(key);
    else
        g_hash_table_insert(versions, key, g_strdup(version));
}

/* ---- adding ---- */

/* What all leaves have. Owned by LEAF but for PROJECT. */
typedef struct {
    SignerType type;
    char *project;
    const char *id, *digest, *target, *job, *version;
    gint64 n, time;
    guint n_signatures;
    JsonObject *facts;
} Leaf;

static void leaf_clear(Leaf *leaf) {
    g_free(leaf->project);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Leaf, leaf_clear)

static gboolean read_leaf(JsonObject *object, Leaf *ret, GError **error) {
    const char *namespace = signer_json_get_string(object, "namespace");
    const char *project = signer_json_get_string(object, "project");
    int type = signer_type_from_string(signer_json_get_string(object, "type"));
    JsonNode *signatures = json_object_get_member(object, "signatures");
    JsonNode *facts = json_object_get_member(object, "facts");

    *ret = (Leaf){
            .type = (SignerType) type,
            .id = signer_json_get_string(object, "id"),
            .digest = signer_json_get_string(object, "request"),
            .target = signer_json_get_string(object, "target"),
            .job = signer_json_get_string(object, "job"),
            .version = signer_json_get_string(object, "imageVersion"),
            .n = signer_json_get_number(object, "n"),
            .time = signer_json_get_number(object, "time"),
    };
    gint64 version = signer_json_get_number(object, "version");
    if (version < 1 || version > SIGNER_LEAF_VERSION)
        return signer_refuse(error, SIGNER_ERROR_FAILED, "it is of a newer version of particleos-signer");
    if (type < 0 || type >= SIGNER_CERTIFICATES || !signer_is_name(namespace) || !signer_is_name(project) || !ret->id ||
            !signer_is_digest(ret->digest) || ret->time < 0 || !signatures || !JSON_NODE_HOLDS_ARRAY(signatures) ||
            !facts || !JSON_NODE_HOLDS_OBJECT(facts))
        return signer_refuse(error, SIGNER_ERROR_FAILED, "a member that it has to have is missing");
    if (type == SIGNER_WITHDRAW && !signer_is_version(ret->version, NULL))
        return signer_refuse(error, SIGNER_ERROR_FAILED, "it names no version");
    if (type != SIGNER_CREATE && type != SIGNER_TARGET && type != SIGNER_WITHDRAW &&
            (!signer_is_name(ret->target) || !signer_is_id(ret->job, 64) || !signer_is_version(ret->version, NULL)))
        return signer_refuse(error, SIGNER_ERROR_FAILED, "it names no target, job and version");
    ret->facts = json_node_get_object(facts);
    ret->n_signatures = json_array_get_length(json_node_get_array(signatures));
    ret->project = g_strdup_printf("%s/%s", namespace, project);
    return TRUE;
}

static gboolean missing(GError **error, const char *name) {
    return signer_refuse(error, SIGNER_ERROR_FAILED, "its fact '%s' is missing", name);
}

static gboolean add_verity(SignerIndex *index, const Leaf *leaf, GError **error) {
    const char *hash = signer_json_get_string(leaf->facts, "rootHash");

    if (!hash)
        return missing(error, "rootHash");
    g_autofree char *place = join(leaf->project, leaf->target, leaf->job);
    g_hash_table_add(index->roots, join(place, hash, NULL));
    return TRUE;
}

static gboolean add_program(SignerIndex *index, const Leaf *leaf, GError **error) {
    const char *file = signer_json_get_string(leaf->facts, "file");
    const char *digest = signer_json_get_string(leaf->facts, "authenticode");
    const char *trusted = signer_json_get_string(leaf->facts, "trusted");
    const char *name = signer_json_get_string(leaf->facts, "name");

    if (!signer_is_digest(file) || !signer_is_digest(digest))
        return missing(error, "file");
    raise_version(index->files, join(leaf->project, leaf->target, file), leaf->version);
    raise_version(index->programs, join(leaf->project, digest, NULL), leaf->version);
    if (!trusted)
        return TRUE;
    if (!name)
        return missing(error, "name");
    GHashTable *firsts = g_hash_table_lookup(index->firsts, leaf->project);
    if (!firsts)
        g_hash_table_insert(index->firsts, g_strdup(leaf->project), firsts = table(g_free));
    g_hash_table_insert(firsts, g_strdup(name), g_strdup(trusted));
    return TRUE;
}

static gboolean add_policy(SignerIndex *index, const Leaf *leaf, GError **error) {
    const char *name = signer_json_get_string(leaf->facts, "policyName");
    gint64 version = signer_json_get_number(leaf->facts, "policyNumber");

    if (!name || version < 0)
        return missing(error, "policyName");
    if (version > signer_index_get_policy_version(index, leaf->project, name))
        g_hash_table_insert(index->policies, join(leaf->project, name, NULL), g_memdup2(&version, sizeof version));
    return TRUE;
}

/* That of VERSION among OFFERS, which is made. */
static SignerOffer *find_offer(GPtrArray *offers, const Leaf *leaf) {
    SignerOffer *offer = NULL;

    for (guint i = 0; i < offers->len; i++)
        if (g_str_equal(((SignerOffer *) offers->pdata[i])->version, leaf->version))
            return offers->pdata[i];
    offer = g_new0(SignerOffer, 1);
    offer->version = g_strdup(leaf->version);
    offer->first = leaf->time;
    offer->approved = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_ptr_array_add(offers, offer);
    return offer;
}

/* Who approved what LEAF lists, besides those who approved the same before. */
static void add_approvals(SignerOffer *offer, const Leaf *leaf) {
    JsonNode *node = json_object_get_member(leaf->facts, "approvals");
    JsonArray *names = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    for (guint i = 0; names && i < json_array_get_length(names); i++) {
        JsonNode *name = json_array_get_element(names, i);
        if (json_node_get_value_type(name) == G_TYPE_STRING)
            g_hash_table_add(offer->approved, g_strdup(json_node_get_string(name)));
    }
}

static gboolean add_manifest(SignerIndex *index, const Leaf *leaf, GError **error) {
    const char *channel = signer_json_get_string(leaf->facts, "channel");
    const char *entries = signer_json_get_string(leaf->facts, "entries");

    if (!channel)
        return missing(error, "channel");
    g_autofree char *key = join(leaf->project, leaf->target, channel);
    GPtrArray *offers = g_hash_table_lookup(index->offers, key);
    if (!offers)
        g_hash_table_insert(
                index->offers, g_steal_pointer(&key), offers = g_ptr_array_new_with_free_func(offer_free));
    SignerOffer *offer = find_offer(offers, leaf);
    if (g_strcmp0(offer->entries, entries) != 0)
        g_hash_table_remove_all(offer->approved);
    g_free(offer->entries);
    offer->entries = g_strdup(entries);
    add_approvals(offer, leaf);
    return TRUE;
}

static void add_request(SignerIndex *index, const Leaf *leaf) {
    SignerAnswered *answered = g_new0(SignerAnswered, 1);

    answered->n = leaf->n;
    g_strlcpy(answered->digest, leaf->digest, sizeof answered->digest);
    answered->time = leaf->time;
    answered->trusted = g_strdup(signer_json_get_string(leaf->facts, "trusted"));
    g_hash_table_insert(index->requests, join(leaf->project, leaf->id, NULL), answered);
}

static void count(SignerIndex *index, const Leaf *leaf) {
    GArray *made = g_hash_table_lookup(index->made, leaf->project);
    Made some = {leaf->time, leaf->n_signatures};
    guint old = 0;

    if (!made)
        g_hash_table_insert(index->made, g_strdup(leaf->project), made = g_array_new(FALSE, FALSE, sizeof(Made)));
    while (old < made->len && g_array_index(made, Made, old).time <= leaf->time - HOUR)
        old++;
    if (old > 0)
        g_array_remove_range(made, 0, old);
    g_array_append_val(made, some);
}

gboolean signer_index_add(SignerIndex *index, JsonObject *object, GError **error) {
    g_auto(Leaf) leaf = {0};
    gboolean good = read_leaf(object, &leaf, error);

    if (good && leaf.type == SIGNER_VERITY)
        good = add_verity(index, &leaf, error);
    else if (good && leaf.type == SIGNER_PE)
        good = add_program(index, &leaf, error);
    else if (good && leaf.type == SIGNER_IPE)
        good = add_policy(index, &leaf, error);
    else if (good && leaf.type == SIGNER_MANIFEST)
        good = add_manifest(index, &leaf, error);
    if (!good)
        return FALSE;
    if (leaf.type == SIGNER_WITHDRAW)
        g_hash_table_add(index->withdrawn, join(leaf.project, leaf.version, NULL));
    if (leaf.type == SIGNER_CREATE)
        g_hash_table_add(index->created, g_strdup(leaf.project));
    add_request(index, &leaf);
    count(index, &leaf);
    return TRUE;
}

/* ---- asking ---- */

gboolean signer_index_was_created(const SignerIndex *index, const char *project) {
    return g_hash_table_contains(index->created, project);
}

const SignerAnswered *signer_index_find_request(const SignerIndex *index, const char *project, const char *id) {
    g_autofree char *key = join(project, id, NULL);
    return g_hash_table_lookup(index->requests, key);
}

gboolean signer_index_has_root_hash(
        const SignerIndex *index, const char *project, const char *target, const char *job, const char *root_hash) {
    g_autofree char *lower = g_ascii_strdown(root_hash, -1);
    g_autofree char *place = join(project, target, job);
    g_autofree char *key = join(place, lower, NULL);
    return g_hash_table_contains(index->roots, key);
}

const char *signer_index_find_file(
        const SignerIndex *index, const char *project, const char *target, const char *digest) {
    g_autofree char *key = join(project, target, digest);
    return g_hash_table_lookup(index->files, key);
}

const char *signer_index_find_program(const SignerIndex *index, const char *project, const char *digest) {
    g_autofree char *key = join(project, digest, NULL);
    return g_hash_table_lookup(index->programs, key);
}

gint64 signer_index_get_policy_version(const SignerIndex *index, const char *project, const char *name) {
    g_autofree char *key = join(project, name, NULL);
    const gint64 *version = g_hash_table_lookup(index->policies, key);
    return version ? *version : -1;
}

const GPtrArray *signer_index_get_offers(
        const SignerIndex *index, const char *project, const char *target, const char *channel) {
    g_autofree char *key = join(project, target, channel);
    return g_hash_table_lookup(index->offers, key);
}

gboolean signer_index_is_withdrawn(const SignerIndex *index, const char *project, const char *version) {
    g_autofree char *key = join(project, version, NULL);
    return g_hash_table_contains(index->withdrawn, key);
}

const char *signer_index_get_first(const SignerIndex *index, const char *project, const char *name, guint *ret_n) {
    GHashTable *firsts = g_hash_table_lookup(index->firsts, project);

    if (ret_n)
        *ret_n = firsts ? g_hash_table_size(firsts) : 0;
    return firsts ? g_hash_table_lookup(firsts, name) : NULL;
}

guint64 signer_index_count_signatures(const SignerIndex *index, const char *project, gint64 now) {
    GArray *made = g_hash_table_lookup(index->made, project);
    guint64 n = 0;

    for (guint i = 0; made && i < made->len; i++)
        if (g_array_index(made, Made, i).time > now - HOUR)
            n += (guint64) g_array_index(made, Made, i).n;
    return n;
}
