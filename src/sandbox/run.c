/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/errors.h"
#include "sandbox/relay.h"
#include "sandbox/sandbox-private.h"
#include "base/cleanup.h"
#include "base/pipe.h"
#include "events/events.h"
#include "events/printable.h"
#include "events/task.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONGEST_LINE (64 * 1024)

/* The output of a program that nobody else takes: lines, of which the last ones are kept. */
typedef struct {
    const Sandbox *sandbox;
    const char *name; /* of the program, for the debug log */
    GString *partial;
    GQueue last;
} Log;

static void log_line(Log *log, char *line) {
    if (log->sandbox->on_line)
        log->sandbox->on_line(line, log->sandbox->on_line_data);
    if (log->sandbox->shows_output)
        events_program_line(log->name, line);
    else
        events_debug("%s: %s", log->name, line);
    g_queue_push_tail(&log->last, g_strdup(line));
    if (log->last.length > 2 * PRINTABLE_LINES)
        g_free(g_queue_pop_head(&log->last));
}

static void log_flush(Log *log) {
    if (log->partial->len > 0)
        log_line(log, log->partial->str);
    g_string_truncate(log->partial, 0);
}

/* Programs that draw progress bars end lines with carriage returns. */
static void log_add(Log *log, const char *bytes, gsize length) {
    for (gsize i = 0; i < length; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r')
            log_flush(log);
        else if (bytes[i] != '\0')
            g_string_append_c(log->partial, bytes[i]);
        if (log->partial->len >= LONGEST_LINE)
            log_flush(log);
    }
}

static void log_clear(Log *log) {
    g_string_free(log->partial, TRUE);
    g_queue_clear_full(&log->last, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Log, log_clear)

/* The last words, each line after "\n  ". */
static char *log_tail(const Log *log) {
    g_autoptr(GPtrArray) lines = g_ptr_array_new();
    for (const GList *line = log->last.head; line; line = line->next)
        g_ptr_array_add(lines, line->data);
    return printable_lines((const char *const *) lines->pdata, lines->len);
}

static gboolean system_error(GError **error, int number, const char *what) {
    g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "cannot %s: %s", what, g_strerror(number));
    return FALSE;
}

/* What becomes of what a program writes to standard output. */
typedef struct {
    GByteArray *bytes; /* NULL: they are not kept */
    int copy_fd;       /* -1: they are not copied */
    int copy_error;    /* errno of the first write that failed, 0: none */
} Capture;

/* One read of FD, for LOG or CAPTURE. FALSE at its end. */
static gboolean read_once(int fd, Log *log, Capture *capture) {
    char buffer[65536];
    ssize_t n = read(fd, buffer, sizeof buffer);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    if (log)
        log_add(log, buffer, n);
    else if (capture->bytes)
        g_byte_array_append(capture->bytes, (const guint8 *) buffer, n);
    else if (capture->copy_error == 0)
        capture->copy_error = pipe_write(capture->copy_fd, buffer, n);
    return n > 0;
}

/* Reads both descriptors (-1: none) until they end. */
static void read_output(int log_fd, int capture_fd, Log *log, Capture *capture) {
    struct pollfd fds[] = {
            {.fd = log_fd, .events = POLLIN},
            {.fd = capture_fd, .events = POLLIN},
    };
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        if (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
            continue; /* EINTR */
        if (fds[0].revents && !read_once(fds[0].fd, log, NULL))
            fds[0].fd = -1;
        if (fds[1].revents && !read_once(fds[1].fd, NULL, capture))
            fds[1].fd = -1;
    }
    log_flush(log);
}

static SandboxStdio choose_stdio(const Sandbox *sandbox, int null, int log, int capture) {
    gboolean terminal = sandbox->interactive;
    int in = terminal ? STDIN_FILENO : null, out = terminal ? STDOUT_FILENO : log;
    int err = terminal ? STDERR_FILENO : log;
    return (SandboxStdio){
            .in = sandbox->stdin_fd >= 0 ? sandbox->stdin_fd : in,
            .out = capture >= 0              ? capture
                   : sandbox->stdout_fd >= 0 ? sandbox->stdout_fd
                                             : out,
            .err = sandbox->stderr_fd >= 0 ? sandbox->stderr_fd : err,
    };
}

/* Starts ARGV with what STDIO says, or pipes of RELAY. */
static gboolean start(const Sandbox *sandbox, const char *const *argv, SandboxStdio *stdio, Relay *relay,
        SandboxChild *ret_child, GError **error) {
    if (sandbox->relays_files && !relay_begin(relay, stdio, error))
        return FALSE;
    if (!sandbox_child_start(sandbox, argv, stdio, ret_child, error))
        return FALSE;
    relay_close_program_ends(relay);
    return TRUE;
}

