/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sandbox/sandbox.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* IDs 1 to 65534 (nobody) of an image need a place. */
#define IDS_NEEDED 65534
#define IDS_MAPPED 65535

static struct {
    gboolean known;
    uid_t uid;
    gid_t gid;
} caller;

static void remember_caller(void) {
    if (caller.known)
        return;
    caller.known = TRUE;
    caller.uid = getuid();
    caller.gid = getgid();
}

uid_t sandbox_caller_uid(void) {
    remember_caller();
    return caller.uid;
}

gid_t sandbox_caller_gid(void) {
    remember_caller();
    return caller.gid;
}

/* The initial user namespace maps everything to itself; nothing else does. */
gboolean sandbox_is_real_root(void) {
    g_autofree char *map = NULL;
    if (geteuid() != 0 || !g_file_get_contents("/proc/self/uid_map", &map, NULL, NULL))
        return FALSE;
    unsigned inside, outside, count;
    return sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 && outside == 0 &&
           count == G_MAXUINT32;
}

typedef struct {
    guint64 start, count;
} IdRange;

/* Finds the largest range of USER (a name) or ID in the text of /etc/subuid or /etc/subgid:
 * "name:start:count" lines (subuid(5)). */
static IdRange find_range(const char *text, const char *user, uid_t id) {
    IdRange best = {0};
    g_autofree char *number = g_strdup_printf("%u", id);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, ":", 3);
        guint64 start, count;
        if (g_strv_length(fields) != 3)
            continue;
        if (!g_str_equal(fields[0], number) && (!user || !g_str_equal(fields[0], user)))
            continue;
        if (!g_ascii_string_to_unsigned(g_strstrip(fields[1]), 10, 1, G_MAXUINT32, &start, NULL) ||
                !g_ascii_string_to_unsigned(g_strstrip(fields[2]), 10, 1, G_MAXUINT32, &count, NULL))
            continue;
        if (count > best.count)
            best = (IdRange){start, count};
    }
    return best;
}

/* The range of the caller in FILE. */
static gboolean load_range(const char *file, IdRange *ret_range, GError **error) {
    const struct passwd *entry = getpwuid(caller.uid);
    g_autofree char *user = entry ? g_strdup(entry->pw_name) : NULL;
    g_autofree char *text = NULL;
    if (!g_file_get_contents(file, &text, NULL, NULL))
        text = g_strdup("");
    *ret_range = find_range(text, user, caller.uid);
    if (ret_range->count >= IDS_NEEDED)
        return TRUE;
    g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START,
            "user %s has no range of %d IDs in %s, which files of other users in an image need.\n"
            "As root, add the line \"%s:100000:65536\" to %s (with a start that no other line covers), or "
            "run "
            "particleos as root",
            user ? user : "(unnamed)", IDS_NEEDED, file, user ? user : "UID", file);
    return FALSE;
}

/* Runs PROGRAM (newuidmap or newgidmap) for process TARGET; the exit status. Only in a child. */
static int run_map_program(
        const char *program, const char *target, const char *own, const char *start, const char *count) {
    pid_t pid = fork();
    if (pid < 0)
        return 126;
    if (pid == 0) {
        execlp(program, program, target, "0", own, "1", "1", start, count, (char *) NULL);
        _exit(127);
    }
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 126;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

/* A child that stays outside of the new user namespace and writes our maps once we are in it. */
typedef struct {
    pid_t pid;
    int go_fd;
} Mapper;

static gboolean mapper_start(Mapper *mapper, const IdRange *uids, const IdRange *gids, GError **error) {
    char target[16], uid[16], gid[16], uid_start[16], uid_count[16], gid_start[16], gid_count[16];
    g_snprintf(target, sizeof target, "%d", (int) getpid());
    g_snprintf(uid, sizeof uid, "%u", caller.uid);
    g_snprintf(gid, sizeof gid, "%u", caller.gid);
    g_snprintf(uid_start, sizeof uid_start, "%u", (guint32) uids->start);
    g_snprintf(uid_count, sizeof uid_count, "%u", (guint32) MIN(uids->count, IDS_MAPPED));
    g_snprintf(gid_start, sizeof gid_start, "%u", (guint32) gids->start);
    g_snprintf(gid_count, sizeof gid_count, "%u", (guint32) MIN(gids->count, IDS_MAPPED));

    int go[2];
    if (pipe2(go, O_CLOEXEC) < 0) {
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "cannot make a pipe: %s", g_strerror(errno));
        return FALSE;
    }
    AUTO_FD go_read = go[0], go_write = go[1];
    mapper->pid = fork();
    if (mapper->pid < 0) {
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "cannot fork: %s", g_strerror(errno));
        return FALSE;
    }
    if (mapper->pid == 0) {
        char byte;
        close(go_write);
        if (read(go_read, &byte, 1) != 1)
            _exit(0); /* It did not come to that. */
        int status = run_map_program("newuidmap", target, uid, uid_start, uid_count);
        if (status == 0)
            status = run_map_program("newgidmap", target, gid, gid_start, gid_count);
        _exit(status);
    }
    mapper->go_fd = steal_fd(&go_write);
    return TRUE;
}

