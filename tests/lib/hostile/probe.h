/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What somebody tries who runs inside of a build: a maintainer script of a package, a script of a recipe.
 * One row of a table is one attempt; tests/integration/test-hostile puts the program into builds and asserts
 * that every attempt fails there, and that it succeeds where nothing holds it.
 *
 * Facts about the host (facts.h, written by the test):
 *   HOST_SECRET     path of a file with the text SECRET
 *   HOST_DIRECTORY  a directory that the caller can write
 *   HOST_TOKEN      value of the caller's environment variable HOSTILE_TOKEN
 *   HOST_KEY        description of a key in the caller's session keyring
 *   HOST_ABSTRACT   name of an abstract socket that listens
 *   HOST_SOCKET     path of a socket that listens
 *   HOST_PORT       TCP port of 127.0.0.1 that listens
 *   HOST_PID        a process of the caller
 *   HOST_SHM        key of a System V shared memory segment
 *   HOST_USER_NS    link text of the caller's user namespace
 *   HOST_MAJOR, HOST_MINOR   the block device of a file system of the host
 */
#include "facts.h"

#include <stdbool.h>

typedef struct {
    const char *name;
    bool (*attempt)(void); /* true: it worked, the attacker has what the name says */
} Probe;

/* Tables end with a row without a name. */
extern const Probe file_probes[], process_probes[], terminal_probes[], kernel_probes[], mount_probes[],
        neighbour_probes[], device_probes[];

/* Whether the file PATH can be opened with FLAGS. */
bool can_open(const char *path, int flags);
/* Whether the first 64 KiB of the file PATH contain TEXT; NULL: contain anything. */
bool file_contains(const char *path, const char *text);
/* Whether the kernel did more about a call than to refuse it: RESULT is its return value, errno its reason.
 */
bool reached(long result);
/* Enters a new mount namespace, as far as that is allowed, so that nothing changes for others. */
void enter_own_mounts(void);
