/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/host/virtiofs.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "sandbox/program-packages.h"
#include "vm/host/host.h"

/* The older program, which was part of QEMU up to version 7, and the newer one in Rust have other options.
 */
typedef struct {
    char *path;
    gboolean old;
} Program;

static gboolean find_program(Program *program, GError **error) {
    static const char *const newer[] = {"/usr/libexec/virtiofsd", "/usr/lib/virtiofsd"};
    static const char *const older[] = {"/usr/lib/qemu/virtiofsd"};
    program->path = g_find_program_in_path("virtiofsd");
    for (gsize i = 0; !program->path && i < G_N_ELEMENTS(newer); i++)
        if (g_file_test(newer[i], G_FILE_TEST_IS_EXECUTABLE))
            program->path = g_strdup(newer[i]);
    for (gsize i = 0; !program->path && i < G_N_ELEMENTS(older); i++)
        if (g_file_test(older[i], G_FILE_TEST_IS_EXECUTABLE)) {
            program->path = g_strdup(older[i]);
            program->old = TRUE;
        }
    if (program->path)
        return TRUE;
    g_autofree char *advice = program_packages_advice("virtiofsd");
    g_set_error(error, VM_ERROR, VM_ERROR_MISSING,
            "virtiofsd is not installed, which Format=directory, RuntimeTrees= and RuntimeBuildSources= "
            "need: %s (in Debian 12, qemu-system-common)",
            advice);
    return FALSE;
}

static int listen_at(const char *path, GError **error) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (g_strlcpy(address.sun_path, path, sizeof(address.sun_path)) >= sizeof(address.sun_path))
        errno = ENAMETOOLONG;
    else if (fd >= 0 && bind(fd, (struct sockaddr *) &address, sizeof(address)) == 0 &&
             chmod(path, 0600) == 0 && listen(fd, 1) == 0)
        return steal_fd(&fd);
    int saved = errno;
    set_errno_error(error, saved, "Cannot listen on %s", path);
    return -1;
}

static void add(GPtrArray *arguments, const char *word) {
    g_ptr_array_add(arguments, g_strdup(word));
}

/* As the user who owns the directory, who is root in a namespace of his own: files that the machine's root
 * makes are his. */
static void add_shift(GPtrArray *arguments, const struct stat *st) {
    add(arguments, "setpriv");
    g_ptr_array_add(arguments, g_strdup_printf("--reuid=%u", st->st_uid));
    g_ptr_array_add(arguments, g_strdup_printf("--regid=%u", st->st_gid));
    add(arguments, "--clear-groups");
    add(arguments, "unshare");
    add(arguments, "--user");
    add(arguments, "--map-root-user");
}

static void add_options(GPtrArray *arguments, const Program *program, const char *directory, int fd) {
    add(arguments, program->path);
    g_ptr_array_add(arguments, g_strdup_printf("--fd=%d", fd));
    if (program->old) {
        add(arguments, "-f");
        add(arguments, "-o");
        g_ptr_array_add(arguments, g_strconcat("source=", directory, NULL));
        add(arguments, "-o");
        add(arguments, "sandbox=chroot,xattr,log_level=err,modcaps=-mknod");
        return;
    }
    add(arguments, "--shared-dir");
    add(arguments, directory);
    add(arguments, "--xattr");
    add(arguments, "--no-announce-submounts");
    add(arguments, "--sandbox=chroot");
    add(arguments, "--inode-file-handles=never");
    add(arguments, "--log-level=error");
    add(arguments, "--modcaps=-mknod");
}

/* A name in SCRATCH, which is one machine's, for a socket. */
static char *free_path(const char *scratch) {
    for (guint number = 0;; number++) {
        g_autofree char *name = g_strdup_printf("share-%u", number);
        g_autofree char *path = g_build_filename(scratch, name, NULL);
        if (access(path, F_OK) < 0)
            return g_steal_pointer(&path);
    }
}

SandboxProcess *vm_virtiofs_start(
        const char *directory, gboolean shift, const char *scratch, char **ret_socket, GError **error) {
    g_autofree char *path = free_path(scratch);
    Program program = {0};
    struct stat st;
    if (stat(directory, &st) < 0 || !S_ISDIR(st.st_mode)) {
        g_set_error(error, VM_ERROR, VM_ERROR_MISSING, "%s is not a directory that a machine could see",
                directory);
        return NULL;
    }
    if (!find_program(&program, error))
        return NULL;
    g_autofree char *owned = program.path;
    AUTO_FD fd = listen_at(path, error);
    if (fd < 0)
        return NULL;
    g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
    if (shift && st.st_uid != getuid())
        add_shift(arguments, &st);
    add_options(arguments, &program, directory, fd);
    g_ptr_array_add(arguments, NULL);
    g_autoptr(Sandbox) sandbox = vm_sandbox_new(directory);
    sandbox_pass_fd(sandbox, fd);
    SandboxProcess *process = sandbox_spawn(sandbox, (const char *const *) arguments->pdata, error);
    if (process)
        *ret_socket = g_steal_pointer(&path);
    return process;
}
