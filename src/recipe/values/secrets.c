/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/values/secrets.h"

#include <string.h>

#include "events/redact.h"
#include "recipe/values/split.h"

gboolean secrets_is_public_credential(const char *name) {
    return g_str_has_prefix(name, "firstboot.") || g_str_has_prefix(name, "agetty.");
}

void secrets_note_pair(const char *text, gboolean credential) {
    g_auto(GStrv) pair = g_strsplit(text, "=", 2);
    const char *value = pair[0] ? pair[1] : NULL;

    if (!value && pair[0] && !credential)
        value = g_getenv(pair[0]);
    if (value && (credential ? !secrets_is_public_credential(pair[0]) : redact_is_secret_name(g_strstrip(pair[0]))))
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
        secrets_note_pair(*word, credential);
}
