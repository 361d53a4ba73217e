/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages of the guest's service manager over vsock (sd_notify(3) with the credential vmm.notify_socket):
 * the exit status of the machine. */

#include <glib.h>

typedef struct VmNotify VmNotify;

/* Listens on a free vsock port. NULL with ERROR set when the host cannot. */
VmNotify *vm_notify_new(GError **error);
void vm_notify_free(VmNotify *notify);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmNotify, vm_notify_free)

/* Value of the credential vmm.notify_socket; owned by the caller. */
char *vm_notify_address(const VmNotify *notify);

/* The exit status that the guest announced, or -1. */
int vm_notify_exit_status(const VmNotify *notify);

/* Finds EXIT_STATUS=0..255 in a notification (lines of KEY=VALUE). Returns FALSE when there is none. */
gboolean vm_notify_parse_exit_status(const char *message, gsize length, int *ret_status);

/* Opens /dev/vhost-vsock and claims a connection ID: CID if at least 3, else (-1 any, -2 derived from NAME)
 * one that is free. Returns the descriptor (owned by the caller) or -1 with ERROR set. */
int vm_vsock_open(gint64 cid, const char *name, guint32 *ret_cid, GError **error);
