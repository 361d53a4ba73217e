/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/layers/layer.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/compare.h"
#include "base/errors.h"
#include "base/hex.h"
#include "config.h"
#include "events/events.h"
#include "events/task.h"
#include "sandbox/sandbox.h"
#include "tree/tree.h"

/* Changes whenever this program would make something else of the same inputs. */
#define LAYER_FORMAT "particleos-layer-2"

static void append_hex(GString *text, const char *data, gsize size) {
    g_autofree char *hex = hex_encode(data, size);
    g_string_append(text, hex);
}

/* The linker's digest of this program: another build may make something else of the same inputs. */
static int find_build_id(struct dl_phdr_info *info, size_t size, void *data) {
    GString *id = data;

    for (int i = 0; i < info->dlpi_phnum && id->len == 0; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const char *at = (const char *) (info->dlpi_addr + segment->p_vaddr);
        const char *end = at + segment->p_memsz;

        while (segment->p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) <= end && id->len == 0) {
            const ElfW(Nhdr) *note = (const ElfW(Nhdr) *) at;
            const char *name = at + sizeof *note, *content = name + (note->n_namesz + 3) / 4 * 4;

            if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && memcmp(name, "GNU", 4) == 0)
                append_hex(id, content, note->n_descsz);
            at = content + (note->n_descsz + 3) / 4 * 4;
        }
    }
    return 1; /* The first object is the program itself. */
}

char *layer_program_build(void) {
    GString *id = g_string_new(NULL);

    dl_iterate_phdr(find_build_id, id);
    return g_string_free(id, FALSE);
}

/* Stands for the digest of an input that did not matter. */
#define UNUSED "unused"

struct LayerInputs {
    GTree *values; /* name -> digest, sorted by name */
    char *key;
};

LayerInputs *layer_inputs_new(void) {
    LayerInputs *inputs = g_new0(LayerInputs, 1);

    inputs->values = g_tree_new_full(compare_tree_keys, NULL, g_free, g_free);
    g_autofree char *build = layer_program_build();
    g_autofree char *program = g_strconcat(PARTICLEOS_VERSION " ", build, NULL);
    layer_inputs_add(inputs, "format", LAYER_FORMAT);
    layer_inputs_add(inputs, "program", program);
    return inputs;
}

void layer_inputs_free(LayerInputs *inputs) {
    if (!inputs)
        return;
    g_tree_unref(inputs->values);
    g_free(inputs->key);
    g_free(inputs);
}

void layer_inputs_add(LayerInputs *inputs, const char *name, const char *value) {
    g_clear_pointer(&inputs->key, g_free);
    g_tree_insert(inputs->values, g_strdup(name),
            value ? g_compute_checksum_for_string(G_CHECKSUM_SHA256, value, -1) : g_strdup("unset"));
}

gboolean layer_inputs_add_path(
        LayerInputs *inputs, const char *name, const char *path, gint64 epoch, GError **error) {
    g_autofree char *digest = NULL;
    g_autofree char *real = realpath(path, NULL);

    if (!real && errno == ENOENT) {
        layer_inputs_add(inputs, name, NULL);
        return TRUE;
    }
    if (!(digest = tree_digest_with_times(AT_FDCWD, real ? real : path, epoch, error))) {
        g_prefix_error(error, "Cannot read %s: ", path);
        return FALSE;
    }
    layer_inputs_add(inputs, name, digest);
    return TRUE;
}

void layer_inputs_set_unused(LayerInputs *inputs, const char *name) {
    g_clear_pointer(&inputs->key, g_free);
    g_tree_insert(inputs->values, g_strdup(name), g_strdup(UNUSED));
}

gboolean layer_inputs_is_unused(LayerInputs *inputs, const char *name) {
    return g_strcmp0(g_tree_lookup(inputs->values, name), UNUSED) == 0;
}

static gboolean digest_value(gpointer name, gpointer value, gpointer data) {
    g_checksum_update(data, name, strlen(name) + 1);
    g_checksum_update(data, value, strlen(value) + 1);
    return FALSE;
}

const char *layer_inputs_key(LayerInputs *inputs) {
    if (!inputs->key) {
        g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
        g_tree_foreach(inputs->values, digest_value, checksum);
        inputs->key = g_strdup(g_checksum_get_string(checksum));
    }
    return inputs->key;
}

