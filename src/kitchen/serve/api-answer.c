/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api-answer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "kitchen/site/words.h"

#define CHUNK (256 * 1024)

/* A file on its way. */
typedef struct {
    int fd;
    gint64 at, end;
} Transfer;

void api_answer(Visit *visit, guint status, JsonBuilder *builder) {
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, FALSE);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    g_autoptr(GBytes) body = g_bytes_new(line, strlen(line));

    http_answer(visit->http, status, status >= 400 ? "application/problem+json" : "application/json", body);
}

void api_add_text(JsonBuilder *builder, const char *name, const char *text) {
    g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

    json_builder_set_member_name(builder, name);
    if (valid)
        json_builder_add_string_value(builder, valid);
    else
        json_builder_add_null_value(builder);
}

void api_add_number(JsonBuilder *builder, const char *name, gint64 number) {
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, number);
}

void api_add_time(JsonBuilder *builder, const char *name, gint64 time) {
    g_autofree char *text = time ? words_time(time) : NULL;

    api_add_text(builder, name, text);
}

void api_problem(Visit *visit, guint status, const char *title, const char *detail) {
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();

    json_builder_begin_object(builder);
    api_add_text(builder, "type", "about:blank");
    api_add_text(builder, "title", title);
    api_add_number(builder, "status", status);
    api_add_text(builder, "detail", detail);
    json_builder_end_object(builder);
    api_answer(visit, status, builder);
}

void api_not_found(Visit *visit) {
    api_problem(visit, SOUP_STATUS_NOT_FOUND, "Not here",
            visit->user ? "There is no such thing, or it is not yours to see: look at the names in the answer of "
                          "/api/v1/projects."
                        : "There is no such thing, or you need a token to see it: make one on the page /account and "
                          "send it as \"Authorization: Bearer TOKEN\".");
}

void api_error(Visit *visit, const GError *error) {
    if (!site_error_is_ours(error)) {
        api_problem(visit, SOUP_STATUS_CONFLICT, "That did not work", error->message);
        return;
    }
    g_warning("A request was not answered: %s", error->message);
    http_header(visit->http, "Retry-After", "5");
    api_problem(
            visit, SOUP_STATUS_SERVICE_UNAVAILABLE, "Not now", "The database does not answer: try again in a moment.");
}

gboolean api_may_read(Visit *visit) {
    if (!visit->damaged)
        return TRUE;
    http_header(visit->http, "WWW-Authenticate", "Bearer");
    api_problem(visit, SOUP_STATUS_UNAUTHORIZED, "The token does not count",
            "It is wrong, expired or revoked: make another one on the page /account.");
    return FALSE;
}

gboolean api_may(Visit *visit, Scope scope) {
    if (!api_may_read(visit))
        return FALSE;
    if (!visit->token) {
        http_header(visit->http, "WWW-Authenticate", "Bearer");
        api_problem(visit, SOUP_STATUS_UNAUTHORIZED, "A token is needed",
                "Make one on the page /account and send it as \"Authorization: Bearer TOKEN\".");
        return FALSE;
    }
    if (visit->token->scope >= scope)
        return TRUE;
    api_problem(visit, SOUP_STATUS_FORBIDDEN, "The token is for less",
            scope == SCOPE_BUILD ? "Its scope is \"read\": make one with \"build\" on the page /account."
                                 : "This needs a token with the scope \"admin\": make one on the page /account.");
    return FALSE;
}

gint64 api_number(const char *text) {
    guint64 number = 0;

    return g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, &number, NULL) ? (gint64) number : 0;
}

static void transfer_free(gpointer data, GClosure *closure) {
    Transfer *transfer = data;

    cleanup_fd(&transfer->fd);
    g_free(transfer);
}

/* The next piece when the last one is written, so that files need no memory. */
static void send_next(SoupServerMessage *message, gpointer user) {
    Transfer *transfer = user;
    SoupMessageBody *body = soup_server_message_get_response_body(message);
    gsize length = MIN(transfer->end - transfer->at, CHUNK);
    g_autofree guint8 *chunk = NULL;
    gssize n = 0;

    if (length == 0)
        return;
    chunk = g_malloc(length);
    n = pread_up_to(transfer->fd, chunk, length, transfer->at);
    if (n <= 0) {
        /* Somebody made the file shorter; the client sees that something is missing. */
        soup_message_body_complete(body);
        return;
    }
    transfer->at += n;
    soup_message_body_append_take(body, g_steal_pointer(&chunk), n);
    if (transfer->at >= transfer->end)
        soup_message_body_complete(body);
}

