/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cli/completion/completion.h"
#include "cli/manual/manual.h"

static char *enumeration_words(const Setting *setting) {
    g_autofree char *words = g_strjoinv(" ", (char **) (setting->cli_words ?: setting->words));
    gboolean booleans = setting->yes && !(setting->flags & SETTING_CLI_EXACT);
    return booleans ? g_strconcat(words, " yes no", NULL) : g_steal_pointer(&words);
}

CompletionKind completion_of_setting(const Setting *setting, char **ret_words) {
    *ret_words = g_strdup("");
    if (setting_id(setting) == SETTING_PROFILES)
        return COMPLETE_PROFILES;
    g_autofree char *words = NULL;
    if (setting->words || setting->cli_words)
        words = enumeration_words(setting);
    else if (setting->type == TYPE_BOOL)
        words = g_strdup("yes no");
    else if (setting->type == TYPE_SIGN)
        words = g_strdup("yes no offline");
    else if (setting->type == TYPE_FEATURE)
        words = g_strdup("auto yes no");
    else if (setting->type == TYPE_SECTOR_SIZE)
        words = g_strdup("512 1024 2048 4096");
    else if (setting->type == TYPE_KEY_SOURCE || setting->type == TYPE_CERTIFICATE_SOURCE)
        words = g_strdup("file engine: provider:");
    if (words) {
        g_free(*ret_words);
        *ret_words = g_steal_pointer(&words);
        return COMPLETE_WORDS;
    }
    switch (setting->type) {
    case TYPE_PATH:
    case TYPE_INCLUDE:
    case TYPE_SCRIPT:
    case TYPE_TREE:
    case TYPE_KEY:
    case TYPE_CERTIFICATE:
    case TYPE_UKI_PROFILE:
    case TYPE_CREDENTIAL:
        return setting->flags & SETTING_DIRECTORY ? COMPLETE_DIRECTORIES : COMPLETE_FILES;
    default:
        return COMPLETE_NOTHING;
    }
}

CompletionKind completion_of_option(const Option *option, const char **ret_words) {
    *ret_words = "";
    if (strcmp(option->name, "directory") == 0)
        return COMPLETE_DIRECTORIES;
    if (option->flags & OPTION_FILE)
        return COMPLETE_FILES;
    if (strcmp(option->name, "genkey-source") == 0) {
        *ret_words = "file engine:pkcs11 provider:pkcs11 provider:tpm2";
        return COMPLETE_WORDS;
    }
    if (strcmp(option->name, "doc-format") == 0) {
        *ret_words = "auto man text markdown roff system";
        return COMPLETE_WORDS;
    }
    return COMPLETE_NOTHING;
}

char *completion_of_verb(const char *verb) {
    if (strcmp(verb, "completion") == 0)
        return g_strdup("bash zsh fish");
    GString *words = g_string_new(NULL);
    if (strcmp(verb, "documentation") == 0) {
        for (const ManualPage *page = manual_pages; page->topic; page++)
            g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", page->topic);
        for (int id = 0; id < _SETTING_MAX; id++)
            g_string_append_printf(words, " %s", settings[id].name);
    }
    return g_string_free(words, FALSE);
}

gboolean completion_of_verb_is_file(const char *verb) {
    return strcmp(verb, "inspect") == 0 || strcmp(verb, "verify") == 0 || strcmp(verb, "burn") == 0 ||
           strcmp(verb, "revoke") == 0 || strcmp(verb, "sign") == 0 || strcmp(verb, "delta") == 0 ||
           strcmp(verb, "attach") == 0;
}

char *completion_escape(const char *text, const char *special) {
    GString *out = g_string_new(NULL);
    for (; *text; text++) {
        if (strchr(special, *text))
            g_string_append_c(out, '\\');
        g_string_append_c(out, *text);
    }
    return g_string_free(out, FALSE);
}
