/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/kernel/kernel-filter.h"

typedef struct {
    KernelFilterKind kind;
    const char *patterns[6];
    const char *path;
    KernelFilterVerdict verdict;
} Case;

#define M KERNEL_FILTER_MODULES
#define F KERNEL_FILTER_FIRMWARE
#define NO KERNEL_FILTER_NO_MATCH
#define KEEP KERNEL_FILTER_KEEP
#define DROP KERNEL_FILTER_DROP

static const Case cases[] = {
        /* file names, with '_' and '-' equal and suffixes ignored */
        {M, {"virtio-rng"}, "kernel/drivers/char/hw_random/virtio-rng.ko", KEEP},
        {M, {"virtio_rng"}, "kernel/drivers/char/hw_random/virtio-rng.ko.xz", KEEP},
        {M, {"dm-mod"}, "kernel/drivers/md/dm_mod.ko.zst", KEEP},
        {M, {"dm"}, "kernel/drivers/md/dm-mod.ko", NO},
        {M, {"dm-*"}, "kernel/drivers/md/dm-mod.ko.gz", KEEP},
        {M, {"raid[0-9]*"}, "kernel/drivers/md/raid456.ko", KEEP},
        {M, {"raid[0-9]*"}, "kernel/drivers/md/raid_class.ko", NO},
        {M, {"raid[!0-9]*"}, "kernel/drivers/scsi/raid_class.ko", KEEP},
        {M, {"a[_]b"}, "kernel/a_b.ko", NO},
        {M, {"a[-]b"}, "kernel/a_b.ko", KEEP},
        {M, {"ext4"}, "kernel/ext4/other.ko", NO},
        /* everything below a directory */
        {M, {"/fs/nls/"}, "kernel/fs/nls/nls_utf8.ko", KEEP},
        {M, {"/fs/"}, "kernel/fs/nls/nls_utf8.ko", KEEP},
        {M, {"/fs/nls/"}, "updates/fs/nls/nls_utf8.ko", NO},
        {M, {"/kernel/fs/"}, "kernel/fs/nls/nls_utf8.ko", KEEP},
        {M, {"/updates/"}, "updates/fs/x.ko", KEEP},
        {M, {"crypto/"}, "kernel/crypto/sha256.ko", KEEP},
        {M, {"crypto/"}, "kernel/drivers/crypto/ccp/ccp.ko", KEEP},
        {M, {"crypto/"}, "kernel/drivers/mycrypto/a.ko", NO},
        {M, {"ext4/ext4"}, "kernel/fs/ext4/ext4.ko", KEEP},
        {M, {"xt4/ext4"}, "kernel/fs/ext4/ext4.ko", NO},
        /* the last glob that matches decides */
        {M, {"crypto/", "-/drivers/crypto/"}, "kernel/drivers/crypto/ccp/ccp.ko", DROP},
        {M, {"crypto/", "-/drivers/crypto/", "ccp"}, "kernel/drivers/crypto/ccp/ccp.ko", KEEP},
        {M, {"-/drivers/crypto/", "crypto/"}, "kernel/drivers/crypto/ccp/ccp.ko", KEEP},
        {M, {"*", "-btrfs"}, "kernel/fs/btrfs/btrfs.ko", DROP},
        {M, {"*", "-btrfs"}, "kernel/fs/ext4/ext4.ko", KEEP},
        {M, {NULL}, "kernel/fs/ext4/ext4.ko", NO},
        /* words */
        {M, {"default"}, "kernel/fs/btrfs/btrfs.ko.xz", KEEP},
        {M, {"default"}, "kernel/drivers/crypto/ccp/ccp.ko", DROP},
        {M, {"default"}, "kernel/drivers/gpu/drm/amd/amdgpu/amdgpu.ko", NO},
        {M, {"default", "-btrfs"}, "kernel/fs/btrfs/btrfs.ko.xz", DROP},
        {M, {"host"}, "kernel/drivers/net/loaded-one.ko", KEEP},
        {M, {"host"}, "kernel/drivers/net/other.ko", NO},
        /* firmware: no change of names, its own suffixes */
        {F, {"cxgb4/bcm8483.bin"}, "cxgb4/bcm8483.bin.xz", KEEP},
        {F, {"bcm8483.*"}, "cxgb4/bcm8483.bin.zst", KEEP},
        {F, {"/cxgb4/"}, "cxgb4/a.bin", KEEP},
        {F, {"a_b.bin"}, "a-b.bin", NO},
        {F, {"default"}, "default", KEEP},
        {F, {"-amdgpu/"}, "amdgpu/x.bin.xz", DROP},
};

static void test_globs(void) {
    static const char *const host[] = {"loaded_one", NULL};
    static const char *const defaults[] = {"btrfs", "crypto/", "-/drivers/crypto/", NULL};
    static const KernelFilterWords words = {defaults, host};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(KernelFilter) filter = kernel_filter_new(
                cases[i].kind, cases[i].patterns, cases[i].kind == M ? &words : NULL, &error);
        g_assert_no_error(error);
        if (kernel_filter_match_globs(filter, cases[i].path) != cases[i].verdict)
            g_error("case %zu: %s, %s", i, cases[i].patterns[0], cases[i].path);
    }
}

static void test_regexes(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(KernelFilter) filter =
            kernel_filter_new(M, (const char *[]){"re:^fs/", "re:virtio_[bn]", NULL}, NULL, &error);
    g_assert_no_error(error);
    g_assert_false(kernel_filter_has_globs(filter));
    g_assert_false(kernel_filter_is_empty(filter));
    g_assert_true(kernel_filter_match_regex(filter, "kernel/fs/ext4/ext4.ko"));
    g_assert_true(kernel_filter_match_regex(filter, "kernel/drivers/net/virtio_net.ko.xz"));
    g_assert_false(kernel_filter_match_regex(filter, "kernel/drivers/net/virtio-net.ko.xz"));
    g_assert_false(kernel_filter_match_regex(filter, "kernel/drivers/fs/x.ko"));

    g_autoptr(KernelFilter) broken = kernel_filter_new(M, (const char *[]){"re:(", NULL}, NULL, &error);
    g_assert_null(broken);
    g_assert_error(error, G_REGEX_ERROR, G_REGEX_ERROR_UNMATCHED_PARENTHESIS);
}

static void test_names(void) {
    g_assert_true(kernel_module_is_file("a.ko"));
    g_assert_true(kernel_module_is_file("a.ko.zst"));
    g_assert_false(kernel_module_is_file("a.ko.sig"));
    g_assert_false(kernel_module_is_file("modules.dep"));
    g_autofree char *name = kernel_module_name("kernel/drivers/virtio/virtio_pci.ko.xz");
    g_assert_cmpstr(name, ==, "virtio-pci");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kernel-filter/globs", test_globs);
    g_test_add_func("/kernel-filter/regexes", test_regexes);
    g_test_add_func("/kernel-filter/names", test_names);
    return g_test_run();
}
