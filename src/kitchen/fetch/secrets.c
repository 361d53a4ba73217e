/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/fetch/secrets.h"

#include <errno.h>
#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"

/* 50 credentials of their largest size. */
#define SIZE_MAX_ALL (1024 * 1024)

static void secret_free(gpointer data) {
    FetchSecret *secret = data;

    if (secret->secret)
        explicit_bzero(secret->secret, strlen(secret->secret));
    g_free(secret->kind);
    g_free(secret->name);
    g_free(secret->secret);
    g_free(secret);
}

static char *read_all(int fd, gsize *ret_size, GError **error) {
    g_autofree char *text = g_malloc0(SIZE_MAX_ALL + 1);
    gsize done = 0;

    while (done < SIZE_MAX_ALL) {
        ssize_t n = read(fd, text + done, SIZE_MAX_ALL - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            set_errno_error(error, errno, "Cannot read the credentials");
            return NULL;
        }
        if (n == 0)
            break;
        done += (gsize) n;
    }
    *ret_size = done;
    return g_steal_pointer(&text);
}

/* Forms of browsers send lines that end in CR and LF. */
static char *plain_lines(const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\r", -1);
    g_autofree char *plain = g_strchomp(g_strjoinv("", lines));

    return g_strconcat(plain, "\n", NULL);
}

static void add(JsonArray *array, guint i, JsonNode *node, gpointer data) {
    JsonObject *object = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *kind = object ? json_object_get_string_member_with_default(object, "kind", NULL) : NULL;
    const char *name = kind ? json_object_get_string_member_with_default(object, "name", NULL) : NULL;
    const char *text = name ? json_object_get_string_member_with_default(object, "secret", NULL) : NULL;
    FetchSecret *secret = NULL;

    if (!text)
        return;
    secret = g_new0(FetchSecret, 1);
    secret->kind = g_strdup(kind);
    secret->name = g_strdup(name);
    secret->secret = plain_lines(text);
    g_ptr_array_add(data, secret);
}

GPtrArray *fetch_secrets_read(int fd, GError **error) {
    g_autoptr(GPtrArray) secrets = g_ptr_array_new_with_free_func(secret_free);
    g_autoptr(JsonParser) parser = json_parser_new();
    gsize size = 0;
    g_autofree char *text = read_all(fd, &size, error);

    if (!text || (size > 0 && !json_parser_load_from_data(parser, text, (gssize) size, error)))
        return NULL;
    if (size > 0 && JSON_NODE_HOLDS_ARRAY(json_parser_get_root(parser)))
        json_array_foreach_element(json_node_get_array(json_parser_get_root(parser)), add, secrets);
    explicit_bzero(text, size);
    return g_steal_pointer(&secrets);
}

/* The credential of KIND for the host of FROM; RET_USER (owned by the caller) is the user in its name, or NULL. */
static const FetchSecret *find(GPtrArray *secrets, const char *kind, const GitUrl *from, char **ret_user) {
    for (guint i = 0; i < secrets->len; i++) {
        const FetchSecret *secret = secrets->pdata[i];
        const char *at = strrchr(secret->name, '@');
        g_autofree char *user = at ? g_strndup(secret->name, (gsize) (at - secret->name)) : NULL;

        if (strcmp(secret->kind, kind) != 0 || g_ascii_strcasecmp(at ? at + 1 : secret->name, from->host) != 0)
            continue;
        /* Of ssh, the address says which user it is. */
        if (from->user && user && strcmp(user, from->user) != 0)
            continue;
        if (ret_user)
            *ret_user = g_steal_pointer(&user);
        return secret;
    }
    return NULL;
}

char *fetch_secrets_password(GPtrArray *secrets, const GitUrl *from) {
    g_autofree char *user = NULL;
    const FetchSecret *secret = from->transport == GIT_HTTPS ? find(secrets, "git-password", from, &user) : NULL;
    g_auto(GStrv) lines = secret ? g_strsplit(secret->secret, "\n", 2) : NULL;

    if (!secret)
        return NULL;
    /* Forges want some user beside a token, and look at the token alone. */
    return g_strdup_printf("username=%s\npassword=%s\n", user ?: "git", lines[0]);
}

static gboolean is_key_type(const char *word) {
    static const char *const types[] = {
            "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa", NULL};

    return g_strv_contains(types, word);
}

static gboolean is_base64(const char *word) {
    return strlen(word) > 32 &&
           strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == strlen(word);
}

/* Keys in TEXT, with or without the name of the host in front as ssh-keyscan(1) prints it; the name does not count. */
static char *known_hosts(const char *text) {
    g_autoptr(GString) hosts = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " \t", -1);
        guint n = g_strv_length(words);
        guint type = n >= 2 && is_key_type(words[0]) ? 0 : 1;

        if (**line != '#' && **line != '@' && n >= type + 2 && is_key_type(words[type]) && is_base64(words[type + 1]))
            g_string_append_printf(hosts, "host %s %s\n", words[type], words[type + 1]);
    }
    return hosts->len > 0 ? g_string_free(g_steal_pointer(&hosts), FALSE) : NULL;
}

gboolean fetch_secrets_ssh(GPtrArray *secrets, const GitUrl *from, char **ret_key, char **ret_hosts, GError **error) {
    const FetchSecret *key = find(secrets, "git-key", from, NULL);
    const FetchSecret *host = find(secrets, "git-host", from, NULL);
    g_autofree char *hosts = host ? known_hosts(host->secret) : NULL;

    if (!hosts) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                host ? "The credential git-host of %s holds no key of a host, like \"ssh-ed25519 AAAA...\""
                     : "The host key of %s is not known: its owner tells it; set it as the credential git-host of that name",
                from->host);
        return FALSE;
    }
    if (!key) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "There is no key for %s: make one with ssh-keygen, add its public half to the repository, and set the "
                "private one as the credential git-key of that name",
                from->host);
        return FALSE;
    }
    *ret_key = g_strdup(key->secret);
    *ret_hosts = g_steal_pointer(&hosts);
    return TRUE;
}
