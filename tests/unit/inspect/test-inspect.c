/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pe-fixture.h"
#include "test-keys.h"

#include <json-glib/json-glib.h>

#include "base/hex.h"
#include "format/efi/pe/authenticode.h"
#include "format/efi/uki/uki.h"
#include "format/efi/variables/efi-authenticated-variable.h"
#include "format/erofs/writer/erofs-writer.h"
#include "format/verity/signature/verity-signature.h"
#include "format/verity/verity.h"
#include "inspect/verdict/inspect.h"

/* A small disk with a whole chain of trust, partitioned by sfdisk, its ESP made by dosfstools and mtools,
 * and a matrix of ways to break it, each of which must be found at the right link. */

#define MIB (1024 * 1024)
#define ESP_OFFSET MIB
#define ESP_SIZE (8 * MIB)
#define USR_OFFSET (ESP_OFFSET + ESP_SIZE)
#define USR_SIZE (2 * MIB)
#define VERITY_OFFSET (USR_OFFSET + USR_SIZE)
#define VERITY_SIZE MIB
#define SIGNATURE_OFFSET (VERITY_OFFSET + VERITY_SIZE)
#define DISK_SIZE (SIGNATURE_OFFSET + 2 * MIB)

typedef struct {
    TestKeys *keys, *stranger;
    guint8 root_hash[VERITY_DIGEST_SIZE];
} Fixture;

/* What is different from a sound image. */
typedef struct {
    const char *name;
    const char *broken; /* identifier of the link that must be found broken; NULL: none */

    gboolean other_root_hash_signed;
    gboolean stranger_signs_verity;
    gboolean stranger_signs_loader;
    gboolean stranger_signs_uki;
    gboolean unsigned_uki;
    gboolean edited_kernel; /* after it was signed, before the UKI was */
    gboolean db_of_stranger;
    gboolean stranger_signs_db;
    gboolean other_hash_on_command_line;
    gboolean wrong_uuid;
    gboolean no_verity_signature;
    gboolean loose_policy;
    gboolean policies_over_config;
    gboolean old_stub, unsigned_kernel;
    const char *edit_in_uki; /* this text in the signed UKI changes its last letter */
    guint64 flip;            /* the byte at this offset of the disk changes; 0: none */
} Variant;

static gboolean have_tools(void) {
    g_autofree char *path = g_strconcat(g_getenv("PATH"), ":/usr/sbin:/sbin", NULL);
    g_setenv("PATH", path, TRUE);
    return test_have_tool("sfdisk") && test_have_tool("mkfs.vfat") && test_have_tool("mcopy") &&
           test_have_tool("mmd");
}

static GBytes *sign_pe(GBytes *image, TestKeys *keys) {
    g_autoptr(GError) error = NULL;
    GBytes *result = authenticode_sign(image, keys->key, keys->certificate, AUTHENTICODE_REPLACE, &error);
    g_assert_no_error(error);
    return result;
}

/* BYTES, whose reference is taken, with a change at OFFSET. */
static GBytes *flip_in_bytes(GBytes *bytes, gsize offset) {
    gsize size = 0;
    guint8 *data = g_bytes_unref_to_data(bytes, &size);
    g_assert_cmpuint(offset, <, size);
    data[offset] ^= 1;
    return g_bytes_new_take(data, size);
}

