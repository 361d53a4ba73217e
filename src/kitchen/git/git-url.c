/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "git-url.h"

#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "kitchen/net/address.h"

void git_url_clear(GitUrl *url) {
    g_clear_pointer(&url->url, g_free);
    g_clear_pointer(&url->path, g_free);
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

static gboolean pin_host(const char *host, int port, GitUrl *ret_url, GError **error) {
    g_autoptr(GResolver) resolver = g_resolver_get_default();
    g_autoptr(AddressPolicy) policy = address_policy_new(NULL, NULL);
    GList *addresses = g_resolver_lookup_by_name(resolver, host, NULL, error);
    gboolean good = addresses != NULL;

    for (GList *address = addresses; address && good; address = address->next)
        good = address_policy_allows(policy, address->data) ||
               refuse(error, "%s has an address that is not public; repositories of this network are not fetched",
                       host);
    if (good) {
        g_autofree char *text = g_inet_address_to_string(addresses->data);
        gboolean is_v6 = g_inet_address_get_family(addresses->data) == G_SOCKET_FAMILY_IPV6;
        ret_url->pin = g_strdup_printf(is_v6 ? "%s:%d:[%s]" : "%s:%d:%s", host, port, text);
    }
    g_list_free_full(addresses, g_object_unref);
    return good;
}

static gboolean check_https(GUri *uri, const char *text, GitUrl *ret_url, GError **error) {
    const char *host = g_uri_get_host(uri);

    if (!host || !*host || *host == '-' ||
            strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:") != strlen(host))
        return refuse(error, "%s has no host that can be asked", text);
    if (g_uri_get_userinfo(uri))
        return refuse(error, "%s has a user or a password in it; those are kept as a credential", text);
    if (g_uri_get_fragment(uri))
        return refuse(error, "%s has a fragment; name the branch apart", text);
    ret_url->url = g_uri_to_string(uri);
    return pin_host(host, g_uri_get_port(uri) > 0 ? g_uri_get_port(uri) : 443, ret_url, error);
}

gboolean git_url_check(const char *text, const char *const *roots, GitUrl *ret_url, GError **error) {
    g_autoptr(GUri) uri = NULL;

    for (const char *c = text; *c; c++)
        if ((guchar) *c <= ' ' || *c == 0x7f)
            return refuse(error, "An address has no spaces and no control characters");
    if (*text == '/')
        return check_path(text, roots, ret_url, error);
    uri = g_uri_parse(text, G_URI_FLAGS_HAS_PASSWORD, error);
    if (!uri)
        return FALSE;
    if (strcmp(g_uri_get_scheme(uri), "file") == 0 && (!g_uri_get_host(uri) || !*g_uri_get_host(uri)))
        return check_path(g_uri_get_path(uri), roots, ret_url, error);
    if (strcmp(g_uri_get_scheme(uri), "https") == 0)
        return check_https(uri, text, ret_url, error);
    return refuse(error, "%s: recipes are fetched by https, or from directories that LocalRoots= names", text);
}

gboolean git_branch_is_valid(const char *name) {
    gsize size = strlen(name);

    return size > 0 && size <= 200 && *name != '-' && *name != '/' && !strstr(name, "..") && !strstr(name, "@{") &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+@-") == size;
}
