/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "forge-status.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define DESCRIPTION_MAX 140 /* of GitHub, the shortest */

static const char *const words[FORGE_N_KINDS][FORGE_N_STATES] = {
        [FORGE_GITHUB] = {"pending", "success", "failure", "error", "error"},
        [FORGE_GITLAB] = {"running", "success", "failed", "failed", "canceled"},
        [FORGE_GITEA] = {"pending", "success", "failure", "error", "error"},
};

int forge_kind_from_string(const char *name) {
    static const struct {
        const char *name;
        ForgeKind kind;
    } kinds[] = {{"github", FORGE_GITHUB}, {"gitlab", FORGE_GITLAB}, {"gitlab-signed", FORGE_GITLAB},
            {"gitea", FORGE_GITEA}, {"forgejo", FORGE_GITEA}};

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_equal(kinds[i].name, name))
            return (int) kinds[i].kind;
    return -1;
}

static void wipe(char *text) {
    if (text)
        explicit_bzero(text, strlen(text));
}

void forge_request_free(ForgeRequest *request) {
    if (!request)
        return;
    for (gsize i = 0; request->headers && request->headers[i]; i++)
        wipe(request->headers[i]);
    g_strfreev(request->headers);
    g_free(request->url);
    g_free(request->body);
    g_free(request);
}

static gboolean is_commit(const char *text) {
    gsize length = strlen(text);
    return (length == 40 || length == 64) && strspn(text, "0123456789abcdef") == length;
}

/* "owner/repository" of the address of a repository; groups of GitLab have more parts. RET_BASE receives what is before. */
static char *path_of(const char *repository, char **ret_base, GError **error) {
    g_autoptr(GUri) uri = g_uri_parse(repository, G_URI_FLAGS_NONE, NULL);
    g_autofree char *path = uri ? g_strdup(g_uri_get_path(uri)) : NULL;

    if (path && g_str_has_suffix(path, "/"))
        path[strlen(path) - 1] = 0;
    if (path && g_str_has_suffix(path, ".git"))
        path[strlen(path) - 4] = 0;
    const char *inside = path && *path == '/' ? path + 1 : "";
    if (!uri || !g_uri_get_host(uri) || !strchr(inside, '/') || strstr(inside, "//") || strstr(inside, "..")) {
        g_set_error(error, OUTBOUND_ERROR, OUTBOUND_ERROR_REFUSED,
                "%s is no address of a repository of a forge (https://HOST/OWNER/NAME)", repository);
        return NULL;
    }
    g_autofree char *port = g_uri_get_port(uri) > 0 ? g_strdup_printf(":%d", g_uri_get_port(uri)) : g_strdup("");
    *ret_base = g_strdup_printf("%s://%s%s", g_uri_get_scheme(uri), g_uri_get_host(uri), port);
    return g_strdup(inside);
}

static char *request_url(const ForgeStatus *status, GError **error) {
    g_autofree char *base = NULL;
    g_autofree char *path = path_of(status->repository, &base, error);
    g_autofree char *escaped = path ? g_uri_escape_string(path, status->kind == FORGE_GITLAB ? "" : "/", FALSE) : NULL;

    if (!path)
        return NULL;
    if (status->kind == FORGE_GITLAB)
        return g_strdup_printf("%s/api/v4/projects/%s/statuses/%s", base, escaped, status->commit);
    if (status->kind == FORGE_GITEA)
        return g_strdup_printf("%s/api/v1/repos/%s/statuses/%s", base, escaped, status->commit);
    if (g_str_equal(base, "https://github.com"))
        return g_strdup_printf("https://api.github.com/repos/%s/statuses/%s", escaped, status->commit);
    return g_strdup_printf("%s/api/v3/repos/%s/statuses/%s", base, escaped, status->commit);
}

static char *request_body(const ForgeStatus *status) {
    g_autofree char *whole = g_utf8_make_valid(status->description, -1);
    g_autofree char *description = g_utf8_substring(whole, 0, MIN(g_utf8_strlen(whole, -1), DESCRIPTION_MAX));
    g_autoptr(JsonBuilder) builder = json_builder_new();
    const char *members[][2] = {{"state", words[status->kind][status->state]}, {"target_url", status->target},
            {"description", description}, {status->kind == FORGE_GITLAB ? "name" : "context", status->context}};

    json_builder_begin_object(builder);
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        json_builder_set_member_name(builder, members[i][0]);
        json_builder_add_string_value(builder, members[i][1]);
    }
    json_builder_end_object(builder);
    g_autoptr(JsonNode) node = json_builder_get_root(builder);
    return json_to_string(node, FALSE);
}

ForgeRequest *forge_status_request(const ForgeStatus *status, const char *token, GError **error) {
    g_autoptr(ForgeRequest) request = g_new0(ForgeRequest, 1);

    if (!is_commit(status->commit) || strpbrk(token, "\r\n")) {
        g_set_error(error, OUTBOUND_ERROR, OUTBOUND_ERROR_REFUSED, "The commit, or the token of the forge, is none");
        return NULL;
    }
    if (!(request->url = request_url(status, error)))
        return NULL;
    request->headers = g_new0(char *, 4);
    request->headers[0] = g_strdup("Content-Type: application/json");
    request->headers[1] = g_strdup("Accept: application/json");
    request->headers[2] = status->kind == FORGE_GITLAB   ? g_strdup_printf("PRIVATE-TOKEN: %s", token)
                          : status->kind == FORGE_GITHUB ? g_strdup_printf("Authorization: Bearer %s", token)
                                                         : g_strdup_printf("Authorization: token %s", token);
    request->body = request_body(status);
    return g_steal_pointer(&request);
}

gboolean forge_status_send(const OutboundLimits *limits, const ForgeStatus *status, const char *token, GError **error) {
    g_autoptr(ForgeRequest) request = forge_status_request(status, token, error);

    if (!request)
        return FALSE;
    /* Not followed elsewhere: the token is for this host. */
    const OutboundRequest outbound = {.method = "POST",
            .url = request->url,
            .headers = (const char *const *) request->headers,
            .body = request->body};
    g_autoptr(OutboundAnswer) answer = outbound_request(limits, &outbound, error);
    if (!answer)
        return FALSE;
    if (answer->status / 100 == 2)
        return TRUE;
    g_set_error(error, OUTBOUND_ERROR, OUTBOUND_ERROR_FAILED, "%s answers %u%s", request->url, answer->status,
            answer->status == 401 || answer->status == 403
                    ? ": the token of the forge may not set the status of commits"
            : answer->status == 404 ? ": there is no such repository or commit for this token"
                                    : "");
    return FALSE;
}
