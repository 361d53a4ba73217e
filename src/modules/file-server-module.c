/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "modules/file-server.h"

#include <errno.h>
#include <fcntl.h>
#include <libsoup/soup.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/compare.h"
#include "base/errors.h"
#include "recipe/language/error.h"

#define CHUNK_SIZE (1024 * 1024)

struct FileServer {
    SoupServer *soup;
    int directory_fd;
    FileServerSaw saw;
};

/* A file on its way to a client. */
typedef struct {
    int fd;
    off_t at, end;
} Transfer;

static void transfer_free(gpointer data, GClosure *closure) {
    Transfer *transfer = data;
    close(transfer->fd);
    g_free(transfer);
}

/* The kernel refuses to leave the directory, by whatever way. */
static int open_below(int directory_fd, const char *path) {
    struct open_how how = {
            .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    return syscall(SYS_openat2, directory_fd, *path ? path : ".", &how, sizeof(how));
}

/* One piece at a time, so that images need no memory. */
static void send_next(SoupServerMessage *message, gpointer data) {
    Transfer *transfer = data;
    SoupMessageBody *body = soup_server_message_get_response_body(message);
    gsize length = MIN(transfer->end - transfer->at, CHUNK_SIZE);
    if (length == 0)
        return;
    guint8 *chunk = g_malloc(length);
    ssize_t n = pread(transfer->fd, chunk, length, transfer->at);
    if (n <= 0) {
        /* Somebody made the file shorter; the client sees that something is missing. */
        g_free(chunk);
        soup_message_body_complete(body);
        return;
    }
    transfer->at += n;
    soup_message_body_append_take(body, chunk, n);
    if (transfer->at >= transfer->end)
        soup_message_body_complete(body);
}

/* One range; several in one request are answered with the whole file, as RFC 9110 allows. FALSE: there is
 * nothing there. */
static gboolean apply_range(SoupServerMessage *message, guint64 size, Transfer *transfer) {
    SoupMessageHeaders *request = soup_server_message_get_request_headers(message);
    SoupMessageHeaders *response = soup_server_message_get_response_headers(message);
    SoupRange *ranges = NULL;
    int count = 0;
    if (!soup_message_headers_get_one(request, "Range"))
        return TRUE;
    /* What is no range is ignored. */
    if (!soup_message_headers_get_ranges(request, size, &ranges, &count))
        return TRUE;
    gint64 start = count == 1 ? ranges[0].start : 0, end = count == 1 ? ranges[0].end : 0;
    soup_message_headers_free_ranges(request, ranges);
    if (count != 1)
        return TRUE;
    end = MIN(end, (gint64) size - 1);
    if (start < 0 || start > end) {
        g_autofree char *text = g_strdup_printf("bytes */%" G_GUINT64_FORMAT, size);
        soup_message_headers_replace(response, "Content-Range", text);
        return FALSE;
    }
    transfer->at = start;
    transfer->end = end + 1;
    soup_message_headers_set_content_range(response, start, end, size);
    soup_server_message_set_status(message, SOUP_STATUS_PARTIAL_CONTENT, NULL);
    return TRUE;
}

/* Same content, same tag: a file that is replaced is another one. */
static gboolean is_known(SoupServerMessage *message, const struct stat *st) {
    SoupMessageHeaders *request = soup_server_message_get_request_headers(message);
    SoupMessageHeaders *response = soup_server_message_get_response_headers(message);
    g_autofree char *tag = g_strdup_printf(
            "\"%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x\"", (guint64) st->st_ino,
            (guint64) st->st_size, (guint64) st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(st->st_mtim.tv_sec);
    g_autofree char *text = soup_date_time_to_string(time, SOUP_DATE_HTTP);
    soup_message_headers_replace(response, "ETag", tag);
    soup_message_headers_replace(response, "Last-Modified", text);
    const char *asked = soup_message_headers_get_list(request, "If-None-Match");
    const char *condition = soup_message_headers_get_one(request, "If-Range");
    if (condition && strcmp(condition, tag) != 0)
        soup_message_headers_remove(request, "Range");
    return asked && (strcmp(asked, "*") == 0 || strstr(asked, tag));
}

static void send_file(SoupServerMessage *message, int *fd, const struct stat *st) {
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
    SoupMessageBody *body = soup_server_message_get_response_body(message);
    Transfer transfer = {.fd = -1, .at = 0, .end = st->st_size};
    soup_server_message_set_status(message, SOUP_STATUS_OK, NULL);
    soup_message_headers_set_content_type(headers, "application/octet-stream", NULL);
    soup_message_headers_replace(headers, "Accept-Ranges", "bytes");
    if (is_known(message, st)) {
        soup_server_message_set_status(message, SOUP_STATUS_NOT_MODIFIED, NULL);
        return;
    }
    if (!apply_range(message, st->st_size, &transfer)) {
        soup_server_message_set_status(message, SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE, NULL);
        return;
    }
    soup_message_headers_set_content_length(headers, transfer.end - transfer.at);
    if (soup_server_message_get_method(message) == SOUP_METHOD_HEAD || transfer.at == transfer.end)
        return;
    transfer.fd = steal_fd(fd);
    Transfer *copy = g_memdup2(&transfer, sizeof(transfer));
    soup_message_body_set_accumulate(body, FALSE);
    g_signal_connect_data(message, "wrote-headers", G_CALLBACK(send_next), copy, transfer_free, G_CONNECT_DEFAULT);
    g_signal_connect(message, "wrote-chunk", G_CALLBACK(send_next), copy);
}

static void list_directory(SoupServerMessage *message, int *fd, const char *path) {
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    AUTO_DIR dir = fdopendir(*fd);
    if (!dir) {
        soup_server_message_set_status(message, SOUP_STATUS_FORBIDDEN, NULL);
        return;
    }
    (void) steal_fd(fd);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            g_ptr_array_add(names, g_strconcat(entry->d_name, entry->d_type == DT_DIR ? "/" : "", NULL));
    g_ptr_array_sort(names, compare_strings);
    g_autofree char *title = g_markup_escape_text(path, -1);
    GString *page = g_string_new("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n");
    g_string_append_printf(page, "<title>%s</title>\n<ul>\n", title);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *link = g_uri_escape_string(names->pdata[i], "/", FALSE);
        g_autofree char *text = g_markup_escape_text(names->pdata[i], -1);
        g_string_append_printf(page, "<li><a href=\"./%s\">%s</a>\n", link, text);
    }
    g_string_append(page, "</ul>\n");
    gsize length = page->len;
    soup_server_message_set_status(message, SOUP_STATUS_OK, NULL);
    soup_server_message_set_response(message, "text/html", SOUP_MEMORY_TAKE, g_string_free(page, FALSE), length);
}

static void answer(SoupServerMessage *message, int directory_fd, const char *path) {
    struct stat st;
    g_autofree char *plain = g_uri_unescape_string(path, "/");
    if (!plain) {
        soup_server_message_set_status(message, SOUP_STATUS_BAD_REQUEST, NULL);
        return;
    }
    const char *relative = plain + strspn(plain, "/");
    AUTO_FD fd = open_below(directory_fd, relative);
    if (fd < 0 || fstat(fd, &st) < 0) {
        soup_server_message_set_status(
                message, errno == EACCES || errno == EXDEV ? SOUP_STATUS_FORBIDDEN : SOUP_STATUS_NOT_FOUND, NULL);
        return;
    }
    if (S_ISREG(st.st_mode))
        send_file(message, &fd, &st);
    else if (!S_ISDIR(st.st_mode))
        soup_server_message_set_status(message, SOUP_STATUS_FORBIDDEN, NULL);
    else if (!g_str_has_suffix(plain, "/")) {
        /* Relative links of the list need the slash. */
        g_autofree char *target = g_strconcat(path, "/", NULL);
        soup_server_message_set_redirect(message, SOUP_STATUS_MOVED_PERMANENTLY, target);
    } else
        list_directory(message, &fd, plain);
}

static void on_request(
        SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query, gpointer data) {
    const FileServer *server = data;
    const char *method = soup_server_message_get_method(message);
    if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD)
        soup_server_message_set_status(message, SOUP_STATUS_METHOD_NOT_ALLOWED, NULL);
    else
        answer(message, server->directory_fd, g_uri_get_path(soup_server_message_get_uri(message)));
    g_autofree char *shown = g_strescape(path, NULL);
    g_autofree char *line = g_strdup_printf("%s %s %s: %u", soup_server_message_get_remote_host(message), method, shown,
            soup_server_message_get_status(message));
    server->saw(line);
}

