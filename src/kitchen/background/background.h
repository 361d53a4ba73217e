/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Work that blocks (git, hashing, the signer), in threads, for a main loop that does not. */

#include <glib.h>

/* Runs in a thread of a pool. */
typedef gboolean (*BackgroundWork)(gpointer data, GError **error);
/* Runs in the main loop when WORK has ended; ERROR is NULL when it succeeded. */
typedef void (*BackgroundThen)(gpointer user, gpointer data, const GError *error);

/* All pieces of work of one owner. */
typedef struct Background Background;

/* AFTER(OWNER) is called after each piece; FORGET(user) for pieces whose THEN will not be called, because all of it is freed
 * first. Both may be NULL. */
Background *background_new(void (*after)(gpointer owner), gpointer owner, GDestroyNotify forget);

/* Gives up what is at work: it goes on to its end, but nobody hears of it. */
void background_free(Background *background);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Background, background_free)

/* Runs WORK(DATA), then THEN(USER, DATA, error) in the main loop of this thread; DATA is freed after it. */
void background_run(Background *background, BackgroundWork work, BackgroundThen then, gpointer user, gpointer data,
        GDestroyNotify free_data);

/* Whether something is at work. */
gboolean background_is_busy(const Background *background);

/* Waits until nothing is at work, in this thread's main loop. */
void background_wait(Background *background);
