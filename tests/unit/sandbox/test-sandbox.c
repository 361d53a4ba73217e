/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/errors.h"
#include "events/task.h"
#include "events/task.h"
#include "sandbox/sandbox.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SH(script) ((const char *const[]){"sh", "-ec", script, NULL})

static char *output(Sandbox *sandbox, const char *script) {
    g_autoptr(GError) error = NULL;
    char *text = sandbox_run_output(sandbox, SH(script), NULL, &error);
    g_assert_no_error(error);
    return text;
}

static void test_output(void) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    g_autofree char *text = output(sandbox, "echo out; echo err >&2; printf end");
    g_assert_cmpstr(text, ==, "out\nend");
}

static void test_environment(void) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    g_setenv("SURPRISE", "1", TRUE);
    sandbox_setenv(sandbox, "A", "1 2");
    sandbox_setenv(sandbox, "TERM", NULL);
    sandbox_chdir(sandbox, "/usr");
    g_autofree char *text = output(sandbox, "env | LC_ALL=C sort | grep -v ^_=; umask");
    g_assert_cmpstr(text, ==,
            "A=1 "
            "2\nHOME=/\nLANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
            "PWD=/usr\n0022\n");
}

static void test_failure(void) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    g_autoptr(GError) error = NULL;
    g_assert_false(sandbox_run(sandbox, SH("for i in $(seq 100); do echo line $i; done; exit 7"), &error));
    g_assert_error(error, SANDBOX_ERROR, SANDBOX_ERROR_EXIT);
    g_assert_nonnull(strstr(error->message, "exit status 7"));
    g_assert_nonnull(strstr(error->message, "line 100"));
    g_assert_nonnull(strstr(error->message, "line 85"));
    g_assert_null(strstr(error->message, "line 84"));
    g_clear_error(&error);

    g_assert_false(sandbox_run(sandbox, SH("kill -SEGV $$"), &error));
    g_assert_error(error, SANDBOX_ERROR, SANDBOX_ERROR_SIGNAL);
    g_clear_error(&error);

    g_assert_false(sandbox_run(sandbox, (const char *const[]){"no-such-program", NULL}, &error));
    g_assert_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START);
    g_assert_nonnull(strstr(error->message, "no-such-program is not installed: install the package that has it"));
    g_clear_error(&error);

    sandbox_bind(sandbox, "/no/such/source", "/x", 0);
    g_assert_false(sandbox_run(sandbox, SH("true"), &error));
    g_assert_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START);
    g_assert_nonnull(strstr(error->message, "/no/such/source"));
}

static void test_status(void) {
    static const struct {
        const char *script;
        int status;
    } cases[] = {{"true", 0}, {"exit 3", 3}, {"kill -KILL $$", 128 + SIGKILL}, {"exit 255", 255}};
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        int status = -1;
        g_assert_true(sandbox_run_status(sandbox, SH(cases[i].script), &status, &error));
        g_assert_no_error(error);
        g_assert_cmpint(status, ==, cases[i].status);
    }
}

static void collect_line(const char *line, gpointer data) {
    g_ptr_array_add(data, g_strdup(line));
}

static void test_lines(void) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    sandbox_on_line(sandbox, collect_line, lines);
    g_assert_true(sandbox_run(sandbox, SH("printf 'a\\nb\\r10%%\\r20%%\\n'; echo c >&2; printf d"), &error));
    g_assert_no_error(error);
    g_ptr_array_add(lines, NULL);
    g_autofree char *joined = g_strjoinv("|", (char **) lines->pdata);
    g_assert_cmpstr(joined, ==, "a|b|10%|20%|c|d");
}

typedef struct {
    char *file, *other;
    int stop;
} Replaced;

/* As useradd does with /etc/group of the host, all the time. */
static gpointer replace(gpointer data) {
    Replaced *replaced = data;
    while (!g_atomic_int_get(&replaced->stop)) {
        g_assert_true(g_file_set_contents_full(
                replaced->other, "new", -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL));
        g_assert_cmpint(rename(replaced->other, replaced->file), ==, 0);
    }
    return NULL;
}

