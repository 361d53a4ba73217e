/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes what the signer is asked to sign, as a build without keys makes it: for the tests of the whole
 * program.
 *
 *   make-things stub|addon-stub|kernel OUT
 *   make-things uki SPEC.json OUT         without room for a signature of its own
 *   make-things section IN NAME FILE OUT  adds a section
 *   make-things sign IN CERTIFICATE OUT   leaves room for a signature
 *   make-things addon STUB CMDLINE OUT
 *   make-things verity DATA HASH CERTIFICATE OUT    prints the root hash
 *   make-things variable NAME TIME OUT SIGNER CERTIFICATE… */
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "format/efi/pe/authenticode.h"
#include "format/efi/pe/pe-writer.h"
#include "format/efi/uki/uki-addon.h"
#include "format/efi/uki/uki.h"
#include "format/efi/variables/efi-authenticated-variable.h"
#include "format/verity/signature/verity-signature.h"
#include "format/verity/verity.h"
#include "pe-fixture.h"
#include "signing/thing.h"

#define KERNEL_SIZE 20000
#define KERNEL_SEED 7

static void check(gboolean good, GError *error) {
    if (good && !error)
        return;
    fprintf(stderr, "make-things: %s\n", error ? error->message : "failed");
    exit(EXIT_FAILURE);
}

static GBytes *load(const char *path) {
    GError *error = NULL;
    char *data = NULL;
    gsize size = 0;
    check(g_file_get_contents(path, &data, &size, &error), error);
    return g_bytes_new_take(data, size);
}

static void save(const char *path, GBytes *content) {
    GError *error = NULL;
    gsize size;
    const char *data = g_bytes_get_data(content, &size);
    check(g_file_set_contents(path, data, (gssize) size, &error), error);
}

static Certificate *load_certificate(const char *path) {
    GError *error = NULL;
    Certificate *certificate = certificate_load(path, &error);
    check(certificate != NULL, error);
    return certificate;
}

static const char *text(JsonObject *object, const char *name) {
    return json_object_has_member(object, name) ? json_object_get_string_member(object, name) : NULL;
}

static void add_profiles(GPtrArray *profiles, JsonArray *array) {
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *object = json_array_get_object_element(array, i);
        UkiProfile *profile = g_new0(UkiProfile, 1);
        profile->profile = text(object, "profile");
        profile->cmdline = text(object, "cmdline");
        profile->sign_expected_pcr = json_object_get_boolean_member_with_default(object, "sign", TRUE);
        g_ptr_array_add(profiles, profile);
    }
}

static void make_uki(const char *spec_path, const char *out) {
    g_autoptr(JsonParser) parser = json_parser_new();
    GError *error = NULL;
    check(json_parser_load_from_file(parser, spec_path, &error), error);
    JsonObject *object = json_node_get_object(json_parser_get_root(parser));
    g_autoptr(GPtrArray) profiles = g_ptr_array_new_with_free_func(g_free), initrds = g_ptr_array_new();
    g_autoptr(Certificate) certificate = text(object, "pcr") ? load_certificate(text(object, "pcr")) : NULL;
    g_autoptr(KeySource) key = certificate ? signing_key_without_answer(certificate) : NULL;
    g_autoptr(GBytes) stub = load(text(object, "stub")), kernel = load(text(object, "linux"));

    if (json_object_has_member(object, "profiles"))
        add_profiles(profiles, json_object_get_array_member(object, "profiles"));
    if (text(object, "initrd"))
        g_ptr_array_add(initrds, load(text(object, "initrd")));
    UkiSpec spec = {
            .stub = stub,
            .linux_image = kernel,
            .initrds = initrds->len > 0 ? initrds : NULL,
            .cmdline = text(object, "cmdline"),
            .os_release = text(object, "osrel"),
            .uname = text(object, "uname"),
            .sbat = text(object, "sbat"),
            .profiles = profiles->len > 0 ? profiles : NULL,
            .pcr_key = key,
            .base_sign_expected_pcr = TRUE,
            .pcr = {.initrd_policy = json_object_get_boolean_member_with_default(object, "initrdPolicy", FALSE),
                    .config_policies = json_object_get_boolean_member_with_default(object, "configPolicies", FALSE)},
    };
    g_autoptr(GBytes) uki = uki_build(&spec, NULL, &error);
    check(uki != NULL, error);
    save(out, uki);
}

static void add_section(const char *in, const char *name, const char *file, const char *out) {
    GError *error = NULL;
    g_autoptr(GBytes) image = load(in), content = load(file);
    g_autoptr(PeWriter) writer = pe_writer_new(image, &error);
    check(writer && pe_writer_add(writer, name, PE_SCN_CNT_INITIALIZED_DATA | PE_SCN_MEM_READ, content, &error), error);
    g_autoptr(GBytes) made = pe_writer_finish(writer, &error);
    check(made != NULL, error);
    save(out, made);
}