static gboolean mapper_finish(Mapper *mapper, gboolean go, GError **error) {
    if (go && write(mapper->go_fd, "g", 1) != 1)
        go = FALSE;
    cleanup_fd(&mapper->go_fd);
    int status = 0;
    while (waitpid(mapper->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!go || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return TRUE;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START,
                "cannot find newuidmap and newgidmap: install the package uidmap (shadow-utils on Fedora), "
                "or "
                "run particleos as root");
    else
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START,
                "newuidmap or newgidmap failed (see above); check the lines for this user in /etc/subuid "
                "and "
                "/etc/subgid");
    return FALSE;
}

static gboolean enter_user_namespace(GError **error) {
    IdRange uids, gids;
    Mapper mapper;
    if (!load_range("/etc/subuid", &uids, error) || !load_range("/etc/subgid", &gids, error) ||
            !mapper_start(&mapper, &uids, &gids, error))
        return FALSE;

    gboolean entered = unshare(CLONE_NEWUSER) == 0;
    int unshare_error = errno;
    if (!mapper_finish(&mapper, entered, error))
        return FALSE;
    if (!entered) {
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "cannot enter a user namespace: %s%s",
                g_strerror(unshare_error),
                unshare_error == EINVAL ? " (threads exist already)"
                                        : "; allow them (sysctl user.max_user_namespaces, "
                                          "kernel.unprivileged_userns_clone, "
                                          "kernel.apparmor_restrict_unprivileged_userns), or run particleos as "
                                          "root");
        return FALSE;
    }
    if (setresgid(0, 0, 0) < 0 || setgroups(0, NULL) < 0 || setresuid(0, 0, 0) < 0) {
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "cannot become root in the user namespace: %s",
                g_strerror(errno));
        return FALSE;
    }
    /* A change of user hides /proc/self/fd, through which mounts are named. */
    prctl(PR_SET_DUMPABLE, 1);
    return TRUE;
}

/* Writes TEXT to a file of this process. */
static gboolean write_own(const char *name, const char *text) {
    g_autofree char *path = g_strconcat("/proc/self/", name, NULL);
    AUTO_FD fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t) strlen(text);
}

/* Maps the caller alone, which needs nobody's help. */
static gboolean enter_user_namespace_alone(GError **error) {
    g_autofree char *users = g_strdup_printf("0 %u 1\n", caller.uid);
    g_autofree char *groups = g_strdup_printf("0 %u 1\n", caller.gid);

    if (unshare(CLONE_NEWUSER) == 0 && write_own("uid_map", users) && write_own("setgroups", "deny") &&
            write_own("gid_map", groups) && setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0) {
        prctl(PR_SET_DUMPABLE, 1);
        return TRUE;
    }
    g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "cannot enter a user namespace: %s", g_strerror(errno));
    return FALSE;
}

static gboolean become_root(gboolean alone, GError **error) {
    remember_caller();
    if (geteuid() != 0 && !(alone ? enter_user_namespace_alone(error) : enter_user_namespace(error))) {
        g_prefix_error(error, "cannot work without root: ");
        return FALSE;
    }
    if (unshare(CLONE_NEWNS) < 0) {
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "cannot enter a mount namespace: %s; %s",
                g_strerror(errno),
                caller.uid == 0 ? "this root has no CAP_SYS_ADMIN (a container? start it with --privileged or "
                                  "--cap-add=SYS_ADMIN), or run particleos as an ordinary user"
                                : "check sysctl kernel.apparmor_restrict_unprivileged_userns and "
                                  "user.max_mnt_namespaces");
        return FALSE;
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "cannot make mounts private: %s", g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

gboolean sandbox_become_root(GError **error) {
    return become_root(FALSE, error);
}

gboolean sandbox_become_root_alone(GError **error) {
    return become_root(TRUE, error);
}