/* A file is replaced between opening and mounting it. */
static void test_replaced(void) {
    g_autofree char *directory = g_dir_make_tmp("sandbox-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(directory, "file", NULL);
    g_autofree char *other = g_build_filename(directory, "other", NULL);
    g_assert_true(g_file_set_contents(file, "new", -1, NULL));
    Replaced replaced = {file, other, 0};
    GThread *thread = g_thread_new("replace", replace, &replaced);
    for (int i = 0; i < 20; i++) {
        g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
        sandbox_bind(sandbox, file, "/place/file", SANDBOX_READ_ONLY);
        g_autofree char *text = output(sandbox, "cat /place/file");
        g_assert_cmpstr(text, ==, "new");
    }
    g_atomic_int_set(&replaced.stop, 1);
    g_thread_join(thread);
    (void) unlink(file);
    (void) unlink(other);
    (void) rmdir(directory);
}

static void test_mounts(void) {
    g_autofree char *directory = g_dir_make_tmp("sandbox-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(directory, "file", NULL);
    g_assert_true(g_file_set_contents(file, "content", -1, NULL));
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    sandbox_bind(sandbox, directory, "/deep/down/rw", 0);
    sandbox_bind(sandbox, directory, "/ro", SANDBOX_READ_ONLY);
    sandbox_bind(sandbox, file, "/etc/one", SANDBOX_READ_ONLY);
    sandbox_bind(sandbox, "/no/such/source", "/missing", SANDBOX_OPTIONAL);
    sandbox_tmpfs(sandbox, "/scratch");
    sandbox_symlink(sandbox, "/ro/file", "/links/link");
    sandbox_file(sandbox, "/bin2/script", "#!/bin/sh\necho script \"$@\"\n", TRUE);
    sandbox_file(sandbox, "/etc/conf", "x = y", FALSE);
    g_autofree char *text = output(sandbox,
            "cat /etc/one; echo; touch /deep/down/rw/new; touch /ro/x 2>/dev/null && echo writable;"
            "[ -e /missing ] && echo missing; touch /scratch/x; cat /links/link; echo; /bin2/script 1 2;"
            "cat /etc/conf; echo; echo x 2>/dev/null >/etc/conf || stat -c '%a %A' /etc/conf; ls /ro; ls "
            "/home "
            "2>&1 || true");
    g_assert_cmpstr(text, ==,
            "content\ncontent\nscript 1 2\nx = y\n644 -rw-r--r--\nfile\nnew\n"
            "ls: cannot access '/home': No such file or directory\n");
    g_autofree char *new = g_build_filename(directory, "new", NULL);
    g_assert_cmpint(g_unlink(new), ==, 0);
    g_unlink(file);
    g_rmdir(directory);
}

static void test_isolation(void) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    g_autofree char *text = output(sandbox,
            "ls -1 /proc | grep -c '^[0-9]' >/tmp/n; [ $(cat /tmp/n) -le 5 ] && echo few;"
            "ls /sys/class/net 2>/dev/null || true; cat /proc/net/dev | tail -n +3 | sed 's/:.*//;s/ //g';"
            "cat /proc/mounts | grep -c ' / '; uname -n; ls -l /proc/self/fd | grep -c /;"
            "test -w /dev/null; test -c /dev/urandom; test -d /dev/shm; test -e /dev/ptmx; stat -c %a /tmp");
    g_assert_cmpstr(text, ==, "few\nlo\n1\nlocalhost\n2\n1777\n");
}

static void test_network(void) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    sandbox_network(sandbox, TRUE);
    g_autofree char *inside = output(sandbox, "readlink /proc/self/ns/net");
    g_autofree char *outside = g_file_read_link("/proc/self/ns/net", NULL);
    g_assert_cmpstr(g_strchomp(inside), ==, outside);
}

static void test_suppress(void) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    g_autoptr(GError) error = NULL;
    sandbox_suppress_sync(sandbox);
    sandbox_suppress_chown(sandbox);
    /* 2147483648 has no mapping anywhere but in the initial namespace. */
    g_autofree char *text = output(sandbox,
            "touch /tmp/x; chown 12345:12345 /tmp/x; stat -c %u /tmp/x; sync; grep -c 'Seccomp:.2' "
            "/proc/self/status");
    g_autofree char *expected = g_strdup_printf("%u\n1\n", geteuid());
    g_assert_cmpstr(text, ==, expected);
}

static void test_descriptors(void) {
    AUTO_FD passed = memfd_create("passed", 0);
    AUTO_FD hidden = memfd_create("hidden", 0);
    AUTO_FD in = memfd_create("in", MFD_CLOEXEC);
    g_assert_cmpint(write(in, "input", 5), ==, 5);
    g_assert_cmpint(lseek(in, 0, SEEK_SET), ==, 0);
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    sandbox_pass_fd(sandbox, passed);
    sandbox_stdin_fd(sandbox, in);
    g_autofree char *script =
            g_strdup_printf("cat; echo pass >&%d; [ -e /proc/self/fd/%d ] || echo hidden", passed, hidden);
    g_autofree char *text = output(sandbox, script);
    g_assert_cmpstr(text, ==, "inputhidden\n");
    char buffer[8] = "";
    g_assert_cmpint(pread(passed, buffer, 7, 0), ==, 5);
    g_assert_cmpstr(buffer, ==, "pass\n");
}

