/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "background.h"

#include <gio/gio.h>

struct Background {
    guint n_pieces;
    gboolean abandoned; /* the last piece frees it */
    void (*after)(gpointer owner);
    gpointer owner;
    GDestroyNotify forget;
};

typedef struct {
    Background *background;
    BackgroundWork work;
    BackgroundThen then;
    gpointer user, data;
    GDestroyNotify free_data;
} Piece;

Background *background_new(void (*after)(gpointer owner), gpointer owner, GDestroyNotify forget) {
    Background *background = g_new0(Background, 1);

    *background = (Background){.after = after, .owner = owner, .forget = forget};
    return background;
}

void background_free(Background *background) {
    if (!background)
        return;
    background->abandoned = TRUE;
    if (background->n_pieces == 0)
        g_free(background);
}

static void piece_free(gpointer pointer) {
    Piece *piece = pointer;

    if (piece->free_data)
        piece->free_data(piece->data);
    g_free(piece);
}

static void run_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable) {
    Piece *piece = data;
    GError *failure = NULL;

    if (piece->work(piece->data, &failure))
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, failure);
}

static void after_thread(GObject *source, GAsyncResult *result, gpointer user) {
    Piece *piece = g_task_get_task_data(G_TASK(result));
    Background *background = piece->background;
    g_autoptr(GError) failure = NULL;

    (void) g_task_propagate_boolean(G_TASK(result), &failure);
    if (!background->abandoned)
        piece->then(piece->user, piece->data, failure);
    else if (background->forget)
        background->forget(piece->user);
    background->n_pieces--;
    if (background->abandoned)
        background_free(background);
    else if (background->after)
        background->after(background->owner);
    /* Here, and not wherever the thread lets go of the task. */
    g_task_set_task_data(G_TASK(result), NULL, NULL);
}

void background_run(Background *background, BackgroundWork work, BackgroundThen then, gpointer user, gpointer data,
        GDestroyNotify free_data) {
    g_autoptr(GTask) task = g_task_new(NULL, NULL, after_thread, NULL);
    Piece *piece = g_new0(Piece, 1);

    *piece = (Piece){
            .background = background, .work = work, .then = then, .user = user, .data = data, .free_data = free_data};
    background->n_pieces++;
    g_task_set_task_data(task, piece, piece_free);
    g_task_run_in_thread(task, run_in_thread);
}

gboolean background_is_busy(const Background *background) {
    return background->n_pieces > 0;
}

void background_wait(Background *background) {
    while (background->n_pieces > 0)
        g_main_context_iteration(NULL, TRUE);
}
