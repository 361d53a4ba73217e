/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only program of a tree that is booted in tests: says what it was booted with and powers off. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

static void show(const char *name, const char *path) {
    char text[4096];
    int fd = open(path, O_RDONLY);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;

    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = 0;
    text[strcspn(text, "\n")] = 0;
    printf("%s: %s\n", name, text);
}

/* The kernel says it early, once. */
static void show_secure_boot(void) {
    static char log[1 << 20];
    int length = klogctl(3, log, sizeof log - 1);
    const char *found = length > 0 ? strstr(log, "Secure boot ") : NULL;

    printf("secure boot: %.*s\n", found ? (int) strcspn(found + 12, "\n") : 0, found ? found + 12 : "");
}

int main(void) {
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    printf("\ntest init runs\n");
    show("command line", "/proc/cmdline");
    show("file", "/from-the-addon");
    show("pcr 12", "/sys/class/tpm/tpm0/pcr-sha256/12");
    show_secure_boot();
    printf("test init ends\n");
    fflush(stdout);
    sleep(1);
    reboot(RB_POWER_OFF);
    return 1;
}
