/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The terminal of whoever started the build. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool controlling_terminal(void) {
    return can_open("/dev/tty", O_RDWR);
}

static bool terminal_descriptor(void) {
    return isatty(0) || isatty(1) || isatty(2);
}

static bool terminal_taken(void) {
    setsid();
    for (int fd = 0; fd < 3; fd++)
        if (ioctl(fd, TIOCSCTTY, 1) == 0)
            return true;
    return false;
}

static bool typed(unsigned long request) {
    char c = ' ';
    for (int fd = 0; fd < 3; fd++)
        if (syscall(SYS_ioctl, fd, request, &c) == 0)
            return true;
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    return tty >= 0 && syscall(SYS_ioctl, tty, request, &c) == 0;
}

static bool command_typed(void) {
    return typed(TIOCSTI);
}

/* On a terminal of one's own, whose other end somebody else may hold. The kernel looks at 32 bits of the
 * request. */
static bool own_terminal(unsigned long request) {
    char c = 2;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || unlockpt(master) < 0)
        return false;
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    setsid();
    if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
        return false;
    return syscall(SYS_ioctl, slave, request, &c) == 0 || errno == ENOTTY;
}

static bool typing(void) {
    return own_terminal(TIOCSTI);
}

static bool typing_with_high_bits(void) {
    return own_terminal(TIOCSTI | 1UL << 40);
}

static bool pasting(void) {
    return own_terminal(TIOCLINUX);
}

const Probe terminal_probes[] = {
        {"controlling-terminal", controlling_terminal},
        {"terminal-descriptor", terminal_descriptor},
        {"terminal-taken", terminal_taken},
        {"command-typed", command_typed},
        {"typing", typing},
        {"typing-with-high-bits", typing_with_high_bits},
        {"pasting", pasting},
        {},
};
