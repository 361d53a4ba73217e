/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The serial console of a machine on our terminal. */

#include <glib.h>

/* What has been typed of a sequence that leaves the console. */
typedef struct {
    guint presses;      /* of Ctrl-] in a row */
    gint64 first_press; /* microseconds */
    gboolean prefix;    /* Ctrl-a came last */
} VmConsoleKeys;

/* Appends to OUTPUT what of the typed bytes INPUT is for the guest. Returns TRUE when the user asked to
 * leave: Ctrl-] three times within a second, or Ctrl-a x. Ctrl-a twice sends one Ctrl-a. NOW is in
 * microseconds. */
gboolean vm_console_filter_input(
        VmConsoleKeys *keys, const guint8 *input, gsize length, gint64 now, GByteArray *output);

typedef struct VmConsole VmConsole;
typedef void (*VmConsoleQuit)(gpointer data);
typedef void (*VmConsoleOutput)(const char *bytes, gsize length, gpointer data);

/* Takes FD, our end of the serial port. Output goes to OUTPUT, or to standard output when that is NULL. With
 * INTERACTIVE, standard input goes to the guest, the terminal is in raw mode until the console is freed, and
 * QUIT is called when the user asks to leave. Works in the default main context. */
VmConsole *vm_console_new(
        int fd, gboolean interactive, VmConsoleOutput output, VmConsoleQuit quit, gpointer data);
void vm_console_free(VmConsole *console);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmConsole, vm_console_free)

/* Sends TEXT to the guest, as if typed. */
void vm_console_send(VmConsole *console, const char *text);

/* Reads what the machine wrote last, once it has ended. */
void vm_console_drain(VmConsole *console);

/* Saves the state of the terminal on standard input, and puts it back: for when QEMU has the terminal and
 * may be killed. */
typedef struct VmTerminalState VmTerminalState;
VmTerminalState *vm_terminal_save(void);
void vm_terminal_restore(VmTerminalState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmTerminalState, vm_terminal_restore)