static char *layer_path(const char *cache, const char *name) {
    g_autofree char *file = g_strconcat(name, ".cache", NULL);
    return g_build_filename(cache, file, NULL);
}

static char *layer_manifest_path(const char *cache, const char *name) {
    g_autofree char *file = g_strconcat(name, ".cache.json", NULL);
    return g_build_filename(cache, file, NULL);
}

/* What layers are called that have lost their name to another one while somebody used them. */
#define REPLACED ".cache.replaced-"

static char *layer_lock_path(const char *cache, const char *name) {
    g_autofree char *file = g_strconcat(name, ".cache.lock", NULL);
    return g_build_filename(cache, file, NULL);
}

/* Waits for the lock FD. FALSE with ERROR set when the build was interrupted. */
static gboolean wait_for_lock(int fd, const char *name, const char *image, GError **error) {
    for (guint round = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; round++) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return set_errno_error(error, errno, "Cannot lock the layer %s", name);
        if (task_is_cancelled(task_current())) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INTR, "Interrupted");
            return FALSE;
        }
        /* Others hold it for a moment only, unless they make the layer. */
        if (round == 50)
            events_info("%s: waiting for another build that makes the layer %s", image, name);
        g_usleep(20 * 1000);
    }
    return TRUE;
}

/* Whether PATH still is the file that FD is. */
static gboolean is_same_file(int fd, const char *path) {
    struct stat ours, theirs;
    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

int layer_lock(const char *cache, const char *name, const char *image, GError **error) {
    g_autofree char *path = layer_lock_path(cache, name);

    for (int attempt = 0;; attempt++) {
        AUTO_FD fd = g_mkdir_with_parents(cache, 0755) < 0
                             ? -1
                             : open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0 && errno == ENOENT && attempt < 100)
            continue; /* The cache was removed just now. */
        if (fd < 0) {
            set_errno_error(error, errno, "Cannot open %s", path);
            return -1;
        }
        if (!wait_for_lock(fd, name, image, error))
            return -1;
        /* Whoever cleans removes it while it is locked. */
        if (is_same_file(fd, path))
            return steal_fd(&fd);
    }
}

int layer_use(const char *path, GError **error) {
    AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0)
        return steal_fd(&fd);
    set_errno_error(error, errno, "Cannot use the layer %s", path);
    return -1;
}

/* Removes layers without a name that nobody uses. */
static void remove_replaced(const char *cache) {
    int fd = open(cache, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(GPtrArray) names = fd >= 0 ? tree_list(fd, NULL) : NULL;

    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *path = g_build_filename(cache, names->pdata[i], NULL);
        if (!strstr(names->pdata[i], REPLACED))
            continue;
        AUTO_FD layer = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (layer >= 0 && flock(layer, LOCK_EX | LOCK_NB) == 0)
            ignore_failure(tree_remove(AT_FDCWD, path, NULL));
    }
}

/* Takes the name from the layer, and the layer out of the cache if nobody uses it. The lock is held. */
static gboolean retire(const char *cache, const char *name, GError **error) {
    g_autofree char *path = layer_path(cache, name);
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *old = g_strconcat(cache, "/", name, REPLACED, uuid, NULL);
    g_autofree char *manifest = layer_manifest_path(cache, name);

    /* Without its manifest a layer does not count, so that is what goes first. */
    (void) g_unlink(manifest);
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        if (!tree_remove(AT_FDCWD, path, error))
            return FALSE;
    } else if (rename(path, old) < 0)
        return set_errno_error(error, errno, "Cannot rename %s", path);
    remove_replaced(cache);
    return TRUE;
}

gboolean layer_remove(const char *cache, const char *name, GError **error) {
    g_autofree char *lock_path = layer_lock_path(cache, name);

    if (!g_file_test(cache, G_FILE_TEST_IS_DIR))
        return TRUE;
    AUTO_FD lock = layer_lock(cache, name, "clean", error);
    if (lock < 0 || !retire(cache, name, error))
        return FALSE;
    (void) g_unlink(lock_path);
    return TRUE;
}

static JsonObject *read_manifest(const char *path) {
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonNode *root;

    if (!json_parser_load_from_file(parser, path, NULL) || !(root = json_parser_get_root(parser)) ||
            !JSON_NODE_HOLDS_OBJECT(root))
        return NULL;
    return json_object_ref(json_node_get_object(root));
}

