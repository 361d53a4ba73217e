/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From values to the plain struct: each type has one C representation. */
#include "recipe/result/image-config.h"

#include <string.h>

#include "recipe/language/enum-words.h"
#include "recipe/result/image-values.h"

/* Where a setting's field lies; 0: it has none. */
static const gsize offsets[_SETTING_MAX] = {
#define SCALAR(id, field, ...) [SETTING_##id] = G_STRUCT_OFFSET(ImageConfig, field),
#define LIST SCALAR
#define MAP SCALAR
#define WORD SCALAR
#define FLAGS SCALAR
#define ALIAS(...)
#include "recipe/language/settings/all.def"
};

static char **to_strings(const Value *list) {
    guint n = value_length(list);
    char **strings = g_new0(char *, n + 1);
    for (guint i = 0; i < n; i++)
        strings[i] = g_strdup(value_get_string(value_element(list, i)));
    return strings;
}

/* "KEY=VALUE" for each entry, in the order of the map. */
static char **to_assignments(const Value *map) {
    guint n = value_length(map);
    char **strings = g_new0(char *, n + 1);
    for (guint i = 0; i < n; i++)
        strings[i] = g_strconcat(value_key(map, i), "=", value_get_string(value_element(map, i)), NULL);
    return strings;
}

static int compare_keys(gconstpointer a, gconstpointer b) {
    const char *x = *(char *const *) a, *y = *(char *const *) b;
    gsize n = strcspn(x, "="), m = strcspn(y, "=");
    int order = strncmp(x, y, MIN(n, m));
    return order ? order : n < m ? -1 : n > m;
}

static char **to_map(const Value *map) {
    char **strings = to_assignments(map);
    qsort(strings, value_length(map), sizeof *strings, compare_keys);
    return strings;
}

static char *text_of(const Value *map, const char *key) {
    return g_strdup(value_get_string(value_lookup(map, key)));
}

static gpointer to_tree(const Value *value) {
    RecipeTree *tree = g_new0(RecipeTree, 1);
    tree->source = text_of(value, "Source");
    tree->target = text_of(value, "Target");
    return tree;
}

static void free_tree(gpointer data) {
    RecipeTree *tree = data;
    g_free(tree->source);
    g_free(tree->target);
    g_free(tree);
}

static gpointer to_drive(const Value *value) {
    RecipeDrive *drive = g_new0(RecipeDrive, 1);
    drive->id = text_of(value, "Id");
    drive->size = value_get_int(value_lookup(value, "Size"));
    drive->directory = text_of(value, "Directory");
    drive->options = text_of(value, "Options");
    drive->file_id = text_of(value, "FileId");
    drive->persist = value_list_contains(value_lookup(value, "Flags"), "persist");
    return drive;
}

static void free_drive(gpointer data) {
    RecipeDrive *drive = data;
    g_free(drive->id);
    g_free(drive->directory);
    g_free(drive->options);
    g_free(drive->file_id);
    g_free(drive);
}

static gpointer to_credential(const Value *value) {
    RecipeCredential *credential = g_new0(RecipeCredential, 1);
    credential->name = text_of(value, "Name");
    credential->value = text_of(value, "Value");
    credential->path = text_of(value, "Path");
    return credential;
}

static void free_credential(gpointer data) {
    RecipeCredential *credential = data;
    g_free(credential->name);
    g_free(credential->value);
    g_free(credential->path);
    g_free(credential);
}

static gpointer to_uki_profile(const Value *value) {
    RecipeUkiProfile *profile = g_new0(RecipeUkiProfile, 1);
    profile->profile = to_assignments(value_lookup(value, "Profile"));
    profile->cmdline = to_strings(value_lookup(value, "Cmdline"));
    profile->sign_expected_pcr = value_get_bool(value_lookup(value, "SignExpectedPcr"));
    return profile;
}

static void free_uki_profile(gpointer data) {
    RecipeUkiProfile *profile = data;
    g_strfreev(profile->profile);
    g_strfreev(profile->cmdline);
    g_free(profile);
}

/* How the elements of a list of objects are made and freed; NULL functions for lists of strings. */
static const struct {
    gpointer (*make)(const Value *value);
    void (*free)(gpointer object);
} objects[] = {
        [TYPE_TREE] = {to_tree, free_tree},
        [TYPE_DRIVE] = {to_drive, free_drive},
        [TYPE_CREDENTIAL] = {to_credential, free_credential},
        [TYPE_UKI_PROFILE] = {to_uki_profile, free_uki_profile},
};

static gboolean is_object(SettingType type) {
    return type < G_N_ELEMENTS(objects) && objects[type].make;
}

static int to_flags(const Value *list, const char *const *words) {
    int flags = 0;
    for (guint i = 0; i < value_length(list); i++)
        flags |= 1 << word_index(words, value_get_string(value_element(list, i)));
    return flags;
}