/* Splits LISTEN. FALSE when it is not of the form that the header describes. */
static gboolean parse_listen(
        const char *listen, guint16 default_port, char **ret_host, guint16 *ret_port, GError **error) {
    const char *colon = strrchr(listen, ':');
    gboolean bracket = listen[0] == '[';
    gboolean bare_v6 = !bracket && colon && strchr(listen, ':') != colon;
    gboolean has_port = colon && !bare_v6 && !(bracket && colon[-1] != ']');
    g_autofree char *host = has_port ? g_strndup(listen, colon - listen) : g_strdup(listen);
    gsize length = strlen(host);
    guint64 port = default_port;

    if (has_port && !g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT16, &port, NULL)) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_USAGE, "--listen: \"%s\" is no port (a number from 1 to 65535)",
                colon + 1);
        return FALSE;
    }
    *ret_port = port;
    *ret_host = bracket && host[length - 1] == ']' ? g_strndup(host + 1, length - 2) : g_steal_pointer(&host);
    return TRUE;
}

static gboolean start_listening(SoupServer *soup, const char *listen, guint16 default_port, GError **error) {
    g_autofree char *host = NULL;
    guint16 port;

    if (!parse_listen(listen, default_port, &host, &port, error))
        return FALSE;
    if (g_str_equal(host, "localhost"))
        return soup_server_listen_local(soup, port, 0, error);
    if (g_str_equal(host, "all"))
        return soup_server_listen_all(soup, port, 0, error);
    g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string(host, port);
    if (!address) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_USAGE,
                "--listen: \"%s\" is no address; localhost, all, or an address of this machine are "
                "accepted, each with :PORT behind it or without",
                host);
        return FALSE;
    }
    return soup_server_listen(soup, address, 0, error);
}

