/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "login.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"

static char *login_path(void) {
    return g_build_filename(g_get_user_config_dir(), "particleos", "kitchen", NULL);
}

gboolean login_check_url(const char *url, GError **error) {
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    const char *host = uri ? g_uri_get_host(uri) : NULL;
    g_autoptr(GInetAddress) address = host ? g_inet_address_new_from_string(host) : NULL;
    gboolean own = g_strcmp0(host, "localhost") == 0 || (address && g_inet_address_get_is_loopback(address));

    if (host && !g_uri_get_userinfo(uri) &&
            (g_str_equal(g_uri_get_scheme(uri), "https") || (own && g_str_equal(g_uri_get_scheme(uri), "http"))))
        return TRUE;
    g_set_error(error, G_URI_ERROR, G_URI_ERROR_FAILED,
            "\"%s\" is no address of a build service: it begins with https://, or with http:// on this machine", url);
    return FALSE;
}

gboolean login_write(const char *url, const char *token, GError **error) {
    g_autofree char *path = login_path();
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *beside = g_strconcat(path, ".new", NULL);
    g_autofree char *text = g_strdup_printf("%s\n%s\n", url, token);
    AUTO_FD fd = -1;

    if (!login_check_url(url, error))
        return FALSE;
    if (g_mkdir_with_parents(directory, 0700) < 0)
        return set_errno_error(error, errno, "Cannot make %s", directory);
    (void) g_unlink(beside);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || !write_all(fd, text, strlen(text)) || fsync(fd) < 0 || g_rename(beside, path) < 0)
        return set_errno_error(error, errno, "Cannot write %s", path);
    return TRUE;
}

gboolean login_read(char **ret_url, char **ret_token, GError **error) {
    const char *url = g_getenv("PARTICLEOS_KITCHEN_URL");
    const char *token = g_getenv("PARTICLEOS_KITCHEN_TOKEN");
    g_autofree char *path = login_path();
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (url && token) {
        *ret_url = g_strdup(url);
        *ret_token = g_strdup(token);
        return login_check_url(url, error);
    }
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                "No build service is known: make a token on its page /account, then run "
                "\"particleos kitchen login URL\"");
        return FALSE;
    }
    lines = g_strsplit(text, "\n", 3);
    if (g_strv_length(lines) < 2 || !login_check_url(lines[0], NULL) || !lines[1][0]) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "%s is damaged: run \"particleos kitchen login URL\" again", path);
        return FALSE;
    }
    *ret_url = g_strdup(lines[0]);
    *ret_token = g_strdup(lines[1]);
    return TRUE;
}
