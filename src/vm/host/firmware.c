/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/host/firmware.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "base/compare.h"
#include "events/events.h"

G_DEFINE_QUARK(vm - firmware - error - quark, vm_firmware_error)

/* Descriptors are small; one that is not is not a descriptor. */
#define DESCRIPTOR_MAX (1024 * 1024)

void vm_firmware_free(VmFirmware *firmware) {
    if (!firmware)
        return;
    g_free(firmware->code);
    g_free(firmware->code_format);
    g_free(firmware->variables);
    g_free(firmware->variables_format);
    g_strfreev(firmware->targets);
    g_free(firmware);
}

/* Members are looked up with their types checked: the accessors of json-glib abort on a wrong one. */
static JsonNode *member(JsonObject *object, const char *name) {
    return object && json_object_has_member(object, name) ? json_object_get_member(object, name) : NULL;
}

static JsonObject *member_object(JsonObject *object, const char *name) {
    JsonNode *node = member(object, name);
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static JsonArray *member_array(JsonObject *object, const char *name) {
    JsonNode *node = member(object, name);
    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static const char *node_string(JsonNode *node) {
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
                   ? json_node_get_string(node)
                   : NULL;
}

static const char *member_string(JsonObject *object, const char *name) {
    return node_string(member(object, name));
}

static gboolean array_contains(JsonArray *array, const char *word) {
    for (guint i = 0; array && i < json_array_get_length(array); i++)
        if (g_strcmp0(node_string(json_array_get_element(array, i)), word) == 0)
            return TRUE;
    return FALSE;
}

static gboolean invalid(GError **error, const char *what) {
    g_set_error(error, VM_FIRMWARE_ERROR, VM_FIRMWARE_ERROR_INVALID, "Not a firmware descriptor: %s", what);
    return FALSE;
}

static gboolean unusable(GError **error, const char *what) {
    g_set_error(error, VM_FIRMWARE_ERROR, VM_FIRMWARE_ERROR_UNUSABLE,
            "Firmware that cannot be used here: %s", what);
    return FALSE;
}

/* A FirmwareFlashFile: file name and format. */
static gboolean read_flash_file(
        JsonObject *mapping, const char *name, char **ret_path, char **ret_format, GError **error) {
    JsonObject *file = member_object(mapping, name);
    const char *path = member_string(file, "filename"), *format = member_string(file, "format");
    if (!path || !g_path_is_absolute(path))
        return invalid(error, "no absolute file name of code or variables");
    if (g_strcmp0(format, "raw") != 0 && g_strcmp0(format, "qcow2") != 0)
        return invalid(error, "an unknown file format of code or variables");
    *ret_path = g_strdup(path);
    *ret_format = g_strdup(format);
    return TRUE;
}

static gboolean read_mapping(JsonObject *root, VmFirmware *firmware, GError **error) {
    JsonObject *mapping = member_object(root, "mapping");
    if (!mapping)
        return invalid(error, "no mapping");
    if (g_strcmp0(member_string(mapping, "device"), "flash") != 0)
        return unusable(error, "it is not a flash image");
    /* "mode" came later; without it the files are split. */
    const char *mode = member_string(mapping, "mode");
    if (mode && strcmp(mode, "split") != 0)
        return unusable(error, "its variables have no file of their own");
    return read_flash_file(mapping, "executable", &firmware->code, &firmware->code_format, error) &&
           read_flash_file(
                   mapping, "nvram-template", &firmware->variables, &firmware->variables_format, error);
}

static gboolean read_targets(JsonObject *root, VmFirmware *firmware, GError **error) {
    JsonArray *targets = member_array(root, "targets");
    if (!targets)
        return invalid(error, "no targets");
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < json_array_get_length(targets); i++) {
        JsonNode *node = json_array_get_element(targets, i);
        JsonObject *target = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        const char *architecture = member_string(target, "architecture");
        JsonArray *machines = member_array(target, "machines");
        if (!architecture || !machines)
            return invalid(error, "a target without architecture or machines");
        for (guint j = 0; j < json_array_get_length(machines); j++) {
            const char *machine = node_string(json_array_get_element(machines, j));
            if (machine)
                g_ptr_array_add(list, g_strdup_printf("%s/%s", architecture, machine));
        }
    }
    g_ptr_array_add(list, NULL);
    firmware->targets = (char **) g_ptr_array_free(g_steal_pointer(&list), FALSE);
    return TRUE;
}

static void read_features(JsonObject *root, VmFirmware *firmware) {
    JsonArray *features = member_array(root, "features");
    firmware->secure_boot = array_contains(features, "secure-boot");
    firmware->requires_smm = array_contains(features, "requires-smm");
    firmware->enrolled_keys = array_contains(features, "enrolled-keys");
    /* Debian's ordinary builds carry "amd-sev" too; these are the ones that start nowhere else. */
    firmware->confidential =
            array_contains(features, "amd-sev-snp") || array_contains(features, "intel-tdx");
}

VmFirmware *vm_firmware_parse(const char *data, gsize length, GError **error) {
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (length > DESCRIPTOR_MAX) {
        invalid(error, "it is too large");
        return NULL;
    }
    if (!g_utf8_validate_len(data, length, NULL)) {
        invalid(error, "it is not text in UTF-8");
        return NULL;
    }
    g_autoptr(GError) json_error = NULL;
    if (!json_parser_load_from_data(parser, data, length, &json_error)) {
        invalid(error, json_error->message);
        return NULL;
    }
    JsonNode *node = json_parser_get_root(parser);
    JsonObject *root = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    if (!array_contains(member_array(root, "interface-types"), "uefi")) {
        unusable(error, "it is not UEFI");
        return NULL;
    }
    g_autoptr(VmFirmware) firmware = g_new0(VmFirmware, 1);
    if (!read_mapping(root, firmware, error) || !read_targets(root, firmware, error))
        return NULL;
    read_features(root, firmware);
    return g_steal_pointer(&firmware);
}

/* The machine types that we use, by architecture, as the versioned names that targets match. */
static const char *versioned_machine(const char *architecture) {
    return strcmp(architecture, "x86_64") == 0 ? "pc-q35-1" : "virt-1";
}

static gboolean has_target(const VmFirmware *firmware, const char *architecture) {
    g_autofree char *wanted = g_strdup_printf("%s/%s", architecture, versioned_machine(architecture));
    for (char **target = firmware->targets; *target; target++)
        if (g_pattern_match_simple(*target, wanted))
            return TRUE;
    return FALSE;
}

gboolean vm_firmware_suits(const VmFirmware *firmware, const VmFirmwareWish *wish) {
    return has_target(firmware, wish->architecture) && !firmware->confidential &&
           firmware->secure_boot == wish->secure_boot && firmware->enrolled_keys == wish->enrolled_keys;
}

static gboolean files_exist(const VmFirmware *firmware) {
    return g_file_test(firmware->code, G_FILE_TEST_IS_REGULAR) &&
           g_file_test(firmware->variables, G_FILE_TEST_IS_REGULAR);
}

/* Where Debian had OVMF before and beside the descriptors. */
static const struct {
    const char *architecture, *code, *variables;
    gboolean secure_boot, enrolled_keys;
} fallbacks[] = {
        {"x86_64", "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", TRUE,
                FALSE},
        {"x86_64", "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", TRUE, TRUE},
        {"x86_64", "/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.fd", TRUE, FALSE},
        {"x86_64", "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", FALSE, FALSE},
        {"x86_64", "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd", FALSE, FALSE},
        {"aarch64", "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd", FALSE, FALSE},
};

static VmFirmware *find_fallback(const VmFirmwareWish *wish) {
    for (gsize i = 0; i < G_N_ELEMENTS(fallbacks); i++) {
        if (strcmp(fallbacks[i].architecture, wish->architecture) != 0 ||
                fallbacks[i].secure_boot != wish->secure_boot ||
                fallbacks[i].enrolled_keys != wish->enrolled_keys)
            continue;
        g_autoptr(VmFirmware) firmware = g_new0(VmFirmware, 1);
        firmware->code = g_strdup(fallbacks[i].code);
        firmware->code_format = g_strdup("raw");
        firmware->variables = g_strdup(fallbacks[i].variables);
        firmware->variables_format = g_strdup("raw");
        firmware->targets = g_new0(char *, 1);
        firmware->secure_boot = firmware->requires_smm = fallbacks[i].secure_boot;
        firmware->enrolled_keys = fallbacks[i].enrolled_keys;
        if (files_exist(firmware))
            return g_steal_pointer(&firmware);
    }
    return NULL;
}

/* File name to path of every descriptor; the first directory wins. */
static GHashTable *list_descriptors(const char *const *directories) {
    GHashTable *found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (; *directories; directories++) {
        g_autoptr(GDir) directory = g_dir_open(*directories, 0, NULL);
        const char *name;
        while (directory && (name = g_dir_read_name(directory)))
            if (g_str_has_suffix(name, ".json") && !g_hash_table_contains(found, name))
                g_hash_table_insert(found, g_strdup(name), g_build_filename(*directories, name, NULL));
    }
    return found;
}

/* NULL for a file that hides (empty), is broken, or is of no use: that is no reason to stop the search. */
static VmFirmware *load_descriptor(const char *path) {
    g_autofree char *data = NULL;
    gsize length;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &data, &length, &error)) {
        events_debug("%s", error->message);
        return NULL;
    }
    if (length == 0)
        return NULL;
    VmFirmware *firmware = vm_firmware_parse(data, length, &error);
    if (!firmware)
        events_debug("%s: %s", path, error->message);
    return firmware;
}

