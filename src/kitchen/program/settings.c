/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/program/settings.h"

#include <gio/gio.h>
#include <stddef.h>
#include <string.h>

#define SLOTS_MAX 256

G_DEFINE_QUARK(kitchen - config - error - quark, kitchen_config_error)

typedef enum {
    TYPE_TEXT,
    TYPE_PATH,  /* absolute */
    TYPE_URL,   /* http or https */
    TYPE_WORDS, /* with spaces between; repeated lines add */
    TYPE_PATHS,
    TYPE_BOOLEAN,
    TYPE_COUNT,
    TYPE_EXECUTOR,
} Type;

typedef struct {
    const char *section, *key;
    Type type;
    gsize offset;
} Setting;

#define FIELD(name) offsetof(KitchenConfig, name)

static const Setting settings[] = {
        {"Web", "Listen", TYPE_TEXT, FIELD(listen)},
        {"Web", "BaseURL", TYPE_URL, FIELD(base_url)},
        {"Web", "Host", TYPE_WORDS, FIELD(hosts)},
        {"Web", "Development", TYPE_BOOLEAN, FIELD(development)},
        {"Database", "Path", TYPE_PATH, FIELD(database)},
        {"Store", "Directory", TYPE_PATH, FIELD(store)},
        {"Store", "CredentialKey", TYPE_PATH, FIELD(key)},
        {"Executor", "Kind", TYPE_EXECUTOR, FIELD(executor)},
        {"Executor", "Slots", TYPE_COUNT, FIELD(slots)},
        {"Executor", "Workers", TYPE_PATH, FIELD(workers)},
        {"Executor", "Builder", TYPE_PATH, FIELD(builder)},
        {"Executor", "PackageCache", TYPE_PATH, FIELD(package_cache)},
        {"Publish", "BaseURL", TYPE_URL, FIELD(publish_url)},
        {"Publish", "Directory", TYPE_PATH, FIELD(publish)},
        {"Publish", "Signer", TYPE_PATH, FIELD(signer)},
        {"Git", "LocalRoots", TYPE_PATHS, FIELD(local_roots)},
        {"Git", "Networks", TYPE_WORDS, FIELD(git_networks)},
        {"Git", "CertificateAuthorities", TYPE_PATH, FIELD(git_authorities)},
};

/* Where a line is, for errors. */
typedef struct {
    const char *file;
    guint line;
} Place;

static gboolean wrong(const Place *place, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);
static gboolean wrong(const Place *place, GError **error, const char *format, ...) {
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, KITCHEN_CONFIG_ERROR, 0, "%s:%u: %s", place->file, place->line, text);
    return FALSE;
}

static gboolean is_url(const char *value) {
    g_autoptr(GUri) uri = g_uri_parse(value, G_URI_FLAGS_NONE, NULL);

    return uri && (strcmp(g_uri_get_scheme(uri), "http") == 0 || strcmp(g_uri_get_scheme(uri), "https") == 0) &&
           g_uri_get_host(uri) && g_uri_get_host(uri)[0] && !g_uri_get_query(uri) && !g_uri_get_userinfo(uri);
}

static gboolean add_words(
        const Place *place, const Setting *setting, char ***field, const char *value, GError **error) {
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) words = g_strsplit_set(value, " \t", -1);

    for (guint i = 0; *field && (*field)[i]; i++)
        g_strv_builder_add(builder, (*field)[i]);
    for (guint i = 0; words[i]; i++) {
        if (!words[i][0])
            continue;
        if (setting->type == TYPE_PATHS && words[i][0] != '/')
            return wrong(place, error, "%s=: \"%s\" is no absolute path", setting->key, words[i]);
        g_strv_builder_add(builder, words[i]);
    }
    g_strfreev(*field);
    *field = g_strv_builder_end(builder);
    return TRUE;
}

static gboolean set_boolean(
        const Place *place, const Setting *setting, gboolean *field, const char *value, GError **error) {
    static const char *const yes[] = {"yes", "true", "on", "1", NULL};
    static const char *const no[] = {"no", "false", "off", "0", NULL};

    if (!g_strv_contains(yes, value) && !g_strv_contains(no, value))
        return wrong(place, error, "%s=: \"%s\" is neither yes nor no", setting->key, value);
    *field = g_strv_contains(yes, value);
    return TRUE;
}

