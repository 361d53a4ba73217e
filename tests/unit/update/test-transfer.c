/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/transfer/transfer.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "update/transfer/error.h"

static const TransferSpecifiers specifiers = {.architecture = "x86-64", .image_id = "OS", .image_version = "0.1"};

#define SOURCE                                                                                                         \
    "[Source]\nType=url-file\nPath=https://example.com/os\nMatchPattern=%M_@v_%a.usr-%a.@u.raw.zst %M_@v_%a.usr-%a.@u.raw\n"
#define PARTITION "[Target]\nType=partition\nPath=auto\nMatchPattern=%M_@v\nMatchPartitionType=usr\n"
#define FILE_TARGET                                                                                                    \
    "[Target]\nType=regular-file\nPath=/EFI/Linux\nPathRelativeTo=boot\nMatchPattern=%M_@v+@l-@d.efi %M_@v.efi\n"

static Transfer *parse(const char *text, GError **error) {
    const TransferText one = {"x.transfer", text, strlen(text)};

    return transfer_parse("x", &one, 1, &specifiers, error);
}

static void test_good(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Transfer) transfer = parse("# words\n[Transfer]\nProtectVersion=%A\nMinVersion=0.0.1\nVerify=no\n"
                                         "ChangeLog=https://example.com\n" SOURCE PARTITION
                                         "PartitionFlags=0x1000000000000000\nReadOnly=1\nInstancesMax=1\n"
                                         "PartitionUUID=e5aab4d9-8c96-4ba5-91bd-0ee3d0ce9ef1\n[X-Ours]\nanything\n",
            &error);
    g_assert_no_error(error);
    g_assert_cmpstr(transfer->name, ==, "x");
    g_assert_cmpstr(transfer->min_version, ==, "0.0.1");
    g_assert_cmpstr(transfer->protected->pdata[0], ==, "0.1");
    g_assert_false(transfer->verify);
    g_assert_cmpint(transfer->source, ==, TRANSFER_SOURCE_URL_FILE);
    g_assert_cmpuint(transfer->source_patterns->len, ==, 2);
    g_assert_cmpstr(pattern_get_text(transfer->source_patterns->pdata[1]), ==, "OS_@v_x86-64.usr-x86-64.@u.raw");
    g_assert_cmpint(transfer->target, ==, TRANSFER_TARGET_PARTITION);
    g_assert_null(transfer->target_path);
    g_assert_cmpint(transfer->type.role, ==, PARTITION_USR);
    g_assert_true(transfer->fields.has_flags && transfer->fields.has_uuid);
    g_assert_cmpint(transfer->fields.read_only, ==, 1);
    g_assert_cmpuint(transfer->instances_max, ==, 2);

    g_autoptr(Transfer) file = parse(SOURCE FILE_TARGET "Mode=0600\nTriesLeft=3\nTriesDone=0\n", &error);
    g_assert_no_error(error);
    g_assert_cmpint(file->target_relative, ==, TRANSFER_RELATIVE_BOOT);
    g_assert_cmpint(file->fields.mode, ==, 0600);
    g_assert_cmpint(file->fields.tries_left, ==, 3);
    g_assert_cmpuint(file->instances_max, ==, 3);
}