static void fill_list(const Setting *setting, const Value *value, gpointer field) {
    if (setting->words && (setting->type == TYPE_ENUM || setting->type == TYPE_ARTIFACT)) {
        *(int *) field = to_flags(value, setting->words);
        return;
    }
    if (!is_object(setting->type)) {
        *(char ***) field = to_strings(value);
        return;
    }
    guint n = value_length(value);
    gpointer *list = g_new0(gpointer, n + 1);
    for (guint i = 0; i < n; i++)
        list[i] = objects[setting->type].make(value_element(value, i));
    *(gpointer **) field = list;
}

static void fill_scalar(const Setting *setting, const Value *value, gpointer field) {
    switch (setting->type) {
    case TYPE_BOOL:
        *(gboolean *) field = value_get_bool(value);
        break;
    case TYPE_SIGN:
        *(Sign *) field = value_get_bool(value)                                        ? SIGN_YES
                          : g_strcmp0(value_get_string(value), SIGN_OFFLINE_WORD) == 0 ? SIGN_OFFLINE
                                                                                       : SIGN_NO;
        break;
    case TYPE_FEATURE:
        *(int *) field = word_index(feature_words, value_get_string(value));
        break;
    case TYPE_ENUM:
        *(int *) field = word_index(setting->words, value_get_string(value));
        break;
    case TYPE_OCTAL:
        *(int *) field = value ? value_get_int(value) : -1;
        break;
    case TYPE_BYTES:
        *(guint64 *) field = value_get_int(value);
        break;
    case TYPE_INT:
    case TYPE_UNSIGNED:
    case TYPE_SECTOR_SIZE:
    case TYPE_VSOCK_CID:
        *(gint64 *) field = value ? value_get_int(value) : -1;
        break;
    case TYPE_KEY_SOURCE:
    case TYPE_CERTIFICATE_SOURCE: {
        RecipeKeySource *source = field;
        source->type = word_index(key_source_type_words, value_get_string(value_lookup(value, "Type")));
        source->source = text_of(value, "Source");
        break;
    }
    case TYPE_PASSWORD: {
        RecipePassword *password = field;
        password->text = value ? g_strdup(value_get_string(value_element(value, 0))) : NULL;
        password->hashed = value && value_get_bool(value_element(value, 1));
        break;
    }
    default:
        *(char **) field = g_strdup(value_get_string(value));
    }
}

ImageConfig *image_config_new(ImageValues *values) {
    ImageConfig *config = g_new0(ImageConfig, 1);
    config->image = g_strdup(values->image);
    config->files = g_strdupv(values->files);
    config->build_subdirectory = image_values_build_subdirectory(values);
    config->values = values;
    for (int id = 0; id < _SETTING_MAX; id++) {
        const Setting *setting = &settings[id];
        if (offsets[id] == 0)
            continue;
        gpointer field = G_STRUCT_MEMBER_P(config, offsets[id]);
        if (setting->shape == SHAPE_LIST)
            fill_list(setting, values->values[id], field);
        else if (setting->shape == SHAPE_MAP)
            *(char ***) field = to_map(values->values[id]);
        else
            fill_scalar(setting, values->values[id], field);
    }
    return config;
}

static void free_list(const Setting *setting, gpointer field) {
    if (setting->words && (setting->type == TYPE_ENUM || setting->type == TYPE_ARTIFACT))
        return;
    if (!is_object(setting->type)) {
        g_strfreev(*(char ***) field);
        return;
    }
    gpointer *list = *(gpointer **) field;
    for (gpointer *object = list; *object; object++)
        objects[setting->type].free(*object);
    g_free(list);
}

static void free_scalar(const Setting *setting, gpointer field) {
    switch (setting->type) {
    case TYPE_BOOL:
    case TYPE_SIGN:
    case TYPE_FEATURE:
    case TYPE_ENUM:
    case TYPE_OCTAL:
    case TYPE_BYTES:
    case TYPE_INT:
    case TYPE_UNSIGNED:
    case TYPE_SECTOR_SIZE:
    case TYPE_VSOCK_CID:
        break;
    case TYPE_KEY_SOURCE:
    case TYPE_CERTIFICATE_SOURCE:
        g_free(((RecipeKeySource *) field)->source);
        break;
    case TYPE_PASSWORD:
        g_free(((RecipePassword *) field)->text);
        break;
    default:
        g_free(*(char **) field);
    }
}

void image_config_free(ImageConfig *config) {
    if (!config)
        return;
    for (int id = 0; id < _SETTING_MAX; id++) {
        const Setting *setting = &settings[id];
        if (offsets[id] == 0)
            continue;
        gpointer field = G_STRUCT_MEMBER_P(config, offsets[id]);
        if (setting->shape == SHAPE_LIST)
            free_list(setting, field);
        else if (setting->shape == SHAPE_MAP)
            g_strfreev(*(char ***) field);
        else
            free_scalar(setting, field);
    }
    g_free(config->image);
    g_strfreev(config->files);
    g_free(config->build_subdirectory);
    image_values_free(config->values);
    g_free(config);
}
