/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Running machines, as the verb ssh and systemd-machined know them. */

#include <glib.h>

#include "recipe/result/image-config.h"

/* A file in the caller's runtime directory that says how to reach a machine; it goes away with it. */
typedef struct VmState VmState;

/* Fails when a machine of that name runs already. */
VmState *vm_state_new(const ImageConfig *config, guint32 vsock_cid, GError **error);
void vm_state_free(VmState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmState, vm_state_free)

typedef struct {
    char *ssh_key; /* NULL: the machine was started without one */
    guint32 vsock_cid;
} VmAddress;

/* How to reach the running machine of CONFIG. The error says what to do when there is none. */
VmAddress *vm_state_find(const ImageConfig *config, GError **error);
void vm_address_free(VmAddress *address);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmAddress, vm_address_free)

/* Whether to register with systemd-machined. Fails when Register=yes and it is not there. */
gboolean vm_register_wanted(const ImageConfig *config, gboolean *ret_wanted, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Registers the machine with leader process PID (io.systemd.Machine.Register, varlink). CID 0: no vsock. */
gboolean vm_register(
        const ImageConfig *config, pid_t pid, const char *image, guint32 vsock_cid, GError **error) G_GNUC_WARN_UNUSED_RESULT;