static gboolean run_relayed(const Sandbox *sandbox, const char *const *argv, GByteArray *bytes, Log *log,
        Relay *relay, int *ret_status, GError **error) {
    Capture capture = {.bytes = bytes, .copy_fd = bytes ? -1 : sandbox->copy_fd};
    int pipes[2] = {-1, -1};
    AUTO_FD null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return system_error(error, errno, "open /dev/null");
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return system_error(error, errno, "make a pipe");
    AUTO_FD log_read = pipes[0], log_write = pipes[1];
    AUTO_FD capture_read = -1, capture_write = -1;
    if (bytes || capture.copy_fd >= 0) {
        if (pipe2(pipes, O_CLOEXEC) < 0)
            return system_error(error, errno, "make a pipe");
        capture_read = pipes[0];
        capture_write = pipes[1];
    }

    SandboxStdio stdio = choose_stdio(sandbox, null, log_write, capture_write);
    SandboxChild child;
    if (!start(sandbox, argv, &stdio, relay, &child, error))
        return FALSE;
    cleanup_fd(&log_write);
    cleanup_fd(&capture_write);
    read_output(log_read, capture_read, log, &capture);
    if (!sandbox_child_finish(&child, ret_status, error))
        return FALSE;
    return capture.copy_error == 0 || system_error(error, capture.copy_error, "write to standard output");
}

/* Runs ARGV; standard output goes to BYTES unless that is NULL, what nobody takes goes to LOG. */
static gboolean run(const Sandbox *sandbox, const char *const *argv, GByteArray *bytes, Log *log,
        int *ret_status, GError **error) {
    Relay relay = RELAY_INIT;
    gboolean good = run_relayed(sandbox, argv, bytes, log, &relay, ret_status, error);
    return relay_end(&relay, good ? error : NULL) && good;
}

static gboolean run_logged(const Sandbox *sandbox, const char *const *argv, GByteArray *capture, Log *log,
        int *ret_status, GError **error) {
    g_autoptr(TaskScope) scope = sandbox->task ? task_enter(sandbox->task) : NULL;
    g_autofree char *command = sandbox_describe(argv);
    g_autofree char *name = g_path_get_basename(argv[0]);
    *log = (Log){.sandbox = sandbox, .name = name, .partial = g_string_new(NULL), .last = G_QUEUE_INIT};
    if (sandbox->interactive)
        events_terminal_take();
    gboolean good = run(sandbox, argv, capture, log, ret_status, error);
    if (sandbox->interactive)
        events_terminal_return();
    log->name = NULL;
    if (!good) {
        sandbox_explain_missing(sandbox, argv[0], error);
        g_prefix_error(error, "cannot run '%s': ", command);
    }
    return good;
}

static gboolean is_success(const Sandbox *sandbox, int status) {
    if (!WIFEXITED(status))
        return FALSE;
    for (guint i = 0; i < sandbox->accepted->len; i++)
        if (WEXITSTATUS(status) == g_array_index(sandbox->accepted, int, i))
            return TRUE;
    return WEXITSTATUS(status) == 0;
}

/* Turns a wait status other than success into an error. */
static gboolean judge(const Sandbox *sandbox, const char *const *argv, int status, const char *tail,
        GError **error) {
    if (is_success(sandbox, status))
        return TRUE;
    g_autofree char *command = sandbox_describe(argv);
    if (WIFEXITED(status)) {
        g_autofree char *advice = sandbox_advice(sandbox, argv[0], tail);
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_EXIT, "'%s' failed with exit status %d%s%s%s%s",
                command, WEXITSTATUS(status), *tail ? ":" : "", tail, advice ? "\n" : "",
                advice ? advice : "");
    } else
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_SIGNAL, "'%s' was killed by signal %d (%s)%s%s",
                command, WTERMSIG(status), g_strsignal(WTERMSIG(status)), *tail ? ":" : "", tail);
    return FALSE;
}

static gboolean wants_shell(const Sandbox *failed) {
    return task_has(failed->task, TASK_DEBUG_SHELL) && !failed->host && !task_is_cancelled(failed->task) &&
           isatty(STDIN_FILENO);
}

/* A shell where a program has failed. One at a time has the terminal. */
static void run_shell(const Sandbox *failed, const char *const *argv) {
    static const char *const shell[] = {
            "/bin/sh", "-c", "command -v bash >/dev/null && exec bash; exec sh", NULL};
    static GMutex terminal;
    Sandbox sandbox = *failed;
    g_auto(Log) log = {0};
    g_autoptr(GError) error = NULL;
    int status;

    sandbox.interactive = TRUE;
    sandbox.stdin_fd = sandbox.stdout_fd = sandbox.stderr_fd = sandbox.copy_fd = -1;
    sandbox.on_line = NULL;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&terminal);
    g_autofree char *command = sandbox_describe(argv);
    events_warning("'%s' failed; this is a shell in its sandbox (exit ends it, and the build)", command);
    if (!run_logged(&sandbox, shell, NULL, &log, &status, &error))
        events_warning("No shell: %s", error->message);
}

