/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/keys/pinentry.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/events.h"
#include "pipeline/state/image-build.h"
#include "sandbox/sandbox.h"

/* As the protocol has it, with the end of the line. */
#define LONGEST_LINE 1002

typedef struct {
    const char *program;
    int fd;
    char line[LONGEST_LINE + 1]; /* wiped */
} Conversation;

static gboolean failed(const Conversation *talk, GError **error, const char *what) {
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "--key-pinentry=%s: %s", talk->program, what);
    return FALSE;
}

static gboolean say(const Conversation *talk, const char *command, const char *text, GError **error) {
    g_autoptr(GString) line = g_string_new(command);

    for (const char *p = text; *p; p++)
        if (*p == '%' || g_ascii_iscntrl(*p))
            g_string_append_printf(line, "%%%02X", (guchar) *p);
        else
            g_string_append_c(line, *p);
    g_string_append_c(line, '\n');
    for (gsize done = 0; done < line->len;) {
        ssize_t n = send(talk->fd, line->str + done, line->len - done, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return failed(talk, error, "it ended before it was asked");
        done += MAX(n, 0);
    }
    return TRUE;
}

/* Byte by byte, so that no copy of a secret stays in a buffer of somebody else's. */
static gboolean hear(Conversation *talk, GError **error) {
    gsize length = 0;
    ssize_t n;

    while ((n = read(talk->fd, talk->line + length, 1)) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0 && talk->line[length] == '\n') {
            talk->line[length] = '\0';
            return TRUE;
        }
        if (n > 0 && ++length == LONGEST_LINE)
            return failed(talk, error, "it does not speak the protocol of pinentry: a line is too long");
    }
    return failed(talk, error, "it ended without an answer (is it a program that speaks the protocol of pinentry?)");
}

static gboolean starts_with_word(const char *line, const char *word) {
    gsize length = strlen(word);
    return strncmp(line, word, length) == 0 && (line[length] == ' ' || line[length] == '\0');
}

/* Adds what a line of data has to DATA, which has room for it. */
static void decode(const char *text, char *data) {
    data += strlen(data);
    for (; *text; text++) {
        gboolean coded = text[0] == '%' && g_ascii_isxdigit(text[1]) && g_ascii_isxdigit(text[2]);
        *data++ = coded ? (char) (g_ascii_xdigit_value(text[1]) << 4 | g_ascii_xdigit_value(text[2])) : *text;
        text += coded ? 2 : 0;
    }
    *data = '\0';
}

/* Waits for the end of the reply. DATA gets what it has, as far as one line goes; NULL: nothing is expected. MUST: a
 * refusal is an error. */
static gboolean await(Conversation *talk, char *data, gboolean must, GError **error) {
    while (hear(talk, error)) {
        if (starts_with_word(talk->line, "OK"))
            return TRUE;
        if (starts_with_word(talk->line, "ERR")) {
            g_autofree char *what = g_strconcat("it says \"", talk->line, "\"", NULL);
            return !must || failed(talk, error, what);
        }
        if (g_str_has_prefix(talk->line, "D ") && data && strlen(data) + strlen(talk->line) <= LONGEST_LINE)
            decode(talk->line + 2, data);
        else if (starts_with_word(talk->line, "INQUIRE") && !say(talk, "CANCEL", "", error))
            return FALSE;
    }
    return FALSE;
}

static gboolean order(Conversation *talk, const char *command, const char *text, gboolean must, GError **error) {
    return !text || (say(talk, command, text, error) && await(talk, NULL, must, error));
}

/* For those that ask on a terminal: which it is. */
static gboolean describe_terminal(Conversation *talk, GError **error) {
    char terminal[256];
    const char *locale = g_getenv("LC_ALL");
    gboolean found = FALSE;

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && !found; fd++)
        found = ttyname_r(fd, terminal, sizeof terminal) == 0;
    if (!locale && !(locale = g_getenv("LC_CTYPE")))
        locale = g_getenv("LANG");
    return order(talk, "OPTION ttyname=", found ? terminal : g_getenv("GPG_TTY"), FALSE, error) &&
           order(talk, "OPTION ttytype=", g_getenv("TERM"), FALSE, error) &&
           order(talk, "OPTION lc-ctype=", locale, FALSE, error);
}

static char *ask(Conversation *talk, const char *question, GError **error) {
    char data[LONGEST_LINE + 1] = "";
    char *answer = NULL;

    if (await(talk, NULL, TRUE, error) && describe_terminal(talk, error) &&
            order(talk, "SETTITLE ", "particleos", FALSE, error) && order(talk, "SETDESC ", question, TRUE, error) &&
            order(talk, "SETPROMPT ", "PIN or passphrase:", FALSE, error) && say(talk, "GETPIN", "", error) &&
            await(talk, data, TRUE, error) && say(talk, "BYE", "", error))
        answer = g_strdup(data);
    explicit_bzero(data, sizeof data);
    return answer;
}

static char *converse(Conversation *talk, const char *question, int child_fd, GError **error) {
    g_autofree char *path = g_find_program_in_path(talk->program);
    const char *const argv[] = {path, NULL};
    g_autoptr(Sandbox) sandbox = sandbox_new_for_host();

    if (!path) {
        failed(talk, error, "there is no such program");
        return NULL;
    }
    sandbox_stdin_fd(sandbox, child_fd);
    sandbox_stdout_fd(sandbox, child_fd);
    g_autoptr(SandboxProcess) process = sandbox_spawn(sandbox, argv, error);
    close(child_fd); /* so that its end is heard */
    if (!process)
        return NULL;
    events_terminal_take();
    char *answer = ask(talk, question, error);
    events_terminal_return();
    return answer;
}

char *pinentry_ask(const char *program, const char *question, GError **error) {
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        set_errno_error(error, errno, "Cannot talk to %s", program);
        return NULL;
    }
    AUTO_FD ours = ends[0];
    Conversation talk = {.program = program, .fd = ours};
    char *answer = converse(&talk, question, ends[1], error);
    explicit_bzero(talk.line, sizeof talk.line);
    return answer;
}
