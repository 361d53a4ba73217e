/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The boot loader's own files (loader.conf(5), UAPI.1 Boot Loader Specification). Pure functions over text.
 */

#include <glib.h>

/* What is wrong with the loader.conf TEXT: keys that nobody knows, a default that is none of the boot
 * entries NAMES (an array of strings, in lower case: "x.efi"). NULL: nothing. Owned by the caller. */
char *loader_conf_find_problem(const char *text, GPtrArray *names);

/* The same for a boot entry of type 1, which may do no more than name one of the UKIs PATHS (an array of
 * strings, in lower case: "efi/linux/x.efi"), since what else it starts or passes on is signed by nobody. */
char *loader_entry_find_problem(const char *text, GPtrArray *paths);