gboolean sandbox_run(Sandbox *sandbox, const char *const *argv, GError **error) {
    g_auto(Log) log = {0};
    int status;
    if (!run_logged(sandbox, argv, NULL, &log, &status, error))
        return FALSE;
    g_autofree char *tail = log_tail(&log);
    if (judge(sandbox, argv, status, tail, error))
        return TRUE;
    if (wants_shell(sandbox))
        run_shell(sandbox, argv);
    return FALSE;
}

char *sandbox_run_output(Sandbox *sandbox, const char *const *argv, gsize *ret_length, GError **error) {
    g_autoptr(GByteArray) output = g_byte_array_new();
    g_auto(Log) log = {0};
    int status;
    if (!run_logged(sandbox, argv, output, &log, &status, error))
        return NULL;
    g_autofree char *tail = log_tail(&log);
    /* Some programs complain where their results go. */
    if (!*tail && status != 0) {
        g_free(tail);
        tail = printable_tail((const char *) output->data, output->len);
    }
    if (!judge(sandbox, argv, status, tail, error))
        return NULL;
    if (ret_length)
        *ret_length = output->len;
    g_byte_array_append(output, (const guint8 *) "", 1);
    return (char *) g_byte_array_free(g_steal_pointer(&output), FALSE);
}

gboolean sandbox_run_status(Sandbox *sandbox, const char *const *argv, int *ret_status, GError **error) {
    g_auto(Log) log = {0};
    int status;
    if (!run_logged(sandbox, argv, NULL, &log, &status, error))
        return FALSE;
    *ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return TRUE;
}

struct SandboxProcess {
    SandboxChild child;
    char *command, *program;
    char *tools_tree; /* of its sandbox */
    int log_fd; /* what the process wrote; a file in memory, because nobody reads while it runs */
    gboolean finished;
    int status;
    GError *start_error;
};

SandboxProcess *sandbox_spawn(Sandbox *sandbox, const char *const *argv, GError **error) {
    g_autofree char *command = sandbox_describe(argv);
    AUTO_FD null = open("/dev/null", O_RDWR | O_CLOEXEC);
    AUTO_FD log_fd = memfd_create("output", MFD_CLOEXEC);
    if (null < 0 || log_fd < 0 || fcntl(log_fd, F_SETFL, O_APPEND) < 0) {
        system_error(error, errno, "open /dev/null and a file in memory");
        return NULL;
    }
    SandboxStdio stdio = choose_stdio(sandbox, null, log_fd, -1);
    SandboxChild child;
    if (!sandbox_child_start(sandbox, argv, &stdio, &child, error)) {
        g_prefix_error(error, "cannot run '%s': ", command);
        return NULL;
    }
    SandboxProcess *process = g_new0(SandboxProcess, 1);
    process->child = child;
    process->command = g_steal_pointer(&command);
    process->program = g_strdup(argv[0]);
    process->tools_tree = g_strdup(sandbox->tools_tree);
    process->log_fd = steal_fd(&log_fd);
    return process;
}

/* Waits at most once. */
static void finish(SandboxProcess *process) {
    if (process->finished)
        return;
    ignore_failure(sandbox_child_finish(&process->child, &process->status, &process->start_error));
    process->finished = TRUE;
}

gboolean sandbox_process_wait(SandboxProcess *process, int *ret_status, GError **error) {
    finish(process);
    if (process->start_error) {
        g_propagate_prefixed_error(
                error, g_error_copy(process->start_error), "cannot run '%s': ", process->command);
        return FALSE;
    }
    *ret_status =
            WIFSIGNALED(process->status) ? 128 + WTERMSIG(process->status) : WEXITSTATUS(process->status);
    return TRUE;
}

gboolean sandbox_process_running(SandboxProcess *process) {
    if (process->finished)
        return FALSE;
    siginfo_t info = {0};
    int r = waitid(P_PID, process->child.pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return r == 0 && info.si_pid == 0;
}

pid_t sandbox_process_pid(const SandboxProcess *process) {
    return process->child.pid;
}

char *sandbox_process_log(SandboxProcess *process) {
    struct stat st;
    if (fstat(process->log_fd, &st) < 0)
        return g_strdup("");
    char *text = g_malloc(st.st_size + 1);
    ssize_t n = pread(process->log_fd, text, st.st_size, 0);
    text[MAX(n, 0)] = '\0';
    return text;
}

char *sandbox_process_advice(SandboxProcess *process) {
    g_autofree char *log = sandbox_process_log(process);
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(process->tools_tree);
    return sandbox_advice(sandbox, process->program, log);
}

void sandbox_process_free(SandboxProcess *process) {
    if (!process)
        return;
    if (!process->finished)
        sandbox_child_kill(&process->child);
    finish(process);
    g_clear_error(&process->start_error);
    cleanup_fd(&process->log_fd);
    g_free(process->command);
    g_free(process->program);
    g_free(process->tools_tree);
    g_free(process);
}