static gboolean set_value(
        const Place *place, const Setting *setting, KitchenConfig *config, const char *value, GError **error) {
    gpointer field = (char *) config + setting->offset;
    guint64 number = 0;

    switch (setting->type) {
    case TYPE_WORDS:
    case TYPE_PATHS:
        return add_words(place, setting, field, value, error);
    case TYPE_BOOLEAN:
        return set_boolean(place, setting, field, value, error);
    case TYPE_COUNT:
        if (!g_ascii_string_to_unsigned(value, 10, 1, SLOTS_MAX, &number, NULL))
            return wrong(place, error, "%s=: \"%s\" is no number from 1 to %d", setting->key, value, SLOTS_MAX);
        *(guint *) field = (guint) number;
        return TRUE;
    case TYPE_EXECUTOR:
        if (strcmp(value, "local") != 0 && strcmp(value, "socket") != 0 && strcmp(value, "none") != 0)
            return wrong(place, error, "%s=: there is no executor \"%s\"; there are: local socket none", setting->key,
                    value);
        break;
    case TYPE_PATH:
        if (value[0] != '/')
            return wrong(place, error, "%s=: \"%s\" is no absolute path", setting->key, value);
        break;
    case TYPE_URL:
        if (!is_url(value))
            return wrong(place, error, "%s=: \"%s\" is no address that begins with http:// or https://", setting->key,
                    value);
        break;
    case TYPE_TEXT:
        break;
    }
    g_free(*(char **) field);
    *(char **) field = g_strdup(value);
    return TRUE;
}

static gboolean has_section(const char *name) {
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
        if (strcmp(settings[i].section, name) == 0)
            return TRUE;
    return FALSE;
}

static gboolean take_line(const Place *place, KitchenConfig *config, char **section, char *line, GError **error) {
    char *sign = NULL;
    gsize length = strlen(line);

    if (!line[0] || line[0] == '#' || line[0] == ';')
        return TRUE;
    if (line[0] == '[') {
        if (line[length - 1] != ']')
            return wrong(place, error, "\"%s\" is no section: \"]\" is missing", line);
        line[length - 1] = '\0';
        if (!has_section(line + 1))
            return wrong(place, error, "there is no section [%s]; there are: Web Database Store Executor Publish Git",
                    line + 1);
        g_free(*section);
        *section = g_strdup(line + 1);
        return TRUE;
    }
    sign = strchr(line, '=');
    if (!sign)
        return wrong(place, error, "\"%s\" is neither \"[Section]\" nor \"Key=value\"", line);
    *sign = '\0';
    g_strchomp(line);
    g_strchug(sign + 1);
    if (!*section)
        return wrong(place, error, "%s= stands in no section", line);
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
        if (strcmp(settings[i].section, *section) == 0 && strcmp(settings[i].key, line) == 0)
            return set_value(place, settings + i, config, sign + 1, error);
    return wrong(place, error, "there is no %s= in [%s]", line, *section);
}

KitchenConfig *kitchen_config_parse(const char *name, const char *text, GError **error) {
    g_autoptr(KitchenConfig) config = g_new0(KitchenConfig, 1);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *section = NULL;
    Place place = {.file = name};

    config->listen = g_strdup("127.0.0.1:8090");
    config->store = g_strdup("/var/lib/particleos-kitchen");
    config->signer = g_strdup("/run/particleos/signer.sock");
    config->executor = g_strdup("local");
    config->workers = g_strdup("/run/particleos/worker.sock");
    config->slots = 2;
    for (guint i = 0; lines[i]; i++) {
        place.line = i + 1;
        if (!take_line(&place, config, &section, g_strstrip(lines[i]), error))
            return NULL;
    }
    return g_steal_pointer(&config);
}

KitchenConfig *kitchen_config_read(const char *path, GError **error) {
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, error)) {
        g_prefix_error(error, "Cannot read the configuration: ");
        return NULL;
    }
    return kitchen_config_parse(path, text, error);
}

void kitchen_config_free(KitchenConfig *config) {
    if (!config)
        return;
    g_free(config->listen);
    g_free(config->base_url);
    g_strfreev(config->hosts);
    g_free(config->database);
    g_free(config->store);
    g_free(config->key);
    g_free(config->executor);
    g_free(config->workers);
    g_free(config->builder);
    g_free(config->package_cache);
    g_free(config->publish_url);
    g_free(config->publish);
    g_free(config->signer);
    g_strfreev(config->local_roots);
    g_strfreev(config->git_networks);
    g_free(config->git_authorities);
    g_free(config);
}
