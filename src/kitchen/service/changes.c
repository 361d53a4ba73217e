/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "changes.h"

#include "kitchen/model/builds/builds.h"
#include "reasons/reasons.h"

static JsonNode *parse(GBytes *bytes, const char *which, GError **error) {
    gsize size = 0;
    const char *text = g_bytes_get_data(bytes, &size);
    g_autoptr(GError) failure = NULL;
    JsonNode *node = reasons_parse(text, (gssize) size, &failure);

    if (!node)
        g_set_error(error, MODEL_ERROR, MODEL_ERROR_INVALID, "Inputs of the %s build: %s", which, failure->message);
    return node;
}

/* A new program alone is no reason: it makes the same images, or its authors say otherwise, and somebody starts builds then. */
static gboolean is_program_alone(GPtrArray *found) {
    for (guint i = 0; i < found->len; i++)
        if (((const Reason *) found->pdata[i])->kind != REASON_PROGRAM)
            return FALSE;
    return TRUE;
}

gboolean changes_compare(gpointer user, GBytes *before, GBytes *after, GPtrArray *reasons, GError **error) {
    g_autoptr(JsonNode) now = parse(after, "new", error);
    g_autoptr(JsonNode) then = NULL;
    g_autoptr(GPtrArray) found = NULL;
    g_autoptr(GError) failure = NULL;

    if (!now)
        return FALSE;
    /* What a program of another version wrote cannot be compared: that is a reason of its own. */
    then = parse(before, "former", &failure);
    if (!then) {
        g_ptr_array_add(
                reasons, build_reason_new("program", "The builder lists its inputs in another way than before", 0));
        return TRUE;
    }
    found = reasons_compare(then, now, error);
    for (guint i = 0; found && !is_program_alone(found) && i < found->len; i++) {
        const Reason *reason = found->pdata[i];

        g_ptr_array_add(reasons, build_reason_new(reason_kind_to_string(reason->kind), reason->text, 0));
    }
    return found != NULL;
}
