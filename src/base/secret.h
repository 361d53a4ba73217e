/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What keeps secrets in memory from showing up elsewhere. */

/* From now on this process leaves no core dump, neither as a file nor to a program that collects them. */
void secret_forbid_core_dumps(void);

/* The same, and no process of this user without power to trace reads its memory, environment and descriptors. It loses its own
 * /proc when it is not root, and with it the means to make user namespaces: for programs that make none (any more). Programs
 * that it starts are as all others. */
void secret_hide_process(void);
