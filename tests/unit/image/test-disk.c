/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whole disks, judged by other people's tools. */

#include "crypto/genkey.h"
#include "format/verity.h"
#include "image/disk.h"
#include "sandbox/sandbox.h"
#include "ui/cleanup.h"

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

#define EPOCH 1700000000

/* A directory with a tree, definitions and a key, and what is made of them. */
typedef struct {
    char *top, *root, *definitions;
    int root_fd;
    KeySource *key;
    Certificate *certificate;
    DiskOptions options;
    const char *directories[2];
    char *output, *prefix;
} Fixture;

static char *in_top(const Fixture *fixture, const char *name) {
    return g_build_filename(fixture->top, name, NULL);
}

static void put(const char *directory, const char *name, const char *text, gssize length) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
    g_file_set_contents(path, text, length, &error);
    g_assert_no_error(error);
}

static void define(const Fixture *fixture, const char *name, const char *text) {
    g_autofree char *whole = g_strconcat("[Partition]\n", text, "\n", NULL);

    put(fixture->definitions, name, whole, -1);
}

/* Bytes that do not compress to nothing, the same every time. */
static void put_random(const char *directory, const char *name, gsize size) {
    g_autoptr(GRand) rand = g_rand_new_with_seed(42);
    g_autofree guint32 *words = g_malloc(size);

    for (gsize i = 0; i < size / 4; i++)
        words[i] = g_rand_int(rand);
    put(directory, name, (const char *) words, size);
}

