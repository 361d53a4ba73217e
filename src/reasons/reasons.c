/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reasons/reasons.h"

G_DEFINE_QUARK(particleos-reasons-error-quark, reasons_error)

void reason_free(Reason *reason) {
    if (!reason)
        return;
    g_free(reason->text);
    g_free(reason->subject);
    g_free(reason->before);
    g_free(reason->after);
    g_strfreev(reason->images);
    g_free(reason);
}

static const char *const kind_names[_REASON_MAX] = {
        [REASON_IMAGE] = "image",
        [REASON_DISTRIBUTION] = "distribution",
        [REASON_RELEASE] = "release",
        [REASON_ARCHITECTURE] = "architecture",
        [REASON_PROFILE] = "profile",
        [REASON_BASE] = "base",
        [REASON_PACKAGES_UPDATED] = "packages-updated",
        [REASON_PACKAGES_ADDED] = "packages-added",
        [REASON_PACKAGES_REMOVED] = "packages-removed",
        [REASON_PACKAGES_REBUILT] = "packages-rebuilt",
        [REASON_SETTING] = "setting",
        [REASON_ENVIRONMENT] = "environment",
        [REASON_SEED] = "seed",
        [REASON_EPOCH] = "epoch",
        [REASON_RECIPE] = "recipe",
        [REASON_SCRIPT] = "script",
        [REASON_TREE] = "tree",
        [REASON_SOURCE] = "source",
        [REASON_CERTIFICATE] = "certificate",
        [REASON_METADATA] = "metadata",
        [REASON_MACHINE] = "machine",
        [REASON_TOOLS] = "tools",
        [REASON_PROGRAM] = "program",
};

const char *reason_kind_to_string(ReasonKind kind) {
    g_return_val_if_fail(kind >= 0 && kind < _REASON_MAX, NULL);
    return kind_names[kind];
}

char *reasons_summary(const GPtrArray *reasons) {
    const Reason *first = reasons->len > 0 ? reasons->pdata[0] : NULL;

    if (!first)
        return g_strdup("nothing changed");
    if (reasons->len == 1)
        return g_strdup(first->text);
    return g_strdup_printf("%s; %u more reason%s", first->text, reasons->len - 1, reasons->len > 2 ? "s" : "");
}

static JsonNode *images_to_json(char *const *images) {
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);
    JsonArray *array = json_array_new();

    for (; *images; images++)
        json_array_add_string_element(array, *images);
    json_node_take_array(node, array);
    return node;
}

static void set_text(JsonObject *object, const char *key, const char *text) {
    if (text)
        json_object_set_string_member(object, key, text);
    else
        json_object_set_null_member(object, key);
}

static JsonObject *reason_to_json(const Reason *reason) {
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "kind", reason_kind_to_string(reason->kind));
    json_object_set_string_member(object, "text", reason->text);
    json_object_set_string_member(object, "subject", reason->subject);
    set_text(object, "before", reason->before);
    set_text(object, "after", reason->after);
    json_object_set_member(object, "images", images_to_json(reason->images));
    return object;
}

JsonNode *reasons_to_json(const GPtrArray *reasons) {
    g_autofree char *summary = reasons_summary(reasons);
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    JsonArray *array = json_array_new();

    for (guint i = 0; i < reasons->len; i++)
        json_array_add_object_element(array, reason_to_json(reasons->pdata[i]));
    json_object_set_int_member(object, "version", 1);
    json_object_set_string_member(object, "summary", summary);
    json_object_set_array_member(object, "reasons", array);
    json_node_take_object(node, object);
    return node;
}
