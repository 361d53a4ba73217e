/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whole disks, judged by other people's tools. */

#include "disk-fixture.h"

#include "base/cleanup.h"
#include "format/verity/verity.h"
#include "sandbox/sandbox.h"

#include "../format/tree-tool.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void check_table(const Fixture *fixture, Disk *disk) {
    g_autofree char *text = judge((const char *const[]){"sfdisk", "--json", fixture->output, NULL});
    g_autofree char *verdict = judge((const char *const[]){"sfdisk", "--verify", fixture->output, NULL});
    g_autoptr(JsonParser) parser = json_parser_new();

    if (!text)
        return;
    g_assert_true(json_parser_load_from_data(parser, text, -1, NULL));
    JsonObject *table = json_object_get_object_member(
            json_node_get_object(json_parser_get_root(parser)), "partitiontable");
    g_assert_cmpstr(json_object_get_string_member(table, "label"), ==, "gpt");
    JsonArray *partitions = json_object_get_array_member(table, "partitions");
    g_assert_cmpuint(json_array_get_length(partitions), ==, disk_partitions(disk)->len);
    for (guint i = 0; i < disk_partitions(disk)->len; i++) {
        const DiskPartition *mine = disk_partitions(disk)->pdata[i];
        JsonObject *theirs = json_array_get_object_element(partitions, i);
        g_autofree char *uuid = g_ascii_strdown(json_object_get_string_member(theirs, "uuid"), -1);
        g_autofree char *type = g_ascii_strdown(json_object_get_string_member(theirs, "type"), -1);

        g_assert_cmpint(json_object_get_int_member(theirs, "start") * 512, ==, mine->offset);
        g_assert_cmpint(json_object_get_int_member(theirs, "size") * 512, ==, mine->size);
        g_assert_cmpstr(uuid, ==, mine->uuid);
        g_assert_cmpstr(type, ==, mine->type_uuid);
        g_assert_cmpstr(json_object_get_string_member(theirs, "name"), ==, mine->label);
    }
}

static void check_esp(const Fixture *fixture, Disk *disk) {
    g_autofree char *esp = extract(fixture, find(disk, "esp"));

    g_free(judge((const char *const[]){"fsck.vfat", "-n", esp, NULL}));
    g_autofree char *text =
            judge((const char *const[]){"mtype", "-i", esp, "::/loader/A file with a long name.conf", NULL});
    if (text)
        g_assert_cmpstr(text, ==, "x\n");
    g_autofree char *attributes = judge((const char *const[]){
            "mattrib", "-i", esp, "::/loader/nobody-writes", "::/loader/loader.conf", NULL});
    if (attributes)
        g_assert_true(g_regex_match_simple(
                "^ +A +R +::/loader/nobody-writes\n +A +::/loader/loader.conf\n$", attributes, 0, 0));
    g_autofree char *uki = in_top(fixture, "uki");
    g_free(judge((const char *const[]){"mcopy", "-n", "-i", esp, "::/EFI/Linux/test_7+3.efi", uki, NULL}));
    g_autofree char *original = g_build_filename(fixture->root, "efi/EFI/Linux/test_7+3.efi", NULL);
    g_free(judge((const char *const[]){"cmp", uki, original, NULL}));
}

static void check_verity(const Fixture *fixture, Disk *disk) {
    const DiskPartition *usr = find(disk, "usr-x86-64"), *hash = find(disk, "usr-x86-64-verity");
    g_autofree char *data = extract(fixture, usr), *tree = extract(fixture, hash);
    g_autofree char *hex = g_strdup(disk_usr_hash(disk));
    g_autofree char *joined = g_strconcat(usr->uuid, hash->uuid, NULL);

    g_assert_cmpuint(strlen(hex), ==, 64);
    g_assert_null(disk_root_hash(disk));
    g_free(judge((const char *const[]){"veritysetup", "verify", data, tree, hex, NULL}));
    /* The UUIDs are the halves of the root hash. */
    g_auto(GStrv) parts = g_strsplit(joined, "-", -1);
    g_autofree char *without_hyphens = g_strjoinv("", parts);
    g_assert_cmpstr(without_hyphens, ==, hex);
}