/* One range; several are answered with the whole file. FALSE: there is nothing there. */
static gboolean apply_range(Visit *visit, gint64 size, Transfer *transfer) {
    SoupMessageHeaders *request = soup_server_message_get_request_headers(visit->http->message);
    SoupMessageHeaders *response = soup_server_message_get_response_headers(visit->http->message);
    SoupRange *ranges = NULL;
    int count = 0;
    gint64 start = 0, end = 0;

    if (!http_request_header(visit->http, "Range") || !soup_message_headers_get_ranges(request, size, &ranges, &count))
        return TRUE;
    start = ranges[0].start;
    end = MIN(ranges[0].end, size - 1);
    soup_message_headers_free_ranges(request, ranges);
    if (count != 1)
        return TRUE;
    if (start < 0 || start > end) {
        g_autofree char *text = g_strdup_printf("bytes */%" G_GINT64_FORMAT, size);

        http_header(visit->http, "Content-Range", text);
        return FALSE;
    }
    transfer->at = start;
    transfer->end = end + 1;
    soup_message_headers_set_content_range(response, start, end, size);
    soup_server_message_set_status(visit->http->message, SOUP_STATUS_PARTIAL_CONTENT, NULL);
    return TRUE;
}

/* TRUE: the client has this content. */
static gboolean is_known(Visit *visit, const struct stat *status) {
    g_autofree char *tag = g_strdup_printf(
            "\"%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x\"", (guint64) status->st_ino,
            (guint64) status->st_size, (guint64) status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec);
    const char *asked = http_request_header(visit->http, "If-None-Match");
    const char *condition = http_request_header(visit->http, "If-Range");

    http_header(visit->http, "ETag", tag);
    if (condition && strcmp(condition, tag) != 0)
        soup_message_headers_remove(soup_server_message_get_request_headers(visit->http->message), "Range");
    return asked && (strcmp(asked, "*") == 0 || strstr(asked, tag));
}

void api_send_fd(Visit *visit, int *fd, const char *content_type) {
    SoupServerMessage *message = visit->http->message;
    SoupMessageBody *body = soup_server_message_get_response_body(message);
    Transfer transfer = {.fd = -1};
    Transfer *copy = NULL;
    struct stat status;

    if (fstat(*fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        api_not_found(visit);
        return;
    }
    transfer.end = status.st_size;
    soup_server_message_set_status(message, SOUP_STATUS_OK, NULL);
    http_header(visit->http, "Content-Type", content_type);
    http_header(visit->http, "Content-Security-Policy", "sandbox; default-src 'none'");
    http_header(visit->http, "Accept-Ranges", "bytes");
    if (is_known(visit, &status)) {
        soup_server_message_set_status(message, SOUP_STATUS_NOT_MODIFIED, NULL);
        return;
    }
    if (!apply_range(visit, status.st_size, &transfer)) {
        soup_server_message_set_status(message, SOUP_STATUS_REQUESTED_RANGE_NOT_SATISFIABLE, NULL);
        return;
    }
    soup_message_headers_set_content_length(
            soup_server_message_get_response_headers(message), transfer.end - transfer.at);
    if (strcmp(visit->http->method, "HEAD") == 0 || transfer.at == transfer.end)
        return;
    transfer.fd = steal_fd(fd);
    copy = g_memdup2(&transfer, sizeof(transfer));
    soup_message_body_set_accumulate(body, FALSE);
    g_signal_connect_data(message, "wrote-headers", G_CALLBACK(send_next), copy, transfer_free, G_CONNECT_DEFAULT);
    g_signal_connect(message, "wrote-chunk", G_CALLBACK(send_next), copy);
}

void api_send_file(Visit *visit, const char *path, const char *content_type, gboolean empty) {
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT && empty)
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        api_not_found(visit);
    else if (empty && lseek(fd, 0, SEEK_END) <= 0)
        http_answer_text(visit->http, SOUP_STATUS_OK, "");
    else
        api_send_fd(visit, &fd, content_type);
}