static void server_free(FileServer *server) {
    if (!server)
        return;
    if (server->soup)
        soup_server_disconnect(server->soup);
    g_clear_object(&server->soup);
    cleanup_fd(&server->directory_fd);
    g_free(server);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FileServer, server_free)

static char *server_addresses(const FileServer *server) {
    GSList *uris = soup_server_get_uris(server->soup);
    GString *text = g_string_new(NULL);

    for (GSList *uri = uris; uri; uri = uri->next) {
        g_autofree char *address = g_uri_to_string(uri->data);
        g_string_append_printf(text, "%s%s", text->len ? ", " : "", address);
    }
    g_slist_free_full(uris, (GDestroyNotify) g_uri_unref);
    return g_string_free(text, FALSE);
}

static FileServer *server_start(
        const char *directory, const char *listen, guint16 default_port, FileServerSaw saw, GError **error) {
    g_autoptr(FileServer) server = g_new0(FileServer, 1);
    server->saw = saw;
    server->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (server->directory_fd < 0) {
        set_errno_error(error, errno, "Cannot open %s", directory);
        return NULL;
    }
    server->soup = soup_server_new("server-header", "particleos ", "raw-paths", TRUE, NULL);
    soup_server_add_handler(server->soup, NULL, on_request, server, NULL);
    if (!start_listening(server->soup, listen, default_port, error)) {
        if (error && (*error)->domain != RECIPE_ERROR)
            g_prefix_error(error, "Cannot listen on %s: ", listen);
        return NULL;
    }
    return g_steal_pointer(&server);
}

extern const FileServerFunctions file_server_module;

const FileServerFunctions file_server_module = {
        .start = server_start,
        .addresses = server_addresses,
        .free = server_free,
};
