/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Partition definitions: what is understood, and what mistakes are called. */

#include "image/definitions/partition-definition.h"
#include "image/disk/disk.h"

#include <glib/gstdio.h>
#include <string.h>

static const Specifiers specifiers = {
        .architecture = "x86-64",
        .image_version = "20260101120000",
        .build_id = "b1",
        .image_id = "ParticleOS",
        .os_id = "debian",
        .kernel_version = "6.12",
        .version_id = "13",
};

static PartitionDefinition *parse(const char *text, GError **error) {
    g_autoptr(PartitionDefinition) definition = partition_definition_new("x/10-usr.conf");

    if (!partition_definition_parse(
                definition, "x/10-usr.conf", text, strlen(text), "x86-64", &specifiers, error) ||
            !partition_definition_complete(definition, &specifiers, error))
        return NULL;
    return g_steal_pointer(&definition);
}

static PartitionDefinition *parse_good(const char *text) {
    g_autoptr(GError) error = NULL;
    PartitionDefinition *definition = parse(text, &error);

    g_assert_no_error(error);
    return definition;
}

static void test_upstream_usr(void) {
    g_autoptr(PartitionDefinition) d = parse_good("# comment\n\n[Partition]\nType=usr\nLabel=%M_%A\n"
                                                  "Format=erofs\nCopyFiles=/usr:/\nVerity=data\n"
                                                  "VerityMatchKey=usr\nMinimize=yes\nCompression=zstd\n"
                                                  "SplitName=%t.%U\n");
    const DefinitionPair *copy = d->copy_files->pdata[0];

    g_assert_cmpint(d->type.role, ==, PARTITION_USR);
    g_assert_cmpstr(d->type.name, ==, "usr-x86-64");
    g_assert_cmpstr(d->label, ==, "ParticleOS_20260101120000");
    g_assert_cmpint(d->format, ==, PARTITION_FORMAT_EROFS);
    g_assert_cmpuint(d->copy_files->len, ==, 1);
    g_assert_cmpstr(copy->source, ==, "/usr");
    g_assert_cmpstr(copy->target, ==, "/");
    g_assert_cmpint(d->verity, ==, PARTITION_VERITY_DATA);
    g_assert_cmpstr(d->verity_match_key, ==, "usr");
    g_assert_cmpint(d->minimize, ==, PARTITION_MINIMIZE_BEST);
    g_assert_cmpstr(d->split_name, ==, "%t.%U");
    /* Verity data is read-only and does not grow. */
    g_assert_cmphex(d->flags, ==, PARTITION_FLAG_READ_ONLY);
}

static void test_esp(void) {
    g_autoptr(PartitionDefinition) d =
            parse_good("[Partition]\nType=esp\nCopyFiles=/efi:/\nCopyFiles=/boot:/\nSizeMinBytes=1G\n"
                       "SizeMaxBytes=1G\n");

    g_assert_cmpint(d->format, ==, PARTITION_FORMAT_VFAT);
    g_assert_cmpuint(d->size_min, ==, 1024 * 1024 * 1024);
    g_assert_cmpuint(d->size_max, ==, 1024 * 1024 * 1024);
    g_assert_cmpuint(d->copy_files->len, ==, 2);
    g_assert_cmphex(d->flags, ==, 0);
}

static void test_flags(void) {
    static const struct {
        const char *text;
        guint64 flags;
    } cases[] = {
            {"Type=home", PARTITION_FLAG_GROW_FILE_SYSTEM},
            {"Type=home\nGrowFileSystem=no", 0},
            {"Type=home\nReadOnly=yes", PARTITION_FLAG_READ_ONLY},
            {"Type=usr-verity", PARTITION_FLAG_READ_ONLY},
            {"Type=usr-verity\nReadOnly=no\nNoAuto=1", PARTITION_FLAG_NO_AUTO},
            {"Type=usr-verity-sig", PARTITION_FLAG_READ_ONLY},
            {"Type=swap\nFlags=0x5", 5},
            {"Type=swap\nFlags=0b101\nNoAuto=yes", 5 | PARTITION_FLAG_NO_AUTO},
            {"Type=home\nFlags=0xffffffffffffffff\nNoAuto=no\nReadOnly=no\nGrowFileSystem=no",
                    ~(PARTITION_FLAG_NO_AUTO | PARTITION_FLAG_READ_ONLY | PARTITION_FLAG_GROW_FILE_SYSTEM)},
            {"Type=home\nFormat=empty", PARTITION_FLAG_NO_AUTO | PARTITION_FLAG_GROW_FILE_SYSTEM},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat("[Partition]\n", cases[i].text, "\n", NULL);
        g_autoptr(PartitionDefinition) d = parse_good(text);
        g_assert_cmphex(d->flags, ==, cases[i].flags);
    }
}

