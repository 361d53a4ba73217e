/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* systemd-journal-remote, which keeps the journal of a guest on the host (ForwardJournal=). */

#include <glib.h>

typedef struct VmJournal VmJournal;

/* Starts it with OUTPUT (a file *.journal, or a directory), listening on a socket in the directory SCRATCH.
 * The error names what is not installed. */
VmJournal *vm_journal_new_unix(const char *output, const char *scratch, GError **error);

/* Same, listening on vsock. */
VmJournal *vm_journal_new_vsock(const char *output, const char *scratch, GError **error);

/* What the guest's credential journal.forward_to_socket must say ("vsock-stream:2:PORT"), or the path of the
 * socket; owned by the journal. */
const char *vm_journal_address(const VmJournal *journal);

/* Ends it; what was received is on disk then. */
void vm_journal_free(VmJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmJournal, vm_journal_free)