static GBytes *make_uki(Fixture *fixture, const Variant *variant) {
    g_autoptr(GError) error = NULL;
    g_autofree char *hash = hex_encode(fixture->root_hash, VERITY_DIGEST_SIZE);
    if (variant->other_hash_on_command_line)
        hash[0] = hash[0] == '0' ? '1' : '0';
    g_autofree char *command_line =
            variant->loose_policy
                    ? g_strdup("mount.usr=dissect systemd.image_policy=usr=verity+signed quiet")
                    : g_strdup_printf("mount.usr=dissect usrhash=%s quiet", hash);
    g_autofree char *debug_line = g_strconcat(command_line, " debug", NULL);
    g_autoptr(GBytes) stub = variant->old_stub ? pe_fixture_old_stub() : pe_fixture_stub();
    g_autoptr(GBytes) bare_kernel = pe_fixture_kernel(5000, 1);
    g_autoptr(GBytes) kernel =
            variant->unsigned_kernel ? g_bytes_ref(bare_kernel) : sign_pe(bare_kernel, fixture->keys);
    if (variant->edited_kernel)
        kernel = flip_in_bytes(kernel, 2000);
    UkiProfile debug = {"ID=debug\nTITLE=Debug", debug_line, TRUE};
    g_autoptr(GPtrArray) profiles = g_ptr_array_new();
    g_ptr_array_add(profiles, &debug);
    UkiSpec spec = {
            .stub = stub,
            .linux_image = kernel,
            .cmdline = command_line,
            .os_release = "ID=test\nVERSION_ID=1\n",
            .uname = "6.12",
            .profiles = variant->old_stub ? NULL : profiles,
            .pcr_key = fixture->keys->key,
            .base_sign_expected_pcr = TRUE,
            .pcr.config_policies = variant->policies_over_config,
    };
    g_autoptr(GBytes) uki = uki_build(&spec, NULL, &error);
    g_assert_no_error(error);
    if (variant->unsigned_uki)
        return g_steal_pointer(&uki);
    g_autoptr(GBytes) result = sign_pe(uki, variant->stranger_signs_uki ? fixture->stranger : fixture->keys);
    if (!variant->edit_in_uki)
        return g_steal_pointer(&result);
    gsize size = 0;
    guint8 *data = g_bytes_unref_to_data(g_steal_pointer(&result), &size);
    char *found = memmem(data, size, variant->edit_in_uki, strlen(variant->edit_in_uki));
    g_assert_nonnull(found);
    found[strlen(variant->edit_in_uki) - 1] ^= 2;
    return g_bytes_new_take(data, size);
}

static void write_variable(Fixture *fixture, const char *name, Certificate *content, TestKeys *signer) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) certificates = g_ptr_array_new();
    g_ptr_array_add(certificates, content);
    g_autoptr(GBytes) update =
            efi_enrolment_variable_build(name, 0, certificates, signer->key, signer->certificate, &error);
    g_assert_no_error(error);
    g_autofree char *file = g_strconcat(name, ".auth", NULL);
    g_autofree char *path = test_file_bytes(fixture->keys, file, update);
}

static void make_esp(Fixture *fixture, const Variant *variant) {
    TestKeys *keys = fixture->keys, *stranger = fixture->stranger;
    g_autoptr(GBytes) loader = pe_fixture_kernel(9000, 2);
    g_autoptr(GBytes) signed_loader = sign_pe(loader, variant->stranger_signs_loader ? stranger : keys);
    g_autofree char *loader_path = test_file_bytes(keys, "loader.efi", signed_loader);
    g_autoptr(GBytes) uki = make_uki(fixture, variant);
    g_autofree char *uki_path = test_file_bytes(keys, "uki.efi", uki);
    write_variable(fixture, "PK", keys->certificate, keys);
    write_variable(fixture, "KEK", keys->certificate, keys);
    write_variable(fixture, "db", variant->db_of_stranger ? stranger->certificate : keys->certificate,
            variant->stranger_signs_db ? stranger : keys);
    g_assert_true(test_shell(NULL,
            "cd %s && rm -f esp && truncate -s %d esp && export MTOOLS_SKIP_CHECK=1 && mkfs.vfat esp && "
            "mmd -i esp ::/EFI ::/EFI/BOOT ::/EFI/systemd ::/EFI/Linux ::/loader ::/loader/keys "
            "::/loader/keys/auto && mcopy -i esp loader.efi ::/EFI/BOOT/BOOTX64.EFI && "
            "mcopy -i esp loader.efi ::/EFI/systemd/systemd-bootx64.efi && "
            "mcopy -i esp uki.efi ::/EFI/Linux/ParticleOS_1.efi && "
            "mcopy -i esp PK.auth KEK.auth db.auth ::/loader/keys/auto",
            keys->directory, ESP_SIZE));
}

/* Writes /usr and its hash tree into the disk DISK_FD. */
static void write_usr(Fixture *fixture, int disk_fd) {
    g_autoptr(GError) error = NULL;
    g_autofree char *tree = g_build_filename(fixture->keys->directory, "tree", NULL);
    g_assert_true(
            test_shell(NULL, "mkdir -p %s/bin && seq 60000 > %s/bin/numbers && ln -sf numbers %s/bin/link",
                    tree, tree, tree));
    g_autoptr(VerityTree) verity = verity_tree_new((const guint8 *) "salt", 4);
    ErofsOptions options = {.output_offset = USR_OFFSET, .clamp_mtime = 0, .threads = 1, .verity = verity};
    g_autoptr(ErofsWriter) writer = erofs_writer_new(disk_fd, &options, &error);
    g_assert_no_error(error);
    AUTO_FD tree_fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    guint64 size = 0;
    static const guint8 uuid[16] = {1};
    g_assert_true(erofs_writer_add_tree(writer, tree_fd, ".", "", NULL, NULL, &error));
    g_assert_true(erofs_writer_finish(writer, &size, &error));
    g_assert_cmpuint(size, <=, USR_SIZE);
    g_assert_true(verity_tree_write(verity, size / VERITY_BLOCK_SIZE, disk_fd, VERITY_OFFSET, uuid,
            fixture->root_hash, NULL, &error));
    g_assert_no_error(error);
    test_shell(NULL, "rm -r %s", tree);
}

