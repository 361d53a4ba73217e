/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Standard streams of the caller that are files, carried to and from a program by pipes: who has a descriptor of a
 * file can open the file again through /proc/self/fd, for writing and from its start. */

#include "sandbox/sandbox-private.h"

/* One thread for each of the three streams that is a file or a block device. */
typedef struct {
    struct Stream {
        GThread *thread;
        int from, to; /* owned: the one that is the pipe's */
        int error;    /* errno of the first write that failed, 0: none */
    } streams[3];
    int program_ends[3]; /* of the pipes; -1: none */
} Relay;

#define RELAY_INIT ((Relay){.program_ends = {-1, -1, -1}})

/* Replaces what is a file in STDIO by pipes and starts to carry. Ended by relay_end(), also after an error.
 * RELAY: from RELAY_INIT; ending one that never began does nothing. */
gboolean relay_begin(Relay *relay, SandboxStdio *stdio, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* To be called when the program has its descriptors. */
void relay_close_program_ends(Relay *relay);

/* Waits until all that the program wrote is written; it has ended. Fails where the caller's file took less. */
gboolean relay_end(Relay *relay, GError **error) G_GNUC_WARN_UNUSED_RESULT;