static VmFirmware *missing(const VmFirmwareWish *wish, GError **error) {
    gboolean x86 = strcmp(wish->architecture, "x86_64") == 0;
    g_set_error(error, VM_FIRMWARE_ERROR, VM_FIRMWARE_ERROR_MISSING,
            "There is no UEFI firmware %s for virtual machines (%s) on this system: install the package %s",
            wish->secure_boot ? "with Secure Boot" : "without Secure Boot", wish->architecture,
            x86 ? "ovmf" : "qemu-efi-aarch64");
    return NULL;
}

VmFirmware *vm_firmware_find(const VmFirmwareWish *wish, const char *const *directories, GError **error) {
    g_autofree char *own = g_build_filename(g_get_user_config_dir(), "qemu", "firmware", NULL);
    const char *const usual[] = {own, "/etc/qemu/firmware", "/usr/share/qemu/firmware", NULL};
    g_autoptr(GHashTable) found = list_descriptors(directories ? directories : usual);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    GHashTableIter iterator;
    gpointer name;
    g_hash_table_iter_init(&iterator, found);
    while (g_hash_table_iter_next(&iterator, &name, NULL))
        g_ptr_array_add(names, name);
    g_ptr_array_sort(names, compare_strings);

    for (guint i = 0; i < names->len; i++) {
        g_autoptr(VmFirmware) firmware = load_descriptor(g_hash_table_lookup(found, names->pdata[i]));
        if (firmware && vm_firmware_suits(firmware, wish) && files_exist(firmware)) {
            events_debug("Firmware: %s (%s)", firmware->code, (const char *) names->pdata[i]);
            return g_steal_pointer(&firmware);
        }
    }
    VmFirmware *fallback = directories ? NULL : find_fallback(wish);
    return fallback ? fallback : missing(wish, error);
}
