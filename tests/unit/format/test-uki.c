/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/uki/uki.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "format/efi/uki/uki-stub.h"
#include "pe-fixture.h"
#include "tree-tool.h"

#define N_PROFILES 8

static KeySource *key;

static void free_profile(gpointer data) {
    UkiProfile *profile = data;
    g_free((char *) profile->profile);
    g_free((char *) profile->cmdline);
    g_free(profile);
}

static GPtrArray *make_profiles(guint n) {
    GPtrArray *profiles = g_ptr_array_new_with_free_func(free_profile);
    for (guint i = 0; i < n; i++) {
        UkiProfile *profile = g_new0(UkiProfile, 1);
        g_autofree char *id = g_strdup_printf("profile%u", i + 1);
        g_autofree char *title = g_strdup_printf("The \"%u\"th way", i + 1);
        profile->profile = uki_profile_text((const char *[]){"ID", "TITLE"}, (const char *[]){id, title}, 2);
        profile->cmdline = g_strdup_printf("quiet root=dissect way=%u", i + 1);
        profile->sign_expected_pcr = i % 3 != 1;
        g_ptr_array_add(profiles, profile);
    }
    return profiles;
}

/* Where the parts of a specification live as long as a test. */
typedef struct {
    UkiSpec spec;
    GBytes *stub, *kernel, *splash, *ucode;
    GPtrArray *initrds, *profiles;
} Parts;

static void parts_clear(Parts *parts) {
    g_bytes_unref(parts->stub);
    g_bytes_unref(parts->kernel);
    g_bytes_unref(parts->splash);
    g_bytes_unref(parts->ucode);
    g_ptr_array_unref(parts->initrds);
    g_ptr_array_unref(parts->profiles);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Parts, parts_clear)

static void parts_init(Parts *parts, GBytes *stub, guint n_profiles) {
    *parts = (Parts){
            .stub = g_bytes_ref(stub),
            .kernel = pe_fixture_kernel(100001, 2),
            .splash = pe_fixture_noise(333, 3),
            .ucode = pe_fixture_noise(512, 4),
            .initrds = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref),
            .profiles = make_profiles(n_profiles),
    };
    g_ptr_array_add(parts->initrds, pe_fixture_noise(12345, 5));
    g_ptr_array_add(parts->initrds, pe_fixture_noise(54321, 6));
    parts->spec = (UkiSpec){
            .stub = parts->stub,
            .linux_image = parts->kernel,
            .initrds = parts->initrds,
            .cmdline = "quiet root=dissect",
            .os_release = "ID=test\nVERSION_ID=1\n",
            .uname = "6.12.0-test",
            .splash = parts->splash,
            .ucode = parts->ucode,
            .profiles = parts->profiles,
            .pcr_key = key,
            .base_sign_expected_pcr = TRUE,
    };
}