typedef struct {
    JsonObject *stored;
    GString *changed;
} Comparison;

/* What the manifest says of the input NAME; "" when that is nothing, or no text. */
static const char *stored_value(JsonObject *stored, const char *name) {
    JsonNode *node = json_object_get_member(stored, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
                   ? json_node_get_string(node)
                   : "";
}

static gboolean compare_input(gpointer name, gpointer value, gpointer data) {
    Comparison *comparison = data;
    const char *before = stored_value(comparison->stored, name);

    if (!g_str_equal(before, value) && !g_str_equal(before, UNUSED))
        g_string_append_printf(
                comparison->changed, "%s%s", comparison->changed->len > 0 ? ", " : "", (char *) name);
    return FALSE;
}

static void add_vanished_inputs(LayerInputs *inputs, JsonObject *stored, GString *changed) {
    g_autoptr(GList) names = json_object_get_members(stored);

    for (GList *name = names; name; name = name->next)
        if (!g_tree_lookup_extended(inputs->values, name->data, NULL, NULL))
            g_string_append_printf(changed, "%s%s", changed->len > 0 ? ", " : "", (char *) name->data);
}

static void take_over_unused(LayerInputs *inputs, JsonObject *stored) {
    g_autoptr(GList) names = json_object_get_members(stored);

    for (GList *name = names; name; name = name->next)
        if (g_str_equal(stored_value(stored, name->data), UNUSED))
            layer_inputs_set_unused(inputs, name->data);
}

char *layer_lookup(const char *cache, const char *name, LayerInputs *inputs, const char *step_image) {
    g_autofree char *path = layer_path(cache, name);
    g_autofree char *manifest = layer_manifest_path(cache, name);
    g_autoptr(JsonObject) stored = read_manifest(manifest);
    g_autoptr(GString) changed = g_string_new(NULL);
    Comparison comparison = {.stored = stored, .changed = changed};

    if (!stored || !g_file_test(path, G_FILE_TEST_EXISTS)) {
        events_debug("%s: layer %s is not in the cache", step_image, name);
        return NULL;
    }
    g_tree_foreach(inputs->values, compare_input, &comparison);
    add_vanished_inputs(inputs, stored, changed);
    if (changed->len > 0) {
        events_debug("%s: layer %s is made anew, because these changed: %s", step_image, name, changed->str);
        return NULL;
    }
    take_over_unused(inputs, stored);
    events_debug("%s: layer %s is reused (key %.16s)", step_image, name, layer_inputs_key(inputs));
    return g_steal_pointer(&path);
}

static gboolean add_member(gpointer name, gpointer value, gpointer data) {
    json_object_set_string_member(data, name, value);
    return FALSE;
}

static gboolean write_manifest(const char *path, LayerInputs *inputs, GError **error) {
    g_autoptr(JsonGenerator) generator = json_generator_new();
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    g_autofree char *text = NULL;

    g_tree_foreach(inputs->values, add_member, object);
    json_node_take_object(node, object);
    json_generator_set_root(generator, node);
    json_generator_set_pretty(generator, TRUE);
    text = json_generator_to_data(generator, NULL);
    return g_file_set_contents(path, text, -1, error);
}

static gboolean move_into_place(const char *path, const char *target, GError **error) {
    if (rename(path, target) == 0)
        return TRUE;
    if (errno != EXDEV)
        return set_errno_error(error, errno, "Cannot move %s to %s", path, target);
    return tree_copy(AT_FDCWD, path, AT_FDCWD, target, TREE_COPY_KEEP_OWNER, error);
}

char *layer_store(
        const char *cache, const char *name, LayerInputs *inputs, const char *path, GError **error) {
    g_autofree char *target = layer_path(cache, name);
    g_autofree char *manifest = layer_manifest_path(cache, name);

    if (g_mkdir_with_parents(cache, 0755) < 0) {
        set_errno_error(error, errno, "Cannot create %s", cache);
        return NULL;
    }
    /* The old one stops counting first and the new one starts last. */
    if (!retire(cache, name, error) || !move_into_place(path, target, error) ||
            !write_manifest(manifest, inputs, error)) {
        g_prefix_error(error, "Cannot store the layer %s in %s: ", name, cache);
        return NULL;
    }
    return g_steal_pointer(&target);
}
