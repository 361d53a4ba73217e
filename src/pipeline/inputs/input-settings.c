/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/inputs/input-settings.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "events/redact.h"
#include "pipeline/inputs/commits.h"
#include "pipeline/inputs/input-set-private.h"
#include "pipeline/layers/inputs.h"
#include "pipeline/tools-tree.h"
#include "recipe/language/settings.h"
#include "recipe/values/value.h"

/* Trying all words of a language takes days, and this takes no time that anybody notices. */
#define SEAL_ROUNDS 100000
#define SEALED "sealed:"

/* A version that is shorter than this is too likely to be a part of other words. */
#define DISTINCT_VERSION 8

typedef struct {
    const InputSet *set;
    const ImageConfig *config;
    gboolean tools;
    char *version; /* what stands for "%v" everywhere, or NULL */
    gboolean version_counts;
    Value *map;
} Settings;

char *input_settings_seal(const char *name, const char *secret) {
    guint8 key[SHA256_SIZE];
    g_autofree char *salt = g_strconcat("particleos-inputs-1 ", name, NULL);

    if (PKCS5_PBKDF2_HMAC(secret, strlen(secret), (const guint8 *) salt, strlen(salt), SEAL_ROUNDS, EVP_sha256(),
                sizeof key, key) != 1)
        g_error("OpenSSL has no PBKDF2");
    g_autofree char *hex = hex_encode(key, sizeof key);
    return g_strconcat(SEALED, hex, NULL);
}

/* The version that an option says, or a program prints while the recipe is read, is the name of a build and
 * no reason for one. */
static gboolean version_is_input(const ImageConfig *config) {
    const char *origin = recipe_setting_origin(config, "ImageVersion");
    g_autofree char *file = origin ? g_strndup(origin, strcspn(origin, ":")) : NULL;

    return !origin || (!g_str_has_prefix(origin, "--") && !g_file_test(file, G_FILE_TEST_IS_EXECUTABLE));
}

/* Keys do not shape anything: their certificates do. What is for the default initrd and the default tools
 * tree is a setting of those. */
static gboolean is_counted(const Settings *own, const Setting *setting) {
    if (setting->scope == SCOPE_TOOLS || setting->scope == SCOPE_INITRD)
        return FALSE;
    /* A state of the archive is as good as the packages that come from it. */
    if (setting_id(setting) == SETTING_SNAPSHOT)
        return FALSE;
    switch (setting->type) {
    case TYPE_KEY:
    case TYPE_KEY_SOURCE:
        return g_str_has_prefix(setting->name, "SignExpectedPcrFormer");
    case TYPE_CERTIFICATE:
    case TYPE_CERTIFICATE_SOURCE:
        return FALSE;
    default:
        return !own->tools || tools_tree_depends_on(setting->section, setting->name);
    }
}

static char *comparable_text(const Settings *own, const char *name, const char *json) {
    const char *top = own->set->commits ? commits_top(own->set->commits) : NULL;
    GString *text = g_string_new(json);

    g_string_replace(text, "\"%D/", "\"", 0);
    g_string_replace(text, "\"%D\"", "\".\"", 0);
    g_string_replace(text, own->set->resources, "%R", 0);
    if (top && strlen(top) > 1)
        g_string_replace(text, top, "%G", 0);
    if (own->version && !g_str_equal(name, "ImageVersion"))
        g_string_replace(text, own->version, "%v", 0);
    return g_string_free(text, FALSE);
}

static Value *without_secrets(Value *environment) {
    Value *map = value_new_map();

    for (guint i = 0; i < value_length(environment); i++) {
        const char *name = value_key(environment, i);
        Value *value = value_element(environment, i);
        const char *text = value && value_kind(value) == VALUE_STRING ? value_get_string(value) : NULL;
        gboolean address = text && strstr(text, "://") && strchr(text, '@');
        gboolean secret = text && (address || redact_is_secret_name(name));
        g_autofree char *sealed = secret ? input_settings_seal(name, value_get_string(value)) : NULL;
        value_set(map, name, sealed ? value_new_string(sealed) : value_ref(value));
    }
    return map;
}

/* The file's words, not where it is. */
static Value *sealed_file(const char *name, const char *path) {
    g_autofree char *text = NULL, *sealed = NULL;

    if (path && g_file_get_contents(path, &text, NULL, NULL))
        sealed = input_settings_seal(name, text);
    return value_new_string(sealed);
}

static Value *sealed_password(const RecipePassword *password) {
    g_autofree char *sealed =
            password->text ? input_settings_seal(password->hashed ? "hashed" : "plain", password->text) : NULL;
    return value_new_string(sealed);
}

static void visit(const char *name, const char *json, gpointer data) {
    Settings *own = data;
    const Setting *setting = setting_by_name(name);
    g_autofree char *text = NULL;

    if (!setting || !is_counted(own, setting))
        return;
    if (setting_id(setting) == SETTING_ROOT_PASSWORD)
        value_set(own->map, name, sealed_password(&own->config->root_password));
    else if (setting_id(setting) == SETTING_PASSPHRASE)
        value_set(own->map, name, sealed_file(name, own->config->passphrase));
    else if (setting_id(setting) == SETTING_IMAGE_VERSION && !own->version_counts)
        value_set(own->map, name, NULL);
    else {
        text = comparable_text(own, name, json);
        Value *value = value_from_json(text, -1, NULL);
        if (setting->type == TYPE_OCTAL && value && value_kind(value) == VALUE_INT) {
            char *octal = g_strdup_printf("%04" G_GINT64_MODIFIER "o", value_get_int(value));
            value_unref(value);
            value = value_new_string_take(octal);
        }
        if (setting->type == TYPE_ENVIRONMENT && value && value_kind(value) == VALUE_MAP) {
            Value *sealed = without_secrets(value);
            value_unref(value);
            value = sealed;
        }
        value_set(own->map, name, value);
    }
}

Value *input_settings(const InputSet *set, const ImageBuild *image, gboolean tools) {
    const char *version = image->config->image_version;
    Settings own = {.set = set,
            .config = image->config,
            .tools = tools,
            .version_counts = version_is_input(image->config),
            .map = value_new_map()};

    if (version && strlen(version) >= (own.version_counts ? DISTINCT_VERSION : DISTINCT_VERSION / 2))
        own.version = g_strdup(version);
    inputs_each_setting(image, TRUE, visit, &own);
    g_free(own.version);
    return own.map;
}
