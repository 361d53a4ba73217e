/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the whole machine shares: clock, modules, swap, kernel memory, devices. Nothing here changes anything
 * where it is allowed: calls name what does not exist, or set what is set already. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static bool clock_set(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return clock_settime(CLOCK_REALTIME, &now) == 0;
}

static bool time_of_day_set(void) {
    struct timezone zone = {0};
    return settimeofday(NULL, &zone) == 0;
}

static bool clock_adjusted(void) {
    struct timex state = {.modes = 0};
    if (adjtimex(&state) < 0)
        return false;
    state.modes = ADJ_STATUS;
    return adjtimex(&state) >= 0;
}

static bool bpf_map(void) {
    union bpf_attr attributes = {
            .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes) >= 0;
}

static bool performance_events(void) {
    struct perf_event_attr attributes = {
            .type = PERF_TYPE_SOFTWARE, .size = sizeof attributes, .config = PERF_COUNT_SW_CPU_CLOCK};
    return reached(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

static bool module_removed(void) {
    return reached(syscall(SYS_delete_module, "no_such_module", O_NONBLOCK));
}

static bool module_loaded(void) {
    return reached(syscall(SYS_init_module, "", 0, "")) || reached(syscall(SYS_finit_module, -1, "", 0));
}

static bool kernel_replaced(void) {
    return reached(syscall(SYS_kexec_load, 0, 0, NULL, 0));
}

static bool rebooted(void) {
    return reached(
            syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF, NULL));
}

static bool swap_changed(void) {
    return reached(swapoff("/no/such/swap")) || reached(swapon("/no/such/swap", 0));
}

static bool faults_handled(void) {
    return syscall(SYS_userfaultfd, O_CLOEXEC) >= 0 || syscall(SYS_userfaultfd, O_CLOEXEC | 1) >= 0;
}

static bool kernel_log(void) {
    return klogctl(10 /* SYSLOG_ACTION_SIZE_BUFFER */, NULL, 0) >= 0;
}

static bool accounting(void) {
    return reached(acct("/no/such/file"));
}

static bool quotas(void) {
    return reached(quotactl(QCMD(Q_SYNC, USRQUOTA), NULL, 0, NULL));
}

static bool kernel_memory(void) {
    return file_contains("/proc/kcore", NULL) || can_open("/dev/mem", O_RDONLY) ||
           can_open("/dev/kmem", O_RDONLY) || can_open("/dev/port", O_RDONLY);
}

static bool kernel_messages(void) {
    return file_contains("/proc/kmsg", NULL) || can_open("/dev/kmsg", O_RDWR);
}

static bool input_output_ports(void) {
#ifdef SYS_iopl
    return syscall(SYS_iopl, 3) == 0 || syscall(SYS_ioperm, 0x80, 1, 1) == 0;
#else
    return false;
#endif
}

/* One's own node for the device of the host's file system. */
static bool device_through(mode_t type, unsigned major, unsigned minor, const char *where) {
    char path[128];
    snprintf(path, sizeof path, "%s/hostile-%d-%x", where, (int) getpid(), major);
    if (mknod(path, type | 0600, makedev(major, minor)) < 0)
        return false;
    bool opened = can_open(path, O_RDONLY);
    unlink(path);
    return opened;
}

static bool block_device_made(void) {
    return device_through(S_IFBLK, HOST_MAJOR, HOST_MINOR, ".") ||
           device_through(S_IFBLK, HOST_MAJOR, HOST_MINOR, "/dev") ||
           device_through(S_IFBLK, HOST_MAJOR, HOST_MINOR, "/tmp");
}

static bool memory_device_made(void) {
    return device_through(S_IFCHR, 1, 1, ".") || device_through(S_IFCHR, 1, 11, "/tmp") ||
           device_through(S_IFCHR, 1, 1, "/dev");
}

static bool devices_there(void) {
    static const char *const names[] = {"vda", "sda", "nvme0n1", "loop0", "loop-control", "mapper/control",
            "fuse", "kvm", "net/tun", "vhost-net", "uinput", "btrfs-control", "cpu_dma_latency", "snapshot",
            "hpet", "nvram", "tpm0", "tpmrm0", "console", "tty1", "ttyS0", "userfaultfd", "vsock", "autofs"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        snprintf(path, sizeof path, "/dev/%s", names[i]);
        if (can_open(path, O_RDWR))
            return true;
    }
    return false;
}

/* Systems calls have other numbers in other ABIs of the same kernel. */
static bool key_by_i386(void) {
#ifdef __x86_64__
    long result;
    /* keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1) */
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(288), "b"(0), "c"(-2), "d"(1), "S"(0), "D"(0)
                     : "memory", "r8", "r9", "r10", "r11");
    return result > 0;
#else
    return false;
#endif
}

static bool clock_by_i386(void) {
#ifdef __x86_64__
    /* Pointers have to fit. */
    unsigned *now = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    long result;
    if (now == MAP_FAILED)
        return false;
    now[0] = now[1] = 0;
    /* settimeofday(NULL, &zone) */
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(79), "b"(0), "c"(now)
                     : "memory", "r8", "r9", "r10", "r11");
    return result == 0;
#else
    return false;
#endif
}

static bool key_by_x32(void) {
#ifdef __x86_64__
    return syscall(0x40000000 | SYS_keyctl, 0, -2, 1) > 0;
#else
    return false;
#endif
}

const Probe kernel_probes[] = {
        {"clock-set", clock_set},
        {"time-of-day-set", time_of_day_set},
        {"clock-adjusted", clock_adjusted},
        {"bpf-map", bpf_map},
        {"performance-events", performance_events},
        {"module-removed", module_removed},
        {"module-loaded", module_loaded},
        {"kernel-replaced", kernel_replaced},
        {"rebooted", rebooted},
        {"swap-changed", swap_changed},
        {"faults-handled", faults_handled},
        {"kernel-log", kernel_log},
        {"accounting", accounting},
        {"quotas", quotas},
        {"kernel-memory", kernel_memory},
        {"kernel-messages", kernel_messages},
        {"input-output-ports", input_output_ports},
        {"block-device-made", block_device_made},
        {"memory-device-made", memory_device_made},
        {"devices-there", devices_there},
        {"key-by-i386", key_by_i386},
        {"clock-by-i386", clock_by_i386},
        {"key-by-x32", key_by_x32},
        {},
};
