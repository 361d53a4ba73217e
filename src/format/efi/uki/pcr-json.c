/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/uki/pcr.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "base/hex.h"

static void append_policy(GString *json, const PcrPolicy *policy) {
    g_autofree char *fingerprint = hex_encode(policy->fingerprint, 32);
    g_autofree char *digest = hex_encode(policy->policy, 32);
    g_string_append_printf(json, "{\"pcrs\":[%s],\"pkfp\":\"%s\"",
            policy->with_config ? G_STRINGIFY(PCR_KERNEL_BOOT) "," G_STRINGIFY(PCR_KERNEL_CONFIG)
                                : G_STRINGIFY(PCR_KERNEL_BOOT),
            fingerprint);
    if (policy->reference)
        g_string_append_printf(json, ",\"ref\":\"%s\"", policy->reference);
    g_string_append_printf(json, ",\"pol\":\"%s\"", digest);

    gsize size;
    if (policy->signature) {
        const guchar *data = g_bytes_get_data(policy->signature, &size);
        g_autofree char *base64 = g_base64_encode(data, size);
        g_string_append_printf(json, ",\"sig\":\"%s\"}", base64);
    } else {
        g_autoptr(GBytes) tbs = pcr_policy_get_to_be_signed(policy);
        const void *data = g_bytes_get_data(tbs, &size);
        g_autofree char *hex = hex_encode(data, size);
        g_string_append_printf(json, ",\"tbs\":\"%s\"}", hex);
    }
}

static gboolean is_repeated(GPtrArray *policies, guint index) {
    for (guint i = 0; i < index; i++)
        if (pcr_policy_equal(policies->pdata[i], policies->pdata[index]))
            return TRUE;
    return FALSE;
}

char *pcr_policies_to_json(GPtrArray *policies) {
    GString *json = g_string_new("{");
    for (PcrBank bank = 0; bank < N_PCR_BANKS; bank++) {
        gboolean first = TRUE;
        for (guint i = 0; i < policies->len; i++) {
            const PcrPolicy *policy = policies->pdata[i];
            if (policy->bank != bank || is_repeated(policies, i))
                continue;
            if (first)
                g_string_append_printf(json, "%s\"%s\":[", json->len > 1 ? "," : "", pcr_bank_name(bank));
            else
                g_string_append_c(json, ',');
            append_policy(json, policy);
            first = FALSE;
        }
        if (!first)
            g_string_append_c(json, ']');
    }
    g_string_append_c(json, '}');
    return g_string_free(json, FALSE);
}

static gboolean malformed(GError **error, const char *what) {
    g_set_error(error, PCR_ERROR, PCR_ERROR_MALFORMED, "reading PCR signatures: %s", what);
    return FALSE;
}

/* The string member NAME, or NULL when there is none of that type. */
static const char *get_string(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
        return NULL;
    return json_node_get_string(node);
}

static gboolean get_digest(JsonObject *object, const char *name, guint8 ret_digest[static 32]) {
    const char *text = get_string(object, name);
    g_autoptr(GBytes) digest = text ? hex_decode(text, -1) : NULL;
    if (!digest || g_bytes_get_size(digest) != 32)
        return FALSE;
    memcpy(ret_digest, g_bytes_get_data(digest, NULL), 32);
    return TRUE;
}

static gboolean is_number(JsonNode *node, gint64 number) {
    return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64 &&
           json_node_get_int(node) == number;
}

/* Whether the entry is about PCR 11, or PCRs 11 and 12, and no other. */
static gboolean is_about_kernel_boot(JsonObject *object, gboolean *ret_with_config) {
    JsonNode *node = json_object_get_member(object, "pcrs");
    if (!node || !JSON_NODE_HOLDS_ARRAY(node))
        return FALSE;
    JsonArray *pcrs = json_node_get_array(node);
    guint n = json_array_get_length(pcrs);
    *ret_with_config = n == 2;
    return (n == 1 || n == 2) && is_number(json_array_get_element(pcrs, 0), PCR_KERNEL_BOOT) &&
           (n == 1 || is_number(json_array_get_element(pcrs, 1), PCR_KERNEL_CONFIG));
}

/* References are plain words; anything else would have to be escaped when it is written again. */
static gboolean is_plain(const char *text) {
    for (const char *c = text; *c; c++)
        if (!g_ascii_isalnum(*c) && !strchr("-_.:/", *c))
            return FALSE;
    return TRUE;
}

static gboolean parse_signature(PcrPolicy *policy, JsonObject *object, GError **error) {
    const char *text = get_string(object, "sig");
    if (!text)
        return TRUE; /* not signed yet */
    gsize size;
    guchar *data = g_base64_decode(text, &size);
    policy->signature = g_bytes_new_take(data, size);
    return size > 0 || malformed(error, "an entry has an empty signature");
}

static gboolean parse_entry(GPtrArray *policies, PcrBank bank, JsonNode *node, GError **error) {
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return malformed(error, "an entry is not an object");
    JsonObject *object = json_node_get_object(node);
    gboolean with_config;
    if (!is_about_kernel_boot(object, &with_config))
        return TRUE;

    g_autoptr(PcrPolicy) policy = g_new0(PcrPolicy, 1);
    policy->bank = bank;
    policy->with_config = with_config;
    if (!get_digest(object, "pkfp", policy->fingerprint) || !get_digest(object, "pol", policy->policy))
        return malformed(error, "an entry has no valid \"pkfp\" or \"pol\"");
    policy->reference = g_strdup(get_string(object, "ref"));
    if (policy->reference && !is_plain(policy->reference))
        return malformed(error, "an entry has an unusual \"ref\"");
    if (!parse_signature(policy, object, error))
        return FALSE;
    g_ptr_array_add(policies, g_steal_pointer(&policy));
    return TRUE;
}

static gboolean parse_bank(GPtrArray *policies, PcrBank bank, JsonNode *node, GError **error) {
    if (!JSON_NODE_HOLDS_ARRAY(node))
        return malformed(error, "a bank is not a list");
    JsonArray *entries = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(entries); i++)
        if (!parse_entry(policies, bank, json_array_get_element(entries, i), error))
            return FALSE;
    return TRUE;
}

GPtrArray *pcr_policies_parse(const char *json, gssize length, GError **error) {
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, json, length, error)) {
        g_prefix_error(error, "reading PCR signatures: ");
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        malformed(error, "not an object");
        return NULL;
    }

    g_autoptr(GPtrArray) policies = g_ptr_array_new_with_free_func((GDestroyNotify) pcr_policy_free);
    for (PcrBank bank = 0; bank < N_PCR_BANKS; bank++) {
        JsonNode *node = json_object_get_member(json_node_get_object(root), pcr_bank_name(bank));
        if (node && !parse_bank(policies, bank, node, error))
            return NULL;
    }
    return g_steal_pointer(&policies);
}
