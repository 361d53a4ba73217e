/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Layouts, UUIDs and verity siblings, without any disk. */

#include "image/definitions/disk-error.h"
#include "image/plan/partition-plan.h"
#include "image/plan/validatefs.h"

#include <string.h>

#define MIB (G_GUINT64_CONSTANT(1024) * 1024)

static const Specifiers specifiers = {.image_id = "X", .image_version = "1"};

static GPtrArray *definitions_of(const char *const *texts) {
    GPtrArray *definitions = g_ptr_array_new_with_free_func((GDestroyNotify) partition_definition_free);

    for (gsize i = 0; texts[i]; i++) {
        g_autofree char *path = g_strdup_printf("x/%zu0.conf", i);
        g_autofree char *text = g_strconcat("[Partition]\n", texts[i], "\n", NULL);
        PartitionDefinition *definition = partition_definition_new(path);
        g_autoptr(GError) error = NULL;

        g_assert_true(partition_definition_parse(definition, path, text, strlen(text), "x86-64", &specifiers, &error));
        g_assert_no_error(error);
        g_assert_true(partition_definition_complete(definition, &specifiers, &error));
        g_assert_no_error(error);
        g_ptr_array_add(definitions, definition);
    }
    return definitions;
}

static Uuid seed(void) {
    Uuid uuid;

    g_assert_true(uuid_parse_text("00000000-0000-0000-0000-000000000001", &uuid));
    return uuid;
}

static const char *const verity_texts[] = {
        "Type=esp\nFormat=vfat\nSizeMinBytes=1G\nSizeMaxBytes=1G",
        "Type=usr-verity-sig\nVerity=signature\nVerityMatchKey=usr",
        "Type=usr-verity\nVerity=hash\nVerityMatchKey=usr\nSizeMinBytes=400M\nSizeMaxBytes=400M",
        "Type=usr\nFormat=erofs\nCopyFiles=/usr:/\nVerity=data\nVerityMatchKey=usr\nMinimize=best",
        NULL,
};

static void test_layout(void) {
    g_autoptr(GPtrArray) definitions = definitions_of(verity_texts);
    g_autoptr(GError) error = NULL;
    Uuid key = seed();
    g_autoptr(Plan) plan = plan_new(definitions, &key, 512, 0, DISK_VERITY_AUTO, TRUE, &error);
    guint8 root_hash[32];

    g_assert_no_error(error);
    PlannedPartition *esp = plan->partitions->pdata[0], *signature = plan->partitions->pdata[1],
                     *hash = plan->partitions->pdata[2], *usr = plan->partitions->pdata[3];
    g_assert_true(usr->hash == hash && usr->signature == signature && hash->data == usr);
    /* Everything before /usr has a fixed size, so its place is known before it is written. */
    g_assert_cmpuint(plan_early_offset(plan, usr), ==, 1 * MIB + 1024 * MIB + 16384 + 400 * MIB);

    for (gsize i = 0; i < 32; i++)
        root_hash[i] = i;
    plan_set_root_hash(usr, root_hash);
    g_autofree char *usr_uuid = uuid_to_text(&usr->uuid), *hash_uuid = uuid_to_text(&hash->uuid);
    g_assert_cmpstr(usr_uuid, ==, "00010203-0405-0607-0809-0a0b0c0d0e0f");
    g_assert_cmpstr(hash_uuid, ==, "10111213-1415-1617-1819-1a1b1c1d1e1f");

    usr->content_size = 123 * 4096;
    hash->content_size = 4096 * 3;
    g_assert_true(plan_layout(plan, &error));
    g_assert_cmpuint(esp->offset, ==, MIB);
    g_assert_cmpuint(esp->size, ==, 1024 * MIB);
    g_assert_cmpuint(signature->size, ==, 16384);
    g_assert_cmpuint(hash->size, ==, 400 * MIB);
    g_assert_cmpuint(usr->offset, ==, plan_early_offset(plan, usr));
    g_assert_cmpuint(usr->size, ==, 123 * 4096);
    g_assert_cmpuint(plan->size, ==, usr->offset + usr->size + 20 * 1024);
    g_assert_cmpstr(hash->label, ==, "usr-x86-64-verity");
}