static void leave_room(const char *in, const char *certificate_path, const char *out) {
    GError *error = NULL;
    g_autoptr(GBytes) image = load(in);
    g_autoptr(Certificate) certificate = load_certificate(certificate_path);
    g_autoptr(KeySource) key = signing_key_without_answer(certificate);
    g_autoptr(GBytes) made = authenticode_sign(image, key, certificate, AUTHENTICODE_APPEND, &error);
    check(made != NULL, error);
    save(out, made);
}

/* Those of systemd have no .sbat. The last section of the other stub, with another name. */
static GBytes *make_addon_stub(void) {
    g_autoptr(GBytes) stub = pe_fixture_stub();
    gsize size;
    const char *data = g_bytes_get_data(stub, &size);
    char *copy = g_memdup2(data, size);
    char *name = memmem(copy, size, ".sbat", 5);
    check(name != NULL, NULL);
    memcpy(name, ".sdmagic", 8);
    return g_bytes_new_take(copy, size);
}

static void make_addon(const char *stub_path, const char *cmdline, const char *out) {
    GError *error = NULL;
    g_autoptr(GBytes) stub = load(stub_path);
    UkiAddonSpec spec = {.stub = stub, .cmdline = cmdline};
    g_autoptr(GBytes) addon = uki_addon_build(&spec, &error);
    check(addon != NULL, error);
    save(out, addon);
}

static void make_verity(const char *data, const char *hash, const char *certificate_path, const char *out) {
    static const guint8 salt[32] = {1, 2, 3}, uuid[16] = {4, 5, 6};
    GError *error = NULL;
    AUTO_FD data_fd = open(data, O_RDONLY | O_CLOEXEC);
    AUTO_FD hash_fd = open(hash, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    guint64 size = (guint64) lseek(data_fd, 0, SEEK_END);
    guint8 root_hash[VERITY_DIGEST_SIZE];
    g_autoptr(VerityTree) tree = verity_hash_fd(data_fd, 0, size, salt, sizeof salt, 1, &error);
    check(tree && verity_tree_write(tree, size / VERITY_BLOCK_SIZE, hash_fd, 0, uuid, root_hash, NULL, &error), error);
    g_autoptr(Certificate) certificate = load_certificate(certificate_path);
    g_autoptr(KeySource) key = signing_key_without_answer(certificate);
    g_autoptr(GBytes) signature = verity_signature_sign(root_hash, sizeof root_hash, key, certificate, &error);
    g_autoptr(GBytes) partition =
            signature ? verity_signature_partition_build(root_hash, sizeof root_hash, signature, certificate, &error)
                      : NULL;
    check(partition != NULL, error);
    save(out, partition);
    g_autofree char *hex = hex_encode(root_hash, sizeof root_hash);
    puts(hex);
}

static void make_variable(const char *name, const char *when, const char *out, const char *signer, char **paths) {
    GError *error = NULL;
    g_autoptr(GPtrArray) certificates = g_ptr_array_new();
    g_autoptr(Certificate) certificate = load_certificate(signer);
    g_autoptr(KeySource) key = signing_key_without_answer(certificate);
    for (char **path = paths; *path; path++)
        g_ptr_array_add(certificates, load_certificate(*path));
    g_autoptr(GBytes) made =
            efi_enrolment_variable_build(name, g_ascii_strtoll(when, NULL, 10), certificates, key, certificate, &error);
    check(made != NULL, error);
    save(out, made);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "stub") == 0 && argc == 3) {
        g_autoptr(GBytes) stub = pe_fixture_stub();
        save(argv[2], stub);
    } else if (strcmp(what, "addon-stub") == 0 && argc == 3) {
        g_autoptr(GBytes) stub = make_addon_stub();
        save(argv[2], stub);
    } else if (strcmp(what, "kernel") == 0 && argc == 3) {
        g_autoptr(GBytes) kernel = pe_fixture_kernel(KERNEL_SIZE, KERNEL_SEED);
        save(argv[2], kernel);
    } else if (strcmp(what, "uki") == 0 && argc == 4)
        make_uki(argv[2], argv[3]);
    else if (strcmp(what, "section") == 0 && argc == 6)
        add_section(argv[2], argv[3], argv[4], argv[5]);
    else if (strcmp(what, "sign") == 0 && argc == 5)
        leave_room(argv[2], argv[3], argv[4]);
    else if (strcmp(what, "addon") == 0 && argc == 5)
        make_addon(argv[2], argv[3], argv[4]);
    else if (strcmp(what, "verity") == 0 && argc == 6)
        make_verity(argv[2], argv[3], argv[4], argv[5]);
    else if (strcmp(what, "variable") == 0 && argc > 6)
        make_variable(argv[2], argv[3], argv[4], argv[5], argv + 6);
    else
        check(FALSE, NULL);
    return EXIT_SUCCESS;
}