static void test_lists(void) {
    g_autoptr(PartitionDefinition) d =
            parse_good("[X-Other]\nNonsense=1\n[Partition]\nType=root\nX-Mine=1\nFormat=btrfs\n"
                       "CopyFiles=/with\\x3acolon:/a\nCopyFiles=/dropped\nCopyFiles=\nCopyFiles=/etc//./x:/"
                       "y:fsverity=off\n"
                       "ExcludeFiles=/etc/a /etc/b/ \\\n  \"/etc/c d\"\nExcludeFilesTarget=/z\n"
                       "MakeDirectories=/usr /var/log\nMakeSymlinks=/bin:usr/bin "
                       "/lib:usr/lib\nSubvolumes=/var /home:ro\n"
                       "Minimize=guess\nWeight=20\nPriority=-5\nFactoryReset=yes\nEncrypt=off\n");
    const DefinitionPair *copy = d->copy_files->pdata[0], *link = d->make_symlinks->pdata[1];
    const DefinitionExclude *exclude = d->exclude_files->pdata[1];

    g_assert_cmpuint(d->copy_files->len, ==, 1);
    g_assert_cmpstr(copy->source, ==, "/etc/x");
    g_assert_cmpstr(copy->target, ==, "/y");
    g_assert_cmpuint(d->exclude_files->len, ==, 3);
    g_assert_cmpstr(exclude->path, ==, "/etc/b");
    g_assert_true(exclude->contents_only);
    exclude = d->exclude_files->pdata[2];
    g_assert_cmpstr(exclude->path, ==, "/etc/c d");
    g_assert_false(exclude->contents_only);
    g_assert_cmpuint(d->make_directories->len, ==, 2);
    g_assert_cmpstr(link->source, ==, "/lib");
    g_assert_cmpstr(link->target, ==, "usr/lib");
    g_assert_cmpuint(d->subvolumes->len, ==, 2);
    g_assert_cmpint(d->priority, ==, -5);
    g_assert_cmpuint(d->weight, ==, 20);
}

static void test_sizes(void) {
    static const struct {
        const char *value;
        guint64 minimum, maximum;
    } cases[] = {
            {"4096", 4096, 4096},
            {"4097", 8192, 4096},
            {"10M", 10485760, 10485760},
            {"1K", 4096, 0},
            {"2T", G_GUINT64_CONSTANT(2) << 40, G_GUINT64_CONSTANT(2) << 40},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *low =
                g_strconcat("[Partition]\nType=srv\nSizeMinBytes=", cases[i].value, "\n", NULL);
        g_autofree char *high =
                g_strconcat("[Partition]\nType=srv\nSizeMaxBytes=", cases[i].value, "\n", NULL);
        g_autoptr(PartitionDefinition) a = parse_good(low), b = parse_good(high);
        g_assert_cmpuint(a->size_min, ==, cases[i].minimum);
        g_assert_cmpuint(b->size_max, ==, cases[i].maximum);
    }
}