static void test_sizes(void) {
    static const struct {
        const char *text;
        guint sector_size;
        guint64 content, size; /* size 0: an error */
    } cases[] = {
            {"Type=home", 512, 0, 10 * MIB},
            {"Type=home\nSizeMinBytes=1M", 512, 0, 1 * MIB},
            {"Type=home\nSizeMaxBytes=1M", 512, 0, 10 * MIB},
            {"Type=usr-verity-sig", 512, 0, 16384},
            {"Type=swap\nMinimize=guess", 512, 0, 10 * MIB},
            {"Type=esp\nFormat=vfat\nFileSystemSectorSize=4096", 512, 0, 260 * MIB},
            {"Type=esp\nFormat=vfat", 512, 0, 100 * MIB},
            {"Type=esp\nFormat=vfat\nSizeMinBytes=50M", 4096, 0, 260 * MIB},
            {"Type=esp\nFormat=vfat\nSizeMinBytes=40M\nSizeMaxBytes=40M", 512, 0, 40 * MIB},
            {"Type=usr\nFormat=erofs\nMinimize=yes", 512, 4097, 8192},
            {"Type=usr\nFormat=erofs", 512, 4097, 10 * MIB},
            {"Type=root\nFormat=ext4", 512, 0, 32 * MIB},
            {"Type=root\nFormat=btrfs", 512, 0, 256 * MIB},
            {"Type=usr\nFormat=erofs\nSizeMaxBytes=1M\nMinimize=yes", 512, MIB, MIB},
            {"Type=usr\nFormat=erofs\nSizeMaxBytes=1M\nMinimize=yes", 512, MIB + 1, 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) definitions = definitions_of((const char *const[]){cases[i].text, NULL});
        g_autoptr(GError) error = NULL;
        Uuid key = seed();
        g_autoptr(Plan) plan =
                plan_new(definitions, &key, cases[i].sector_size, 0, DISK_VERITY_AUTO, FALSE, &error);
        PlannedPartition *partition = plan->partitions->pdata[0];

        partition->content_size = cases[i].content;
        g_assert_cmpint(plan_layout(plan, &error), ==, cases[i].size != 0);
        if (cases[i].size)
            g_assert_cmpuint(partition->size, ==, cases[i].size);
        else
            g_assert_error(error, DISK_ERROR, DISK_ERROR_CONTENT);
    }
}

static void test_minimum_size(void) {
    g_autoptr(GPtrArray) definitions =
            definitions_of((const char *const[]){"Type=home\nPaddingMinBytes=1M", "Type=srv", NULL});
    Uuid key = seed();
    g_autoptr(Plan) plan = plan_new(definitions, &key, 512, 64 * MIB, DISK_VERITY_AUTO, FALSE, NULL);
    const PlannedPartition *srv = plan->partitions->pdata[1];

    g_assert_true(plan_layout(plan, NULL));
    g_assert_cmpuint(srv->offset, ==, 12 * MIB);
    g_assert_cmpuint(plan->size, ==, 64 * MIB);
}

/* The values that systemd-repart 262 gives for the same seed. */
static void test_uuids(void) {
    g_autoptr(GPtrArray) definitions =
            definitions_of((const char *const[]){"Type=home", "Type=home", "Type=home\nUUID=null", NULL});
    Uuid key = seed();
    g_autoptr(Plan) plan = plan_new(definitions, &key, 512, 0, DISK_VERITY_AUTO, FALSE, NULL);
    const PlannedPartition *first = plan->partitions->pdata[0], *second = plan->partitions->pdata[1],
                           *third = plan->partitions->pdata[2];
    g_autofree char *first_uuid = uuid_to_text(&first->uuid), *second_uuid = uuid_to_text(&second->uuid);

    g_assert_cmpstr(first_uuid, ==, "f459c701-a604-4b88-8aaa-e8776bd7999d");
    g_assert_cmpstr(second_uuid, ==, "55d8737b-6a3c-49d0-b538-95225469a312");
    g_assert_cmpstr(first->label, ==, "home");
    g_assert_cmpstr(second->label, ==, "home-2");
    g_assert_true(uuid_is_null(&third->uuid));
}

