/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What keeps secrets in memory from showing up elsewhere. */

/* From now on this process leaves no core dump, neither as a file nor to a program that collects them. */
void secret_forbid_core_dumps(void);