static void write_signature(Fixture *fixture, const Variant *variant, int disk_fd) {
    g_autoptr(GError) error = NULL;
    TestKeys *signer = variant->stranger_signs_verity ? fixture->stranger : fixture->keys;
    guint8 root_hash[VERITY_DIGEST_SIZE];
    memcpy(root_hash, fixture->root_hash, sizeof root_hash);
    if (variant->other_root_hash_signed)
        root_hash[31] ^= 1;
    if (variant->no_verity_signature)
        return;
    g_autoptr(GBytes) signature =
            verity_signature_sign(root_hash, sizeof root_hash, signer->key, signer->certificate, &error);
    g_autoptr(GBytes) partition = verity_signature_partition_build(
            root_hash, sizeof root_hash, signature, signer->certificate, &error);
    g_assert_no_error(error);
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(partition, &size);
    g_assert_cmpint(pwrite(disk_fd, data, size, SIGNATURE_OFFSET), ==, size);
}

static void write_table(Fixture *fixture, const Variant *variant) {
    guint8 data_uuid[16], verity_uuid[16];
    verity_partition_uuids(fixture->root_hash, data_uuid, verity_uuid);
    if (variant->wrong_uuid)
        verity_uuid[3] ^= 1;
    g_autofree char *data_hex = hex_encode(data_uuid, 16);
    g_autofree char *verity_hex = hex_encode(verity_uuid, 16);
#define UUID_FORMAT "%.8s-%.4s-%.4s-%.4s-%s"
#define UUID_OF(hex) hex, hex + 8, hex + 12, hex + 16, hex + 20
    g_assert_true(test_shell(NULL,
            "cd %s && sfdisk --no-reread --no-tell-kernel disk.raw <<'END'\nlabel: gpt\n"
            "start=%d, size=%d, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp\n"
            "start=%d, size=%d, type=8484680C-9521-48C6-9C11-B0720656F69E, name=usr, uuid=" UUID_FORMAT "\n"
            "start=%d, size=%d, type=77FF5F63-E7B6-4633-ACF4-1565B864C0E6, name=verity, uuid=" UUID_FORMAT
            "\nstart=%d, size=32, type=E7BB33FB-06CF-4E81-8273-E543B413E2E2, name=signature\nEND",
            fixture->keys->directory, ESP_OFFSET / 512, ESP_SIZE / 512, USR_OFFSET / 512, USR_SIZE / 512,
            UUID_OF(data_hex), VERITY_OFFSET / 512, VERITY_SIZE / 512, UUID_OF(verity_hex),
            SIGNATURE_OFFSET / 512));
}

static void flip_byte(int fd, guint64 offset) {
    guint8 byte = 0;
    g_assert_cmpint(pread(fd, &byte, 1, offset), ==, 1);
    byte ^= 1;
    g_assert_cmpint(pwrite(fd, &byte, 1, offset), ==, 1);
}

static char *make_disk(Fixture *fixture, const Variant *variant) {
    char *path = g_build_filename(fixture->keys->directory, "disk.raw", NULL);
    g_unlink(path);
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    g_assert_cmpint(ftruncate(fd, DISK_SIZE), ==, 0);
    write_usr(fixture, fd);
    write_signature(fixture, variant, fd);
    make_esp(fixture, variant);
    write_table(fixture, variant);
    g_assert_true(test_shell(
            NULL, "cd %s && dd if=esp of=disk.raw bs=1M seek=1 conv=notrunc", fixture->keys->directory));
    if (variant->flip != 0)
        flip_byte(fd, variant->flip);
    return path;
}

static void fixture_init(Fixture *fixture) {
    fixture->keys = test_keys_new("owner");
    fixture->stranger = test_keys_new("stranger");
}

