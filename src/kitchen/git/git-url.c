/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "git-url.h"

#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "kitchen/net/address.h"

#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

void git_url_clear(GitUrl *url) {
    g_clear_pointer(&url->url, g_free);
    g_clear_pointer(&url->path, g_free);
    g_clear_pointer(&url->host, g_free);
    g_clear_pointer(&url->user, g_free);
    g_clear_pointer(&url->address, g_free);
    g_clear_pointer(&url->pin, g_free);
}

static gboolean refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean refuse(GError **error, const char *format, ...) {
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, text);
    return FALSE;
}

static gboolean lies_below(const char *path, const char *root) {
    char *resolved = realpath(root, NULL);
    gsize size = resolved ? strlen(resolved) : 0;
    gboolean below = size > 0 && strncmp(path, resolved, size) == 0 && (path[size] == '/' || path[size] == 0);

    free(resolved);
    return below;
}

static gboolean check_path(const char *text, const char *const *roots, GitUrl *ret_url, GError **error) {
    char *resolved = realpath(text, NULL);
    gboolean allowed = FALSE;

    for (const char *const *root = roots; resolved && root && *root && !allowed; root++)
        allowed = lies_below(resolved, *root);
    if (allowed) {
        ret_url->path = g_strdup(resolved);
        ret_url->url = g_strdup(resolved);
    }
    free(resolved);
    /* What is elsewhere on this machine, and whether it is there, is nobody's business. */
    return allowed || refuse(error, "%s lies below none of the directories that LocalRoots= names", text);
}

/* All addresses of HOST are judged, one is used. */
static char *look_up(const char *host, const AddressPolicy *policy, GError **error) {
    g_autoptr(GResolver) resolver = g_resolver_get_default();
    GList *addresses = g_resolver_lookup_by_name(resolver, host, NULL, error);
    gboolean good = addresses != NULL;
    char *text = NULL;

    for (GList *address = addresses; address && good; address = address->next)
        good = address_policy_allows(policy, address->data) ||
               refuse(error, "%s has an address that is not public; repositories of this network are not fetched",
                       host);
    if (good)
        text = g_inet_address_to_string(addresses->data);
    g_list_free_full(addresses, g_object_unref);
    return text;
}

static gboolean take_host(GUri *uri, int usual_port, const GitRules *rules, GitUrl *ret_url, GError **error) {
    const char *host = g_uri_get_host(uri);
    int port = g_uri_get_port(uri) > 0 ? g_uri_get_port(uri) : usual_port;
    gboolean is_v6 = host && strchr(host, ':');
    g_autofree char *bracketed = is_v6 ? g_strdup_printf("[%s]", host) : g_strdup(host);

    if (!host || !*host || *host == '-' || strspn(host, HOST_CHARACTERS ":") != strlen(host))
        return refuse(error, "%s has no host that can be asked", ret_url->url);
    ret_url->host = port == usual_port ? g_strdup(bracketed) : g_strdup_printf("%s:%d", bracketed, port);
    ret_url->address = look_up(host, rules->addresses, error);
    if (ret_url->address)
        ret_url->pin = g_strdup_printf(
                strchr(ret_url->address, ':') ? "%s:%d:[%s]" : "%s:%d:%s", host, port, ret_url->address);
    return ret_url->address != NULL;
}

static gboolean check_https(GUri *uri, const char *text, const GitRules *rules, GitUrl *ret_url, GError **error) {
    if (g_uri_get_userinfo(uri))
        return refuse(error, "%s has a user or a password in it; those are kept as a credential", text);
    ret_url->transport = GIT_HTTPS;
    return take_host(uri, 443, rules, ret_url, error);
}

static gboolean check_ssh(GUri *uri, const char *text, const GitRules *rules, GitUrl *ret_url, GError **error) {
    const char *user = g_uri_get_userinfo(uri);

    if (!user || !*user || *user == '-' || strspn(user, HOST_CHARACTERS "_") != strlen(user))
        return refuse(error, "%s: name the user, and no password: ssh://git@HOST/PATH", text);
    if (strlen(g_uri_get_path(uri)) < 2 || g_uri_get_query(uri))
        return refuse(error, "%s names no repository of its host", text);
    ret_url->transport = GIT_SSH;
    ret_url->user = g_strdup(user);
    return take_host(uri, 22, rules, ret_url, error);
}

