/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "repository-watch.h"

#include "base/hex.h"
#include "base/sha256.h"

void repository_state_clear(RepositoryState *state) {
    g_clear_pointer(&state->etag, g_free);
    g_clear_pointer(&state->last_modified, g_free);
    g_clear_pointer(&state->digest, g_free);
}

/* A header that asks for the file only if it is another one; what a server said stands in it as it was. */
static void add_condition(GPtrArray *headers, const char *name, const char *value) {
    if (value)
        g_ptr_array_add(headers, g_strdup_printf("%s: %s", name, value));
}

gboolean repository_watch(
        const OutboundLimits *limits, const char *url, RepositoryState *state, gboolean *ret_changed, GError **error) {
    g_autoptr(GPtrArray) headers = g_ptr_array_new_with_free_func(g_free);
    guint8 digest[SHA256_SIZE];

    *ret_changed = FALSE;
    if (state->digest) {
        add_condition(headers, "If-None-Match", state->etag);
        add_condition(headers, "If-Modified-Since", state->etag ? NULL : state->last_modified);
    }
    g_ptr_array_add(headers, NULL);
    const OutboundRequest request = {.url = url, .headers = (const char *const *) headers->pdata, .follow = TRUE};
    g_autoptr(OutboundAnswer) answer = outbound_request(limits, &request, error);
    if (!answer)
        return FALSE;
    if (answer->status == 304)
        return TRUE;
    if (answer->status != 200) {
        g_set_error(error, OUTBOUND_ERROR, OUTBOUND_ERROR_FAILED, "%s: the server answers %u", url, answer->status);
        return FALSE;
    }
    sha256_buffer(g_bytes_get_data(answer->body, NULL), g_bytes_get_size(answer->body), digest);
    g_autofree char *text = hex_encode(digest, sizeof digest);
    *ret_changed = state->digest && g_strcmp0(state->digest, text) != 0;
    repository_state_clear(state);
    state->digest = g_steal_pointer(&text);
    state->etag = g_steal_pointer(&answer->etag);
    state->last_modified = g_steal_pointer(&answer->last_modified);
    return TRUE;
}
