/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/result/secrets.h"

#include <string.h>
#include <sys/stat.h>

#include "recipe/values/split.h"
#include "events/redact.h"

#define LARGEST_FILE (64 * 1024)

/* What systemd asks at the first start is no secret, and made of ordinary words. */
static gboolean is_public_credential(const char *name) {
    return g_str_has_prefix(name, "firstboot.") || g_str_has_prefix(name, "agetty.");
}

/* "NAME=VALUE" of a setting, or of a file with variables. */
static void note_pair(const char *text, gboolean credential) {
    g_auto(GStrv) pair = g_strsplit(text, "=", 2);
    const char *value = pair[0] ? pair[1] : NULL;

    if (!value && pair[0] && !credential)
        value = g_getenv(pair[0]);
    if (value && (credential ? !is_public_credential(pair[0]) : redact_is_secret_name(g_strstrip(pair[0]))))
        redact_secret(value);
}

void secrets_note_setting(const Setting *setting, const char *text) {
    gboolean credential = setting->type == TYPE_CREDENTIAL;

    if (setting_id(setting) == SETTING_ROOT_PASSWORD)
        redact_secret(g_str_has_prefix(text, "hashed:") ? text + strlen("hashed:") : text);
    if (strstr(text, "://") && strchr(text, '@'))
        redact_addresses(text);
    if (!credential && setting->type != TYPE_ENVIRONMENT)
        return;
    g_auto(GStrv) words = split_value(text, setting->split, NULL);
    for (char **word = words; word && *word; word++)
        note_pair(*word, credential);
}

static char *read_small(const char *path) {
    struct stat info;
    char *text = NULL;

    if (path && stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= LARGEST_FILE)
        (void) g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static void note_file(const char *path) {
    g_autofree char *text = read_small(path);

    if (text)
        redact_secret(text);
}

static void note_variables(const char *path) {
    g_autofree char *text = read_small(path);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

    for (char **line = lines; *line; line++)
        note_pair(g_strstrip(*line), FALSE);
}

static void note_credential(const RecipeCredential *credential) {
    if (is_public_credential(credential->name))
        return;
    if (credential->path)
        note_file(credential->path);
    else if (credential->value)
        redact_secret(credential->value);
}

void secrets_note_image(const ImageConfig *config) {
    if (config->root_password.text)
        redact_secret(config->root_password.text);
    note_file(config->passphrase);
    for (RecipeCredential **credential = config->credentials; credential && *credential; credential++)
        note_credential(*credential);
    for (char **file = config->environment_files; file && *file; file++)
        note_variables(*file);
    for (char **variable = config->environment; variable && *variable; variable++)
        note_pair(*variable, FALSE);
    if (config->proxy_url)
        redact_addresses(config->proxy_url);
}