/* What systemd-repart 262 makes of them; 0: it refuses. */
static void test_size_forms(void) {
    static const struct {
        const char *text;
        guint64 bytes;
    } sizes[] = {{"0.5G", 536870912}, {"1.5M", 1572864}, {"1G512M", 1610612736}, {"1G 512M", 1610612736},
            {"4096B", 4096}, {"+5M", 5242880}, {"16 M", 16777216}, {"1.M", 1048576}, {"5M5", 5246976},
            {"20K4096B", 24576}, {"16MB", 0}, {"16m", 0}, {"5M1G", 0}, {"5M5M", 0}, {".5M", 0}, {"5MiB", 0},
            {"1.5.5M", 0}, {"-5M", 0}, {"32E", 0}, {"1e3", 0}, {"10%", 0}, {"0x1000M", 0}, {"1 1", 0}, {"1 1 1", 0}, {"1B1", 0},
            {"4096 ", 4096}, {"5M 1 1", 0}};

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(PartitionDefinition) definition = partition_definition_new("x/10.conf");
        g_autofree char *text = g_strdup_printf("[Partition]\nType=srv\nSizeMinBytes=%s\n", sizes[i].text);
        gboolean good = partition_definition_parse(
                definition, "x/10.conf", text, strlen(text), "x86-64", &specifiers, NULL);
        g_test_message("%s", sizes[i].text);
        g_assert_cmpint(good, ==, sizes[i].bytes > 0);
        if (good)
            g_assert_cmpuint(definition->size_min, ==, sizes[i].bytes);
    }
}

/* What systemd-repart makes of numbers; -1: it warns and goes on. */
static void test_number_forms(void) {
    static const struct {
        const char *text;
        gint64 weight;
    } numbers[] = {{"5", 5}, {"+5", 5}, {"-0", 0}, {"0x10", 16}, {"0X1f", 31}, {"0o17", 15}, {"0b101", 5},
            {"017", 15}, {"00", 0}, {"+0x10", 16}, {"0xf4240", 1000000}, {"", 1000}, {"08", -1}, {"0x", -1},
            {"0b2", -1}, {"-1", -1}, {"1e3", -1}, {"1000001", -1}, {"5 5", -1}, {"++5", -1}, {"1_0", -1}};

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autoptr(PartitionDefinition) definition = partition_definition_new("x/10.conf");
        g_autofree char *text = g_strdup_printf("[Partition]\nType=srv\nWeight=%s\n", numbers[i].text);
        gboolean good = partition_definition_parse(
                definition, "x/10.conf", text, strlen(text), "x86-64", &specifiers, NULL);
        g_test_message("%s", numbers[i].text);
        g_assert_cmpint(good, ==, numbers[i].weight >= 0);
        if (good)
            g_assert_cmpint(definition->weight, ==, numbers[i].weight);
    }
}

/* Continued lines, ends of lines, what is no text: as systemd reads its files. */
static void test_lines(void) {
    static const struct {
        const char *text, *label;
        Tristate no_auto;
    } files[] = {
            {"Label=a\\\nb\n", "a b", TRISTATE_UNSET},
            {"Label=a\\\\\nNoAuto=yes\n", "a\\\\", TRISTATE_YES},
            {"Label=a\\\n# comment\nb\n", "a b", TRISTATE_UNSET},
            {"# comment\\\nLabel=a\n", "a", TRISTATE_UNSET},
            {"Label=a\rNoAuto=yes\r", "a", TRISTATE_YES},
            {"Label=a\r\nNoAuto=yes\n\r", "a", TRISTATE_YES},
            {"Label=\fa\n", "\fa", TRISTATE_UNSET},
            {"# \xff\nLabel=\n", "", TRISTATE_UNSET},
            {"[Other]\nLabel=b\n[Partition]\nLabel=a%\nNoAuto=\n", "a%", TRISTATE_UNSET},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *text = g_strconcat("\xef\xbb\xbf[Partition]\nType=usr\n", files[i].text, NULL);
        g_autoptr(PartitionDefinition) definition = parse_good(text);
        g_assert_cmpstr(definition->label, ==, files[i].label);
        g_assert_cmpint(definition->no_auto, ==, files[i].no_auto);
    }
}

