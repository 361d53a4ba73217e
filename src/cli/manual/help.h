/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Prints "particleos --help" on standard output: verbs and every setting, grouped. */
void print_help(void);
