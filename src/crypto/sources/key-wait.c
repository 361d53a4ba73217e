/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/sources/key-wait.h"

/* Longer than any token computes. */
#define PATIENCE G_USEC_PER_SEC

struct KeyWait {
    KeyWaiting tell;
    gpointer data;
    const char *what;
    const int *asking;
    GThread *thread;
    GMutex lock;
    GCond changed;
    gboolean ended;
};

static gpointer watch(gpointer data) {
    KeyWait *wait = data;
    gint64 end = g_get_monotonic_time() + PATIENCE;
    gboolean late = FALSE;

    g_mutex_lock(&wait->lock);
    while (!wait->ended && !late) {
        late = !g_cond_wait_until(&wait->changed, &wait->lock, end);
        if (late && g_atomic_int_get(wait->asking)) {
            late = FALSE;
            end = g_get_monotonic_time() + PATIENCE;
        }
    }
    late = late && !wait->ended;
    g_mutex_unlock(&wait->lock);
    if (late)
        wait->tell(wait->what, wait->data);
    return NULL;
}

KeyWait *key_wait_begin(KeyWaiting tell, gpointer data, const char *what, const int *asking) {
    if (!tell)
        return NULL;
    KeyWait *wait = g_new0(KeyWait, 1);
    wait->tell = tell;
    wait->data = data;
    wait->what = what;
    wait->asking = asking;
    g_mutex_init(&wait->lock);
    g_cond_init(&wait->changed);
    wait->thread = g_thread_new("waiting", watch, wait);
    return wait;
}

void key_wait_end(KeyWait *wait) {
    if (!wait)
        return;
    g_mutex_lock(&wait->lock);
    wait->ended = TRUE;
    g_cond_signal(&wait->changed);
    g_mutex_unlock(&wait->lock);
    g_thread_join(wait->thread);
    g_mutex_clear(&wait->lock);
    g_cond_clear(&wait->changed);
    g_free(wait);
}
