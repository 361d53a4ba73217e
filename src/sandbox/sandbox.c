/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sandbox/sandbox-private.h"
#include "events/redact.h"

#include <string.h>
#include <sys/stat.h>

G_DEFINE_QUARK(sandbox - error - quark, sandbox_error)

static void add(Sandbox *sandbox, const char *option, const char *first, const char *second) {
    g_ptr_array_add(sandbox->operations, g_strdup(option));
    if (first)
        g_ptr_array_add(sandbox->operations, g_strdup(first));
    if (second)
        g_ptr_array_add(sandbox->operations, g_strdup(second));
}

Sandbox *sandbox_new(void) {
    Sandbox *sandbox = g_new0(Sandbox, 1);
    Task *task = task_current();
    sandbox->task = task ? task_ref(task) : NULL;
    sandbox->operations = g_ptr_array_new_with_free_func(g_free);
    sandbox->accepted = g_array_new(FALSE, FALSE, sizeof(int));
    sandbox->pass_fds = g_array_new(FALSE, FALSE, sizeof(int));
    sandbox->listen_fd = sandbox->copy_fd = -1;
    sandbox->stdin_fd = sandbox->stdout_fd = sandbox->stderr_fd = -1;
    sandbox->environment = g_new0(char *, 1);
    sandbox_setenv(sandbox, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    sandbox_setenv(sandbox, "HOME", "/");
    sandbox_setenv(sandbox, "LANG", "C.UTF-8");
    sandbox_setenv(sandbox, "TERM", "dumb");
    sandbox_api_mounts(sandbox, "/");
    return sandbox;
}

void sandbox_free(Sandbox *sandbox) {
    if (!sandbox)
        return;
    task_unref(sandbox->task);
    g_free(sandbox->root);
    g_free(sandbox->tools_tree);
    g_ptr_array_unref(sandbox->operations);
    g_array_unref(sandbox->accepted);
    g_array_unref(sandbox->pass_fds);
    g_strfreev(sandbox->environment);
    g_free(sandbox->directory);
    g_free(sandbox);
}

/* /bin and its like are links into /usr, or directories of their own on older systems. */
static void add_root_entry(Sandbox *sandbox, const char *tools_tree, const char *name) {
    g_autofree char *source = g_build_filename(tools_tree, name, NULL);
    g_autofree char *target = g_strdup_printf("/%s", name);
    g_autofree char *link = g_file_read_link(source, NULL);
    struct stat st;
    if (link)
        sandbox_symlink(sandbox, link, target);
    else if (lstat(source, &st) == 0)
        sandbox_bind(sandbox, source, target, SANDBOX_READ_ONLY);
}

Sandbox *sandbox_new_for_tools(const char *tools_tree) {
    static const char *const root_entries[] = {
            "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt"};
    /* What programs need to work, and nothing that configures what they do. Beside certificates lie the
     * private keys of the host, so these places are named one by one. */
    static const char *const configuration[] = {"alternatives", "ca-certificates", "crypto-policies",
            "ethertypes", "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "mke2fs.conf",
            "nsswitch.conf", "passwd", "pki/ca-trust", "pki/rpm-gpg", "pki/tls/cert.pem", "pki/tls/certs",
            "pki/tls/openssl.cnf", "protocols", "services", "ssl/ca-bundle.pem", "ssl/cert.pem", "ssl/certs",
            "ssl/openssl.cnf"};
    /* The network is the host's in any case. */
    static const char *const network[] = {"/etc/hosts", "/etc/resolv.conf"};

    const char *source_root = tools_tree ? tools_tree : "/";
    Sandbox *sandbox = sandbox_new();
    sandbox->tools = TRUE;
    sandbox->tools_tree = g_strdup(tools_tree);
    for (guint i = 0; i < G_N_ELEMENTS(root_entries); i++)
        add_root_entry(sandbox, source_root, root_entries[i]);
    for (guint i = 0; i < G_N_ELEMENTS(configuration); i++) {
        g_autofree char *source = g_build_filename(source_root, "etc", configuration[i], NULL);
        g_autofree char *target = g_build_filename("/etc", configuration[i], NULL);
        sandbox_bind(sandbox, source, target, SANDBOX_READ_ONLY | SANDBOX_OPTIONAL);
    }
    for (guint i = 0; i < G_N_ELEMENTS(network); i++)
        sandbox_bind(sandbox, network[i], network[i], SANDBOX_READ_ONLY | SANDBOX_OPTIONAL);
    return sandbox;
}

Sandbox *sandbox_new_for_tree(const char *root, gboolean read_only) {
    Sandbox *sandbox = sandbox_new();
    sandbox->root = g_strdup(root);
    sandbox->root_read_only = read_only;
    return sandbox;
}

Sandbox *sandbox_new_for_host(void) {
    Sandbox *sandbox = sandbox_new();
    g_ptr_array_set_size(sandbox->operations, 0);
    g_strfreev(sandbox->environment);
    sandbox->environment = g_get_environ();
    sandbox->directory = g_get_current_dir();
    sandbox->host = TRUE;
    return sandbox;
}

void sandbox_api_mounts(Sandbox *sandbox, const char *directory) {
    add(sandbox, "--api", directory, NULL);
}

void sandbox_bind(Sandbox *sandbox, const char *source, const char *target, SandboxMountFlags flags) {
    gboolean read_only = flags & SANDBOX_READ_ONLY;
    if (flags & SANDBOX_OPTIONAL)
        add(sandbox, read_only ? "--ro-bind-try" : "--bind-try", source, target);
    else
        add(sandbox, read_only ? "--ro-bind" : "--bind", source, target);
}

void sandbox_tmpfs(Sandbox *sandbox, const char *target) {
    add(sandbox, "--tmpfs", target, NULL);
}

void sandbox_mask(Sandbox *sandbox, const char *target) {
    add(sandbox, "--mask", target, NULL);
}

void sandbox_overlay(
        Sandbox *sandbox, char *const *lowers, const char *upper, const char *work, const char *target) {
    g_autofree char *count = g_strdup_printf("%u", g_strv_length((char **) lowers));
    /* In a user namespace nobody may use the other ones. */
    add(sandbox, "--user-xattr", NULL, NULL);
    add(sandbox, "--overlay", target, upper ? upper : "");
    add(sandbox, upper && work ? work : "", count, NULL);
    for (; *lowers; lowers++)
        g_ptr_array_add(sandbox->operations, g_strdup(*lowers));
}

void sandbox_accept_status(Sandbox *sandbox, int status) {
    g_array_append_val(sandbox->accepted, status);
}

void sandbox_symlink(Sandbox *sandbox, const char *link_text, const char *target) {
    add(sandbox, "--symlink", link_text, target);
}

void sandbox_file(Sandbox *sandbox, const char *target, const char *content, gboolean executable) {
    add(sandbox, executable ? "--executable-file" : "--file", content, target);
}

void sandbox_setenv(Sandbox *sandbox, const char *name, const char *value) {
    if (value)
        sandbox->environment = g_environ_setenv(sandbox->environment, name, value, TRUE);
    else
        sandbox->environment = g_environ_unsetenv(sandbox->environment, name);
}

void sandbox_chdir(Sandbox *sandbox, const char *directory) {
    g_free(sandbox->directory);
    sandbox->directory = g_strdup(directory);
}

void sandbox_network(Sandbox *sandbox, gboolean enabled) {
    sandbox->network = enabled;
}

void sandbox_suppress_sync(Sandbox *sandbox) {
    sandbox->suppress_sync = TRUE;
}

void sandbox_suppress_chown(Sandbox *sandbox) {
    sandbox->suppress_chown = TRUE;
}

void sandbox_privileges(Sandbox *sandbox, SandboxPrivileges privileges) {
    sandbox->privileges = privileges;
}

void sandbox_pass_fd(Sandbox *sandbox, int fd) {
    g_array_append_val(sandbox->pass_fds, fd);
}

void sandbox_listen_fd(Sandbox *sandbox, int fd) {
    sandbox->listen_fd = fd;
    sandbox_setenv(sandbox, "LISTEN_FDS", "1");
}

void sandbox_stdin_fd(Sandbox *sandbox, int fd) {
    sandbox->stdin_fd = fd;
}

void sandbox_stdout_fd(Sandbox *sandbox, int fd) {
    sandbox->stdout_fd = fd;
}

void sandbox_copy_stdout(Sandbox *sandbox, int fd) {
    sandbox->copy_fd = fd;
}

void sandbox_stderr_fd(Sandbox *sandbox, int fd) {
    sandbox->stderr_fd = fd;
}

void sandbox_relay_files(Sandbox *sandbox) {
    sandbox->relays_files = TRUE;
}

void sandbox_interactive(Sandbox *sandbox) {
    const char *term = g_getenv("TERM");
    sandbox->interactive = TRUE;
    if (term)
        sandbox_setenv(sandbox, "TERM", term);
}

void sandbox_on_line(Sandbox *sandbox, SandboxLine callback, gpointer data) {
    sandbox->on_line = callback;
    sandbox->on_line_data = data;
}

void sandbox_show_output(Sandbox *sandbox) {
    sandbox->shows_output = TRUE;
}

static void take_pair(GPtrArray *arguments, const char *option, char *value) {
    g_ptr_array_add(arguments, g_strdup(option));
    g_ptr_array_add(arguments, value);
}

static void take_flag(GPtrArray *arguments, gboolean wanted, const char *option) {
    if (wanted)
        g_ptr_array_add(arguments, g_strdup(option));
}

static const char *privileges_name(SandboxPrivileges privileges) {
    static const char *const names[] = {"tool", "packages", "script", "host"};
    return names[privileges];
}

GPtrArray *sandbox_arguments(const Sandbox *sandbox, const char *const *argv) {
    GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);
    if (sandbox->root)
        take_pair(arguments, "--root", g_strdup(sandbox->root));
    take_flag(arguments, sandbox->root_read_only, "--read-only");
    take_flag(arguments, sandbox->host, "--host");
    if (!sandbox->host)
        take_pair(arguments, "--privileges", g_strdup(privileges_name(sandbox->privileges)));
    take_flag(arguments, !sandbox->host && task_has(sandbox->task, TASK_WEAK_SANDBOX), "--weak-sandbox");
    take_flag(arguments, sandbox->network, "--network");
    take_flag(arguments, sandbox->suppress_sync, "--suppress-sync");
    take_flag(arguments, sandbox->suppress_chown, "--suppress-chown");
    take_flag(arguments, sandbox->interactive, "--interactive");
    if (sandbox->directory)
        take_pair(arguments, "--chdir", g_strdup(sandbox->directory));
    for (guint i = 0; i < sandbox->operations->len; i++)
        g_ptr_array_add(arguments, g_strdup(sandbox->operations->pdata[i]));
    for (char **assignment = sandbox->environment; *assignment; assignment++)
        take_pair(arguments, "--setenv", g_strdup(*assignment));
    for (guint i = 0; i < sandbox->pass_fds->len; i++)
        take_pair(arguments, "--pass-fd", g_strdup_printf("%d", g_array_index(sandbox->pass_fds, int, i)));
    if (sandbox->listen_fd >= 0)
        take_pair(arguments, "--listen-fd", g_strdup_printf("%d", sandbox->listen_fd));
    g_ptr_array_add(arguments, g_strdup("--"));
    for (; *argv; argv++)
        g_ptr_array_add(arguments, g_strdup(*argv));
    g_ptr_array_add(arguments, NULL);
    return arguments;
}

char *sandbox_shell_line(const char *command, const char *const *arguments) {
    static const char harmless[] = G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "@%+=:,./_-";
    g_autoptr(GString) line = g_string_new(command);
    for (; *arguments; arguments++) {
        g_autofree char *argument = redact_argument(*arguments);
        g_string_append_c(line, ' ');
        if (*argument && argument[strspn(argument, harmless)] == '\0') {
            g_string_append(line, argument);
        } else {
            g_autofree char *quoted = g_shell_quote(argument);
            g_string_append(line, quoted);
        }
    }
    return g_string_free(g_steal_pointer(&line), FALSE);
}
