/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/host/credentials.h"

#include <string.h>

#include "crypto/certificates/ssh-key.h"
#include "recipe/result/recipe.h"
#include "vm/host/host.h"

#define ZONES "/usr/share/zoneinfo/"
#define AUTHORIZED_KEYS "ssh.authorized_keys.root"

static void credential_free(gpointer data) {
    VmCredential *credential = data;
    g_free(credential->name);
    g_bytes_unref(credential->value);
    g_free(credential);
}

GPtrArray *vm_credentials_new(void) {
    return g_ptr_array_new_with_free_func(credential_free);
}

static gboolean is_valid_name(const char *name) {
    return *name && !strpbrk(name, "/=") && g_str_is_ascii(name) && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

const VmCredential *vm_credentials_find(const GPtrArray *credentials, const char *name) {
    for (guint i = 0; i < credentials->len; i++) {
        const VmCredential *credential = credentials->pdata[i];
        if (strcmp(credential->name, name) == 0)
            return credential;
    }
    return NULL;
}

gboolean vm_credentials_set(
        GPtrArray *credentials, const char *name, const void *value, gsize length, GError **error) {
    if (!is_valid_name(name)) {
        g_set_error(error, VM_ERROR, VM_ERROR_UNSUPPORTED, "'%s' is not the name of a credential", name);
        return FALSE;
    }
    VmCredential *credential = (VmCredential *) vm_credentials_find(credentials, name);
    if (!credential) {
        credential = g_new0(VmCredential, 1);
        credential->name = g_strdup(name);
        g_ptr_array_add(credentials, credential);
    }
    g_clear_pointer(&credential->value, g_bytes_unref);
    credential->value = g_bytes_new(value, length);
    return TRUE;
}

static gboolean set_text(GPtrArray *credentials, const char *name, const char *text, GError **error) {
    return vm_credentials_set(credentials, name, text, strlen(text), error);
}

static gboolean add_from_recipe(GPtrArray *credentials, const RecipeCredential *credential, GError **error) {
    g_autofree char *content = NULL;
    gsize length;
    if (!credential->path)
        return set_text(credentials, credential->name, credential->value, error);
    if (!g_file_get_contents(credential->path, &content, &length, error)) {
        g_prefix_error(error, "Cannot read the credential %s: ", credential->name);
        return FALSE;
    }
    return vm_credentials_set(credentials, credential->name, content, length, error);
}

/* A later one takes the place of an earlier one of the same kind; a value and a file of one name are a mistake,
 * because nobody sees which of them is passed on. */
static gboolean check_kinds(const ImageConfig *config, GError **error) {
    for (RecipeCredential *const *second = config->credentials; *second; second++)
        for (RecipeCredential *const *first = config->credentials; first < second; first++) {
            const char *path = (*first)->path ? (*first)->path : (*second)->path;
            const char *origin = recipe_setting_origin(config, "Credentials");
            if (strcmp((*first)->name, (*second)->name) != 0 || !(*first)->path == !(*second)->path)
                continue;
            g_set_error(error, VM_ERROR, VM_ERROR_UNSUPPORTED,
                    "%s%sCredentials=: there are two credentials %s, a value and the file %s; remove one",
                    origin ? origin : "", origin ? ": " : "", (*first)->name, path);
            return FALSE;
        }
    return TRUE;
}

/* /etc/localtime leads to a file named after the zone (localtime(5)). */
static char *host_time_zone(void) {
    g_autofree char *target = g_file_read_link("/etc/localtime", NULL);
    const char *zone = target ? strstr(target, ZONES) : NULL;
    return g_strdup(zone ? zone + strlen(ZONES) : "UTC");
}

static gboolean add_ssh_key(GPtrArray *credentials, const ImageConfig *config, GError **error) {
    if (vm_credentials_find(credentials, AUTHORIZED_KEYS))
        return TRUE;
    if (!config->ssh_certificate) {
        if (config->ssh != SSH_ALWAYS && config->ssh != SSH_RUNTIME)
            return TRUE;
        g_set_error(error, VM_ERROR, VM_ERROR_MISSING,
                "Ssh=%s, but there is no certificate whose key could log in: make one with 'genkey', or "
                "name it with SshCertificate=",
                ssh_to_string(config->ssh));
        return FALSE;
    }
    g_autoptr(Certificate) certificate = certificate_load(config->ssh_certificate, error);
    g_autofree char *key = certificate ? certificate_to_ssh_key(certificate, error) : NULL;
    return key && set_text(credentials, AUTHORIZED_KEYS, key, error);
}

GPtrArray *vm_credentials_collect(const ImageConfig *config, GError **error) {
    g_autoptr(GPtrArray) credentials = vm_credentials_new();
    if (!check_kinds(config, error) || !set_text(credentials, "firstboot.locale", "C.UTF-8", error))
        return NULL;
    for (RecipeCredential *const *credential = config->credentials; *credential; credential++)
        if (!add_from_recipe(credentials, *credential, error))
            return NULL;
    g_autofree char *zone = host_time_zone();
    if (!vm_credentials_find(credentials, "firstboot.timezone") &&
            !set_text(credentials, "firstboot.timezone", zone, error))
        return NULL;
    if (!add_ssh_key(credentials, config, error))
        return NULL;
    return g_steal_pointer(&credentials);
}

gboolean vm_credentials_write(const GPtrArray *credentials, const char *directory, GError **error) {
    for (guint i = 0; i < credentials->len; i++) {
        const VmCredential *credential = credentials->pdata[i];
        g_autofree char *path = g_build_filename(directory, credential->name, NULL);
        gsize length;
        const char *data = g_bytes_get_data(credential->value, &length);
        if (!g_file_set_contents_full(path, data ? data : "", length, G_FILE_SET_CONTENTS_NONE, 0600, error))
            return FALSE;
    }
    return TRUE;
}