/* "USER@HOST:PATH" as an address; NULL: it is none of these. */
static char *short_ssh(const char *text) {
    const char *at = strchr(text, '@'), *colon = at ? strchr(at, ':') : NULL;

    if (!colon || strspn(text, HOST_CHARACTERS "_") != (gsize) (at - text) ||
            strspn(at + 1, HOST_CHARACTERS) != (gsize) (colon - at - 1))
        return NULL;
    return g_strdup_printf("ssh://%.*s/%s", (int) (colon - text), text, colon[1] == '/' ? colon + 2 : colon + 1);
}

static gboolean check_uri(const char *text, const GitRules *rules, GitUrl *ret_url, GError **error) {
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, error);

    if (!uri)
        return FALSE;
    if (strcmp(g_uri_get_scheme(uri), "file") == 0 && (!g_uri_get_host(uri) || !*g_uri_get_host(uri)))
        return check_path(g_uri_get_path(uri), rules->roots, ret_url, error);
    if (g_uri_get_fragment(uri))
        return refuse(error, "%s has a fragment; name the branch apart", text);
    ret_url->url = g_uri_to_string(uri);
    if (strcmp(g_uri_get_scheme(uri), "https") == 0)
        return check_https(uri, text, rules, ret_url, error);
    if (strcmp(g_uri_get_scheme(uri), "ssh") == 0)
        return check_ssh(uri, text, rules, ret_url, error);
    return refuse(error, "%s: recipes are fetched by https or ssh, or from directories that LocalRoots= names", text);
}

gboolean git_url_check(const char *text, const GitRules *rules, GitUrl *ret_url, GError **error) {
    g_autofree char *ssh = NULL;

    for (const char *c = text; *c; c++)
        if ((guchar) *c <= ' ' || *c == 0x7f)
            return refuse(error, "An address has no spaces and no control characters");
    if (*text == '/')
        return check_path(text, rules->roots, ret_url, error);
    ssh = short_ssh(text);
    return check_uri(ssh ?: text, rules, ret_url, error);
}

/* The place that TEXT leads to from the path BASE; NULL: above its top. */
static char *follow(const char *base, const char *text) {
    g_autofree char *place = g_strndup(base, strlen(base) - (g_str_has_suffix(base, "/") ? 1 : 0));

    for (;;) {
        if (g_str_has_prefix(text, "./")) {
            text += 2;
        } else if (g_str_has_prefix(text, "../")) {
            char *last = strrchr(place, '/');
            if (!last)
                return NULL;
            *last = '\0';
            text += 3;
        } else {
            break;
        }
    }
    return *text && *text != '/' ? g_strconcat(place, "/", text, NULL) : NULL;
}

char *git_url_resolve(const GitUrl *base, const char *text, GError **error) {
    gboolean is_relative = g_str_has_prefix(text, "./") || g_str_has_prefix(text, "../");
    const char *authority = base->path ? base->path : strstr(base->url, "://");
    const char *path = base->path ? base->path : authority ? strchr(authority + 3, '/') : NULL;
    g_autofree char *place = NULL;

    if (!is_relative && (*text == '/' || g_ascii_strncasecmp(text, "file:", 5) == 0)) {
        refuse(error, "%s: submodules come from where everybody can fetch them, not from a place of this machine",
                text);
        return NULL;
    }
    if (!is_relative)
        return g_strdup(text);
    place = path ? follow(path, text) : NULL;
    if (!place) {
        refuse(error, "%s leads out of %s", text, base->url);
        return NULL;
    }
    return base->path ? g_steal_pointer(&place) : g_strdup_printf("%.*s%s", (int) (path - base->url), base->url, place);
}

gboolean git_branch_is_valid(const char *name) {
    gsize size = strlen(name);

    return size > 0 && size <= 200 && *name != '-' && *name != '/' && !strstr(name, "..") && !strstr(name, "@{") &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+@-") == size;
}
