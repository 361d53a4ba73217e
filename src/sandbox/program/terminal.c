/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A terminal of the sandbox's own for the program, with the caller's at its other end: who has the caller's
 * terminal itself can read what is typed there later, and type. */

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int first_terminal(void) {
    for (int fd = 0; fd < 3; fd++)
        if (isatty(fd))
            return fd;
    return -1;
}

bool terminal_is_wanted(const Instructions *instructions) {
    return instructions->interactive && first_terminal() >= 0;
}

int terminal_open(int *ret_slave) {
    int unlock = 0;
    int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0)
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
        fail("cannot make a terminal");
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        fail("cannot open the terminal");
    struct termios settings;
    int caller = first_terminal();
    if (tcgetattr(caller, &settings) == 0)
        tcsetattr(slave, TCSANOW, &settings);
    terminal_copy_size(caller, master);
    *ret_slave = slave;
    return master;
}

void terminal_take(int slave) {
    bool ours[3];
    for (int fd = 0; fd < 3; fd++)
        ours[fd] = isatty(fd);
    if (ioctl(slave, TIOCSCTTY, 0) < 0)
        fail("cannot take the terminal");
    for (int fd = 0; fd < 3; fd++)
        if (ours[fd] && dup2(slave, fd) < 0)
            fail("cannot take the terminal");
}

void terminal_copy_size(int from, int to) {
    struct winsize size;
    if (ioctl(from, TIOCGWINSZ, &size) == 0)
        ioctl(to, TIOCSWINSZ, &size);
}

void relay_start(Relay *relay, int master) {
    *relay = (Relay){.master = master, .in = -1, .out = isatty(1) ? 1 : 2};
    if (master < 0)
        return;
    fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
    if (!isatty(0) || tcgetattr(0, &relay->saved) < 0)
        return;
    relay->in = 0;
    struct termios raw = relay->saved;
    cfmakeraw(&raw);
    tcsetattr(0, TCSADRAIN, &raw);
}

void relay_stop(Relay *relay) {
    if (relay->in >= 0)
        tcsetattr(relay->in, TCSADRAIN, &relay->saved);
    relay->in = -1;
}

void relay_resize(const Relay *relay) {
    if (relay->master >= 0)
        terminal_copy_size(relay->out, relay->master);
}

void relay_poll_for(const Relay *relay, struct pollfd *fds) {
    /* What has been typed is kept until the program reads it. */
    fds[0] = (struct pollfd){.fd = relay->pending ? -1 : relay->in, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = relay->master, .events = POLLIN | (relay->pending ? POLLOUT : 0)};
}

static void write_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EAGAIN)
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        else if (n < 0 && errno != EINTR)
            return; /* Nobody looks any more. */
        else if (n > 0) {
            bytes += n;
            length -= n;
        }
    }
}

/* FALSE when there is nothing more, now or ever. */
static bool show(Relay *relay) {
    char buffer[4096];
    ssize_t n = read(relay->master, buffer, sizeof buffer);
    if (n > 0)
        write_all(relay->out, buffer, n);
    /* EIO: the program's end is closed. Somebody may open it again as long as the program runs. */
    return n > 0;
}

static void type(Relay *relay) {
    ssize_t n = write(relay->master, relay->typed, relay->pending);
    if (n <= 0)
        return;
    relay->pending -= n;
    for (size_t i = 0; i < relay->pending; i++)
        relay->typed[i] = relay->typed[i + n];
}

void relay_move(Relay *relay, const struct pollfd *fds) {
    if (fds[0].revents) {
        ssize_t n = read(relay->in, relay->typed, sizeof relay->typed);
        if (n > 0)
            relay->pending = n;
        else if (n == 0 || errno != EINTR)
            relay_stop(relay);
    }
    if (relay->pending && fds[1].revents & POLLOUT)
        type(relay);
    if (fds[1].revents & POLLIN)
        show(relay);
    else if (fds[1].revents & POLLHUP)
        poll(NULL, 0, 20);
}

void relay_drain(Relay *relay) {
    while (relay->master >= 0 && show(relay))
        ;
}