static void check_profile(const UkiView *view, const UkiSpec *spec, guint number, GBytes *public_key) {
    g_autoptr(GError) error = NULL;
    const UkiProfileView *profile = view->profiles->pdata[number];
    const UkiProfile *wanted = number > 0 ? spec->profiles->pdata[number - 1] : NULL;
    g_assert_cmpint(profile->number, ==, number);
    g_autofree char *cmdline = uki_profile_view_get_text(profile, UKI_SECTION_CMDLINE);
    g_assert_cmpstr(cmdline, ==, wanted ? wanted->cmdline : spec->cmdline);
    g_assert_true(g_bytes_equal(profile->sections[UKI_SECTION_LINUX], spec->linux_image));
    g_assert_cmpuint(g_bytes_get_size(profile->sections[UKI_SECTION_INITRD]), ==, 12348 + 54324);

    gboolean sign = wanted ? wanted->sign_expected_pcr : spec->base_sign_expected_pcr;
    g_assert_cmpint(profile->sections[UKI_SECTION_PCRSIG] != NULL, ==, sign);
    if (!sign)
        return;
    g_autofree char *json = uki_profile_view_get_text(profile, UKI_SECTION_PCRSIG);
    g_autoptr(GPtrArray) policies = pcr_policies_parse(json, -1, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(policies->len, ==, spec->pcr.initrd_policy ? 5 : 4);
    g_assert_true(pcr_policies_verify(policies, profile->sections, public_key, &spec->pcr, NULL, &error));
    g_assert_no_error(error);
}

static void test_profiles(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_stub();
    g_auto(Parts) parts;
    parts_init(&parts, stub, N_PROFILES);
    g_autoptr(GPtrArray) policies = NULL;
    g_autoptr(GBytes) uki = uki_build(&parts.spec, &policies, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(policies->len, ==, 4 * 6);
    g_autoptr(GBytes) again = uki_build(&parts.spec, NULL, &error);
    g_assert_true(g_bytes_equal(uki, again));

    g_autoptr(UkiView) view = uki_view_new(uki, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(view->profiles->len, ==, N_PROFILES + 1);
    const UkiProfileView *second = view->profiles->pdata[1];
    g_assert_cmpstr(second->id, ==, "profile1");
    g_assert_cmpstr(second->title, ==, "The \"1\"th way");
    g_autoptr(GBytes) public_key = key_source_get_public_pem(key, &error);
    for (guint i = 0; i <= N_PROFILES; i++)
        check_profile(view, &parts.spec, i, public_key);
}

/* TPM2_PolicyPCR (part 3, 23.7) over PCRs 11 and 12 of SHA-256, put together by hand. */
static void policy_by_hand(const guint8 *kernel_boot, const guint8 *kernel_config, guint8 ret[static 32]) {
    static const guint8 head[] = {0, 0, 1, 0x7f, 0, 0, 0, 1, 0, 0x0b, 3, 0, 0x18, 0};
    guint8 values[64], input[32 + sizeof head + 32] = {0};
    memcpy(values, kernel_boot, 32);
    memcpy(values + 32, kernel_config, 32);
    memcpy(input + 32, head, sizeof head);
    sha256_buffer(values, sizeof values, input + 32 + sizeof head);
    sha256_buffer(input, sizeof input, ret);
}

/* PCR 12 after TEXT, which has SIZE bytes, was measured. */
static void extend_by_hand(guint8 value[static 32], const void *text, gsize size) {
    guint8 both[64];
    memcpy(both, value, 32);
    sha256_buffer(text, size, both + 32);
    sha256_buffer(both, sizeof both, value);
}

/* Policies that hold only when nobody added anything to the boot: of each profile others, and none of them
 * hold for the command line of the other profile. */
static void test_policies_over_config(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_stub();
    g_auto(Parts) parts;
    parts_init(&parts, stub, 2);
    parts.spec.pcr.config_policies = TRUE;
    g_autoptr(GBytes) uki = uki_build(&parts.spec, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(UkiView) view = uki_view_new(uki, &error);
    g_autoptr(GBytes) public_key = key_source_get_public_pem(key, &error);
    g_autoptr(PcrMeasurer) measurer = pcr_measurer_new(PCR_BANK_SHA256);
    guint8 config[32] = {0}, boot[PCR_DIGEST_MAX], expected[32];

    for (guint number = 0; number < 2; number++) {
        const UkiProfileView *profile = view->profiles->pdata[number];
        g_autofree char *json = uki_profile_view_get_text(profile, UKI_SECTION_PCRSIG);
        g_autoptr(GPtrArray) policies = pcr_policies_parse(json, -1, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(policies->len, ==, 8);
        g_assert_nonnull(strstr(json, "{\"pcrs\":[11,12],\"pkfp\""));
        g_assert_nonnull(strstr(json, "{\"pcrs\":[11],\"pkfp\""));

        if (number == 1) { /* "@1" by the boot loader, "1" by the stub, in UTF-16 with the final NUL */
            extend_by_hand(config,
                    "@\0"
                    "1\0\0",
                    6);
            extend_by_hand(config, "1\0\0", 4);
        }
        pcr_measurer_predict(measurer, profile->sections, "enter-initrd", boot);
        policy_by_hand(boot, config, expected);
        const PcrPolicy *policy = policies->pdata[4];
        g_assert_true(policy->with_config);
        g_assert_cmpmem(policy->policy, 32, expected, 32);

        PcrPolicyOptions options = {.config_policies = TRUE, .profile = number};
        g_assert_true(pcr_policies_verify(policies, profile->sections, public_key, &options, NULL, &error));
        options.profile = 1 - number;
        g_assert_false(pcr_policies_verify(policies, profile->sections, public_key, &options, NULL, &error));
        g_assert_error(error, PCR_ERROR, PCR_ERROR_MISMATCH);
        g_clear_error(&error);
    }
}

static void test_single(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_stub();
    g_auto(Parts) parts;
    parts_init(&parts, stub, 0);
    g_autoptr(GBytes) uki = uki_build(&parts.spec, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(UkiView) view = uki_view_new(uki, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(view->profiles->len, ==, 1);
    const UkiProfileView *only = view->profiles->pdata[0];
    g_assert_cmpint(only->number, ==, -1);
    g_assert_null(only->sections[UKI_SECTION_PROFILE]);
    g_autofree char *sbat = uki_profile_view_get_text(only, UKI_SECTION_SBAT);
    g_assert_cmpstr(sbat, ==,
            "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
            "stub,1,Stub,stub,1,x\n"
            "uki,1,UKI,uki,1,https://uapi-group.org/specifications/specs/unified_kernel_image/");
    g_assert_nonnull(only->sections[UKI_SECTION_PCRSIG]);
}

/* A stub of systemd 252: .sbat has no room for our line, and what the stub does not know is not measured, so the
 * signed values do not depend on it. */
static void test_old_stub(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_old_stub();
    g_auto(Parts) parts;
    parts_init(&parts, stub, 0);
    g_autoptr(GPtrArray) policies = NULL;
    g_autoptr(GPtrArray) changed = NULL;
    g_autoptr(GBytes) uki = uki_build(&parts.spec, &policies, &error);
    g_assert_no_error(error);
    g_autoptr(UkiView) view = uki_view_new(uki, &error);
    g_assert_no_error(error);
    const UkiProfileView *only = view->profiles->pdata[0];
    g_autofree char *sbat = uki_profile_view_get_text(only, UKI_SECTION_SBAT);
    g_assert_nonnull(strstr(sbat, "\nuki,1,"));
    g_assert_false(uki_stub_knows_section(view->pe, UKI_SECTION_PROFILE));
    g_assert_true(uki_stub_knows_section(view->pe, UKI_SECTION_CMDLINE));

    parts.spec.uname = "another";
    g_autoptr(GBytes) other = uki_build(&parts.spec, &changed, &error);
    g_assert_no_error(error);
    g_assert_true(pcr_policy_equal(policies->pdata[0], changed->pdata[0]));
    parts.spec.cmdline = "another";
    g_clear_pointer(&changed, g_ptr_array_unref);
    g_autoptr(GBytes) third = uki_build(&parts.spec, &changed, &error);
    g_assert_no_error(error);
    g_assert_false(pcr_policy_equal(policies->pdata[0], changed->pdata[0]));
}

/* A changed section, a foreign key, and a missing phase are all noticed. */
static void test_verify_refuses(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_stub();
    g_auto(Parts) parts;
    parts_init(&parts, stub, 0);
    g_autoptr(GBytes) uki = uki_build(&parts.spec, NULL, &error);
    g_autoptr(UkiView) view = uki_view_new(uki, &error);
    const UkiProfileView *only = view->profiles->pdata[0];
    g_autofree char *json = uki_profile_view_get_text(only, UKI_SECTION_PCRSIG);
    g_autoptr(GPtrArray) policies = pcr_policies_parse(json, -1, &error);
    g_autoptr(GBytes) public_key = key_source_get_public_pem(key, &error);
    g_assert_no_error(error);

    GBytes *sections[N_UKI_SECTIONS];
    memcpy(sections, only->sections, sizeof sections);
    g_autoptr(GBytes) other = g_bytes_new_static("quiet root=dissecT", 18);
    sections[UKI_SECTION_CMDLINE] = other;
    g_assert_false(pcr_policies_verify(policies, sections, public_key, NULL, NULL, &error));
    g_assert_error(error, PCR_ERROR, PCR_ERROR_MISMATCH);
    g_clear_error(&error);

    PcrPolicyOptions options = {.initrd_policy = TRUE};
    g_assert_false(pcr_policies_verify(policies, only->sections, public_key, &options, NULL, &error));
    g_assert_error(error, PCR_ERROR, PCR_ERROR_MISMATCH);
    g_clear_error(&error);

    PcrPolicy *policy = policies->pdata[2];
    policy->policy[5] ^= 1;
    g_assert_false(pcr_policies_verify(policies, only->sections, public_key, NULL, NULL, &error));
    g_assert_nonnull(error);
}

static void test_offline_signing(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_stub();
    g_auto(Parts) parts;
    parts_init(&parts, stub, N_PROFILES);
    parts.spec.pcr.initrd_policy = TRUE;
    g_autoptr(GBytes) public_key = key_source_get_public_pem(key, &error);
    parts.spec.pcr_key = NULL;
    parts.spec.pcr_public_key = public_key;
    parts.spec.pcr_reserve = TRUE;

    g_autoptr(GPtrArray) policies = NULL;
    g_autoptr(GBytes) unsigned_uki = uki_build(&parts.spec, &policies, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(policies->len, ==, 5 * 6);
    g_assert_true(pcr_policies_sign(policies, key, &error));
    g_autofree char *json = pcr_policies_to_json(policies);
    g_autoptr(GBytes) uki = uki_attach_signatures(unsigned_uki, json, &error);
    g_assert_no_error(error);
    g_autoptr(UkiView) view = uki_view_new(uki, &error);
    for (guint i = 0; i <= N_PROFILES; i++)
        check_profile(view, &parts.spec, i, public_key);

    g_autoptr(GBytes) refused = uki_attach_signatures(unsigned_uki, "{\"sha256\":[]}", &error);
    g_assert_null(refused);
    g_assert_error(error, UKI_ERROR, UKI_ERROR_INVALID);
}

static void test_json_refuses(void) {
    static const char *const broken[] = {
            "",
            "[]",
            "{\"sha256\":1}",
            "{\"sha256\":[1]}",
            "{\"sha256\":[{\"pcrs\":[11]}]}",
            "{\"sha256\":[{\"pcrs\":[11],\"pkfp\":\"00\",\"pol\":\"00\"}]}",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) policies = pcr_policies_parse(broken[i], -1, &error);
        g_assert_null(policies);
        g_assert_nonnull(error);
    }
}

/* ---- judges ---- */

/* Writes the effective sections of PROFILE to files and gives systemd-measure their names. */
static void add_measure_arguments(GPtrArray *argv, const UkiProfileView *profile, const char *directory) {
    for (guint i = 0; i < N_UKI_SECTIONS; i++) {
        if (!profile->sections[i] || !uki_section_is_measured(i))
            continue;
        g_autofree char *path = g_build_filename(directory, uki_section_name(i) + 1, NULL);
        gsize size;
        const char *data = g_bytes_get_data(profile->sections[i], &size);
        g_assert_true(g_file_set_contents(path, data, size, NULL));
        g_ptr_array_add(argv, g_strdup_printf("--%s=%s", uki_section_name(i) + 1, path));
    }
}

static void check_calculate(JsonNode *root, const UkiProfileView *profile) {
    for (PcrBank bank = 0; bank < N_PCR_BANKS; bank++) {
        g_autoptr(PcrMeasurer) measurer = pcr_measurer_new(bank);
        JsonArray *entries = json_object_get_array_member(json_node_get_object(root), pcr_bank_name(bank));
        g_assert_cmpuint(json_array_get_length(entries), ==, 4);
        for (guint i = 0; i < 4; i++) {
            JsonObject *entry = json_array_get_object_element(entries, i);
            guint8 value[PCR_DIGEST_MAX];
            pcr_measurer_predict(
                    measurer, profile->sections, json_object_get_string_member(entry, "phase"), value);
            g_autofree char *hex = hex_encode(value, pcr_bank_size(bank));
            g_assert_cmpstr(hex, ==, json_object_get_string_member(entry, "hash"));
        }
    }
}

static void remove_directory(const char *directory) {
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        g_remove(path);
    }
    g_rmdir(directory);
}

static void test_systemd_measure(void) {
    const char *program = "usr/lib/systemd/systemd-measure";
    if (!tree_tool_need(program))
        return;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_stub();
    g_auto(Parts) parts;
    parts_init(&parts, stub, 2);
    g_autoptr(GBytes) uki = uki_build(&parts.spec, NULL, &error);
    g_autoptr(UkiView) view = uki_view_new(uki, &error);
    g_assert_no_error(error);
    g_autofree char *directory = g_dir_make_tmp("test-uki-XXXXXX", NULL);

    for (guint i = 0; i < view->profiles->len; i++) {
        const UkiProfileView *profile = view->profiles->pdata[i];
        g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(argv, g_strdup("calculate"));
        g_ptr_array_add(argv, g_strdup("--json=short"));
        add_measure_arguments(argv, profile, directory);
        for (PcrBank bank = 0; bank < N_PCR_BANKS; bank++)
            g_ptr_array_add(argv, g_strdup_printf("--bank=%s", pcr_bank_name(bank)));
        g_ptr_array_add(argv, NULL);
        g_autofree char *output = tree_tool_run(program, (const char *const *) argv->pdata, FALSE);
        g_autoptr(JsonNode) root = json_from_string(output, &error);
        g_assert_no_error(error);
        check_calculate(root, profile);
    }
    remove_directory(directory);
}

/* What systemd-measure prints for one profile; POLICY_REFERENCE: the policy of the initrd. */
static GPtrArray *measure_policies(const UkiProfileView *profile, const char *verb, const PcrBank *banks,
        guint n_banks, gboolean initrd, const char *directory) {
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(argv, g_strdup(verb));
    g_ptr_array_add(argv, g_strdup("--json=short"));
    add_measure_arguments(argv, profile, directory);
    for (guint i = 0; i < n_banks; i++)
        g_ptr_array_add(argv, g_strdup_printf("--bank=%s", pcr_bank_name(banks[i])));
    g_ptr_array_add(argv, g_strdup_printf("--public-key=%s/public.pem", directory));
    if (g_str_equal(verb, "sign"))
        g_ptr_array_add(argv, g_strdup_printf("--private-key=%s/private.pem", directory));
    if (initrd) {
        g_ptr_array_add(argv, g_strdup("--phase=enter-initrd"));
        g_ptr_array_add(argv, g_strdup("--policyref=initrd"));
    }
    g_ptr_array_add(argv, NULL);
    g_autofree char *output =
            tree_tool_run("usr/lib/systemd/systemd-measure", (const char *const *) argv->pdata, FALSE);
    g_autoptr(GError) error = NULL;
    GPtrArray *policies = pcr_policies_parse(output, -1, &error);
    g_assert_no_error(error);
    return policies;
}

static void write_keys(const char *directory) {
    g_autoptr(GError) error = NULL;
    g_autofree char *public_path = g_build_filename(directory, "public.pem", NULL);
    g_autofree char *private_path = g_build_filename(directory, "private.pem", NULL);
    g_autoptr(GBytes) pem = key_source_get_public_pem(key, &error);
    g_assert_no_error(error);
    g_assert_true(
            g_file_set_contents(public_path, g_bytes_get_data(pem, NULL), g_bytes_get_size(pem), NULL));
    BIO *bio = BIO_new_file(private_path, "w");
    g_assert_nonnull(bio);
    g_assert_true(PEM_write_bio_PrivateKey(bio, key_source_peek(key), NULL, NULL, 0, NULL, NULL));
    BIO_free(bio);
}

static void check_same_policies(GPtrArray *ours, GPtrArray *theirs) {
    g_autofree char *our_json = pcr_policies_to_json(ours);
    g_autofree char *their_json = pcr_policies_to_json(theirs);
    g_assert_cmpstr(our_json, ==, their_json);
}

static void test_systemd_measure_sign(void) {
    if (!tree_tool_need("usr/lib/systemd/systemd-measure"))
        return;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_stub();
    g_auto(Parts) parts;
    parts_init(&parts, stub, 1);
    static const PcrBank banks[] = {PCR_BANK_SHA256, PCR_BANK_SHA384};
    g_autoptr(GBytes) uki = uki_build(&parts.spec, NULL, &error);
    g_autoptr(UkiView) view = uki_view_new(uki, &error);
    g_autoptr(GBytes) public_key = key_source_get_public_pem(key, &error);
    g_assert_no_error(error);
    g_autofree char *directory = g_dir_make_tmp("test-uki-XXXXXX", NULL);
    write_keys(directory);

    const UkiProfileView *profile = view->profiles->pdata[1];
    PcrPolicyOptions options = {.banks = banks, .n_banks = 2};
    g_autoptr(GPtrArray) ours = pcr_policies_new(profile->sections, public_key, &options, NULL, &error);
    g_autoptr(GPtrArray) digests = measure_policies(profile, "policy-digest", banks, 2, FALSE, directory);
    check_same_policies(ours, digests);
    g_autoptr(GPtrArray) theirs = measure_policies(profile, "sign", banks, 2, FALSE, directory);
    g_assert_true(pcr_policies_sign(ours, key, &error));
    check_same_policies(ours, theirs);

    static const char *const initrd_phase[] = {NULL};
    options =
            (PcrPolicyOptions){.banks = banks, .n_banks = 1, .phases = initrd_phase, .initrd_policy = TRUE};
    g_autoptr(GPtrArray) our_initrd =
            pcr_policies_new(profile->sections, public_key, &options, NULL, &error);
    g_assert_true(pcr_policies_sign(our_initrd, key, &error));
    g_autoptr(GPtrArray) their_initrd = measure_policies(profile, "sign", banks, 1, TRUE, directory);
    check_same_policies(our_initrd, their_initrd);
    remove_directory(directory);
}

/* ukify lists the sections that we wrote, with the same content. */
static void check_ukify_section(JsonObject *object, const UkiProfileView *profile, UkiSection section) {
    JsonObject *entry = json_object_get_object_member(object, uki_section_name(section));
    gsize size;
    const void *data = g_bytes_get_data(profile->sections[section], &size);
    guint8 digest[SHA256_SIZE];
    sha256_buffer(data, size, digest);
    g_autofree char *hex = hex_encode(digest, sizeof digest);
    g_assert_cmpuint(json_object_get_int_member(entry, "size"), ==, size);
    g_assert_cmpstr(json_object_get_string_member(entry, "sha256"), ==, hex);
}

static void check_ukify(GBytes *uki) {
    g_autoptr(GError) error = NULL;
    g_autoptr(UkiView) view = uki_view_new(uki, &error);
    g_assert_no_error(error);
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "test-uki-inspect-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, g_bytes_get_data(uki, NULL), g_bytes_get_size(uki), NULL));
    g_autofree char *output =
            tree_tool_run("usr/bin/ukify", (const char *[]){"inspect", path, "--json=short", NULL}, TRUE);
    g_remove(path);

    g_autoptr(JsonNode) root = json_from_string(output, &error);
    g_assert_no_error(error);
    JsonObject *base = json_node_get_object(root);
    JsonArray *profiles = json_object_get_array_member(base, "_profiles");
    g_assert_cmpuint(json_array_get_length(profiles), ==, view->profiles->len);
    for (guint number = 0; number < view->profiles->len; number++) {
        const UkiProfileView *profile = view->profiles->pdata[number];
        for (guint i = 0; i < N_UKI_SECTIONS; i++)
            if (profile->sections[i])
                check_ukify_section(profile->own[i] ? json_array_get_object_element(profiles, number) : base,
                        profile, i);
    }
}

static void test_ukify(void) {
    if (!tree_tool_need("usr/bin/ukify"))
        return;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_stub();
    g_auto(Parts) parts;
    parts_init(&parts, stub, N_PROFILES);
    g_autoptr(GBytes) uki = uki_build(&parts.spec, NULL, &error);
    g_assert_no_error(error);
    check_ukify(uki);
}

/* PARTICLEOS_TEST_STUBS lists stubs, separated by colons; the tree's own is always among them. */
static GPtrArray *find_stubs(void) {
    GPtrArray *stubs = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) more = g_strsplit(g_getenv("PARTICLEOS_TEST_STUBS") ?: "", ":", -1);
    for (char **path = more; *path; path++)
        if (**path)
            g_ptr_array_add(stubs, g_strdup(*path));
    g_ptr_array_add(stubs, tree_tool_path("usr/lib/systemd/boot/efi/linuxx64.efi.stub"));
    return stubs;
}

static void test_real_stubs(void) {
    if (!tree_tool_need("usr/bin/ukify") || !tree_tool_need("usr/lib/systemd/boot/efi/linuxx64.efi.stub"))
        return;
    g_autoptr(GPtrArray) stubs = find_stubs();
    for (guint i = 0; i < stubs->len; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GMappedFile) file = g_mapped_file_new(stubs->pdata[i], FALSE, &error);
        g_assert_no_error(error);
        g_autoptr(GBytes) stub = g_mapped_file_get_bytes(file);
        g_autofree char *version = uki_stub_version(stub);
        g_assert_nonnull(version);
        g_test_message("stub %s", version);
        g_auto(Parts) parts;
        parts_init(&parts, stub, N_PROFILES);
        g_autoptr(GBytes) uki = uki_build(&parts.spec, NULL, &error);
        g_assert_no_error(error);
        check_ukify(uki);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    EVP_PKEY *pkey = EVP_RSA_gen(2048);
    key = key_source_new_from_pkey(pkey, "test key");
    EVP_PKEY_free(pkey);
    g_test_add_func("/uki/profiles", test_profiles);
    g_test_add_func("/uki/policies-over-config", test_policies_over_config);
    g_test_add_func("/uki/single", test_single);
    g_test_add_func("/uki/old-stub", test_old_stub);
    g_test_add_func("/uki/verify-refuses", test_verify_refuses);
    g_test_add_func("/uki/offline-signing", test_offline_signing);
    g_test_add_func("/uki/json-refuses", test_json_refuses);
    g_test_add_func("/uki/judge/systemd-measure", test_systemd_measure);
    g_test_add_func("/uki/judge/systemd-measure-sign", test_systemd_measure_sign);
    g_test_add_func("/uki/judge/ukify", test_ukify);
    g_test_add_func("/uki/judge/real-stubs", test_real_stubs);
    int status = g_test_run();
    key_source_unref(key);
    return status;
}
