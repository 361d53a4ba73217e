/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-fixture.h"

#include "base/cleanup.h"
#include "crypto/generate/genkey.h"
#include "crypto/keys/key-session.h"
#include "sandbox/sandbox.h"

#include "../format/tree-tool.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *in_top(const Fixture *fixture, const char *name) {
    return g_build_filename(fixture->top, name, NULL);
}

void put(const char *directory, const char *name, const char *text, gssize length) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
    g_file_set_contents(path, text, length, &error);
    g_assert_no_error(error);
}

void define(const Fixture *fixture, const char *name, const char *text) {
    g_autofree char *whole = g_strconcat("[Partition]\n", text, "\n", NULL);

    put(fixture->definitions, name, whole, -1);
}

void put_random(const char *directory, const char *name, gsize size) {
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

void define_usual(const Fixture *fixture) {
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

Disk *build(const Fixture *fixture) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Disk) disk = disk_new(&fixture->options, &error);

    g_assert_no_error(error);
    g_assert_true(disk_write_volumes(disk, &error));
    g_assert_no_error(error);
    g_assert_true(disk_write_esp(disk, &error));
    g_assert_no_error(error);
    g_assert_true(disk_finish(disk, &error));
    g_assert_no_error(error);
    return g_steal_pointer(&disk);
}

char *judge(const char *const *command) {
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

const DiskPartition *find(Disk *disk, const char *type) {
    for (guint i = 0; i < disk_partitions(disk)->len; i++) {
        const DiskPartition *partition = disk_partitions(disk)->pdata[i];
        if (g_str_equal(partition->type, type))
            return partition;
    }
    g_error("no partition of type %s", type);
}

char *extract(const Fixture *fixture, const DiskPartition *partition) {
    g_autofree char *name = g_strconcat("extracted-", partition->type, NULL);
    char *path = in_top(fixture, name);
    g_autofree char *in = g_strconcat("if=", fixture->output, NULL), *out = g_strconcat("of=", path, NULL);
    g_autofree char *skip = g_strdup_printf("skip=%" G_GUINT64_FORMAT, partition->offset / 4096);
    g_autofree char *count = g_strdup_printf("count=%" G_GUINT64_FORMAT, partition->size / 4096);
    g_free(judge((const char *const[]){"dd", "bs=4096", in, out, skip, count, "status=none", NULL}));
    return path;
}

int fixture_run(int argc, char **argv, const FixtureTest *tests, gsize n) {
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_strconcat(g_getenv("PATH"), ":/usr/sbin:/sbin", NULL);
    g_setenv("PATH", path, TRUE);
    if (!sandbox_become_root(&error)) {
        g_print("1..0 # SKIP %s\n", error->message);
        return 0;
    }
    for (gsize i = 0; i < n; i++)
        g_test_add(tests[i].name, Fixture, NULL, set_up, tests[i].run, tear_down);
    return g_test_run();
}
