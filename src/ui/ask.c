/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/printable.h"
#include "ui/step.h"

#define LONGEST_LINE 1024

/* Byte by byte: what comes after the line is for others. */
static char *read_line(int fd, GError **error) {
    char line[LONGEST_LINE];
    gsize length = 0;
    ssize_t n;

    while ((n = read(fd, line + length, 1)) == 1 && line[length] != '\n' && length < sizeof line - 1)
        length++;
    char *text = n == 1 && line[length] == '\n' ? g_strndup(line, length) : NULL;
    int number = n < 0 ? errno : EIO;
    explicit_bzero(line, sizeof line);
    if (!text)
        set_errno_error(error, number, "Cannot read the answer from the terminal");
    return text;
}

static char *ask(int fd, const char *prompt, GError **error) {
    struct termios before, hidden;
    g_autofree char *line = g_strconcat(prompt, ": ", NULL);

    if (tcgetattr(fd, &before) < 0) {
        set_errno_error(error, errno, "Cannot ask on the terminal");
        return NULL;
    }
    hidden = before;
    hidden.c_lflag &= ~(tcflag_t) (ECHO | ECHOE | ECHOK);
    hidden.c_lflag |= ICANON | ECHONL;
    /* What was typed before the question is no answer. */
    tcsetattr(fd, TCSAFLUSH, &hidden);
    (void) !write(fd, line, strlen(line)); /* where that fails, reading fails too */
    char *answer = read_line(fd, error);
    tcsetattr(fd, TCSAFLUSH, &before);
    return answer;
}

char *ui_ask_secret(const char *prompt, GError **error) {
    AUTO_FD fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0) {
        set_errno_error(error, errno, "there is no terminal to ask for it");
        return NULL;
    }
    g_autofree char *shown = printable_line(prompt);
    ui_pause();
    char *answer = ask(fd, shown, error);
    ui_resume();
    return answer;
}