/* The child's standard output is our standard error and the other way round. */
static void test_stdio_crossed(void) {
    AUTO_FD a = memfd_create("a", MFD_CLOEXEC), b = memfd_create("b", MFD_CLOEXEC);
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    g_autoptr(GError) error = NULL;
    sandbox_stdout_fd(sandbox, a);
    sandbox_stderr_fd(sandbox, b);
    g_assert_true(sandbox_run(sandbox, SH("echo out; echo err >&2"), &error));
    char buffer[8] = "";
    g_assert_cmpint(pread(a, buffer, 7, 0), ==, 4);
    g_assert_cmpstr(buffer, ==, "out\n");
    g_assert_cmpint(pread(b, buffer, 7, 0), ==, 4);
    g_assert_cmpstr(buffer, ==, "err\n");
}

static void test_tree(void) {
    g_autofree char *directory = g_dir_make_tmp("sandbox-XXXXXX", NULL);
    g_autofree char *usr = g_build_filename(directory, "usr", NULL);
    g_autofree char *resolv = g_build_filename(directory, "etc", NULL);
    g_assert_cmpint(g_mkdir(usr, 0755), ==, 0);
    g_assert_cmpint(g_mkdir(resolv, 0755), ==, 0);
    g_autofree char *link = g_build_filename(directory, "etc/resolv.conf", NULL);
    g_assert_cmpint(symlink("../run/systemd/resolve/stub-resolv.conf", link), ==, 0);
    const char *links[] = {"bin", "sbin", "lib", "lib64"};
    for (guint i = 0; i < G_N_ELEMENTS(links); i++) {
        g_autofree char *path = g_build_filename(directory, links[i], NULL);
        g_autofree char *text = g_strdup_printf("usr/%s", links[i]);
        g_assert_cmpint(symlink(text, path), ==, 0);
    }
    for (int read_only = 0; read_only < 2; read_only++) {
        g_autoptr(Sandbox) sandbox = sandbox_new_for_tree(directory, read_only);
        sandbox_bind(sandbox, "/usr", "/usr", SANDBOX_READ_ONLY);
        /* Through a link that leads nowhere yet, but stays inside of the tree. */
        sandbox_file(sandbox, "/etc/resolv.conf", "nameserver ::1", FALSE);
        g_autofree char *text =
                output(sandbox, "cat /etc/resolv.conf; echo; test -e /run/systemd/resolve/stub-resolv.conf;"
                                "touch /made 2>/dev/null && echo made; rm -f /made; touch /tmp/x; echo ok");
        g_assert_cmpstr(text, ==, read_only ? "nameserver ::1\nok\n" : "nameserver ::1\nmade\nok\n");
    }
    g_autofree char *command = g_strdup_printf("rm -r %s", directory);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
}

static void test_overlay(void) {
    g_autofree char *directory = g_dir_make_tmp("sandbox-XXXXXX", NULL);
    char *paths[4];
    static const char *const names[] = {"lo:wer,1", "lower2", "upper", "work"};
    for (guint i = 0; i < 4; i++) {
        paths[i] = g_build_filename(directory, names[i], NULL);
        g_assert_cmpint(g_mkdir(paths[i], 0755), ==, 0);
        g_autofree char *file = g_build_filename(paths[i], i < 2 ? "both" : "x", NULL);
        if (i < 2)
            g_assert_true(g_file_set_contents(file, names[i], -1, NULL));
    }
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    sandbox_overlay(sandbox, (char *[]){paths[0], paths[1], NULL}, paths[2], paths[3], "/o");
    for (int i = 0; i < 2; i++) {
        g_autofree char *text = output(sandbox, "cat /o/both; echo >>/o/new");
        g_assert_cmpstr(text, ==, "lo:wer,1");
    }
    g_autofree char *new = g_build_filename(paths[2], "new", NULL);
    struct stat st;
    g_assert_cmpint(stat(new, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, 2);
    for (guint i = 0; i < 4; i++)
        g_free(paths[i]);
    g_autofree char *command = g_strdup_printf("rm -r %s", directory);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
}

static void test_orphans_die(void) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    gint64 start = g_get_monotonic_time();
    /* The orphan keeps standard output open. */
    g_autofree char *text = output(sandbox, "setsid sleep 300 & echo done");
    g_assert_cmpstr(text, ==, "done\n");
    g_assert_cmpint(g_get_monotonic_time() - start, <, 60 * G_USEC_PER_SEC);
}

