/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/qemu/qemu-arguments.h"

#include <string.h>

VmOemString *vm_oem_string_new(const char *value, const char *path) {
    VmOemString *string = g_new0(VmOemString, 1);
    string->value = g_strdup(value);
    string->path = g_strdup(path);
    return string;
}

void vm_oem_string_free(VmOemString *string) {
    g_free(string->value);
    g_free(string->path);
    g_free(string);
}

VmShare *vm_share_new(const char *tag, const char *socket) {
    VmShare *share = g_new0(VmShare, 1);
    share->tag = g_strdup(tag);
    share->socket = g_strdup(socket);
    return share;
}

void vm_share_free(VmShare *share) {
    g_free(share->tag);
    g_free(share->socket);
    g_free(share);
}

VmDrive *vm_drive_new(const char *id, const char *path, const char *options) {
    VmDrive *drive = g_new0(VmDrive, 1);
    drive->id = g_strdup(id);
    drive->path = g_strdup(path);
    drive->options = g_strdup(options);
    return drive;
}

void vm_drive_free(VmDrive *drive) {
    g_free(drive->id);
    g_free(drive->path);
    g_free(drive->options);
    g_free(drive);
}

static gboolean is_x86(const VmDescription *vm) {
    return strcmp(vm->architecture, "x86_64") == 0;
}

const char *vm_serial_console(const char *architecture) {
    return strcmp(architecture, "x86_64") == 0 ? "ttyS0" : "ttyAMA0";
}

static void add(GPtrArray *arguments, const char *option, const char *value) {
    g_ptr_array_add(arguments, g_strdup(option));
    if (value)
        g_ptr_array_add(arguments, g_strdup(value));
}

