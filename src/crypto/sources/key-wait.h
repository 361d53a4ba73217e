/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Somebody is told when a signature takes long: a token may want to be touched. */

#include <glib.h>

/* WHAT names the key. Called from another thread, once for a signature. */
typedef void (*KeyWaiting)(const char *what, gpointer data);

typedef struct KeyWait KeyWait;

/* Calls TELL after a second, unless key_wait_end() comes first. Time in which somebody is ASKING for a secret does not
 * count (*ASKING, atomic, not 0). WHAT and ASKING are borrowed. TELL NULL: nothing happens, and NULL is returned. */
KeyWait *key_wait_begin(KeyWaiting tell, gpointer data, const char *what, const int *asking);

/* Does nothing when WAIT is NULL. */
void key_wait_end(KeyWait *wait);
