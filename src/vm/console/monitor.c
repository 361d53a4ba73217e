/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/console/monitor.h"

#include <errno.h>
#include <glib-unix.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "events/events.h"


/* Longer lines are not read as events. */
#define LINE_MAX_LENGTH (64 * 1024)

struct VmMonitor {
    int fd;
    guint source;
    GString *buffer;
    VmMonitorEvent callback;
    gpointer data;
};

char *vm_monitor_parse_event(const char *line, gsize length) {
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!g_utf8_validate_len(line, length, NULL) || !json_parser_load_from_data(parser, line, length, NULL))
        return NULL;
    JsonNode *root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return NULL;
    JsonObject *object = json_node_get_object(root);
    JsonNode *event =
            json_object_has_member(object, "event") ? json_object_get_member(object, "event") : NULL;
    if (!event || !JSON_NODE_HOLDS_VALUE(event) || json_node_get_value_type(event) != G_TYPE_STRING)
        return NULL;
    return g_strdup(json_node_get_string(event));
}

static void handle_lines(VmMonitor *monitor) {
    char *end;
    while ((end = memchr(monitor->buffer->str, '\n', monitor->buffer->len))) {
        gsize length = end - monitor->buffer->str;
        g_autofree char *event = vm_monitor_parse_event(monitor->buffer->str, length);
        g_string_erase(monitor->buffer, 0, length + 1);
        if (!event)
            continue;
        events_debug("QEMU: %s", event);
        monitor->callback(event, monitor->data);
    }
    if (monitor->buffer->len > LINE_MAX_LENGTH)
        g_string_truncate(monitor->buffer, 0);
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data) {
    VmMonitor *monitor = data;
    char bytes[4096];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return G_SOURCE_CONTINUE;
    if (n <= 0) {
        monitor->source = 0;
        monitor->callback(NULL, monitor->data);
        return G_SOURCE_REMOVE;
    }
    g_string_append_len(monitor->buffer, bytes, n);
    handle_lines(monitor);
    return G_SOURCE_CONTINUE;
}

/* A QEMU that has gone is noticed when reading. */
static void command(VmMonitor *monitor, const char *name) {
    g_autofree char *line = g_strdup_printf("{\"execute\":\"%s\"}\n", name);
    if (send(monitor->fd, line, strlen(line), MSG_NOSIGNAL) < 0)
        events_debug("Cannot send %s to QEMU: %s", name, g_strerror(errno));
}

VmMonitor *vm_monitor_new(int fd, VmMonitorEvent callback, gpointer data) {
    VmMonitor *monitor = g_new0(VmMonitor, 1);
    monitor->fd = fd;
    monitor->buffer = g_string_new(NULL);
    monitor->callback = callback;
    monitor->data = data;
    monitor->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, monitor);
    /* Before this, QEMU accepts no other command and sends no events. */
    command(monitor, "qmp_capabilities");
    return monitor;
}

void vm_monitor_free(VmMonitor *monitor) {
    if (!monitor)
        return;
    if (monitor->source)
        g_source_remove(monitor->source);
    close(monitor->fd);
    g_string_free(monitor->buffer, TRUE);
    g_free(monitor);
}

void vm_monitor_power_button(VmMonitor *monitor) {
    command(monitor, "system_powerdown");
}

void vm_monitor_quit(VmMonitor *monitor) {
    command(monitor, "quit");
}
