/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/keys/key-prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/secret.h"
#include "events/events.h"
#include "events/task.h"
#include "pipeline/keys/pinentry.h"
#include "pipeline/state/image-build.h"

#define CREDENTIAL "particleos.key-pin"
#define OPTION "--key-pin-fd"
#define LARGEST_TEXT 16384

struct KeyPrompt {
    KeyPromptAsk ask;
    char *pinentry;    /* the program; NULL: none */
    const char *from;  /* where the lines are from; NULL: there are none */
    GPtrArray *asked;  /* questions that lines have answered, each by the line of its number */
    gsize size;
    char lines[LARGEST_TEXT]; /* wiped */
};

/* ---- texts with answers ---- */

static gboolean check_private(int fd, const char *from, GError **error) {
    struct stat st;

    if (fstat(fd, &st) < 0)
        return set_errno_error(error, errno, "Cannot examine %s", from);
    if (!S_ISREG(st.st_mode) || (st.st_mode & S_IRWXO) == 0)
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            "%s is a file that everybody can read or change (mode %04o), so it is no secret: make it private with 'chmod "
            "0600', and choose another PIN or passphrase",
            from, (unsigned) st.st_mode & 07777);
    return FALSE;
}

static gboolean read_lines(KeyPrompt *prompt, int fd, const char *from, GError **error) {
    ssize_t n;

    if (!check_private(fd, from, error))
        return FALSE;
    while ((n = read(fd, prompt->lines + prompt->size, LARGEST_TEXT - prompt->size)) != 0) {
        if (n < 0 && errno != EINTR)
            return set_errno_error(error, errno, "Cannot read %s", from);
        prompt->size += MAX(n, 0);
    }
    if (prompt->size > 0 && prompt->size < LARGEST_TEXT && prompt->lines[0] != '\n') {
        prompt->from = from;
        return TRUE;
    }
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "%s %s", from,
            prompt->size < LARGEST_TEXT ? "has no PIN or passphrase in its first line" : "is too long");
    return FALSE;
}

/* Which line answers QUESTION: that of its number, counted without repetitions. */
static guint number_of(KeyPrompt *prompt, const char *question) {
    guint number;

    if (!g_ptr_array_find_with_equal_func(prompt->asked, question, g_str_equal, &number)) {
        number = prompt->asked->len;
        g_ptr_array_add(prompt->asked, g_strdup(question));
    }
    return number;
}

/* The last line answers all questions behind it. */
static char *answer_from_lines(KeyPrompt *prompt, const char *question) {
    const char *line = prompt->lines, *end = prompt->lines + prompt->size, *next;

    for (guint left = number_of(prompt, question); left > 0; left--, line = next + 1)
        if (!(next = memchr(line, '\n', end - line)) || next + 1 == end)
            break;
    next = memchr(line, '\n', end - line);
    return g_strndup(line, (next ? next : end) - line);
}

/* ---- --key-pin-fd= ---- */

static int descriptor_of(const char *text) {
    guint64 number;
    return g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &number, NULL) ? (int) number : -1;
}

void key_prompt_hide(const char *pin_fd) {
    int fd = pin_fd ? descriptor_of(pin_fd) : -1;
    int flags = fd > STDERR_FILENO ? fcntl(fd, F_GETFD) : -1;

    if (flags >= 0)
        (void) fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

/* Standard input stays open, as nothing: the next file that is opened must not take its place. */
static void close_descriptor(int fd) {
    AUTO_FD nothing = fd == STDIN_FILENO ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;

    if (nothing >= 0)
        (void) dup2(nothing, fd);
    else
        close(fd);
}

static gboolean read_descriptor(KeyPrompt *prompt, const char *text, GError **error) {
    int fd = descriptor_of(text);

    if (fd < 0 || fd == STDOUT_FILENO || fd == STDERR_FILENO || fcntl(fd, F_GETFD) < 0) {
        /* Who mistakes the option for one that takes the PIN must not see it in a log. */
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                OPTION "= takes the number of an open descriptor with the PIN to read, as in \"" OPTION
                       "=3 3<FILE\"; the PIN itself cannot be an argument, because everybody can read those");
        return FALSE;
    }
    gboolean good = read_lines(prompt, fd, "the descriptor of " OPTION "=", error);
    close_descriptor(fd);
    return good;
}

/* ---- the prompt ---- */

KeyPrompt *key_prompt_new(const char *pin_fd, const char *pinentry, KeyPromptAsk ask, GError **error) {
    g_autoptr(KeyPrompt) prompt = g_new0(KeyPrompt, 1);

    prompt->asked = g_ptr_array_new_with_free_func(g_free);
    prompt->pinentry = g_strdup(pinentry);
    prompt->ask = ask;
    if (!pin_fd)
        return g_steal_pointer(&prompt);
    secret_forbid_core_dumps();
    return read_descriptor(prompt, pin_fd, error) ? g_steal_pointer(&prompt) : NULL;
}

void key_prompt_free(KeyPrompt *prompt) {
    if (!prompt)
        return;
    g_free(prompt->pinentry);
    g_ptr_array_unref(prompt->asked);
    explicit_bzero(prompt->lines, sizeof prompt->lines);
    g_free(prompt);
}

static void tell_of_waiting(const char *what, gpointer data) {
    Task *task = data;
    g_autoptr(TaskScope) scope = task ? task_enter(task) : NULL;
    events_reminder("Waiting for a signature by %s: if the token blinks, touch it", what);
}

KeySession *key_prompt_session(KeyPrompt *prompt) {
    KeySession *session = key_session_new(prompt ? key_prompt_answer : NULL, prompt);

    /* Told in a thread of its own. The session ends before the task. */
    key_session_on_wait(session, tell_of_waiting, task_current());
    return session;
}

/* Returns FALSE when there is a credential that cannot be used. */
static gboolean read_credential(KeyPrompt *prompt, GError **error) {
    const char *directory = g_getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *path = directory ? g_build_filename(directory, CREDENTIAL, NULL) : NULL;
    AUTO_FD fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd >= 0)
        return read_lines(prompt, fd, "the credential " CREDENTIAL, error);
    return !path || errno == ENOENT || set_errno_error(error, errno, "Cannot open the credential %s", path);
}

char *key_prompt_answer(const char *question, gpointer data, GError **error) {
    KeyPrompt *prompt = data;

    secret_forbid_core_dumps();
    if (!prompt->from && prompt->pinentry)
        return pinentry_ask(prompt->pinentry, question, error);
    if (!prompt->from && !read_credential(prompt, error))
        return NULL;
    if (prompt->from)
        return answer_from_lines(prompt, question);
    char *answer = prompt->ask(question, error);
    if (!answer)
        g_prefix_error(error,
                "\"%s\" has no answer: there is no " OPTION "=, no --key-pinentry= and no credential " CREDENTIAL
                ", and ",
                question);
    return answer;
}