static void test_spawn(void) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(SandboxProcess) process = sandbox_spawn(sandbox, SH("echo hello; sleep 300"), &error);
    g_assert_no_error(error);
    g_assert_true(sandbox_process_running(process));
    for (int i = 0; i < 1000; i++) {
        g_autofree char *text = sandbox_process_log(process);
        if (g_str_equal(text, "hello\n"))
            break;
        g_assert_cmpint(i, <, 999);
        g_usleep(10000);
    }
    g_autoptr(SandboxProcess) second = sandbox_spawn(sandbox, SH("exit 4"), &error);
    int status;
    g_assert_true(sandbox_process_wait(second, &status, &error));
    g_assert_cmpint(status, ==, 4);
    g_assert_false(sandbox_process_running(second));
    g_autoptr(SandboxProcess) third = sandbox_spawn(sandbox, (const char *const[]){"nothing", NULL}, &error);
    g_assert_false(sandbox_process_wait(third, &status, &error));
    g_assert_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START);
}

static gpointer run_many(gpointer data) {
    for (int i = 0; i < 10; i++) {
        g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
        g_autofree char *text = output(sandbox, "echo x");
        g_assert_cmpstr(text, ==, "x\n");
    }
    return NULL;
}

static void test_threads(void) {
    GThread *threads[8];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("test", run_many, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
}

static guint open_descriptors(void) {
    g_autoptr(GDir) directory = g_dir_open("/proc/self/fd", 0, NULL);
    guint count = 0;
    while (g_dir_read_name(directory))
        count++;
    return count;
}

static void test_no_leaks(void) {
    guint before = open_descriptors();
    for (int i = 0; i < 3; i++) {
        test_output();
        test_failure();
        test_spawn();
    }
    g_assert_cmpuint(open_descriptors(), ==, before);
}

/* A process that runs a sandbox and gets killed the hard way; the program in the sandbox holds the write end
 * of a pipe, which tells when it is gone. */
static void test_parent_killed(void) {
    int ends[2], ready[2];
    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_cmpint(pipe(ready), ==, 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        close(ready[0]);
        g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
        sandbox_pass_fd(sandbox, ends[1]);
        sandbox_stdout_fd(sandbox, ready[1]);
        ignore_failure(sandbox_run(sandbox, SH("echo; trap '' TERM INT HUP; sleep 300 & wait; sleep 300"), NULL));
        _exit(0);
    }
    close(ends[1]);
    close(ready[1]);
    char byte;
    g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
    g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
    alarm(20);
    g_assert_cmpint(read(ends[0], &byte, 1), ==, 0);
    alarm(0);
    close(ends[0]);
    close(ready[0]);
}

static Task *to_cancel;

static void cancel(int number) {
    task_cancel(to_cancel);
}

static void test_cancel(void) {
    g_autoptr(Task) task = task_new(0);
    g_autoptr(TaskScope) scope = task_enter(task);
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    g_autoptr(GError) error = NULL;
    to_cancel = task;
    signal(SIGALRM, cancel);
    alarm(1);
    g_assert_false(sandbox_run(sandbox, SH("trap '' TERM; sleep 300; sleep 300"), &error));
    g_assert_error(error, SANDBOX_ERROR, SANDBOX_ERROR_CANCELLED);
    g_clear_error(&error);
    g_assert_true(task_is_cancelled(task));
    g_assert_false(sandbox_run(sandbox, SH("true"), &error));
    g_assert_error(error, SANDBOX_ERROR, SANDBOX_ERROR_CANCELLED);
}

/* One of two that run at the same time. */
typedef struct {
    Task *task;
    GString *commands, *lines;
    const char *script;
    int started; /* a descriptor that says that the program runs */
    gboolean good;
    GError *error;
} Worker;

static void hear(const Event *event, gpointer data) {
    Worker *worker = data;
    if (event->type == EVENT_COMMAND)
        g_string_append_printf(worker->commands, "%s\n", event->text);
    if (event->type == EVENT_PROGRAM_LINE)
        g_string_append_printf(worker->lines, "%s\n", event->text);
}

static gpointer work(gpointer data) {
    Worker *worker = data;
    g_autoptr(TaskScope) scope = task_enter(worker->task);
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    sandbox_show_output(sandbox);
    sandbox_pass_fd(sandbox, worker->started);
    worker->good = sandbox_run(sandbox, SH(worker->script), &worker->error);
    return NULL;
}

static void test_cancel_one_of_two(void) {
    int started[2];
    g_assert_cmpint(pipe2(started, O_CLOEXEC), ==, 0);
    g_autofree char *first = g_strdup_printf("echo first; echo >&%d; exec sleep 300", started[1]);
    g_autofree char *second = g_strdup_printf("echo second; echo >&%d; sleep 1; echo end", started[1]);
    Worker workers[] = {{.script = first}, {.script = second}};
    GThread *threads[2];
    char bytes[2];
    for (guint i = 0; i < 2; i++) {
        Worker *worker = &workers[i];
        worker->task = task_new(i == 0 ? 0 : TASK_DEBUG);
        worker->commands = g_string_new(NULL);
        worker->lines = g_string_new(NULL);
        worker->started = started[1];
        task_listen(worker->task, hear, worker);
        threads[i] = g_thread_new("work", work, worker);
    }
    for (guint i = 0; i < 2; i++)
        g_assert_cmpint(read(started[0], bytes + i, 1), ==, 1);
    task_cancel(workers[0].task);
    for (guint i = 0; i < 2; i++)
        g_thread_join(threads[i]);
    g_assert_false(workers[0].good);
    g_assert_error(workers[0].error, SANDBOX_ERROR, SANDBOX_ERROR_CANCELLED);
    g_assert_no_error(workers[1].error);
    g_assert_true(workers[1].good);
    g_assert_false(task_is_cancelled(workers[1].task));
    g_assert_cmpstr(workers[0].lines->str, ==, "first\n");
    g_assert_cmpstr(workers[1].lines->str, ==, "second\nend\n");
    /* Only one of them wants to see commands. */
    g_assert_cmpstr(workers[0].commands->str, ==, "");
    g_assert_nonnull(strstr(workers[1].commands->str, "echo second"));
    for (guint i = 0; i < 2; i++) {
        task_unref(workers[i].task);
        g_string_free(workers[i].commands, TRUE);
        g_string_free(workers[i].lines, TRUE);
        g_clear_error(&workers[i].error);
        close(started[i]);
    }
}

static void test_identity(void) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    g_autofree char *text = output(sandbox,
            "id -u; id -g; id -G; touch /tmp/x; chown 65533:65534 /tmp/x; stat -c %u:%g /tmp/x; "
            "mount -t tmpfs x /tmp 2>/dev/null && echo mounted; unshare --user true 2>/dev/null && echo "
            "entered;"
            "grep NoNewPrivs /proc/self/status");
    g_assert_cmpstr(text, ==, "0\n0\n0\n65533:65534\nNoNewPrivs:\t1\n");
    sandbox_privileges(sandbox, SANDBOX_PRIVILEGES_SCRIPT);
    g_autofree char *script = output(sandbox, "mount -t tmpfs x /tmp; unshare --user --map-root-user "
                                              "--mount id -u; grep NoNewPrivs /proc/self/status");
    g_assert_cmpstr(script, ==, "0\nNoNewPrivs:\t0\n");
    if (sandbox_is_real_root())
        g_assert_cmpuint(sandbox_caller_uid(), ==, 0);
    else
        g_assert_cmpuint(sandbox_caller_uid(), !=, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GError) error = NULL;
    gboolean root = sandbox_become_root(&error);
    if (!root)
        g_test_message("not root: %s", error->message);

    g_test_add_func("/sandbox/output", test_output);
    g_test_add_func("/sandbox/environment", test_environment);
    g_test_add_func("/sandbox/failure", test_failure);
    g_test_add_func("/sandbox/status", test_status);
    g_test_add_func("/sandbox/lines", test_lines);
    g_test_add_func("/sandbox/mounts", test_mounts);
    g_test_add_func("/sandbox/isolation", test_isolation);
    g_test_add_func("/sandbox/network", test_network);
    g_test_add_func("/sandbox/suppress", test_suppress);
    g_test_add_func("/sandbox/descriptors", test_descriptors);
    g_test_add_func("/sandbox/stdio", test_stdio_crossed);
    g_test_add_func("/sandbox/tree", test_tree);
    g_test_add_func("/sandbox/orphans-die", test_orphans_die);
    g_test_add_func("/sandbox/spawn", test_spawn);
    g_test_add_func("/sandbox/threads", test_threads);
    g_test_add_func("/sandbox/replaced", test_replaced);
    g_test_add_func("/sandbox/no-leaks", test_no_leaks);
    g_test_add_func("/sandbox/parent-killed", test_parent_killed);
    g_test_add_func("/sandbox/cancel", test_cancel);
    g_test_add_func("/sandbox/cancel-one-of-two", test_cancel_one_of_two);
    if (root) {
        g_test_add_func("/sandbox/overlay", test_overlay);
        g_test_add_func("/sandbox/identity", test_identity);
    }
    return g_test_run();
}
