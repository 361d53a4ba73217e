/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reference of the settings: explanations from the manual, facts from the table. */
#include "cli/manual/manual-settings.h"

#include <string.h>

#include "recipe/result/recipe.h"
#include "recipe/language/settings.h"

/* What one element of the value is. */
static char *describe_element(const Setting *setting) {
    static const char *const texts[] = {
            [TYPE_BOOL] = "yes or no",
            [TYPE_SIGN] = "yes, no or offline",
            [TYPE_FEATURE] = "auto, yes or no",
            [TYPE_INT] = "a number",
            [TYPE_UNSIGNED] = "a number, 0 or more",
            [TYPE_SECTOR_SIZE] = "512, 1024, 2048 or 4096",
            [TYPE_VSOCK_CID] = "auto, hash, or a number from 3",
            [TYPE_OCTAL] = "an octal mode",
            [TYPE_BYTES] = "a size, with the suffix K, M or G if wanted",
            [TYPE_UUID] = "a UUID, or random",
            [TYPE_STRING] = "text",
            [TYPE_NAME] = "a name without slash",
            [TYPE_FILE_NAME] = "a file name without slash",
            [TYPE_PATH] = "a path",
            [TYPE_INCLUDE] = "a path, or the name of a built-in configuration",
            [TYPE_SCRIPT] = "a path or glob of scripts",
            [TYPE_TREE] = "SOURCE[:TARGET]",
            [TYPE_REGEX] = "a regular expression",
            [TYPE_KEY] = "a path or a URI",
            [TYPE_CERTIFICATE] = "a path or a URI",
            [TYPE_KEY_SOURCE] = "file, engine:NAME or provider:NAME",
            [TYPE_CERTIFICATE_SOURCE] = "file, engine:NAME or provider:NAME",
            [TYPE_PASSWORD] = "a password, or hashed:HASH",
            [TYPE_MINIMUM_VERSION] = "a version",
            [TYPE_UKI_PROFILE] = "a path of a file with a [UKIProfile] section",
            [TYPE_DRIVE] = "ID:SIZE[:DIRECTORY[:OPTIONS[:FILE-ID[:FLAGS]]]]",
            [TYPE_CREDENTIAL] = "NAME=VALUE, or one path",
            [TYPE_KEY_VALUE] = "KEY=VALUE",
            [TYPE_ENVIRONMENT] = "NAME=VALUE or NAME",
    };
    if (!setting->words)
        return g_strdup(texts[setting->type] ?: "text");
    g_autofree char *words = g_strjoinv(", ", (char **) setting->words);
    return setting->yes ? g_strdup_printf("one of %s; yes is %s, no is %s", words, setting->yes, setting->no)
                        : g_strdup_printf("one of %s", words);
}

static char *describe_value(const Setting *setting) {
    static const char *const separators[] = {
            [SPLIT_WORDS] = "separated by blanks or commas",
            [SPLIT_LINES] = "separated by blanks or line ends",
            [SPLIT_SHELL] = "separated by blanks or line ends, with quotes as in a shell",
    };
    g_autofree char *element = describe_element(setting);
    if (setting->shape == SHAPE_SCALAR)
        return g_steal_pointer(&element);
    return g_strdup_printf("a list, each %s; %s", element, separators[setting->split]);
}

static const char *describe_scope(const Setting *setting) {
    static const char *const texts[] = {
            [SCOPE_LOCAL] = "any image",
            [SCOPE_UNIVERSAL] = "one value for all",
            [SCOPE_MULTIVERSAL] = "one value for all, the tools tree too",
            [SCOPE_INHERIT] = "inherited",
            [SCOPE_INITRD_INHERIT] = "inherited by the default initrd",
            [SCOPE_MAIN] = "main image",
            [SCOPE_TOOLS] = "main image, for the tools tree",
            [SCOPE_INITRD] = "main image, for the default initrd",
    };
    return texts[setting->scope];
}

static const char *describe_match(const Setting *setting) {
    static const char *const texts[] = {
            [MATCH_ENUM] = "equal word",
            [MATCH_ARCHITECTURE] = "equal word, or uefi for all that have UEFI",
            [MATCH_FEATURE] = "equal after reading it as auto, yes or no",
            [MATCH_STRING] = "equal text",
            [MATCH_GLOB] = "glob",
            [MATCH_VERSION] = "version, with an operator if wanted",
            [MATCH_LIST] = "is in the list",
            [MATCH_MAP] = "NAME or NAME=VALUE is in the list",
            [MATCH_TARGETS] = "is the target of an entry",
    };
    return texts[setting->match];
}