static void addf(GPtrArray *arguments, const char *option, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void addf(GPtrArray *arguments, const char *option, const char *format, ...) {
    va_list list;
    va_start(list, format);
    g_ptr_array_add(arguments, g_strdup(option));
    g_ptr_array_add(arguments, g_strdup_vprintf(format, list));
    va_end(list);
}

/* In QEMU's option lists a comma inside a value is written twice. */
static char *escape(const char *value) {
    g_auto(GStrv) parts = g_strsplit(value, ",", -1);
    return g_strjoinv(",,", parts);
}

/* QEMU's emulation stops all other CPUs for each cmpxchg16b, which Linux uses whenever it is there. */
static const char *emulated_cpu(const VmDescription *vm) {
    return is_x86(vm) ? "max,cx16=off" : "max";
}

static gboolean has_shares(const VmDescription *vm) {
    return vm->shares && vm->shares->len > 0;
}

static void add_machine(GPtrArray *arguments, const VmDescription *vm) {
    g_autoptr(GString) machine = g_string_new(is_x86(vm) ? "q35" : "virt");
    /* Only firmware in SMM can protect its variables against the operating system. */
    gboolean smm = vm->firmware && vm->firmware->requires_smm;
    if (is_x86(vm))
        g_string_append_printf(machine, ",smm=%s,hpet=off", smm ? "on" : "off");
    if (has_shares(vm))
        g_string_append(machine, ",memory-backend=memory");
    if (vm->cxl)
        g_string_append(machine, ",cxl=on");
    add(arguments, "-machine", machine->str);
    add(arguments, "-accel", vm->kvm ? "kvm" : "tcg,thread=multi");
    add(arguments, "-cpu", vm->kvm ? "host" : emulated_cpu(vm));
    addf(arguments, "-smp", "%u", vm->cpus);
    g_autofree char *memory = g_strdup_printf("%" G_GUINT64_FORMAT "M", MAX(vm->ram >> 20, 1));
    if (vm->max_mem > vm->ram)
        addf(arguments, "-m", "%s,slots=16,maxmem=%" G_GUINT64_FORMAT "M", memory, vm->max_mem >> 20);
    else
        add(arguments, "-m", memory);
    /* The other end of a share reads and writes the guest's memory. */
    if (has_shares(vm))
        addf(arguments, "-object", "memory-backend-memfd,id=memory,size=%s,share=on", memory);
    if (vm->name) {
        g_autofree char *name = escape(vm->name);
        addf(arguments, "-name", "%s", name);
    }
    /* systemd reads from /dev/hwrng and the CPU; this spares slow guests the wait. */
    add(arguments, "-object", "rng-random,filename=/dev/urandom,id=rng0");
    add(arguments, "-device", "virtio-rng-pci,rng=rng0,id=rng-device0");
}

static void add_firmware(GPtrArray *arguments, const VmDescription *vm) {
    if (!vm->firmware)
        return;
    g_autofree char *code = escape(vm->firmware->code), *variables = escape(vm->variables);
    addf(arguments, "-drive", "if=pflash,unit=0,format=%s,readonly=on,file=%s", vm->firmware->code_format,
            code);
    addf(arguments, "-drive", "if=pflash,unit=1,format=%s,file=%s", vm->firmware->variables_format,
            variables);
    if (vm->firmware->requires_smm)
        add(arguments, "-global", "driver=cfi.pflash01,property=secure,value=on");
    /* With sleep states, some builds keep Secure Boot state in memory that the guest can write to. */
    if (is_x86(vm))
        add(arguments, "-global", "ICH9-LPC.disable_s3=1");
}

static void add_disk_device(GPtrArray *arguments, const VmDescription *vm) {
    const char *removable = vm->removable ? ",removable=on" : "";
    switch (vm->disk_type) {
    case QEMU_DISK_TYPE_VIRTIO_BLK:
        /* virtio-blk knows no removable media, so such a drive is a USB stick. */
        if (vm->removable) {
            add(arguments, "-device", "qemu-xhci,id=usb");
            add(arguments, "-device", "usb-storage,drive=disk,removable=on,bootindex=1");
        } else
            add(arguments, "-device", "virtio-blk-pci,drive=disk,bootindex=1");
        return;
    case QEMU_DISK_TYPE_VIRTIO_SCSI:
        add(arguments, "-device", "virtio-scsi-pci,id=scsi");
        addf(arguments, "-device", "scsi-hd,drive=disk,bootindex=1%s", removable);
        return;
    case QEMU_DISK_TYPE_NVME:
        add(arguments, "-device", "nvme,serial=particleos,drive=disk,bootindex=1");
        return;
    case QEMU_DISK_TYPE_SCSI_CD:
        add(arguments, "-device", "virtio-scsi-pci,id=scsi");
        add(arguments, "-device", "scsi-cd,drive=disk,bootindex=1");
        return;
    case _QEMU_DISK_TYPE_MAX:
        break;
    }
    g_assert_not_reached();
}

static void add_disk(GPtrArray *arguments, const VmDescription *vm) {
    if (!vm->disk)
        return;
    g_autofree char *file = escape(vm->disk);
    addf(arguments, "-drive", "if=none,id=disk,format=%s,file=%s,discard=unmap,cache=unsafe%s%s",
            vm->disk_format, file,
            vm->disk_type == QEMU_DISK_TYPE_SCSI_CD || vm->read_only_disk ? ",readonly=on" : "",
            vm->snapshot ? ",snapshot=on" : "");
    add_disk_device(arguments, vm);
}

/* Whether the user's own arguments attach the drive to a device. */
static gboolean is_attached(const VmDescription *vm, const char *id) {
    g_autofree char *wanted = g_strconcat("drive=", id, NULL);
    for (char *const *word = vm->extra; word && *word; word++) {
        g_auto(GStrv) parts = g_strsplit(*word, ",", -1);
        if (g_strv_contains((const char *const *) parts, wanted))
            return TRUE;
    }
    return FALSE;
}

/* Several drives may share a file, as disks that are reachable by several paths do. */
static void add_drives(GPtrArray *arguments, const VmDescription *vm) {
    for (guint i = 0; vm->drives && i < vm->drives->len; i++) {
        const VmDrive *drive = vm->drives->pdata[i];
        g_autofree char *file = escape(drive->path);
        addf(arguments, "-blockdev",
                "driver=raw,node-name=%s,discard=unmap,file.driver=file,file.filename=%s,file.locking=off,"
                "cache.no-flush=on%s%s",
                drive->id, file, drive->options ? "," : "", drive->options ? drive->options : "");
        if (!is_attached(vm, drive->id))
            addf(arguments, "-device", "virtio-blk-pci,drive=%s,share-rw=on", drive->id);
    }
}

static void add_shares(GPtrArray *arguments, const VmDescription *vm) {
    for (guint i = 0; vm->shares && i < vm->shares->len; i++) {
        const VmShare *share = vm->shares->pdata[i];
        g_autofree char *path = escape(share->socket);
        addf(arguments, "-chardev", "socket,id=share%u,path=%s", i, path);
        addf(arguments, "-device", "vhost-user-fs-pci,queue-size=1024,chardev=share%u,tag=%s", i,
                share->tag);
    }
}

static void add_network(GPtrArray *arguments, const VmDescription *vm) {
    if (vm->network == NETWORK_NONE) {
        add(arguments, "-nic", "none");
        return;
    }
    if (vm->network == NETWORK_INTERFACE) {
        add(arguments, "-netdev", "tap,id=net0,script=no,downscript=no");
        add(arguments, "-device", "virtio-net-pci,netdev=net0,romfile=");
        return;
    }
    /* An option ROM would make the firmware try to boot from the network first. */
    add(arguments, "-netdev", "user,id=net0");
    add(arguments, "-device", "virtio-net-pci,netdev=net0,romfile=");
}

static void add_tpm(GPtrArray *arguments, const VmDescription *vm) {
    if (vm->tpm_fd < 0)
        return;
    addf(arguments, "-chardev", "socket,id=tpm,fd=%d", vm->tpm_fd);
    add(arguments, "-tpmdev", "emulator,id=tpm0,chardev=tpm");
    addf(arguments, "-device", "%s,tpmdev=tpm0", is_x86(vm) ? "tpm-crb" : "tpm-tis-device");
}

static void add_vsock(GPtrArray *arguments, const VmDescription *vm) {
    if (vm->vsock_cid != 0)
        addf(arguments, "-device", "vhost-vsock-pci,guest-cid=%u,vhostfd=%d", vm->vsock_cid, vm->vsock_fd);
}

static void add_console(GPtrArray *arguments, const VmDescription *vm) {
    if (vm->console == CONSOLE_MODE_GUI) {
        add(arguments, "-display", "gtk");
        add(arguments, "-device", "virtio-vga");
        add(arguments, "-device", "qemu-xhci,id=input-usb");
        add(arguments, "-device", "usb-tablet,bus=input-usb.0");
        add(arguments, "-device", "usb-kbd,bus=input-usb.0");
    } else
        add(arguments, "-display", "none");

    if (vm->console_fd >= 0) {
        addf(arguments, "-chardev", "socket,id=console,fd=%d", vm->console_fd);
        add(arguments, "-serial", "chardev:console");
    } else if (vm->console == CONSOLE_MODE_NATIVE) {
        /* The terminal belongs to QEMU: Ctrl-a x quits, Ctrl-a c is the monitor. */
        add(arguments, "-chardev", "stdio,id=console,mux=on,signal=off");
        add(arguments, "-serial", "chardev:console");
        add(arguments, "-mon", "chardev=console,mode=readline");
    } else
        add(arguments, "-serial", "null");

    if (vm->report_fd >= 0) {
        addf(arguments, "-chardev", "socket,id=report,fd=%d", vm->report_fd);
        if (is_x86(vm))
            add(arguments, "-serial", "chardev:report");
        else
            add(arguments, "-device", "pci-serial,chardev=report");
    }
    if (vm->monitor_fd >= 0) {
        addf(arguments, "-chardev", "socket,id=qmp,fd=%d", vm->monitor_fd);
        add(arguments, "-mon", "chardev=qmp,mode=control");
    }
}

static void add_kernel(GPtrArray *arguments, const VmDescription *vm) {
    if (!vm->kernel)
        return;
    add(arguments, "-kernel", vm->kernel);
    if (vm->initrd)
        add(arguments, "-initrd", vm->initrd);
    if (vm->kernel_command_line)
        add(arguments, "-append", vm->kernel_command_line);
}

static void add_oem_strings(GPtrArray *arguments, const VmDescription *vm) {
    for (guint i = 0; vm->oem_strings && i < vm->oem_strings->len; i++) {
        const VmOemString *string = vm->oem_strings->pdata[i];
        g_autofree char *text = escape(string->path ? string->path : string->value);
        addf(arguments, "-smbios", "type=11,%s=%s", string->path ? "path" : "value", text);
    }
}

char **vm_qemu_arguments(const VmDescription *vm) {
    GPtrArray *arguments = g_ptr_array_new();
    add(arguments, vm->program, NULL);
    add(arguments, "-nodefaults", NULL);
    add(arguments, "-no-user-config", NULL);
    add_machine(arguments, vm);
    add_firmware(arguments, vm);
    add_kernel(arguments, vm);
    add_disk(arguments, vm);
    add_drives(arguments, vm);
    add_shares(arguments, vm);
    add_network(arguments, vm);
    add_tpm(arguments, vm);
    add_vsock(arguments, vm);
    add_console(arguments, vm);
    add_oem_strings(arguments, vm);
    /* A kernel that panics tells the machine, which then ends with a status other than 0. */
    if (is_x86(vm))
        add(arguments, "-device", "pvpanic");
    add(arguments, "-action", "panic=exit-failure");
    for (char *const *extra = vm->extra; extra && *extra; extra++)
        add(arguments, *extra, NULL);
    g_ptr_array_add(arguments, NULL);
    return (char **) g_ptr_array_free(arguments, FALSE);
}