static void set_up(Fixture *fixture, gconstpointer data) {
    static const GenkeyOptions genkey = {.common_name = "Test", .valid_days = 30};
    g_autoptr(GError) error = NULL;

    fixture->top = g_dir_make_tmp("particleos-disk-XXXXXX", NULL);
    fixture->root = in_top(fixture, "root");
    fixture->definitions = in_top(fixture, "definitions");
    fixture->output = in_top(fixture, "image.raw");
    fixture->prefix = in_top(fixture, "image");
    put_random(fixture->root, "usr/lib/data", 3 * 1024 * 1024);
    put(fixture->root, "usr/lib/os-release", "ID=test\nIMAGE_ID=Test\nIMAGE_VERSION=7\n", -1);
    put(fixture->root, "usr/share/secret/file", "left out\n", -1);
    put(fixture->root, "proc/junk", "left out\n", -1);
    put(fixture->root, "etc/hosts", "127.0.0.1 localhost\n", -1);
    put_random(fixture->root, "efi/EFI/Linux/test_7+3.efi", 1024 * 1024);
    put(fixture->root, "boot/loader/loader.conf", "timeout 3\n", -1);
    put(fixture->root, "efi/loader/loader.conf", "timeout 3\n", -1); /* the same twice is once */
    put(fixture->root, "boot/loader/A file with a long name.conf", "x\n", -1);
    put(fixture->root, "boot/loader/nobody-writes", "", -1);
    g_autofree char *read_only = in_top(fixture, "root/boot/loader/nobody-writes");
    g_assert_cmpint(chmod(read_only, 0444), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(fixture->definitions, 0755), ==, 0);

    AUTO_FD top = open(fixture->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_true(genkey_create_at(top, "test.key", "test.crt", &genkey, &error));
    g_autofree char *key_path = in_top(fixture, "test.key");
    g_autofree char *certificate_path = in_top(fixture, "test.crt");
    fixture->key = key_source_new(KEY_SOURCE_KIND_FILE, NULL, key_path, &error);
    g_assert_no_error(error);
    fixture->certificate = certificate_load(certificate_path, &error);
    g_assert_no_error(error);

    fixture->root_fd = open(fixture->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fixture->directories[0] = fixture->definitions;
    fixture->options = (DiskOptions){
            .output = fixture->output,
            .definition_dirs = fixture->directories,
            .root_fd = fixture->root_fd,
            .root_path = fixture->root,
            .seed = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
            .epoch = EPOCH,
            .architecture = "x86-64",
            .image_id = "Test",
            .image_version = "7",
            .verity_key = fixture->key,
            .verity_certificate = fixture->certificate,
            .compression_level = -1,
    };
}

static void tear_down(Fixture *fixture, gconstpointer data) {
    const char *const command[] = {"rm", "-rf", fixture->top, NULL};

    g_assert_true(g_spawn_sync(
            NULL, (char **) command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
    close(fixture->root_fd);
    key_source_unref(fixture->key);
    certificate_unref(fixture->certificate);
    g_free(fixture->top);
    g_free(fixture->root);
    g_free(fixture->definitions);
    g_free(fixture->output);
    g_free(fixture->prefix);
}

static void define_usual(const Fixture *fixture) {
    define(fixture, "00-esp.conf",
            "Type=esp\nFormat=vfat\nCopyFiles=/efi:/\nCopyFiles=/boot:/"
            "\nSizeMinBytes=64M\nSizeMaxBytes=64M");
    define(fixture, "10-usr-verity-sig.conf",
            "Type=usr-verity-sig\nLabel=%M_%A_verity_sig\nVerity=signature\nVerityMatchKey=usr\n"
            "SplitName=%t.%U");
    define(fixture, "11-usr-verity.conf",
            "Type=usr-verity\nLabel=%M_%A_verity\nVerity=hash\nVerityMatchKey=usr\nSizeMinBytes=1M\n"
            "SizeMaxBytes=1M\nSplitName=%t.%U");
    define(fixture, "12-usr.conf",
            "Type=usr\nLabel=%M_%A\nFormat=erofs\nCopyFiles=/usr:/\nExcludeFiles=/usr/share/secret\n"
            "Verity=data\nVerityMatchKey=usr\nMinimize=yes\nCompression=zstd\nSplitName=%t.%U");
}

static Disk *build(const Fixture *fixture) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Disk) disk = disk_new(&fixture->options, &error);

    g_assert_no_error(error);
    disk_write_volumes(disk, &error);
    g_assert_no_error(error);
    disk_write_esp(disk, &error);
    g_assert_no_error(error);
    disk_finish(disk, &error);
    g_assert_no_error(error);
    return g_steal_pointer(&disk);
}

/* Standard output of a program that must succeed; NULL after skipping when it is missing. */
static char *judge(const char *const *command) {
    g_autofree char *found = g_find_program_in_path(command[0]);
    g_autofree char *errors = NULL;
    g_autoptr(GError) error = NULL;
    char *output = NULL;
    int status;

    if (!found) {
        g_autofree char *message = g_strdup_printf("%s is missing", command[0]);
        g_test_skip(message);
        return NULL;
    }
    g_spawn_sync(NULL, (char **) command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, &errors, &status,
            &error);
    g_assert_no_error(error);
    if (!g_spawn_check_wait_status(status, &error))
        g_error("%s: %s\n%s%s", command[0], error->message, output, errors);
    return output;
}

static const DiskPartition *find(Disk *disk, const char *type) {
    for (guint i = 0; i < disk_partitions(disk)->len; i++) {
        const DiskPartition *partition = disk_partitions(disk)->pdata[i];
        if (g_str_equal(partition->type, type))
            return partition;
    }
    g_error("no partition of type %s", type);
}

/* A partition as a file of its own; the path is owned by the caller. */
static char *extract(const Fixture *fixture, const DiskPartition *partition) {
    g_autofree char *name = g_strconcat("extracted-", partition->type, NULL);
    char *path = in_top(fixture, name);
    g_autofree char *in = g_strconcat("if=", fixture->output, NULL), *out = g_strconcat("of=", path, NULL);
    g_autofree char *skip = g_strdup_printf("skip=%" G_GUINT64_FORMAT, partition->offset / 4096);
    g_autofree char *count = g_strdup_printf("count=%" G_GUINT64_FORMAT, partition->size / 4096);
    g_free(judge((const char *const[]){"dd", "bs=4096", in, out, skip, count, "status=none", NULL}));
    return path;
}

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

static void assert_only_inputs(const Fixture *fixture) {
    static const char *const inputs[] = {"root", "definitions", "test.key", "test.crt", NULL};
    g_autoptr(GDir) dir = g_dir_open(fixture->top, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir)))
        if (!g_strv_contains(inputs, name))
            g_error("%s was left behind", name);
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

/* What a file system cannot hold is said before it is made, with the definition and the limit. */
static void test_limits(Fixture *fixture, gconstpointer data) {
    static const struct {
        const char *name; /* of a file, or of a directory that ends with a slash */
        guint64 size;
        const char *settings, *message;
    } cases[] = {
            {"boot/a:b", 1, "Format=vfat", "/a:b: a name there cannot contain"},
            {"boot/a\001b", 1, "Format=vfat", "/a\\001b: a name there cannot contain"},
            {"boot/\xff", 1, "Format=vfat", "is not valid UTF-8"},
            {"boot/dot.", 1, "Format=vfat", "/dot.: a name there cannot end"},
            {"boot/Loader/x", 1, "Format=vfat", "are one name there"},
            {"boot/loader/LOADER.CONF", 1, "Format=vfat", "are one name there"},
            {"boot/EFI/Linux/test_7+3.efi", 1, "Format=vfat\nCopyFiles=/efi:/", "comes from /boot and from /efi"},
            {"boot/EFI/Linux", 1, "Format=vfat\nCopyFiles=/efi:/", "is a directory in one source"},
            {"boot/large", G_GUINT64_CONSTANT(5) << 30, "Format=vfat", "/large has 5.4 GB"},
            {"boot/large", 70 << 20, "Format=vfat", "the partition has 67.1 MB (raise SizeMinBytes="},
            {"boot/large", 40 << 20, "Format=ext4\nSizeMaxBytes=32M", "raise SizeMinBytes="},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *name = g_strconcat("root/", cases[i].name, NULL), *path = in_top(fixture, name);
        g_autofree char *parent = g_path_get_dirname(path);
        g_autofree char *text = g_strdup_printf("Type=%s\nCopyFiles=/boot:/\nSizeMinBytes=%s\n%s",
                strstr(cases[i].settings, "vfat") ? "esp" : "srv",
                strstr(cases[i].settings, "vfat") ? "64M\nSizeMaxBytes=64M" : "32M", cases[i].settings);
        g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
        if (cases[i].size > 64 * 1024 * 1024) {
            put(fixture->root, cases[i].name, "", 0);
            g_assert_cmpint(truncate(path, cases[i].size), ==, 0);
        } else
            put_random(fixture->root, cases[i].name, cases[i].size);
        define(fixture, "10-x.conf", text);
        g_autoptr(Disk) disk = disk_new(&fixture->options, &error);
        g_assert_no_error(error);
        g_assert_false(disk_write_volumes(disk, &error) && disk_write_esp(disk, &error));
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, "10-x.conf"));
        g_assert_nonnull(strstr(error->message, ": Format="));
        g_assert_nonnull(strstr(error->message, cases[i].message));
        g_assert_cmpint(unlink(path), ==, 0);
        (void) rmdir(parent);
        g_autofree char *made = in_top(fixture, "root/boot/EFI");
        (void) rmdir(made);
    }
}

