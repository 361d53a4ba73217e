/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "published.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kitchen/serve/api-answer.h"

/* The kernel refuses to leave the directory, by whatever way; links inside of it are how a channel is switched. */
static int open_below(const char *directory, const char *path) {
    AUTO_FD top = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct open_how how = {
            .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };

    return top < 0 ? -1 : (int) syscall(SYS_openat2, top, path, &how, sizeof(how));
}

/* Names that stay while what they mean changes. */
static gboolean changes(const char *name) {
    return g_str_equal(name, "checkpoint") || g_str_equal(name, "key") || g_str_equal(name, "provenance.pem") ||
           g_str_has_prefix(name, "SHA256SUMS") || g_str_has_prefix(name, "BEST-BEFORE-") || strstr(name, "latest");
}

void published(Visit *visit) {
    char *const *segments = visit->http->segments + 1;
    g_autofree char *path = g_strjoinv("/", (char **) segments);
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    gboolean hidden = FALSE;
    AUTO_FD fd = -1;

    /* ".sets" is how it is made, not what is offered. */
    for (guint i = 0; segments[i]; i++)
        hidden = hidden || segments[i][0] == '.';
    if (visit->site->publish_directory && !hidden && name[0])
        fd = open_below(visit->site->publish_directory, path);
    if (fd < 0) {
        http_answer_text(visit->http, SOUP_STATUS_NOT_FOUND, "There is no such file");
        return;
    }
    http_header(visit->http, "Cache-Control", changes(name) ? "no-cache" : "public, max-age=31536000, immutable");
    http_header(visit->http, "Content-Disposition", "attachment");
    api_send_fd(visit, &fd, "application/octet-stream");
    if (soup_server_message_get_status(visit->http->message) >= 400)
        http_header(visit->http, "Cache-Control", "no-store");
}