static void test_verity_mistakes(void) {
    static const struct {
        const char *texts[4];
        DiskVerity verity;
        gboolean can_sign;
        const char *message;
    } cases[] = {
            {{"Type=usr\nFormat=erofs\nVerity=data\nVerityMatchKey=a", NULL}, DISK_VERITY_AUTO, TRUE,
                    "x/00.conf:2: no definition has Verity=hash and VerityMatchKey=a"},
            {{"Type=usr-verity\nVerity=hash\nVerityMatchKey=a", NULL}, DISK_VERITY_AUTO, TRUE,
                    "x/00.conf:2: no definition has Verity=data and VerityMatchKey=a"},
            {{"Type=usr-verity\nVerity=hash\nVerityMatchKey=a",
                     "Type=usr-verity\nVerity=hash\nVerityMatchKey=a",
                     "Type=usr\nFormat=erofs\nVerity=data\nVerityMatchKey=a", NULL},
                    DISK_VERITY_AUTO, TRUE, "x/10.conf:2: there is already a partition"},
            {{"Type=usr-verity\nVerity=hash\nVerityMatchKey=a",
                     "Type=usr\nFormat=erofs\nVerity=data\nVerityMatchKey=a", NULL},
                    DISK_VERITY_DISABLED, TRUE, "x/00.conf:2: the definition asks for verity, but"},
            {{"Type=usr-verity\nVerity=hash\nVerityMatchKey=a",
                     "Type=usr\nFormat=erofs\nVerity=data\nVerityMatchKey=a", NULL},
                    DISK_VERITY_SIGNED, TRUE, "the recipe says Verity=signed, but no"},
            {{"Type=usr-verity-sig\nVerity=signature\nVerityMatchKey=a", NULL}, DISK_VERITY_HASH, TRUE,
                    "x/00.conf:2: the definition asks for a signature, but"},
            {{"Type=usr-verity-sig\nVerity=signature\nVerityMatchKey=a", NULL}, DISK_VERITY_AUTO, FALSE,
                    "x/00.conf:2: signing needs a key and a certificate"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) definitions = definitions_of(cases[i].texts);
        g_autoptr(GError) error = NULL;
        Uuid key = seed();

        g_assert_null(plan_new(definitions, &key, 512, 0, cases[i].verity, cases[i].can_sign, &error));
        g_assert_error(error, DISK_ERROR, DISK_ERROR_PLAN);
        g_assert_true(g_str_has_prefix(error->message, cases[i].message));
    }
}

static void test_too_small(void) {
    g_autoptr(GPtrArray) definitions =
            definitions_of((const char *const[]){"Type=root\nFormat=ext4\nSizeMaxBytes=1M", NULL});
    g_autoptr(GError) error = NULL;
    Uuid key = seed();

    g_assert_null(plan_new(definitions, &key, 512, 0, DISK_VERITY_AUTO, FALSE, &error));
    g_assert_error(error, DISK_ERROR, DISK_ERROR_PLAN);
    g_assert_cmpstr(error->message, ==,
            "x/00.conf:2: Format=ext4 needs at least 33.6 MB, but SizeMaxBytes= allows 1.0 MB");
}

static PlannedPartition sibling(PartitionDefinition *definition, const char *type, const char *label) {
    g_assert_true(partition_type_parse(type, "x86-64", &definition->type));
    return (PlannedPartition){.definition = definition, .label = (char *) label};
}