/* Without its own copy: the same bytes are in the output already. */
static void test_usual(Fixture *fixture, gconstpointer data) {
    define_usual(fixture);
    g_autoptr(Disk) disk = build(fixture);

    g_assert_true(disk_has_esp(disk));
    g_assert_true(disk_has_usr_verity(disk));
    g_assert_false(disk_has_root_verity(disk));
    check_table(fixture, disk);
    check_esp(fixture, disk);
    check_verity(fixture, disk);
}

static void test_sgdisk(Fixture *fixture, gconstpointer data) {
    define_usual(fixture);
    g_autoptr(Disk) disk = build(fixture);
    g_autofree char *verdict = judge((const char *const[]){"sgdisk", "-v", fixture->output, NULL});

    if (verdict)
        g_assert_nonnull(strstr(verdict, "No problems found"));
}

static void test_fsck_erofs(Fixture *fixture, gconstpointer data) {
    define_usual(fixture);
    g_autoptr(Disk) disk = build(fixture);
    g_autofree char *usr = extract(fixture, find(disk, "usr-x86-64"));

    if (!tree_tool_need("usr/bin/fsck.erofs"))
        return;
    g_autofree char *target = in_top(fixture, "unpacked");
    g_autofree char *option = g_strconcat("--extract=", target, NULL);
    g_free(tree_tool_run("usr/bin/fsck.erofs", (const char *const[]){option, usr, NULL}, FALSE));
    g_autofree char *copy = g_build_filename(target, "lib/data", NULL);
    g_autofree char *original = g_build_filename(fixture->root, "usr/lib/data", NULL);
    g_autofree char *secret = g_build_filename(target, "share/secret", NULL);
    g_autofree char *share = g_build_filename(target, "share", NULL);
    g_free(judge((const char *const[]){"cmp", copy, original, NULL}));
    g_assert_false(g_file_test(secret, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(share, G_FILE_TEST_IS_DIR));
}

static void test_dissect(Fixture *fixture, gconstpointer data) {
    define_usual(fixture);
    g_autoptr(Disk) disk = build(fixture);

    if (!tree_tool_need("usr/bin/systemd-dissect"))
        return;
    if (!sandbox_is_real_root()) {
        g_test_skip("systemd-dissect judges only as root");
        return;
    }
    g_free(tree_tool_run("usr/bin/systemd-dissect",
            (const char *const[]){"--validate", "--image-policy=usr=signed:esp=unprotected:=absent",
                    fixture->output, NULL},
            FALSE));
    g_autofree char *json = tree_tool_run("usr/bin/systemd-dissect",
            (const char *const[]){"--json=short", "--no-pager", fixture->output, NULL}, FALSE);
    g_assert_nonnull(strstr(json, "\"designator\":\"usr\""));
    g_assert_nonnull(strstr(json, "\"verity\":\"signed\""));
}

/* systemd-repart takes the disk as it is and adds what is missing to it, as at first boot. */
static void test_repart(Fixture *fixture, gconstpointer data) {
    define_usual(fixture);
    g_autoptr(Disk) disk = build(fixture);
    g_autofree char *first_boot = in_top(fixture, "first-boot");

    if (!tree_tool_need("usr/bin/systemd-repart"))
        return;
    put(first_boot, "00-esp.conf", "[Partition]\nType=esp\n", -1);
    put(first_boot, "10-sig.conf", "[Partition]\nType=usr-verity-sig\n", -1);
    put(first_boot, "11-verity.conf", "[Partition]\nType=usr-verity\nSizeMinBytes=1M\nSizeMaxBytes=1M\n",
            -1);
    put(first_boot, "12-usr.conf", "[Partition]\nType=usr\nSizeMinBytes=32M\nSizeMaxBytes=64M\n", -1);
    put(first_boot, "20-sig.conf", "[Partition]\nType=usr-verity-sig\nLabel=_empty\n", -1);
    put(first_boot, "30-root.conf", "[Partition]\nType=root\n", -1);
    g_autofree char *definitions = g_strconcat("--definitions=", first_boot, NULL);
    g_autofree char *json = tree_tool_run("usr/bin/systemd-repart",
            (const char *const[]){"--dry-run=no", "--empty=refuse", "--size=512M", "--offline=yes",
                    "--json=short", "--no-pager", "--seed=00000000-0000-0000-0000-000000000001", definitions,
                    fixture->output, NULL},
            FALSE);
    g_assert_nonnull(strstr(json, "\"activity\":\"unchanged\""));
    g_assert_nonnull(strstr(json, "\"activity\":\"create\""));
    g_autofree char *verdict = judge((const char *const[]){"sfdisk", "--verify", fixture->output, NULL});
    g_assert_nonnull(verdict);
}

/* The columns of the table that do not depend on how large file systems become. */
static char *describe_table(const char *disk) {
    g_autofree char *text = judge((const char *const[]){"sfdisk", "--json", disk, NULL});
    g_autoptr(JsonParser) parser = json_parser_new();
    static const char *const columns[] = {"type", "uuid", "name", "attrs"};
    GString *description = g_string_new(NULL);

    g_assert_true(json_parser_load_from_data(parser, text, -1, NULL));
    JsonObject *table = json_object_get_object_member(
            json_node_get_object(json_parser_get_root(parser)), "partitiontable");
    JsonArray *partitions = json_object_get_array_member(table, "partitions");
    g_string_append_printf(description, "%s\n", json_object_get_string_member(table, "id"));
    for (guint i = 0; i < json_array_get_length(partitions); i++) {
        JsonObject *partition = json_array_get_object_element(partitions, i);
        for (gsize j = 0; j < G_N_ELEMENTS(columns); j++)
            g_string_append_printf(description, "%s ",
                    json_object_get_string_member_with_default(partition, columns[j], "-"));
        g_string_append_c(description, '\n');
    }
    return g_string_free(description, FALSE);
}

static void test_supplement(Fixture *fixture, gconstpointer data) {
    define(fixture, "10-home.conf", "Type=home\nFormat=ext4\nSizeMinBytes=32M\nCopyFiles=/etc:/a");
    define(fixture, "20-more.conf",
            "Type=var\nFormat=ext4\nSupplementFor=10-home\nSizeMinBytes=40M\nMakeDirectories=/merged");
    g_autoptr(Disk) disk = build(fixture);
    const DiskPartition *home = find(disk, "home");
    g_autofree char *image = extract(fixture, home);
    g_autofree char *merged = judge((const char *const[]){"debugfs", "-R", "ls -p /", image, NULL});

    g_assert_cmpuint(disk_partitions(disk)->len, ==, 1);
    g_assert_cmpuint(home->size, ==, 40 * 1024 * 1024);
    g_assert_nonnull(strstr(merged, "/merged/"));
    g_assert_nonnull(strstr(merged, "/a/"));
}

/* UUIDs, labels, flags, /etc/fstab and the attributes of root directories are those of
 * systemd-repart. */
static void test_peer(Fixture *fixture, gconstpointer data) {
    g_autofree char *fstab = g_build_filename(fixture->root, "etc/fstab", NULL), *ours = NULL,
                    *theirs = NULL;
    g_autofree char *peer = in_top(fixture, "peer.raw");

    define(fixture, "10-home.conf",
            "Type=home\nFormat=ext4\nSizeMinBytes=32M\nReadOnly=yes\nCopyFiles=/etc:/a");
    define(fixture, "11-other.conf",
            "Type=21686148-6449-6e6f-744e-656564454649\nSizeMinBytes=1M\nSizeMaxBytes=1M");
    define(fixture, "30-swap.conf", "Type=swap\nFormat=swap\nSizeMinBytes=8M\nSizeMaxBytes=8M");
    define(fixture, "40-data.conf",
            "Type=linux-generic\nFormat=squashfs\nCopyFiles=/etc:/x\nMountPoint=/data");
    define(fixture, "41-data.conf",
            "Type=linux-generic\nFormat=ext4\nSizeMinBytes=32M\nAddValidateFS=no\nMountPoint=/b:noatime");
    define(fixture, "50-root.conf",
            "Type=root\nLabel=%M two\nFormat=ext4\nSizeMinBytes=32M\nCopyFiles=/etc\nMountPoint=/\n"
            "MountPoint=\"/srv\":\"x,y\"\nEncryptedVolume=none");
    put(fixture->root, "etc/fstab", "# mine\n", -1);
    fixture->options.write_fstab = TRUE;
    g_autoptr(Disk) disk = build(fixture);
    g_assert_true(g_file_get_contents(fstab, &ours, NULL, NULL));
    g_assert_true(g_str_has_suffix(ours, "\n# mine\n"));

    if (!tree_tool_need("usr/bin/systemd-repart"))
        return;
    put(fixture->root, "etc/fstab", "# mine\n", -1);
    g_autofree char *definitions = g_strconcat("--definitions=", fixture->definitions, NULL);
    g_autofree char *root = g_strconcat("--root=", fixture->root, NULL);
    put(fixture->root, "etc/os-release", "ID=test\nIMAGE_ID=Test\nIMAGE_VERSION=7\n", -1);
    g_free(tree_tool_run("usr/bin/systemd-repart",
            (const char *const[]){"--dry-run=no", "--empty=create", "--size=auto", "--offline=yes",
                    "--no-pager", "--seed=01020304-0506-0708-090a-0b0c0d0e0f10",
                    "--generate-fstab=/etc/fstab", "--append-fstab=auto", root, definitions, peer, NULL},
            FALSE));
    g_assert_true(g_file_get_contents(fstab, &theirs, NULL, NULL));
    g_assert_cmpstr(ours, ==, theirs);
    g_autofree char *our_table = describe_table(fixture->output), *their_table = describe_table(peer);
    g_assert_cmpstr(our_table, ==, their_table);

    g_autofree char *image = extract(fixture, find(disk, "root-x86-64"));
    g_autofree char *attributes = judge((const char *const[]){"debugfs", "-R", "ea_list <2>", image, NULL});
    g_assert_nonnull(strstr(attributes, "user.validatefs.gpt_label (9) = \"Test two\\000\""));
    g_assert_nonnull(strstr(attributes, "user.validatefs.mount_point (7) = 2f 00 2f 73 72 76 00"));
    g_assert_nonnull(strstr(attributes, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709\\000"));
}

static void test_determinism(Fixture *fixture, gconstpointer data) {
    g_autofree char *first = in_top(fixture, "first.raw");

    define_usual(fixture);
    define(fixture, "20-swap.conf", "Type=swap\nFormat=swap\nSizeMinBytes=1M\nSizeMaxBytes=1M");
    fixture->options.output = first;
    fixture->options.threads = 1;
    g_autoptr(Disk) one = build(fixture);

    fixture->options.output = fixture->output;
    fixture->options.threads = 3;
    mode_t mask = umask(077);
    g_setenv("TZ", "Asia/Tokyo", TRUE);
    tzset();
    g_usleep(2100 * 1000); /* FAT counts in steps of two seconds */
    g_autoptr(Disk) two = build(fixture);
    umask(mask);
    g_unsetenv("TZ");
    tzset();
    g_free(judge((const char *const[]){"cmp", first, fixture->output, NULL}));
}

static void test_split(Fixture *fixture, gconstpointer data) {
    g_autofree char *plain = in_top(fixture, "plain.raw");
    struct stat st;

    define_usual(fixture);
    fixture->options.output = plain;
    g_autoptr(Disk) without = build(fixture);
    fixture->options.output = fixture->output;
    fixture->options.split_prefix = fixture->prefix;
    g_autoptr(Disk) disk = build(fixture);

    /* The disk does not depend on whether artifacts are wanted. */
    g_free(judge((const char *const[]){"cmp", plain, fixture->output, NULL}));
    for (guint i = 0; i < disk_partitions(disk)->len; i++) {
        const DiskPartition *partition = disk_partitions(disk)->pdata[i];
        g_autofree char *extracted = extract(fixture, partition);
        g_free(judge((const char *const[]){"cmp", extracted, partition->split_path, NULL}));
        g_assert_cmpint(stat(partition->split_path, &st), ==, 0);
        g_assert_cmpint(st.st_size, ==, partition->size);
    }
    const DiskPartition *usr = find(disk, "usr-x86-64");
    g_auto(GStrv) parts = g_strsplit(usr->uuid, "-", -1);
    g_autofree char *uuid = g_strjoinv("", parts);
    g_autofree char *expected = g_strdup_printf("%s.usr-x86-64.%s.raw", fixture->prefix, uuid);
    g_assert_cmpstr(usr->split_path, ==, expected);
}

static void test_root_ext4(Fixture *fixture, gconstpointer data) {
    g_autofree char *first = in_top(fixture, "first.raw");

    fixture->options.definition_dirs = NULL;
    fixture->options.default_esp = TRUE;
    fixture->options.output = first;
    g_autoptr(Disk) one = build(fixture);
    g_usleep(1100 * 1000);
    fixture->options.output = fixture->output;
    g_autoptr(Disk) disk = build(fixture);
    g_autofree char *root = extract(fixture, find(disk, "root-x86-64"));

    check_table(fixture, disk);
    g_free(judge((const char *const[]){"e2fsck", "-fn", root, NULL}));
    g_autofree char *hosts = judge((const char *const[]){"debugfs", "-R", "cat /etc/hosts", root, NULL});
    g_assert_cmpstr(hosts, ==, "127.0.0.1 localhost\n");
    /* What other partitions and the kernel provide is not in it, its directory is. */
    g_autofree char *efi = judge((const char *const[]){"debugfs", "-R", "ls -p /efi", root, NULL});
    g_assert_null(strstr(efi, "EFI"));
    g_autofree char *proc = judge((const char *const[]){"debugfs", "-R", "ls -p /proc", root, NULL});
    g_assert_null(strstr(proc, "junk"));
    g_assert_nonnull(strstr(proc, "/../"));
    g_free(judge((const char *const[]){"cmp", first, fixture->output, NULL}));
}

static void test_ext4_verity(Fixture *fixture, gconstpointer data) {
    define(fixture, "10-usr.conf",
            "Type=usr\nFormat=ext4\nCopyFiles=/usr:/\nVerity=data\nVerityMatchKey=u\nSizeMinBytes=48M");
    define(fixture, "11-hash.conf", "Type=usr-verity\nVerity=hash\nVerityMatchKey=u\nMinimize=best");
    g_autoptr(Disk) disk = build(fixture);

    check_table(fixture, disk);
    check_verity(fixture, disk);
}

/* A root with directories and links to mount on, sectors of 4096 bytes, and room to grow. */
static void test_made(Fixture *fixture, gconstpointer data) {
    define(fixture, "00-esp.conf",
            "Type=esp\nFormat=vfat\nCopyFiles=/boot:/\nSizeMinBytes=300M\nSizeMaxBytes=300M");
    define(fixture, "10-root.conf",
            "Type=root\nFormat=erofs\nMakeDirectories=/usr /var/log\nMakeSymlinks=/bin:usr/bin\n"
            "CopyFiles=/etc/hosts:/etc/names\nMinimize=best\nCompression=none");
    fixture->options.sector_size = 4096;
    fixture->options.minimum_size = 400 * 1024 * 1024;
    g_autoptr(Disk) disk = build(fixture);
    const DiskPartition *root = find(disk, "root-x86-64");
    g_autofree char *image = extract(fixture, root), *esp = extract(fixture, find(disk, "esp"));
    struct stat st;

    g_assert_cmpint(stat(fixture->output, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, 400 * 1024 * 1024);
    g_free(judge((const char *const[]){"fsck.vfat", "-n", esp, NULL}));
    if (!tree_tool_need("usr/bin/fsck.erofs"))
        return;
    g_autofree char *target = in_top(fixture, "unpacked");
    g_autofree char *option = g_strconcat("--extract=", target, NULL);
    g_free(tree_tool_run("usr/bin/fsck.erofs", (const char *const[]){option, image, NULL}, FALSE));
    g_autofree char *names = g_build_filename(target, "etc/names", NULL), *text = NULL;
    g_autofree char *log = g_build_filename(target, "var/log", NULL);
    g_autofree char *bin = g_build_filename(target, "bin", NULL), *link = g_file_read_link(bin, NULL);
    g_assert_true(g_file_get_contents(names, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "127.0.0.1 localhost\n");
    g_assert_true(g_file_test(log, G_FILE_TEST_IS_DIR));
    g_assert_cmpstr(link, ==, "usr/bin");
}

static void test_btrfs(Fixture *fixture, gconstpointer data) {
    g_autofree char *program = g_find_program_in_path("mkfs.btrfs");

    if (!program) {
        g_test_skip("mkfs.btrfs is missing");
        return;
    }
    define(fixture, "10-root.conf", "Type=root\nFormat=btrfs\nCopyFiles=/\nMinimize=guess");
    g_autoptr(Disk) disk = build(fixture);
    g_autofree char *image = extract(fixture, find(disk, "root-x86-64"));

    check_table(fixture, disk);
    g_free(judge((const char *const[]){"btrfs", "check", image, NULL}));
}

static void test_defer(Fixture *fixture, gconstpointer data) {
    define_usual(fixture);
    fixture->options.verity = DISK_VERITY_DEFER;
    fixture->options.verity_key = NULL;
    g_autoptr(Disk) disk = build(fixture);
    const DiskPartition *signature = find(disk, "usr-x86-64-verity-sig");
    g_autofree char *path = extract(fixture, signature), *content = NULL;
    gsize length;

    g_assert_true(disk_signature_deferred(disk));
    g_assert_true(g_file_get_contents(path, &content, &length, NULL));
    g_assert_cmpuint(length, ==, 16384);
    for (gsize i = 0; i < length; i++)
        g_assert_cmpint(content[i], ==, 0);
    check_verity(fixture, disk);
}

/* 9,000 files in a file system for which mke2fs would choose 8,192 inodes. */
static void test_many_files(Fixture *fixture, gconstpointer data) {
    for (guint i = 0; i < 9000; i++) {
        g_autofree char *name = g_strdup_printf("root/many/%u", i / 1000), *link = NULL;
        g_autofree char *directory = in_top(fixture, name);
        if (i % 1000 == 0)
            g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
        link = g_strdup_printf("%s/%u", directory, i);
        g_assert_cmpint(symlink("x", link), ==, 0);
    }
    define(fixture, "10-home.conf", "Type=home\nFormat=ext4\nSizeMinBytes=32M\nSizeMaxBytes=32M\nCopyFiles=/many:/");
    g_autoptr(Disk) disk = build(fixture);
    g_autofree char *home = extract(fixture, find(disk, "home"));
    g_free(judge((const char *const[]){"e2fsck", "-fn", home, NULL}));
    g_autofree char *last = judge((const char *const[]){"debugfs", "-R", "stat /8/8999", home, NULL});
    g_assert_nonnull(strstr(last, "Type: symlink"));
}

int main(int argc, char **argv) {
    static const FixtureTest tests[] = {
            {"/disk/usual", test_usual},
            {"/disk/sgdisk", test_sgdisk},
            {"/disk/fsck-erofs", test_fsck_erofs},
            {"/disk/dissect", test_dissect},
            {"/disk/repart", test_repart},
            {"/disk/peer", test_peer},
            {"/disk/supplement", test_supplement},
            {"/disk/determinism", test_determinism},
            {"/disk/split", test_split},
            {"/disk/many-files", test_many_files},
            {"/disk/root-ext4", test_root_ext4},
            {"/disk/ext4-verity", test_ext4_verity},
            {"/disk/made", test_made},
            {"/disk/btrfs", test_btrfs},
            {"/disk/defer", test_defer},
    };
    return fixture_run(argc, argv, tests, G_N_ELEMENTS(tests));
}
