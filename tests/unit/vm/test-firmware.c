/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "vm/host/firmware.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* A descriptor with everything in its place; tests replace parts of it. */
static char *make_descriptor(const char *code, const char *variables, const char *features) {
    return g_strdup_printf("{\"description\": \"x\", \"interface-types\": [\"uefi\"],"
                           " \"mapping\": {\"device\": \"flash\","
                           "  \"executable\": {\"filename\": \"%s\", \"format\": \"raw\"},"
                           "  \"nvram-template\": {\"filename\": \"%s\", \"format\": \"raw\"}},"
                           " \"targets\": [{\"architecture\": \"x86_64\", \"machines\": [\"pc-q35-*\"]}],"
                           " \"features\": [%s], \"tags\": []}",
            code, variables, features);
}

static void test_parse(void) {
    g_autoptr(GError) error = NULL;
    g_autofree char *text = make_descriptor("/a,b.fd", "/v.fd", "\"secure-boot\", \"requires-smm\"");
    g_autoptr(VmFirmware) firmware = vm_firmware_parse(text, strlen(text), &error);
    g_assert_no_error(error);
    g_assert_cmpstr(firmware->code, ==, "/a,b.fd");
    g_assert_cmpstr(firmware->variables, ==, "/v.fd");
    g_assert_true(firmware->secure_boot);
    g_assert_true(firmware->requires_smm);
    g_assert_false(firmware->enrolled_keys);
    g_assert_cmpstr(firmware->targets[0], ==, "x86_64/pc-q35-*");
    g_assert_null(firmware->targets[1]);
}

static void test_broken(void) {
    static const struct {
        const char *text;
        VmFirmwareError code;
    } cases[] = {
            {"", VM_FIRMWARE_ERROR_UNUSABLE},
            {"{", VM_FIRMWARE_ERROR_INVALID},
            {"[]", VM_FIRMWARE_ERROR_UNUSABLE},
            {"\xff", VM_FIRMWARE_ERROR_INVALID},
            {"{\"interface-types\": [\"bios\"]}", VM_FIRMWARE_ERROR_UNUSABLE},
            {"{\"interface-types\": \"uefi\"}", VM_FIRMWARE_ERROR_UNUSABLE},
            {"{\"interface-types\": [1, null, \"uefi\"]}", VM_FIRMWARE_ERROR_INVALID},
            {"{\"interface-types\": [\"uefi\"], \"mapping\": 1}", VM_FIRMWARE_ERROR_INVALID},
            {"{\"interface-types\": [\"uefi\"], \"mapping\": {\"device\": \"memory\"}}",
                    VM_FIRMWARE_ERROR_UNUSABLE},
            {"{\"interface-types\": [\"uefi\"], \"mapping\": {\"device\": \"flash\", \"mode\": "
             "\"stateless\"}}",
                    VM_FIRMWARE_ERROR_UNUSABLE},
            {"{\"interface-types\": [\"uefi\"], \"mapping\": {\"device\": \"flash\", \"executable\": "
             "{\"filename\": \"relative\", \"format\": \"raw\"}}}",
                    VM_FIRMWARE_ERROR_INVALID},
            {"{\"interface-types\": [\"uefi\"], \"mapping\": {\"device\": \"flash\", \"executable\": "
             "{\"filename\": [\"/x\"], \"format\": \"raw\"}}}",
                    VM_FIRMWARE_ERROR_INVALID},
            {"{\"interface-types\": [\"uefi\"], \"mapping\": {\"device\": \"flash\", \"executable\": "
             "{\"filename\": \"/x\", \"format\": \"raw,file=/etc/shadow\"}}}",
                    VM_FIRMWARE_ERROR_INVALID},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(vm_firmware_parse(cases[i].text, strlen(cases[i].text), &error));
        g_assert_error(error, VM_FIRMWARE_ERROR, (int) cases[i].code);
    }
}

/* Every prefix of a good descriptor is refused without a crash. */
static void test_cut_off(void) {
    g_autofree char *text = make_descriptor("/c", "/v", "");
    for (gsize length = 0; length < strlen(text); length++) {
        g_autofree char *part = g_memdup2(text, MAX(length, 1));
        g_assert_null(vm_firmware_parse(part, length, NULL));
    }
}

static void test_suits(void) {
    static const struct {
        const char *features, *architecture;
        gboolean secure_boot, enrolled_keys, suits;
    } cases[] = {
            {"\"secure-boot\"", "x86_64", TRUE, FALSE, TRUE},
            {"\"secure-boot\"", "x86_64", FALSE, FALSE, FALSE},
            {"\"secure-boot\"", "aarch64", TRUE, FALSE, FALSE},
            {"\"secure-boot\", \"enrolled-keys\"", "x86_64", TRUE, FALSE, FALSE},
            {"\"secure-boot\", \"enrolled-keys\"", "x86_64", TRUE, TRUE, TRUE},
            {"\"amd-sev\"", "x86_64", FALSE, FALSE, TRUE},
            {"\"amd-sev-snp\"", "x86_64", FALSE, FALSE, FALSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = make_descriptor("/c", "/v", cases[i].features);
        g_autoptr(VmFirmware) firmware = vm_firmware_parse(text, strlen(text), NULL);
        VmFirmwareWish wish = {cases[i].architecture, cases[i].secure_boot, cases[i].enrolled_keys};
        g_assert_cmpint(vm_firmware_suits(firmware, &wish), ==, cases[i].suits);
    }
}

static void write_descriptor(const char *directory, const char *name, const char *code) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *text = make_descriptor(code, code, "\"secure-boot\"");
    g_assert_true(g_file_set_contents(path, code ? text : "", -1, NULL));
}

/* The first directory hides names in the second; names sort; firmware that is not there is passed over. */
static void test_find(void) {
    g_autofree char *first = g_dir_make_tmp(NULL, NULL), *second = g_dir_make_tmp(NULL, NULL);
    g_autofree char *a = g_build_filename(first, "a.fd", NULL), *b = g_build_filename(first, "b.fd", NULL);
    g_assert_true(g_file_set_contents(a, "", 0, NULL) && g_file_set_contents(b, "", 0, NULL));
    write_descriptor(first, "50-x.json", b);
    write_descriptor(first, "40-missing.json", "/does/not/exist");
    write_descriptor(first, "30-hidden.json", NULL);
    write_descriptor(second, "30-hidden.json", a);
    write_descriptor(second, "50-x.json", a);
    write_descriptor(second, "60-y.json", a);

    const char *const directories[] = {first, second, "/does/not/exist", NULL};
    const VmFirmwareWish wish = {"x86_64", TRUE, FALSE}, other = {"x86_64", FALSE, FALSE};
    g_autoptr(GError) error = NULL;
    g_autoptr(VmFirmware) firmware = vm_firmware_find(&wish, directories, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(firmware->code, ==, b);
    g_assert_null(vm_firmware_find(&other, directories, &error));
    g_assert_error(error, VM_FIRMWARE_ERROR, VM_FIRMWARE_ERROR_MISSING);
    g_assert_nonnull(strstr(error->message, "ovmf"));

    g_autofree char *command = g_strdup_printf("rm -r '%s' '%s'", first, second);
    g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vm/firmware/parse", test_parse);
    g_test_add_func("/vm/firmware/broken", test_broken);
    g_test_add_func("/vm/firmware/cut-off", test_cut_off);
    g_test_add_func("/vm/firmware/suits", test_suits);
    g_test_add_func("/vm/firmware/find", test_find);
    return g_test_run();
}