/* All partitions that a verity volume consists of, sorted: systemd-validatefs asks about any of them. */
static void test_validatefs(void) {
    g_autoptr(PartitionDefinition) data = partition_definition_new("a"),
                                   hash = partition_definition_new("b"),
                                   signature = partition_definition_new("c");
    PlannedPartition usr = sibling(data, "usr", "A"), verity = sibling(hash, "usr-verity", "C"),
                     sig = sibling(signature, "usr-verity-sig", "B");
    const char labels[] = "A\0B\0C", places[] = "/usr";
    const char types[] = "77ff5f63-e7b6-4633-acf4-1565b864c0e6\0"
                         "8484680c-9521-48c6-9c11-b0720656f69e\0"
                         "e7bb33fb-06cf-4e81-8273-e543b413e2e2";
    gsize size;

    data->add_validatefs = TRISTATE_YES;
    usr.hash = &verity;
    usr.signature = &sig;
    g_autoptr(GHashTable) attributes = validatefs_attributes(&usr);
    gconstpointer found =
            g_bytes_get_data(g_hash_table_lookup(attributes, "user.validatefs.gpt_label"), &size);
    g_assert_cmpmem(found, size, labels, sizeof labels);
    found = g_bytes_get_data(g_hash_table_lookup(attributes, "user.validatefs.gpt_type_uuid"), &size);
    g_assert_cmpmem(found, size, types, sizeof types);
    found = g_bytes_get_data(g_hash_table_lookup(attributes, "user.validatefs.mount_point"), &size);
    g_assert_cmpmem(found, size, places, sizeof places);
}

/* The error of a plan of TEXTS on a disk with sectors of 4096 bytes; NULL: there is none. */
static char *mistake(const char *const *texts) {
    g_autoptr(GPtrArray) definitions = definitions_of(texts);
    g_autoptr(GError) error = NULL;
    Uuid key = seed();
    g_autoptr(Plan) plan = plan_new(definitions, &key, 4096, 0, DISK_VERITY_AUTO, FALSE, &error);

    return plan ? NULL : g_strdup(error->message);
}

static void test_limits(void) {
    static const char uuid[] = "Type=srv\nUUID=11111111-2222-3333-4444-555555555555";
    static const struct {
        const char *texts[3], *error;
    } cases[] = {
            {{"Type=esp\nFormat=vfat\nFileSystemSectorSize=512"},
                    "x/00.conf:2: FileSystemSectorSize=512: the sectors of a FAT cannot be smaller than those of the "
                    "disk, which have 4096 bytes (SectorSize=)"},
            {{"Type=esp\nFormat=vfat\nFileSystemSectorSize=4096"}, NULL},
            {{"Type=srv\nFormat=squashfs\nCopyFiles=/srv\nCompressionLevel=10"},
                    "x/00.conf:2: CompressionLevel=10: Format=squashfs with Compression=gzip has levels from 1 to 9"},
            {{"Type=srv\nFormat=squashfs\nCopyFiles=/srv\nCompression=zstd\nCompressionLevel=22"}, NULL},
            {{"Type=srv\nFormat=btrfs\nCompression=zstd\nCompressionLevel=16"},
                    "x/00.conf:2: CompressionLevel=16: Format=btrfs with Compression=zstd has levels from 1 to 15"},
            {{uuid, uuid}, "x/10.conf:2: UUID= is that of x/00.conf, too"},
            {{"Type=srv\nUUID=null", "Type=home\nUUID=null"}, NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = mistake(cases[i].texts);
        g_assert_cmpstr(message, ==, cases[i].error);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/partition-plan/layout", test_layout);
    g_test_add_func("/partition-plan/sizes", test_sizes);
    g_test_add_func("/partition-plan/minimum-size", test_minimum_size);
    g_test_add_func("/partition-plan/too-small", test_too_small);
    g_test_add_func("/partition-plan/limits", test_limits);
    g_test_add_func("/partition-plan/uuids", test_uuids);
    g_test_add_func("/partition-plan/verity-mistakes", test_verity_mistakes);
    g_test_add_func("/partition-plan/validatefs", test_validatefs);
    return g_test_run();
}
