/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/keys/genkey-report.h"

#include <stdio.h>
#include <string.h>

#include "crypto/sources/pkcs11-uri.h"

#define IMAGES_KEY "mkosi.key"
#define IMAGES_CERTIFICATE "mkosi.crt"
#define MANIFESTS_KEY "mkosi.openpgp.key"
#define MANIFESTS_CERTIFICATE "mkosi.openpgp.crt"

void genkey_item_free(gpointer data) {
    GenkeyItem *item = data;
    g_free(item->key_name);
    g_free(item->certificate_name);
    g_free(item->locator);
    g_free(item);
}

void genkey_report_images(const char *directory, const Certificate *certificate, int days) {
    printf("Made a private key and a certificate for %s, valid for %d days.\n\n", certificate_get_subject(certificate),
            days);
    printf("  %s/%s   the private key: whoever has it can sign images that your machines boot\n", directory,
            IMAGES_KEY);
    printf("  %s/%s   the certificate: SHA-256 %s\n\n", directory, IMAGES_CERTIFICATE,
            certificate_get_fingerprint(certificate));
    printf("Back up both, offline and encrypted: machines that have enrolled this certificate accept\n"
           "updates only from this key, and it cannot be made again. Do not put %s under version\n"
           "control. Make and enrol a new pair before the certificate expires.\n",
            IMAGES_KEY);
}

void genkey_report_openpgp(const char *directory, const OpenpgpKey *key) {
    printf("The OpenPGP key %s signs manifests of updates with OpenPGPTool=builtin.\n\n",
            openpgp_key_get_fingerprint(key));
    printf("  %s/%s    the private key: whoever has it can offer updates to your machines\n", directory, MANIFESTS_KEY);
    printf("  %s/%s    its certificate: name and time of the key\n", directory, MANIFESTS_CERTIFICATE);
    printf("  %s/" GENKEY_KEYRING "   the public key: machines have it as /usr/lib/systemd/" GENKEY_KEYRING "\n\n",
            directory);
    printf("Back up all three, offline and encrypted. Without the certificate the key would be another one for\n"
           "machines. Do not put %s under version control.\n",
            MANIFESTS_KEY);
}

/* A PIN that stood on the command line need not stand on the screen. */
static char *without_pin(const char *locator) {
    return pkcs11_uri_check(locator) ? pkcs11_uri_with(locator, "pin-value", NULL) : g_strdup(locator);
}

static void print_item(const char *directory, const GenkeyItem *item, gboolean request) {
    g_autofree char *key =
            item->locator ? without_pin(item->locator) : g_build_filename(directory, item->key_name, NULL);

    printf("  %s: %s\n", item->use->word,
            item->kept     ? "key and certificate were there, and are kept"
            : item->is_new ? request ? "made the key and a request" : "made the key and a certificate"
            : request      ? "made a request for the key that is there"
                           : "made a certificate for the key that is there");
    printf("      %s\n      %s/%s\n", key, directory, item->certificate_name);
    if (item->use->loss)
        printf("      %s\n", item->use->loss);
}

/* How the recipe names the key; a file in its directory by its name alone. NULL: it finds the key by itself. */
static char *key_setting(const char *directory, const GenkeyItem *item) {
    g_autofree char *locator = without_pin(item->locator ? item->locator : item->key_name);
    gsize length = strlen(directory);
    const char *key = g_str_has_prefix(locator, directory) && locator[length] == '/' ? locator + length + 1 : locator;
    if (item->use->found && g_str_equal(key, item->key_name))
        return NULL;
    g_auto(GStrv) parts = g_strsplit(key, "%", -1);
    return g_strjoinv("%%", parts); /* the recipe expands specifiers */
}

/* The settings that builds need. */
static void append_settings(GString *text, const char *directory, const GenkeyItem *item, const char *source) {
    g_autofree char *key = key_setting(directory, item);

    for (const char *const *name = item->use->settings; *name; name++) {
        if (key)
            g_string_append_printf(text, "    %sKey=%s\n", *name, key);
        if (source)
            g_string_append_printf(text, "    %sKeySource=%s\n", *name, source);
        if (!item->use->found)
            g_string_append_printf(text, "    %sCertificate=%s.crt\n", *name, item->use->stem);
    }
    if (item->use->purpose == GENKEY_FOR_MANIFESTS)
        g_string_append(text, "    OpenPGPTool=builtin\n");
}

static const GenkeyItem *find(GPtrArray *items, const char *word) {
    for (guint i = 0; i < items->len; i++)
        if (g_str_equal(((GenkeyItem *) items->pdata[i])->use->word, word))
            return items->pdata[i];
    return NULL;
}

static void print_request_advice(GPtrArray *items, const char *source) {
    printf("\nSend requests (.csr) to the authority. Put what it answers beside them, with .crt for .csr%s.\n",
            find(items, "verity") ? ", and a\ncopy of that for verity as " GENKEY_DB_VERITY : "");
    const GenkeyItem *manifest = find(items, "manifest");
    if (manifest)
        printf("Then make the key ring for devices: particleos genkey --genkey-openpgp%s\n",
                source || manifest->locator ? "\nwith the same --genkey-source and --genkey-key" : "");
}

void genkey_report_items(const char *directory, GPtrArray *items, const char *source, gboolean requests) {
    g_autoptr(GString) settings = g_string_new(NULL);
    for (guint i = 0; i < items->len; i++) {
        print_item(directory, items->pdata[i], requests);
        append_settings(settings, directory, items->pdata[i], source);
    }
    if (settings->len > 0)
        printf("\nSettings for the recipe (mkosi.conf, or mkosi.local.conf for this machine alone):\n\n"
               "    [Validation]\n%s",
                settings->str);
    if (find(items, "verity") && !requests)
        printf("\n%s/" GENKEY_DB_VERITY " has firmware, and by it the kernel, know the verity key.\n", directory);
    if (requests)
        print_request_advice(items, source);
    if (!source)
        printf("\nBack up the keys, offline and encrypted; they cannot be made again. Do not put them under version\n"
               "control.\n");
    else if (!g_str_has_suffix(source, "tpm2"))
        printf("\nKeys that were made in a token are nowhere else: have a second token, or a backup as its vendor does "
               "it.\n");
    else
        printf("\nOnly the TPM of this machine can use the key files. When it is gone, so are the keys.\n");
}
