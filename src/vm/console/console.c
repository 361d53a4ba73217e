/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/console/console.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_A 0x01
#define CTRL_BRACKET 0x1d
#define PRESSES 3

struct VmTerminalState {
    struct termios attributes;
};

struct VmConsole {
    int fd;
    guint fd_source, input_source;
    VmConsoleKeys keys;
    VmTerminalState *terminal;
    VmConsoleOutput output;
    VmConsoleQuit quit;
    gpointer data;
};

gboolean vm_console_filter_input(
        VmConsoleKeys *keys, const guint8 *input, gsize length, gint64 now, GByteArray *output) {
    for (gsize i = 0; i < length; i++) {
        guint8 byte = input[i];
        if (byte == CTRL_BRACKET) {
            if (keys->presses == 0 || now - keys->first_press > G_USEC_PER_SEC) {
                keys->presses = 0;
                keys->first_press = now;
            }
            if (++keys->presses == PRESSES)
                return TRUE;
        } else
            keys->presses = 0;

        if (keys->prefix) {
            keys->prefix = FALSE;
            if (byte == 'x')
                return TRUE;
            if (byte != CTRL_A)
                g_byte_array_append(output, (const guint8 *) "\001", 1);
        } else if (byte == CTRL_A) {
            keys->prefix = TRUE;
            continue;
        }
        g_byte_array_append(output, &byte, 1);
    }
    return FALSE;
}

VmTerminalState *vm_terminal_save(void) {
    VmTerminalState *state = g_new0(VmTerminalState, 1);
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &state->attributes) < 0)
        g_clear_pointer(&state, g_free);
    return state;
}

void vm_terminal_restore(VmTerminalState *state) {
    if (!state)
        return;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &state->attributes);
    g_free(state);
}

static void set_raw(const VmTerminalState *state) {
    struct termios raw = state->attributes;
    cfmakeraw(&raw);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

/* Waits for slow readers: the console of a machine is not urgent. */
static void write_all(int fd, const guint8 *bytes, gsize length) {
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd waiting = {.fd = fd, .events = POLLOUT};
            poll(&waiting, 1, -1);
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        bytes += n;
        length -= n;
    }
}

/* Returns FALSE at the end. */
static gboolean read_some(VmConsole *console) {
    char bytes[4096];
    ssize_t n = recv(console->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    if (n == 0)
        return FALSE;
    if (console->output)
        console->output(bytes, n, console->data);
    else
        write_all(STDOUT_FILENO, (const guint8 *) bytes, n);
    return TRUE;
}

static gboolean on_output(gint fd, GIOCondition condition, gpointer data) {
    VmConsole *console = data;
    if (read_some(console))
        return G_SOURCE_CONTINUE;
    console->fd_source = 0;
    return G_SOURCE_REMOVE;
}

static void send_bytes(VmConsole *console, const guint8 *bytes, gsize length) {
    while (length > 0) {
        ssize_t n = send(console->fd, bytes, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        bytes += n;
        length -= n;
    }
}

void vm_console_send(VmConsole *console, const char *text) {
    send_bytes(console, (const guint8 *) text, strlen(text));
}

static gboolean on_input(gint fd, GIOCondition condition, gpointer data) {
    VmConsole *console = data;
    guint8 bytes[1024];
    ssize_t n = read(fd, bytes, sizeof(bytes));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return G_SOURCE_CONTINUE;
    if (n <= 0) {
        /* Nobody types any more; the machine goes on. */
        console->input_source = 0;
        return G_SOURCE_REMOVE;
    }
    g_autoptr(GByteArray) typed = g_byte_array_new();
    gboolean leave = vm_console_filter_input(&console->keys, bytes, n, g_get_monotonic_time(), typed);
    send_bytes(console, typed->data, typed->len);
    if (leave && console->quit)
        console->quit(console->data);
    return G_SOURCE_CONTINUE;
}

VmConsole *vm_console_new(
        int fd, gboolean interactive, VmConsoleOutput output, VmConsoleQuit quit, gpointer data) {
    VmConsole *console = g_new0(VmConsole, 1);
    console->fd = fd;
    console->output = output;
    console->quit = quit;
    console->data = data;
    console->fd_source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_output, console);
    if (!interactive)
        return console;
    console->terminal = vm_terminal_save();
    if (console->terminal)
        set_raw(console->terminal);
    console->input_source = g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, on_input, console);
    return console;
}

void vm_console_drain(VmConsole *console) {
    struct pollfd waiting = {.fd = console->fd, .events = POLLIN};
    while (poll(&waiting, 1, 0) > 0 && read_some(console))
        ;
}

void vm_console_free(VmConsole *console) {
    if (!console)
        return;
    if (console->fd_source)
        g_source_remove(console->fd_source);
    if (console->input_source)
        g_source_remove(console->input_source);
    vm_terminal_restore(console->terminal);
    close(console->fd);
    g_free(console);
}
