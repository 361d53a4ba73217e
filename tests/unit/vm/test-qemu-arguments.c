/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "vm/qemu/qemu-arguments.h"

#include <string.h>

static VmFirmware secure = {
        .code = (char *) "/fw/code.fd",
        .code_format = (char *) "raw",
        .variables = (char *) "/fw/vars.fd",
        .variables_format = (char *) "raw",
        .secure_boot = TRUE,
        .requires_smm = TRUE,
};

static VmDescription plain_machine(void) {
    return (VmDescription){
            .program = "/usr/bin/qemu-system-x86_64",
            .architecture = "x86_64",
            .firmware = &secure,
            .variables = "/tmp/vars",
            .cpus = 2,
            .ram = 3ULL << 30,
            .disk = "/tmp/disk.qcow2",
            .disk_format = "qcow2",
            .network = NETWORK_USER,
            .vsock_fd = -1,
            .tpm_fd = -1,
            .console = CONSOLE_MODE_HEADLESS,
            .console_fd = -1,
            .report_fd = -1,
            .monitor_fd = -1,
    };
}

/* The whole command line as one text, so that tests can look for parts of it. */
static char *command_line(const VmDescription *vm) {
    g_auto(GStrv) arguments = vm_qemu_arguments(vm);
    return g_strjoinv(" ", arguments);
}

#define assert_has(line, part) g_assert_nonnull(strstr(line, part))
#define assert_lacks(line, part) g_assert_null(strstr(line, part))

static void test_plain(void) {
    VmDescription vm = plain_machine();
    g_autofree char *line = command_line(&vm);
    g_assert_true(g_str_has_prefix(line, "/usr/bin/qemu-system-x86_64 -nodefaults -no-user-config "));
    assert_has(line, "-machine q35,smm=on");
    assert_has(line, "-accel tcg,thread=multi -cpu max,cx16=off -smp 2 -m 3072M");
    assert_has(line, "if=pflash,unit=0,format=raw,readonly=on,file=/fw/code.fd");
    assert_has(line, "if=pflash,unit=1,format=raw,file=/tmp/vars");
    assert_has(line, "driver=cfi.pflash01,property=secure,value=on");
    assert_has(line, "if=none,id=disk,format=qcow2,file=/tmp/disk.qcow2");
    assert_has(line, "virtio-blk-pci,drive=disk,bootindex=1");
    assert_has(line, "-display none -serial null");
    assert_lacks(line, "tpm");
    assert_lacks(line, "vsock");
    assert_lacks(line, "-kernel");
    assert_lacks(line, "-smbios");
    assert_lacks(line, "-chardev");
}

/* One change of the plain machine, and what it does to the command line. */
typedef void (*Change)(VmDescription *vm);

static void use_kvm(VmDescription *vm) {
    vm->kvm = TRUE;
}

static void add_tpm(VmDescription *vm) {
    vm->tpm_fd = 9;
}

static void use_nvme(VmDescription *vm) {
    vm->disk_type = QEMU_DISK_TYPE_NVME;
}

static void use_scsi(VmDescription *vm) {
    vm->disk_type = QEMU_DISK_TYPE_VIRTIO_SCSI;
    vm->removable = TRUE;
}

static void use_cd(VmDescription *vm) {
    vm->disk_type = QEMU_DISK_TYPE_SCSI_CD;
}

static void make_removable(VmDescription *vm) {
    vm->removable = TRUE;
}

static void cut_network(VmDescription *vm) {
    vm->network = NETWORK_NONE;
}

static void use_native_console(VmDescription *vm) {
    vm->console = CONSOLE_MODE_NATIVE;
}

static void use_console_fd(VmDescription *vm) {
    vm->console = CONSOLE_MODE_INTERACTIVE;
    vm->console_fd = 7;
    vm->report_fd = 8;
}

static void use_window(VmDescription *vm) {
    vm->console = CONSOLE_MODE_GUI;
}

static void add_vsock(VmDescription *vm) {
    vm->vsock_cid = 77;
    vm->vsock_fd = 5;
}

static void boot_directly(VmDescription *vm) {
    vm->firmware = NULL;
    vm->kernel = "/k";
    vm->initrd = "/i";
    vm->kernel_command_line = "root=LABEL=x quiet";
}

static void grow_memory(VmDescription *vm) {
    vm->max_mem = 8ULL << 30;
    vm->cxl = TRUE;
}

static void name_oddly(VmDescription *vm) {
    vm->name = "a,b";
    vm->disk = "/tmp/a,snapshot=on";
}

