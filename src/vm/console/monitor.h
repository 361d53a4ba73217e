/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The control channel of a running QEMU (QMP). Its end is the end of the machine. Works in the default main
 * context. */

#include <glib.h>

typedef struct VmMonitor VmMonitor;

/* EVENT is QMP's name ("RESET", "SHUTDOWN", "GUEST_PANICKED"), or NULL when QEMU has gone. */
typedef void (*VmMonitorEvent)(const char *event, gpointer data);

/* Takes FD, our end of the socket. */
VmMonitor *vm_monitor_new(int fd, VmMonitorEvent callback, gpointer data);
void vm_monitor_free(VmMonitor *monitor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmMonitor, vm_monitor_free)

/* Asks the guest to power off, as the power button does. */
void vm_monitor_power_button(VmMonitor *monitor);

/* Ends QEMU at once. */
void vm_monitor_quit(VmMonitor *monitor);

/* The event that one line of QMP announces, owned by the caller; NULL for answers and for anything that is
 * not QMP. */
char *vm_monitor_parse_event(const char *line, gsize length);