static void test_types(void) {
    static const struct {
        const char *word, *name, *uuid;
    } cases[] = {
            {"root", "root-x86-64", "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"},
            {"usr-verity-sig", "usr-x86-64-verity-sig", "e7bb33fb-06cf-4e81-8273-e543b413e2e2"},
            {"root-secondary", "root-x86", "44479540-f297-41b2-9af7-d131d5f0458a"},
            {"usr-arm64-verity", "usr-arm64-verity", "6e11a4e7-fbca-4ded-b9e9-e1a512bb664e"},
            {"usr-aarch64", "usr-arm64", "b0e01050-ee5f-4390-949a-9101b17104e9"},
            {"C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "esp", "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"},
            {"8484680c-9521-48c6-9c11-b0720656f69e", "usr-x86-64", "8484680c-9521-48c6-9c11-b0720656f69e"},
            {"21686148-6449-6e6f-744e-656564454649", "21686148-6449-6e6f-744e-656564454649",
                    "21686148-6449-6e6f-744e-656564454649"},
    };
    static const char *const bad[] = {"", "rot", "usr-", "usr-foo", "root-verity-x86-64", "esp-verity",
            "00000000-0000-0000-0000-000000000000", "4f68bce3-e8cd-4db1-96e7-fbcaf984b70"};
    PartitionType type;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *uuid = NULL;
        g_assert_true(partition_type_parse(cases[i].word, "x86-64", &type));
        uuid = uuid_to_text(&type.uuid);
        g_assert_cmpstr(type.name, ==, cases[i].name);
        g_assert_cmpstr(uuid, ==, cases[i].uuid);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(partition_type_parse(bad[i], "x86-64", &type));
}

typedef struct {
    const char *text, *message;
} Mistake;

/* Lines that are wrong by themselves. */
static const Mistake line_mistakes[] = {
        {"", "x/10-usr.conf:1: Type= is missing"},
        {"Type=usr\n", "x/10-usr.conf:1: \"Type=\" stands before the section"},
        {"[Partition]\nType=usr\nHello\n", "x/10-usr.conf:3: \"Hello\" is neither"},
        {"[Partition\n", "x/10-usr.conf:1: \"]\" is missing"},
        {"[Partition]\nType=user\n",
                "x/10-usr.conf:2: Type=: \"user\" is not a partition type for x86-64"},
        {"[Partition]\nType=usr\nMountPoint=/a:b:c\n",
                "x/10-usr.conf:3: MountPoint=: \"/a:b:c\" is not of"},
        {"[Partition]\nType=usr\nMountPoint=a\n",
                "x/10-usr.conf:3: MountPoint=: \"a\" is not an absolute"},
        {"[Partition]\nType=usr\nMountPoint=\"/a\n", "x/10-usr.conf:3: MountPoint=: \"\"/a\" has a quote"},
        {"[Partition]\nType=usr\nFileSystemSectorSize=1000\n",
                "x/10-usr.conf:3: FileSystemSectorSize=: "},
        {"[Partition]\nType=usr\nIntegrity=inline\n", "x/10-usr.conf:3: Integrity=: "},
        {"[Partition]\nType=usr\nBlockDeviceReplace=/x\n", "x/10-usr.conf:3: BlockDeviceReplace=: "},
        {"[Partition]\nType=usr\nLabel=%M_%A_verity_signature\n",
                "x/10-usr.conf:3: Label=: the label \"ParticleOS_20260101120000_verity_signature\" has "
                "42 "
                "UTF-16 units"},
        {"[Partition]\nType=usr\nLabel=%z\n", "x/10-usr.conf:3: Label=: unknown specifier \"%z\""},
        {"[Partition]\nType=usr\nLabel=%m\n",
                "x/10-usr.conf:3: Label=: \"%m\" describes the running machine"},
        {"[Partition]\nType=usr\nLabel=\xf0\x9f\x90\xa7\n",
                "x/10-usr.conf:3: Label=: the label \"\xf0\x9f\x90\xa7\" contains U+1F427"},
        {"[Partition]\nType=usr\nCopyFiles=/a:\n", "x/10-usr.conf:3: CopyFiles=: \"\" is not an absolute"},
        {"[Partition]\nType=usr\nCopyFiles=/a\\q\n", "x/10-usr.conf:3: CopyFiles=: \"/a\\q\" has a backslash"},
        {"[Partition]\nType=usr\nCopyFiles=/a\\x\n", "x/10-usr.conf:3: CopyFiles=: \"/a\\x\" has a backslash"},
        {"[Partition]\nType=usr\nUUID=1234\n", "x/10-usr.conf:3: UUID=: \"1234\" is neither"},
        {"[Partition]\nType=usr\nSizeMinBytes=-1\n",
                "x/10-usr.conf:3: SizeMinBytes=: \"-1\" is not a size"},
        {"[Partition]\nType=usr\nSizeMinBytes=99999999999999999999\n",
                "x/10-usr.conf:3: SizeMinBytes=: "},
        {"[Partition]\nType=usr\nCopyBlocks=auto\n", "x/10-usr.conf:3: CopyBlocks=: \"auto\" copies"},
        {"[Partition]\nType=usr\nFormat=xfs\n", "x/10-usr.conf:3: Format=: unknown file system \"xfs\""},
        {"[Partition]\nType=usr\nCopyFiles=usr\n",
                "x/10-usr.conf:3: CopyFiles=: \"usr\" is not an absolute"},
        {"[Partition]\nType=usr\nCopyFiles=/a/../b\n",
                "x/10-usr.conf:3: CopyFiles=: \"/a/../b\" contains"},
        {"[Partition]\nType=usr\nCopyFiles=/a:/b:c:d\n", "x/10-usr.conf:3: CopyFiles=: "},
        {"[Partition]\nType=usr\nCopyFiles=/a:/b:c\n",
                "x/10-usr.conf:3: CopyFiles=: unknown option \"c\""},
        {"[Partition]\nType=usr\nExcludeFiles=\"/a\n",
                "x/10-usr.conf:3: ExcludeFiles=: a quotation mark"},
        {"[Partition]\nType=usr\nMakeSymlinks=/a\n", "x/10-usr.conf:3: MakeSymlinks=: \"/a\" is not of"},
        {"[Partition]\nType=usr\nMinimize=much\n", "x/10-usr.conf:3: Minimize=: "},
        {"[Partition]\nType=usr\nVerity=maybe\n", "x/10-usr.conf:3: Verity=: "},
        {"[Partition]\nType=usr\nVerityHashBlockSizeBytes=1024\n", "x/10-usr.conf:3: VerityHashBlock"},
        {"[Partition]\nType=usr\nCompressionLevel=99\n", "x/10-usr.conf:3: CompressionLevel=: "},
        {"[Partition]\nType=usr\nSplitName=a/b\n", "x/10-usr.conf:3: SplitName=: "},
        {"[Partition]\nType=usr\nFlags=0xg\n", "x/10-usr.conf:3: Flags=: "},
        {"[Partition]\nType=usr\nReadOnly=perhaps\n", "x/10-usr.conf:3: ReadOnly=: "},
        {"[Partition]\nType=usr\nEncrypt=tpm2\n",
                "x/10-usr.conf:3: Encrypt=: partitions bound to a TPM are made at"},
        {"[Partition]\nType=usr\nEncryptKDF=scrypt\n",
                "x/10-usr.conf:3: EncryptKDF=: \"scrypt\" is none of"},
        {"[Partition]\nType=usr\nKeyFile=/key\n", "x/10-usr.conf:3: KeyFile=: the passphrase of an"},
        {"[Partition]\nType=usr\nEncryptedVolume=:x\n",
                "x/10-usr.conf:3: EncryptedVolume=: \":x\" is not of the form"},
        {"[Partition]\nType=usr\nPriority=x\n", "x/10-usr.conf:3: Priority=: "},
        {"[Partition]\nType=usr\nWeight=1000001\n", "x/10-usr.conf:3: Weight=: "},
        {"[Partition]\nType=usr\nLabel=a\\\n b\nLabel=%z\n", "x/10-usr.conf:5: Label=: "},
        {"[Partition]\nType=\xff\n", "x/10-usr.conf:2: this line is not text in UTF-8"},
};

/* Settings that do not go together. */
static const Mistake combinations[] = {
        {"[Partition]\nType=esp\nFormat=vfat\nAddValidateFS=yes\n",
                "x/10-usr.conf:2: AddValidateFS=yes needs"},
        {"[Partition]\nType=usr\nFormat=ext4\nVerity=data\nVerityMatchKey=x\nSupplementFor=20-x\n",
                "x/10-usr.conf:2: SupplementFor= cannot"},
        {"[Partition]\nType=usr\nMinimize=guess\n", "x/10-usr.conf:2: Minimize= needs a file system"},
        {"[Partition]\nType=usr\nVolumeName=x\n", "x/10-usr.conf:2: VolumeName= needs Encrypt="},
        {"[Partition]\nType=usr\nFormat=empty\nCopyBlocks=/x\n", "x/10-usr.conf:2: CopyBlocks= cannot"},
        {"[Partition]\nType=usr\nFormat=empty\nCopyFiles=/x\n", "x/10-usr.conf:2: CopyFiles= and Make"},
        {"[Partition]\nType=usr\nFormat=erofs\nAddValidateFS=no\n",
                "x/10-usr.conf:2: Format=erofs needs content"},
        {"[Partition]\nType=usr\nSizeMinBytes=2M\nSizeMaxBytes=1M\n",
                "x/10-usr.conf:2: SizeMinBytes= is larger"},
        {"[Partition]\nType=usr\nCopyBlocks=/x\nFormat=ext4\n", "x/10-usr.conf:2: CopyBlocks= cannot"},
        {"[Partition]\nType=usr\nFormat=squashfs\nCompression=lzma2\n",
                "x/10-usr.conf:2: Compression=lzma2 is not possible with squashfs"},
        {"[Partition]\nType=usr\nFormat=btrfs\nDefaultSubvolume=/a\n",
                "x/10-usr.conf:2: DefaultSubvolume=/a is not among"},
        {"[Partition]\nType=usr\nFormat=ext4\nMinimize=best\n",
                "x/10-usr.conf:2: Minimize=best is only"},
        {"[Partition]\nType=usr\nFormat=erofs\nVerity=data\n", "x/10-usr.conf:2: Verity= needs"},
        {"[Partition]\nType=usr\nVerityMatchKey=usr\n", "x/10-usr.conf:2: VerityMatchKey= needs"},
        {"[Partition]\nType=usr\nVerity=data\nVerityMatchKey=usr\n",
                "x/10-usr.conf:2: Verity=data needs"},
        {"[Partition]\nType=usr\nVerity=hash\nVerityMatchKey=usr\n",
                "x/10-usr.conf:2: Verity=hash needs"},
        {"[Partition]\nType=usr-verity\nVerity=hash\nVerityMatchKey=usr\nFormat=erofs\n",
                "x/10-usr.conf:2: a partition with Verity=hash is filled by itself"},
        {"[Partition]\nType=usr\nFormat=erofs\nCompression=lzma\n",
                "x/10-usr.conf:2: Compression=lzma is not"},
        {"[Partition]\nType=usr\nSplitName=%q\n", "x/10-usr.conf:2: SplitName=: \"%q\" describes"},
};

static void check_mistakes(const Mistake *cases, gsize n) {
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(parse(cases[i].text, &error));
        g_assert_error(error, DISK_ERROR, DISK_ERROR_DEFINITION);
        g_autofree char *beginning = g_strndup(error->message, strlen(cases[i].message));
        g_assert_cmpstr(beginning, ==, cases[i].message);
    }
}