static void use_arm(VmDescription *vm) {
    vm->architecture = "aarch64";
    vm->firmware = NULL;
    vm->tpm_fd = 9;
}

static void test_changes(void) {
    static const struct {
        Change change;
        const char *has, *lacks;
    } cases[] = {
            {use_kvm, "-accel kvm -cpu host", "tcg"},
            {add_tpm,
                    "-chardev socket,id=tpm,fd=9 -tpmdev emulator,id=tpm0,chardev=tpm -device "
                    "tpm-crb,tpmdev=tpm0",
                    "tpm-tis"},
            {use_nvme, "-device nvme,serial=particleos,drive=disk,bootindex=1", "virtio-blk"},
            {use_scsi, "-device virtio-scsi-pci,id=scsi -device scsi-hd,drive=disk,bootindex=1,removable=on",
                    "virtio-blk"},
            {use_cd, "-device scsi-cd,drive=disk,bootindex=1", "virtio-blk"},
            {use_cd, ",readonly=on -device virtio-scsi-pci", "virtio-blk"},
            {make_removable, "usb-storage,drive=disk,removable=on", "virtio-blk"},
            {cut_network, "-nic none", "netdev"},
            {use_native_console, "stdio,id=console,mux=on,signal=off", "-serial null"},
            {use_console_fd,
                    "-chardev socket,id=console,fd=7 -serial chardev:console -chardev socket,id=report,fd=8 "
                    "-serial chardev:report",
                    "stdio"},
            {use_window, "-display gtk", "-display none"},
            {add_vsock, "vhost-vsock-pci,guest-cid=77,vhostfd=5", "guest-cid=0"},
            {boot_directly, "-kernel /k -initrd /i -append root=LABEL=x quiet", "pflash"},
            {grow_memory, "-m 3072M,slots=16,maxmem=8192M", "-m 3072M "},
            {name_oddly, "-name a,,b ", "file=/tmp/a,snapshot"},
            {use_arm, "tpm-tis-device", "smm"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        VmDescription vm = plain_machine();
        cases[i].change(&vm);
        g_autofree char *line = command_line(&vm);
        g_test_message("%s", line);
        assert_has(line, cases[i].has);
        assert_lacks(line, cases[i].lacks);
    }
}

static void test_strings_and_drives(void) {
    VmDescription vm = plain_machine();
    g_autoptr(GPtrArray) strings = g_ptr_array_new_with_free_func((GDestroyNotify) vm_oem_string_free);
    g_autoptr(GPtrArray) drives = g_ptr_array_new_with_free_func((GDestroyNotify) vm_drive_free);
    g_autoptr(GPtrArray) shares = g_ptr_array_new_with_free_func((GDestroyNotify) vm_share_free);
    static const char *const extra[] = {"-device", "nvme,drive=other,serial=x", "-device", "last", NULL};
    g_ptr_array_add(strings, vm_oem_string_new("console=ttyS0,115200 x", NULL));
    g_ptr_array_add(strings, vm_oem_string_new(NULL, "/tmp/secret,file"));
    g_ptr_array_add(drives, vm_drive_new("data", "/tmp/d", "read-only=on"));
    g_ptr_array_add(drives, vm_drive_new("other", "/tmp/o", NULL));
    g_ptr_array_add(shares, vm_share_new("tree0", "/tmp/s"));
    vm.oem_strings = strings;
    vm.drives = drives;
    vm.shares = shares;
    vm.extra = (char *const *) extra;
    g_autofree char *line = command_line(&vm);
    assert_has(line, "-smbios type=11,value=console=ttyS0,,115200 x");
    assert_has(line, "-smbios type=11,path=/tmp/secret,,file");
    assert_has(line,
            "-blockdev driver=raw,node-name=data,discard=unmap,file.driver=file,file.filename=/tmp/d,");
    assert_has(line, "cache.no-flush=on,read-only=on ");
    assert_has(line, "virtio-blk-pci,drive=data,share-rw=on");
    /* A drive that the user attaches is not attached twice. */
    assert_lacks(line, "virtio-blk-pci,drive=other");
    assert_has(line, "-device vhost-user-fs-pci,queue-size=1024,chardev=share0,tag=tree0");
    assert_has(line, "-object memory-backend-memfd,id=memory,size=3072M,share=on");
    assert_has(line, ",memory-backend=memory");
    g_assert_true(g_str_has_suffix(line, " -device last"));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vm/qemu-arguments/plain", test_plain);
    g_test_add_func("/vm/qemu-arguments/changes", test_changes);
    g_test_add_func("/vm/qemu-arguments/strings-and-drives", test_strings_and_drives);
    return g_test_run();
}
