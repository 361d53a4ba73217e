/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "format/efi/variables/efi-authenticated-variable.h"
#include "inspect/verdict/inspect-internal.h"

/* The firmware keys that the boot loader enrols: PK vouches for itself and for KEK, KEK for db, db for what
 * is booted. */

typedef struct {
    EfiAuthenticatedVariable *variable;
    GPtrArray *certificates; /* of Certificate */
    GError *error;           /* why it could not be read; neither: it is not there */
} KeyVariable;

static void key_variable_clear(KeyVariable *key) {
    g_clear_pointer(&key->variable, efi_authenticated_variable_free);
    g_clear_pointer(&key->certificates, g_ptr_array_unref);
    g_clear_error(&key->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(KeyVariable, key_variable_clear)

static GPtrArray *get_certificates(const EfiAuthenticatedVariable *variable, GError **error) {
    g_autoptr(GPtrArray) signatures = efi_signature_list_parse(
            g_bytes_get_data(variable->payload, NULL), g_bytes_get_size(variable->payload), error);
    return signatures ? efi_signature_list_get_certificates(signatures, error) : NULL;
}

static void key_variable_read(
        KeyVariable *key, const InspectEsp *esp, const char *directory, const char *name) {
    g_autofree char *path = g_strdup_printf("%s/%s.auth", directory, name);
    g_autoptr(FatEntry) entry = fat_reader_find(esp->fat, path, &key->error);
    g_autoptr(GBytes) content = entry ? fat_reader_read(esp->fat, entry, &key->error) : NULL;
    if (!content)
        return;
    key->variable = efi_authenticated_variable_parse(
            g_bytes_get_data(content, NULL), g_bytes_get_size(content), &key->error);
    if (key->variable)
        key->certificates = get_certificates(key->variable, &key->error);
}

static void collect_set(InspectContext *context, const InspectEsp *esp, const char *directory) {
    static const char *const names[] = {"db", "KEK", "PK"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_auto(KeyVariable) key = {NULL};
        key_variable_read(&key, esp, directory, names[i]);
        if (i == 0 && key.variable && !context->db)
            context->db = g_ptr_array_new_with_free_func((GDestroyNotify) certificate_unref);
        for (guint j = 0; key.certificates && j < key.certificates->len; j++) {
            Certificate *certificate = key.certificates->pdata[j];
            inspect_add_known(context, certificate);
            if (i == 0 && !inspect_has_certificate(context->db, certificate))
                g_ptr_array_add(context->db, certificate_ref(certificate));
        }
    }
}

/* Each directory below loader/keys is a set of keys. */
static GPtrArray *list_sets(const InspectEsp *esp, GError **error) {
    g_autoptr(GPtrArray) entries = fat_reader_list(esp->fat, "loader/keys", error);
    if (!entries)
        return NULL;
    GPtrArray *sets = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < entries->len; i++) {
        const FatEntry *entry = entries->pdata[i];
        if (entry->is_directory)
            g_ptr_array_add(sets, g_strdup_printf("loader/keys/%s", entry->name));
    }
    return sets;
}

void inspect_enrolment_collect(InspectContext *context, const InspectEsp *esp) {
    g_autoptr(GPtrArray) sets = list_sets(esp, NULL);
    for (guint i = 0; sets && i < sets->len; i++)
        collect_set(context, esp, sets->pdata[i]);
}

/* The list of what is revoked need not be there; if it is, firmware must take it. */
static void check_revocations(InspectContext *context, const InspectEsp *esp, InspectNode *node,
        const char *directory, GPtrArray *vouchers) {
    g_auto(KeyVariable) dbx = {NULL};
    key_variable_read(&dbx, esp, directory, "dbx");
    if (!dbx.variable && !dbx.error)
        return;
    g_autofree char *title = g_strdup_printf("%s/dbx.auth", directory);
    InspectNode *link = inspect_node_add(node, "enrolment", title);
    g_autoptr(Certificate) signer = NULL;
    g_autoptr(GError) error = NULL;
    if (dbx.error)
        inspect_node_set_error(link, dbx.error);
    else if (!efi_authenticated_variable_verify(dbx.variable, "dbx", EFI_UPDATE_REPLACE, &signer, &error))
        inspect_node_set_error(link, error);
    else if (!inspect_has_certificate(vouchers, signer) ||
             (context->options->certificate && !certificate_equal(context->options->certificate, signer)))
        inspect_node_set(link, INSPECT_BROKEN, "signed by %s, which has no authority over dbx",
                certificate_get_description(signer));
    else
        inspect_node_set(link, INSPECT_OK, "signed by %s", certificate_get_description(signer));
}

/* The kernel gets its certificate for root hashes from db, too. */
static gboolean may_be_trusted(const InspectOptions *options, const char *variable, const Certificate *certificate) {
    if (certificate_equal(options->certificate, certificate))
        return TRUE;
    if (g_str_equal(variable, "db") && options->root_hash_certificate &&
            certificate_equal(options->root_hash_certificate, certificate))
        return TRUE;
    return !g_str_equal(variable, "PK") && inspect_has_certificate(options->others, certificate);
}

/* With a pinned certificate no other may start anything but those that the caller knows. */
static const Certificate *find_stranger(const InspectContext *context, const char *variable, const KeyVariable *key) {
    for (guint i = 0; context->options->certificate && i < key->certificates->len; i++)
        if (!may_be_trusted(context->options, variable, key->certificates->pdata[i]))
            return key->certificates->pdata[i];
    return NULL;
}

/* Digests in db let programs start that nobody signed. */
static gboolean has_other_entries(const KeyVariable *key) {
    g_autoptr(GPtrArray) signatures = efi_signature_list_parse(
            g_bytes_get_data(key->variable->payload, NULL), g_bytes_get_size(key->variable->payload), NULL);
    return !signatures || signatures->len != key->certificates->len;
}

/* Checks that the variable is well-formed, signed by one of VOUCHERS, and by the pinned certificate. */
static void check_variable(InspectContext *context, InspectNode *node, const char *directory,
        const char *name, const KeyVariable *key, GPtrArray *vouchers) {
    g_autofree char *title = g_strdup_printf("%s/%s.auth", directory, name);
    InspectNode *link = inspect_node_add(node, name, title);
    if (key->error) {
        inspect_node_set_error(link, key->error);
        return;
    }
    if (!key->variable) {
        inspect_node_set(link, INSPECT_BROKEN, "not there; without it nothing is enrolled");
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(Certificate) signer = NULL;
    if (!efi_authenticated_variable_verify(key->variable, name, EFI_UPDATE_REPLACE, &signer, &error)) {
        inspect_node_set_error(link, error);
        return;
    }
    inspect_node_add_signer(link, signer);
    const Certificate *pinned = context->options->certificate;
    if (!inspect_has_certificate(vouchers, signer))
        inspect_node_set(link, INSPECT_BROKEN, "signed by %s, which has no authority over %s",
                certificate_get_description(signer), name);
    else if (pinned && !certificate_equal(pinned, signer))
        inspect_node_set(link, INSPECT_BROKEN, "signed by %s, not by %s",
                certificate_get_description(signer), certificate_get_description(pinned));
    else if (key->certificates->len == 0)
        inspect_node_set(link, INSPECT_BROKEN, "holds no certificate");
    else if (has_other_entries(key))
        inspect_node_set(link, INSPECT_BROKEN, "holds something that is no certificate");
    else if (find_stranger(context, name, key))
        inspect_node_set(link, INSPECT_BROKEN, "also trusts %s",
                certificate_get_description(find_stranger(context, name, key)));
    else {
        GString *subjects = g_string_new(NULL);
        for (guint i = 0; i < key->certificates->len; i++)
            g_string_append_printf(subjects, "%s%s", i > 0 ? "; " : "",
                    certificate_get_subject(key->certificates->pdata[i]));
        inspect_node_set(link, INSPECT_OK, "holds %s", subjects->str);
        g_string_free(subjects, TRUE);
    }
}

static void check_platform_key_is_ca(InspectNode *node, const KeyVariable *pk) {
    if (!pk->certificates || pk->certificates->len == 0 || certificate_is_ca(pk->certificates->pdata[0]))
        return;
    InspectNode *link = inspect_node_add(node, "platform-key", "platform key");
    inspect_node_set(link, INSPECT_MISSING,
            "its certificate lacks CA:TRUE, so some firmware refuses it (OVMF 2022.11); make a new one with "
            "'particleos genkey'");
}

static void check_set(
        InspectContext *context, const InspectEsp *esp, InspectNode *node, const char *directory) {
    g_auto(KeyVariable) pk = {NULL};
    g_auto(KeyVariable) kek = {NULL};
    g_auto(KeyVariable) db = {NULL};
    key_variable_read(&pk, esp, directory, "PK");
    key_variable_read(&kek, esp, directory, "KEK");
    key_variable_read(&db, esp, directory, "db");
    check_variable(context, node, directory, "PK", &pk, pk.certificates);
    check_variable(context, node, directory, "KEK", &kek, pk.certificates);
    check_variable(context, node, directory, "db", &db, kek.certificates);
    check_revocations(context, esp, node, directory, kek.certificates);
    check_platform_key_is_ca(node, &pk);
}

void inspect_enrolment_check(InspectContext *context, const InspectEsp *esp, InspectNode *node) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) sets = list_sets(esp, &error);
    if (!sets) {
        inspect_node_set_error(node, error);
        return;
    }
    for (guint i = 0; i < sets->len; i++)
        check_set(context, esp, node, sets->pdata[i]);
    if (sets->len == 0 && node->children->len == 0)
        inspect_node_set(node, INSPECT_NOT_APPLICABLE, "this image enrols no keys");
}