static void fixture_clear(Fixture *fixture) {
    g_clear_pointer(&fixture->keys, test_keys_free);
    g_clear_pointer(&fixture->stranger, test_keys_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

static InspectNode *inspect(const char *path, const Certificate *certificate) {
    g_autoptr(GError) error = NULL;
    InspectOptions options = {.certificate = certificate, .threads = 1};
    InspectNode *report = inspect_image(path, &options, &error);
    g_assert_no_error(error);
    g_autofree char *json = inspect_node_to_json(report);
    g_test_message("%s", json);
    return report;
}

static gboolean has_broken(const InspectNode *node, const char *id) {
    if (strcmp(node->id, id) == 0 && node->verdict == INSPECT_BROKEN)
        return TRUE;
    for (guint i = 0; i < node->children->len; i++)
        if (has_broken(node->children->pdata[i], id))
            return TRUE;
    return FALSE;
}

static void test_sound(void) {
    if (!have_tools())
        return;
    g_auto(Fixture) fixture = {NULL};
    fixture_init(&fixture);
    g_autofree char *path = make_disk(&fixture, &(Variant){.name = "sound"});
    g_autoptr(InspectNode) report = inspect(path, NULL);
    g_assert_cmpint(inspect_node_get_worst(report), ==, INSPECT_OK);
    static const char *const links[] = {"partition-table", "PK", "KEK", "db", "authenticode", "kernel",
            "command-line", "expected-pcrs", "file-system", "verity", "uuids", "verity-signature"};
    for (gsize i = 0; i < G_N_ELEMENTS(links); i++) {
        InspectNode *link = inspect_node_find(report, links[i]);
        g_assert_nonnull(link);
        g_assert_cmpint(link->verdict, ==, INSPECT_OK);
    }

    g_autoptr(InspectNode) pinned = inspect(path, fixture.keys->certificate);
    g_assert_cmpint(inspect_node_get_worst(pinned), ==, INSPECT_OK);

    /* By another certificate nothing is as expected. */
    g_autoptr(InspectNode) wrong = inspect(path, fixture.stranger->certificate);
    static const char *const signatures[] = {"PK", "KEK", "db", "authenticode", "verity-signature"};
    for (gsize i = 0; i < G_N_ELEMENTS(signatures); i++)
        g_assert_true(has_broken(wrong, signatures[i]));
    g_assert_false(has_broken(wrong, "verity"));
}

static const Variant variants[] = {
        {.name = "a byte of the data", .broken = "verity", .flip = USR_OFFSET + 5000},
        {.name = "a byte of the hash tree", .broken = "verity", .flip = VERITY_OFFSET + 4096 + 100},
        {.name = "a byte of the salt", .broken = "verity", .flip = VERITY_OFFSET + 88},
        {.name = "the file system's superblock", .broken = "file-system", .flip = USR_OFFSET + 1024 + 20},
        {.name = "a signature of another root hash",
                .broken = "verity-signature",
                .other_root_hash_signed = TRUE},
        {.name = "a root hash signed by a stranger",
                .broken = "verity-signature",
                .stranger_signs_verity = TRUE},
        {.name = "a boot loader signed by a stranger",
                .broken = "authenticode",
                .stranger_signs_loader = TRUE},
        {.name = "a UKI signed by a stranger", .broken = "authenticode", .stranger_signs_uki = TRUE},
        {.name = "an unsigned UKI", .broken = "authenticode", .unsigned_uki = TRUE},
        {.name = "an edited command line: signature", .broken = "authenticode", .edit_in_uki = "quiet"},
        {.name = "an edited command line: PCRs", .broken = "expected-pcrs", .edit_in_uki = "quiet"},
        {.name = "an edited kernel", .broken = "kernel", .edited_kernel = TRUE},
        {.name = "a kernel without signature that its stub cannot start",
                .broken = "kernel",
                .old_stub = TRUE,
                .unsigned_kernel = TRUE},
        {.name = "a policy over PCRs 11 and 12 that is gone",
                .broken = "expected-pcrs",
                .policies_over_config = TRUE,
                .edit_in_uki = "{\"pcrs\":[11,1"},
        {.name = "a db of a stranger", .broken = "authenticode", .db_of_stranger = TRUE},
        {.name = "a db signed by a stranger", .broken = "db", .stranger_signs_db = TRUE},
        {.name = "another root hash on the command line",
                .broken = "command-line",
                .other_hash_on_command_line = TRUE},
        {.name = "an image policy that accepts unsigned volumes",
                .broken = "command-line",
                .loose_policy = TRUE},
        {.name = "a UUID that is not of the root hash", .broken = "uuids", .wrong_uuid = TRUE},
        {.name = "a damaged partition table", .broken = "partition-table", .flip = 512 + 60},
};

static void test_variant(gconstpointer data) {
    const Variant *variant = data;
    if (!have_tools())
        return;
    g_auto(Fixture) fixture = {NULL};
    fixture_init(&fixture);
    g_autofree char *path = make_disk(&fixture, variant);
    g_autoptr(InspectNode) report = inspect(path, NULL);
    g_assert_true(has_broken(report, variant->broken));
}

/* Policies for boots to which nothing was added; a kernel that only its stub starts. */
static void test_sound_variants(void) {
    static const Variant sound[] = {
            {.name = "policies over PCRs 11 and 12", .policies_over_config = TRUE},
            {.name = "a kernel without signature", .unsigned_kernel = TRUE},
            {.name = "an old stub", .old_stub = TRUE},
    };
    if (!have_tools())
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(sound); i++) {
        g_auto(Fixture) fixture = {NULL};
        fixture_init(&fixture);
        g_autofree char *path = make_disk(&fixture, &sound[i]);
        g_autoptr(InspectNode) report = inspect(path, fixture.keys->certificate);
        g_assert_cmpint(inspect_node_get_worst(report), ==, INSPECT_OK);
    }
}

static void test_not_signed_yet(void) {
    if (!have_tools())
        return;
    g_auto(Fixture) fixture = {NULL};
    fixture_init(&fixture);
    g_autofree char *path = make_disk(&fixture, &(Variant){.no_verity_signature = TRUE});
    g_autoptr(InspectNode) report = inspect(path, NULL);
    g_assert_cmpint(inspect_node_get_worst(report), ==, INSPECT_MISSING);
    g_autoptr(InspectNode) pinned = inspect(path, fixture.keys->certificate);
    g_assert_true(has_broken(pinned, "verity-signature"));
}

static void test_checksums(void) {
    if (!have_tools())
        return;
    g_auto(Fixture) fixture = {NULL};
    fixture_init(&fixture);
    g_autofree char *path = make_disk(&fixture, &(Variant){.name = "checksums"});
    g_assert_true(test_shell(NULL,
            "cd %s && sha256sum -b disk.raw esp > disk.SHA256SUMS && "
            "echo '%064d *elsewhere.raw' >> disk.SHA256SUMS",
            fixture.keys->directory, 0));
    g_autoptr(InspectNode) report = inspect(path, NULL);
    g_assert_cmpint(inspect_node_get_worst(report), ==, INSPECT_OK);
    g_assert_true(test_shell(NULL, "cd %s && echo x >> esp", fixture.keys->directory));
    g_autoptr(InspectNode) damaged = inspect(path, NULL);
    g_assert_true(has_broken(damaged, "checksum"));
}

static void test_json(void) {
    g_autoptr(InspectNode) root = inspect_node_new("image", "x.raw");
    InspectNode *link = inspect_node_add(root, "verity", "hash tree");
    inspect_node_set(link, INSPECT_BROKEN, "block %d was changed, \"so\"", 3);
    inspect_node_add_fact(link, "root-hash", "01=ab");
    g_autofree char *text = inspect_node_to_json(root);
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) json = json_from_string(text, &error);
    g_assert_no_error(error);
    JsonObject *object = json_node_get_object(json);
    g_assert_cmpstr(json_object_get_string_member(object, "verdict"), ==, "broken");
    JsonObject *child = json_array_get_object_element(json_object_get_array_member(object, "links"), 0);
    g_assert_cmpstr(json_object_get_string_member(child, "root-hash"), ==, "01=ab");
    g_assert_cmpstr(json_object_get_string_member(child, "detail"), ==, "block 3 was changed, \"so\"");
}

static void test_no_image(void) {
    g_autoptr(TestKeys) scratch = test_keys_new("none");
    g_autofree char *text = test_file(scratch, "text.raw", "no disk at all\n", 15);
    const char *const paths[] = {"/nonexistent/a.raw", "/tmp", text};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(inspect_image(paths[i], NULL, &error));
        g_assert_nonnull(strstr(error->message, paths[i]));
    }
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inspect/json", test_json);
    g_test_add_func("/inspect/no-image", test_no_image);
    g_test_add_func("/inspect/sound", test_sound);
    g_test_add_func("/inspect/sound-variants", test_sound_variants);
    g_test_add_func("/inspect/not-signed-yet", test_not_signed_yet);
    g_test_add_func("/inspect/checksums", test_checksums);
    for (gsize i = 0; i < G_N_ELEMENTS(variants); i++) {
        g_autofree char *name = g_strdup_printf("/inspect/broken/%s", variants[i].name);
        g_test_add_data_func(name, &variants[i], test_variant);
    }
    return g_test_run();
}
