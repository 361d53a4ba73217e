/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/live.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ui/terminal.h"

static struct {
    GMutex lock;
    unsigned lines; /* that are shown */
    UiLiveDraw draw;
} live;

void ui_output_lock(void) {
    g_mutex_lock(&live.lock);
}

void ui_output_unlock(void) {
    g_mutex_unlock(&live.lock);
}

void ui_write(const char *text, gsize length) {
    while (length > 0) {
        ssize_t n = write(STDERR_FILENO, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* There is nobody left to tell. */
        text += n;
        length -= n;
    }
}

void ui_live_erase(void) {
    if (live.lines == 0)
        return;
    /* Up to the first live line, then clear to the end of the screen. */
    g_autofree char *text = g_strdup_printf("\r\033[%uA\033[J", live.lines);
    ui_write(text, strlen(text));
    live.lines = 0;
}

void ui_live_show(const char *text, unsigned lines) {
    /* One write for erasing and drawing, so that the terminal never shows the gap between them. */
    g_autoptr(GString) all = g_string_new(NULL);
    if (live.lines > 0)
        g_string_append_printf(all, "\r\033[%uA\033[J", live.lines);
    g_string_append(all, text);
    ui_write(all->str, all->len);
    live.lines = lines;
}

void ui_live_set_draw(UiLiveDraw draw) {
    live.draw = draw;
}

void ui_live_redraw(void) {
    if (live.draw && ui_is_terminal())
        live.draw();
}