static void test_wrong(void) {
    static const struct {
        const char *text, *words;
    } cases[] = {
            {"", "Type= of [Source] is missing"},
            {"Type=url-file\n", "x.transfer:1: \"Type=\" stands before a section"},
            {"[Source\n", "x.transfer:1: \"]\" is missing"},
            {"[Sauce]\n", "x.transfer:1: there are no other sections"},
            {"[Source]\nTpye=url-file\n", "x.transfer:2: there is no setting \"Tpye=\" in the section [Source]"},
            {"[Source]\nType=url-tar\n", "x.transfer:2: Type=: \"url-tar\" is not done here"},
            {"[Target]\nType=subvolume\n", "Type=: \"subvolume\" is not done here"},
            {"[Source]\nMatchPattern=a\n", "x.transfer:2: MatchPattern=: the pattern \"a\" has no @v"},
            {"[Source]\nPath=%Q\n", "Path=: there is no specifier \"%Q\""},
            {"[Source]\nPath=a%\n", "Path=: there is no specifier \"%\""},
            {"[Transfer]\nFeatures=devel\n", "Features=: this is not done here"},
            {"[Transfer]\nMinVersion=a/b\n", "MinVersion=: \"a/b\" is no version"},
            {"[Transfer]\nVerify=perhaps\n", "Verify=: \"perhaps\" is neither yes nor no"},
            {"[Target]\nMatchPartitionType=usb\n", "MatchPartitionType=: \"usb\" is no type of partition"},
            {"[Target]\nMode=9\n", "Mode=: \"9\" is no mode"},
            {"[Target]\nTriesLeft=-1\n", "TriesLeft=: \"-1\" is no number"},
            {"[Target]\nPartitionFlags=0xg\n", "PartitionFlags="},
            {SOURCE FILE_TARGET "PathRelativeTo=explicit\n", "PathRelativeTo=explicit is for sources only"},
            {SOURCE "Path=ftp://example.com\n" PARTITION, "\"ftp://example.com\" is no address of https or http"},
            {SOURCE "Path=auto\n" PARTITION, "Path= of [Source] is missing"},
            {SOURCE "[Target]\nType=partition\nMatchPattern=@v\n", "MatchPartitionType= is missing"},
            {SOURCE "[Target]\nType=regular-file\nMatchPattern=@v\n", "Path= of [Target] is missing"},
            {SOURCE "[Target]\nType=regular-file\nPath=x\nMatchPattern=@v\n", "has to begin with \"/\""},
            {SOURCE "MatchPattern=\n" PARTITION, "MatchPattern= of [Source] is missing"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(parse(cases[i].text, &error));
        g_assert_error(error, UPDATE_ERROR, UPDATE_ERROR_CONFIGURATION);
        if (!strstr(error->message, cases[i].words))
            g_error("\"%s\" does not say \"%s\"", error->message, cases[i].words);
    }
}

static void put(const char *top, const char *name, const char *text) {
    g_autofree char *path = g_build_filename(top, name, NULL);
    g_autofree char *directory = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* Directories, drop-ins, masks. */
static void test_load(void) {
    g_autofree char *top = g_dir_make_tmp("particleos-transfer-XXXXXX", NULL);
    g_autofree char *etc = g_build_filename(top, "etc", NULL);
    g_autofree char *usr = g_build_filename(top, "usr", NULL);
    g_autofree char *mask = g_build_filename(top, "etc/40-gone.transfer", NULL);
    const char *const directories[] = {etc, usr, NULL};
    g_autoptr(GError) error = NULL;

    g_assert_null(transfer_load(directories, &specifiers, &error));
    g_assert_error(error, UPDATE_ERROR, UPDATE_ERROR_CONFIGURATION);
    g_clear_error(&error);
    put(top, "usr/20-uki.transfer", SOURCE FILE_TARGET);
    put(top, "usr/10-usr.transfer", SOURCE PARTITION);
    put(top, "usr/30-other.transfer", "[Source]\nType=nonsense\n");
    put(top, "usr/40-gone.transfer", SOURCE PARTITION);
    put(top, "etc/30-other.transfer", SOURCE PARTITION);
    put(top, "usr/10-usr.transfer.d/50-a.conf", "[Source]\nPath=https://a.example.com\n");
    put(top, "etc/10-usr.transfer.d/60-b.conf", "[Source]\nPath=https://b.example.com\n");
    put(top, "etc/10-usr.transfer.d/50-a.conf", "[Transfer]\nVerify=no\n");
    put(top, "usr/README", "nothing");
    g_assert_cmpint(symlink("/dev/null", mask), ==, 0);
    g_autoptr(GPtrArray) transfers = transfer_load(directories, &specifiers, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(transfers->len, ==, 3);
    const Transfer *first = transfers->pdata[0];
    g_assert_cmpstr(first->name, ==, "10-usr");
    g_assert_cmpstr(first->source_path, ==, "https://b.example.com");
    g_assert_false(first->verify);
    g_assert_cmpstr(((const Transfer *) transfers->pdata[2])->name, ==, "30-other");
    g_autofree char *remove = g_strdup_printf("rm -rf '%s'", top);
    g_assert_true(g_spawn_command_line_sync(remove, NULL, NULL, NULL, NULL));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/transfer/good", test_good);
    g_test_add_func("/transfer/wrong", test_wrong);
    g_test_add_func("/transfer/load", test_load);
    return g_test_run();
}