static void test_mistakes(void) {
    check_mistakes(line_mistakes, G_N_ELEMENTS(line_mistakes));
    check_mistakes(combinations, G_N_ELEMENTS(combinations));
}

/* ParticleOS_<14 digits>_verity_sig is exactly 36. */
static void test_label_length(void) {
    g_autoptr(PartitionDefinition) fits = parse_good("[Partition]\nType=usr\nLabel=%M_%A_verity_sig\n");
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(partition_label_length(fits->label), ==, 36);
    g_assert_cmpint(partition_label_length("a\xc3\xa4\xe2\x82\xac"), ==, 3);
    g_assert_cmpint(partition_label_length("\xf0\x9f\x90\xa7"), ==, 2);
    g_assert_null(parse("[Partition]\nType=usr\nLabel=%M_%A_verity_sigs\n", &error));
    g_assert_error(error, DISK_ERROR, DISK_ERROR_DEFINITION);
}

static void write_file(const char *directory, const char *name, const char *text) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);

    g_mkdir_with_parents(parent, 0755);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void test_directories(void) {
    g_autofree char *top = g_dir_make_tmp("particleos-test-XXXXXX", NULL);
    g_autofree char *first = g_build_filename(top, "a", NULL), *second = g_build_filename(top, "b", NULL);
    const char *const directories[] = {first, second, NULL};
    g_autoptr(GError) error = NULL;

    write_file(first, "20-home.conf", "[Partition]\nType=home\nLabel=first\n");
    write_file(first, "30-masked.conf", "");
    write_file(first, "README", "not a definition\n");
    write_file(second, "10-esp.conf", "[Partition]\nType=esp\n");
    write_file(second, "20-home.conf", "[Partition]\nType=home\nLabel=second\n");
    write_file(second, "30-masked.conf", "[Partition]\nType=srv\n");
    write_file(second, "10-esp.conf.d/50-label.conf", "[Partition]\nLabel=boot\n");
    g_autoptr(GPtrArray) definitions =
            partition_definitions_load(directories, "x86-64", &specifiers, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(definitions->len, ==, 2);
    const PartitionDefinition *esp = definitions->pdata[0], *home = definitions->pdata[1];
    g_assert_cmpstr(esp->name, ==, "10-esp.conf");
    g_assert_cmpstr(esp->label, ==, "boot");
    g_assert_cmpstr(home->label, ==, "first");

    const char *const missing[] = {"/nonexistent/definitions", NULL};
    g_assert_null(partition_definitions_load(missing, "x86-64", &specifiers, &error));
    g_assert_error(error, DISK_ERROR, DISK_ERROR_DEFINITION);
    g_autofree char *command = g_strdup_printf("rm -r %s", top);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
}

static void test_default(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) definitions =
            partition_definitions_default(TRUE, "btrfs", "x86-64", &specifiers, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(definitions->len, ==, 2);
    const PartitionDefinition *root = definitions->pdata[1];
    g_assert_cmpint(root->format, ==, PARTITION_FORMAT_BTRFS);
    g_assert_cmpint(root->minimize, ==, PARTITION_MINIMIZE_GUESS);
}

static void test_specifiers(void) {
    static const SplitSpecifiers split = {"usr-x86-64", "T-uuid", "U-uuid", 4};
    g_autoptr(GError) error = NULL;
    g_autofree char *plain = specifiers_expand("%a %A %B %M %o %v %w [%W] %%", &specifiers, NULL, &error);
    g_autofree char *name = specifiers_expand("%t.%T.%U.%n", &specifiers, &split, &error);

    g_assert_cmpstr(plain, ==, "x86-64 20260101120000 b1 ParticleOS debian 6.12 13 [] %");
    g_assert_cmpstr(name, ==, "usr-x86-64.T-uuid.U-uuid.4");
    g_assert_null(specifiers_expand("%U", &specifiers, NULL, &error));
    g_assert_error(error, DISK_ERROR, DISK_ERROR_DEFINITION);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/partition-definition/upstream-usr", test_upstream_usr);
    g_test_add_func("/partition-definition/esp", test_esp);
    g_test_add_func("/partition-definition/flags", test_flags);
    g_test_add_func("/partition-definition/lists", test_lists);
    g_test_add_func("/partition-definition/sizes", test_sizes);
    g_test_add_func("/partition-definition/size-forms", test_size_forms);
    g_test_add_func("/partition-definition/number-forms", test_number_forms);
    g_test_add_func("/partition-definition/lines", test_lines);
    g_test_add_func("/partition-definition/types", test_types);
    g_test_add_func("/partition-definition/mistakes", test_mistakes);
    g_test_add_func("/partition-definition/label-length", test_label_length);
    g_test_add_func("/partition-definition/directories", test_directories);
    g_test_add_func("/partition-definition/default", test_default);
    g_test_add_func("/partition-definition/specifiers", test_specifiers);
    return g_test_run();
}