/* The facts about a setting, as one paragraph of a definition. */
static void append_facts(GString *out, const Setting *setting) {
    g_autofree char *value = describe_value(setting);
    g_string_append_printf(out, "\n    *Option:* `--%s`", setting->option);
    if (setting->letter)
        g_string_append_printf(out, ", `-%c`", setting->letter);
    if (setting->old_option)
        g_string_append_printf(out, ", older `--%s`", setting->old_option);
    g_string_append_printf(out, ". *Value:* %s. *Default:* ", value);
    if (setting->flags & SETTING_COMPUTED)
        g_string_append(out, "computed");
    else if (setting->default_text)
        g_string_append_printf(out, "`%s`", setting->default_text);
    else
        g_string_append(out, "none");
    g_string_append_printf(out, ". *Set by:* %s.", describe_scope(setting));
    if (setting->files) {
        g_autofree char *files = g_strjoinv("`, `", (char **) setting->files);
        g_string_append_printf(out, " *Files:* `%s`.", files);
    }
    if (setting->specifier)
        g_string_append_printf(out, " *Specifier:* `%%%c`.", setting->specifier);
    if (setting->match != MATCH_NONE)
        g_string_append_printf(out, " *In conditions:* %s.", describe_match(setting));
    if (setting->old_name)
        g_string_append_printf(out, " *Older name:* `%s=`.", setting->old_name);
    if (setting->flags & SETTING_NOT_IMPLEMENTED)
        g_string_append(out, " This version refuses to build images that set it.");
    g_string_append_c(out, '\n');
}

/* Explanations by name of the setting, from definitions like "Name=\n:   text\n". */
static GHashTable *read_explanations(const char *source) {
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(source, "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        gsize length = strlen(lines[i]);
        if (length < 2 || lines[i][length - 1] != '=' || !lines[i + 1] || !g_str_has_prefix(lines[i + 1], ":   "))
            continue;
        GString *text = g_string_new(NULL);
        guint n = i + 1;
        for (; lines[n] && (n == i + 1 || g_str_has_prefix(lines[n], "    ")); n++)
            g_string_append_printf(text, "%s\n", lines[n]);
        g_hash_table_insert(table, g_strndup(lines[i], length - 1), g_string_free(text, FALSE));
    }
    return table;
}

static gboolean append_setting(GString *out, GHashTable *explanations, const Setting *setting, GError **error) {
    const char *text = g_hash_table_lookup(explanations, setting->name);
    if (!text) {
        g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING,
                "The manual does not explain the setting %s=; add it to docs/man/particleos-settings.5.md",
                setting->name);
        return FALSE;
    }
    g_string_append_printf(out, "`%s=`\n%s", setting->name, text);
    append_facts(out, setting);
    g_string_append_c(out, '\n');
    return TRUE;
}

char *manual_complete_settings(const char *source, GError **error) {
    static const char heading[] = "## SETTINGS\n", after[] = "## SEE ALSO\n";
    const char *begin = strstr(source, heading), *end = strstr(source, after);
    g_return_val_if_fail(begin && end, NULL);
    g_autoptr(GHashTable) explanations = read_explanations(source);
    g_autoptr(GString) out = g_string_new_len(source, begin - source);
    const char *section = NULL;
    for (int id = 0; id < _SETTING_MAX; id++) {
        if (g_strcmp0(section, settings[id].section) != 0) {
            section = settings[id].section;
            g_string_append_printf(out, "## [%s]\n\n", section);
        }
        if (!append_setting(out, explanations, &settings[id], error))
            return NULL;
    }
    g_string_append(out, end);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *manual_explain_setting(const char *source, const char *name) {
    g_autoptr(GHashTable) explanations = read_explanations(source);
    for (int id = 0; id < _SETTING_MAX; id++)
        if (g_ascii_strcasecmp(settings[id].name, name) == 0) {
            GString *out = g_string_new(NULL);
            g_string_append_printf(out, "## [%s]\n\n", settings[id].section);
            append_setting(out, explanations, &settings[id], NULL);
            return g_string_free(out, FALSE);
        }
    return NULL;
}