/* Two partitions, one artifact: known before anything is written. */
static void test_split_twice(Fixture *fixture, gconstpointer data) {
    g_autoptr(GError) error = NULL;

    define(fixture, "10-a.conf", "Type=home\nSplitName=same");
    define(fixture, "20-b.conf", "Type=srv\nSplitName=same");
    fixture->options.split_prefix = fixture->prefix;
    g_assert_null(disk_new(&fixture->options, &error));
    g_assert_error(error, DISK_ERROR, DISK_ERROR_PLAN);
    g_assert_nonnull(strstr(error->message, "both give the split artifact \"same\""));
}

static void test_failures(Fixture *fixture, gconstpointer data) {
    static const struct {
        const char *text, *message;
    } cases[] = {
            {"Type=usr\nFormat=erofs\nCopyFiles=/nowhere:/\nMinimize=yes", "CopyFiles=/nowhere: "},
            {"Type=usr\nFormat=erofs\nCopyFiles=/usr:/\nSizeMaxBytes=64K\nMinimize=yes", "SizeMaxBytes="},
            {"Type=usr\nCopyBlocks=/usr/lib/os-release", "multiple of 512"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        define(fixture, "10-usr.conf", cases[i].text);
        g_autoptr(Disk) disk = disk_new(&fixture->options, &error);
        g_assert_no_error(error);
        g_assert_false(disk_write_volumes(disk, &error) && disk_finish(disk, &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, "10-usr.conf"));
        if (!strstr(error->message, cases[i].message))
            g_error("unexpected message: %s", error->message);
        g_clear_pointer(&disk, disk_free);
        assert_only_inputs(fixture);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_strconcat(g_getenv("PATH"), ":/usr/sbin:/sbin", NULL);
    g_setenv("PATH", path, TRUE);
    if (!sandbox_become_root(&error)) {
        g_print("1..0 # SKIP %s\n", error->message);
        return 0;
    }
    static const struct {
        const char *name;
        void (*run)(Fixture *fixture, gconstpointer data);
    } tests[] = {
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
            {"/disk/limits", test_limits},
            {"/disk/split-twice", test_split_twice},
            {"/disk/root-ext4", test_root_ext4},
            {"/disk/ext4-verity", test_ext4_verity},
            {"/disk/made", test_made},
            {"/disk/btrfs", test_btrfs},
            {"/disk/defer", test_defer},
            {"/disk/failures", test_failures},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
    return g_test_run();
}
