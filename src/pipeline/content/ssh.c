/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/content/ssh.h"

#include "tree/tree.h"

#define UNITS "usr/lib/systemd/system"
#define PRESETS "usr/lib/systemd/system-preset"

static const char socket_unit[] = "[Unit]\n"
                                  "Description=SSH over vsock\n"
                                  "ConditionVirtualization=!container\n"
                                  "Wants=sshd-keygen.target\n"
                                  "\n"
                                  "[Socket]\n"
                                  "ListenStream=vsock::22\n"
                                  "Accept=yes\n"
                                  "\n"
                                  "[Install]\n"
                                  "WantedBy=sockets.target\n";

/* With -i, PAM would be told of a remote host that has no name, and look for it. At the end of every session
 * sshd -i exits with 255. */
static const char service_unit[] = "[Unit]\n"
                                   "Description=SSH session over vsock\n"
                                   "After=sshd-keygen.target\n"
                                   "\n"
                                   "[Service]\n"
                                   "ExecStart=sshd -i -o UsePAM=no\n"
                                   "StandardInput=socket\n"
                                   "RuntimeDirectory=sshd\n"
                                   "RuntimeDirectoryPreserve=yes\n"
                                   "SuccessExitStatus=255\n";

static gboolean has_server(int root_fd) {
    return tree_exists(root_fd, "usr/sbin/sshd") || tree_exists(root_fd, "usr/bin/sshd") ||
           tree_exists(root_fd, "usr/local/sbin/sshd");
}

/* systemd sets the server up itself since version 256. */
static gboolean has_generator(int root_fd) {
    return tree_exists(root_fd, "usr/lib/systemd/system-generators/systemd-ssh-generator");
}

gboolean step_ssh(ImageBuild *image, GError **error) {
    Ssh ssh = image->config->ssh;
    int fd = image->root_fd;
    if (ssh == SSH_NEVER || ssh == SSH_RUNTIME ||
            (ssh == SSH_AUTO && (has_generator(fd) || !has_server(fd))))
        return TRUE;
    return tree_mkdir_p(fd, UNITS, 0755, error) && tree_mkdir_p(fd, PRESETS, 0755, error) &&
           tree_write_file(fd, UNITS "/ssh.socket", socket_unit, -1, 0644, error) &&
           tree_write_file(fd, UNITS "/ssh@.service", service_unit, -1, 0644, error) &&
           tree_write_file(fd, PRESETS "/80-mkosi-ssh.preset", "enable ssh.socket\n", -1, 0644, error);
}
