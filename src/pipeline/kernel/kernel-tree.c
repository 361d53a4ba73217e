/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/kernel/kernel-tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <libkmod.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "pipeline/kernel/kernel-filter.h"

static void kernel_module_free(gpointer data) {
    KernelModule *module = data;
    g_free(module->name);
    g_free(module->path);
    g_clear_pointer(&module->needs, g_ptr_array_unref);
    g_clear_pointer(&module->firmware, g_ptr_array_unref);
    g_free(module);
}

/* ---- directories ---- */

GPtrArray *kernel_tree_list(int dir_fd, const char *path, GError **error) {
    g_autoptr(GError) local = NULL;
    GPtrArray *names = list_directory_at(dir_fd, path, &local);

    if (g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return g_ptr_array_new();
    if (!names)
        g_propagate_prefixed_error(error, g_steal_pointer(&local), "opening %s: ", path);
    return names;
}

static gboolean walk(int dir_fd, const char *directory, const char *relative, KernelTreeVisit visit,
        gpointer user_data, GError **error) {
    g_autoptr(GPtrArray) names = kernel_tree_list(dir_fd, directory, error);
    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(directory, names->pdata[i], NULL);
        g_autofree char *child =
                *relative ? g_build_filename(relative, names->pdata[i], NULL) : g_strdup(names->pdata[i]);
        struct stat st;
        if (fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return set_errno_error(error, errno, "looking at %s", path);
        if (S_ISDIR(st.st_mode)) {
            if (!walk(dir_fd, path, child, visit, user_data, error))
                return FALSE;
        } else {
            visit(child, user_data);
        }
    }
    return TRUE;
}

gboolean kernel_tree_walk(
        int dir_fd, const char *path, KernelTreeVisit visit, gpointer user_data, GError **error) {
    return walk(dir_fd, path, "", visit, user_data, error);
}

/* ---- depmod's files ---- */

/* Whole content of NAME in the module directory, or NULL when there is none. */
static char *read_index(const KernelTree *tree, const char *name, gsize *ret_size) {
    AUTO_FD fd = openat(tree->modules_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return NULL;
    g_autoptr(GMappedFile) mapped = g_mapped_file_new_from_fd(fd, FALSE, NULL);
    if (!mapped)
        return NULL;
    gsize size = g_mapped_file_get_length(mapped);
    if (ret_size)
        *ret_size = size;
    return g_strndup(size > 0 ? g_mapped_file_get_contents(mapped) : "", size);
}

static GPtrArray *strings_new(void) {
    return g_ptr_array_new_with_free_func(g_free);
}

/* "kernel/a.ko: kernel/b.ko kernel/c.ko": all that a module needs, however indirectly. */
static void read_dependencies(KernelTree *tree) {
    g_autofree char *text = read_index(tree, "modules.dep", NULL);
    if (!text || !*text)
        return;
    tree->has_dependencies = TRUE;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        char *colon = strchr(*line, ':');
        if (!colon)
            continue;
        *colon = '\0';
        g_autofree char *name = kernel_module_name(*line);
        KernelModule *module = g_hash_table_lookup(tree->by_name, name);
        if (!module || !g_str_equal(module->path, *line))
            continue;
        g_clear_pointer(&module->needs, g_ptr_array_unref);
        module->needs = strings_new();
        g_auto(GStrv) words = g_strsplit(colon + 1, " ", -1);
        for (char **word = words; *word; word++)
            if (**word)
                g_ptr_array_add(module->needs, kernel_module_name(*word));
    }
}

/* The modules in "pre: a b post: c". */
static void add_soft_dependencies(GPtrArray *needs, const char *text) {
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
    for (char **word = words; *word; word++)
        if (**word && !g_str_has_suffix(*word, ":"))
            g_ptr_array_add(needs, kernel_module_name(*word));
}

/* "softdep NAME pre: a post: b" */
static void read_soft_dependencies(KernelTree *tree) {
    g_autofree char *text = read_index(tree, "modules.softdep", NULL);
    g_auto(GStrv) lines = g_strsplit(text ?: "", "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) parts = g_strsplit(*line, " ", 3);
        if (g_strv_length(parts) != 3 || !g_str_equal(parts[0], "softdep"))
            continue;
        g_autofree char *name = kernel_module_name(parts[1]);
        KernelModule *module = g_hash_table_lookup(tree->by_name, name);
        if (module && module->needs)
            add_soft_dependencies(module->needs, parts[2]);
    }
}

/* "alias crc32c crc32c_intel". Only plain names, as soft dependencies use; not those of devices. */
static void read_aliases(KernelTree *tree) {
    g_autofree char *text = read_index(tree, "modules.alias", NULL);
    for (char *line = text; line && *line;) {
        gsize length = strcspn(line, "\n");
        char *next = line[length] ? line + length + 1 : line + length;
        line[length] = '\0';
        if (g_str_has_prefix(line, "alias ") && !strpbrk(line, ":*?[")) {
            g_auto(GStrv) words = g_strsplit(line, " ", 3);
            g_autofree char *alias = g_strdelimit(g_strdup(words[1]), "_", '-');
            GPtrArray *names = g_hash_table_lookup(tree->aliases, alias);
            if (!names) {
                names = strings_new();
                g_hash_table_insert(tree->aliases, g_steal_pointer(&alias), names);
            }
            if (words[2])
                g_ptr_array_add(names, kernel_module_name(words[2]));
        }
        line = next;
    }
}

static void read_builtin_names(KernelTree *tree) {
    g_autofree char *text = read_index(tree, "modules.builtin", NULL);
    g_auto(GStrv) lines = g_strsplit(text ?: "", "\n", -1);
    for (char **line = lines; *line; line++)
        if (**line)
            g_hash_table_add(tree->builtin_names, kernel_module_name(*line));
}

static KernelModule *get_builtin(KernelTree *tree, GHashTable *by_name, const char *name) {
    KernelModule *module = g_hash_table_lookup(by_name, name);
    if (module)
        return module;
    module = g_new0(KernelModule, 1);
    module->name = g_strdup(name);
    module->needs = strings_new();
    module->firmware = strings_new();
    g_hash_table_insert(by_name, module->name, module);
    g_ptr_array_add(tree->builtin, module);
    return module;
}

/* NUL-terminated "module.key=value", for all parts that are built into the kernel. */
static void read_builtin_info(KernelTree *tree) {
    gsize size = 0;
    AUTO_FD fd = openat(tree->modules_fd, "modules.builtin.modinfo", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    g_autoptr(GMappedFile) mapped = fd >= 0 ? g_mapped_file_new_from_fd(fd, FALSE, NULL) : NULL;
    const char *data = mapped ? g_mapped_file_get_contents(mapped) : NULL;
    if (data)
        size = g_mapped_file_get_length(mapped);
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize start = 0; start < size;) {
        g_autofree char *entry = g_strndup(data + start, strnlen(data + start, size - start));
        start += strlen(entry) + 1;
        char *equals = strchr(entry, '=');
        char *dot = strchr(entry, '.');
        if (!equals || !dot || dot > equals)
            continue;
        *dot = *equals = '\0';
        g_autofree char *name = kernel_module_name(entry);
        if (g_str_equal(dot + 1, "firmware"))
            g_ptr_array_add(get_builtin(tree, by_name, name)->firmware, g_strdup(equals + 1));
        else if (g_str_equal(dot + 1, "alias"))
            g_hash_table_add(tree->builtin_names, g_strdelimit(g_strdup(equals + 1), "_", '-'));
        else if (g_str_equal(dot + 1, "softdep"))
            add_soft_dependencies(get_builtin(tree, by_name, name)->needs, equals + 1);
    }
}

/* ---- the tree ---- */

static void add_module(const char *path, gpointer user_data) {
    KernelTree *tree = user_data;
    if (!kernel_module_is_file(path))
        return;
    KernelModule *module = g_new0(KernelModule, 1);
    module->path = g_strdup(path);
    module->name = kernel_module_name(path);
    g_ptr_array_add(tree->modules, module);
    /* As depmod sees it, what came later (updates, extra) replaces the kernel's own. */
    if (!g_str_has_prefix(path, "kernel/") || !g_hash_table_contains(tree->by_name, module->name))
        g_hash_table_replace(tree->by_name, module->name, module);
}

KernelTree *kernel_tree_new(int root_fd, const char *version, GError **error) {
    g_autoptr(KernelTree) tree = g_new0(KernelTree, 1);
    tree->root_fd = root_fd;
    tree->version = g_strdup(version);
    tree->modules = g_ptr_array_new_with_free_func(kernel_module_free);
    tree->builtin = g_ptr_array_new_with_free_func(kernel_module_free);
    tree->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    tree->builtin_names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    tree->aliases =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);

    g_autofree char *directory = g_build_filename("usr/lib/modules", version, NULL);
    tree->modules_fd = openat(root_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tree->modules_fd < 0) {
        set_errno_error(error, errno, "opening /%s", directory);
        return NULL;
    }
    if (!kernel_tree_walk(tree->modules_fd, ".", add_module, tree, error))
        return NULL;
    read_dependencies(tree);
    read_soft_dependencies(tree);
    read_aliases(tree);
    read_builtin_names(tree);
    read_builtin_info(tree);
    return g_steal_pointer(&tree);
}

void kernel_tree_free(KernelTree *tree) {
    if (!tree)
        return;
    g_free(tree->version);
    if (tree->modules_fd >= 0)
        close(tree->modules_fd);
    g_clear_pointer(&tree->by_name, g_hash_table_unref);
    g_clear_pointer(&tree->builtin_names, g_hash_table_unref);
    g_clear_pointer(&tree->aliases, g_hash_table_unref);
    g_clear_pointer(&tree->modules, g_ptr_array_unref);
    g_clear_pointer(&tree->builtin, g_ptr_array_unref);
    g_free(tree);
}

/* ---- modinfo ---- */

/* Shared by the threads that read modules. */
typedef struct {
    KernelTree *tree;
    GMutex lock;
    GError *error; /* the first one */
} Inspection;

static void take_info(KernelModule *module, const char *key, const char *value, gboolean with_needs) {
    if (g_str_equal(key, "firmware")) {
        g_ptr_array_add(module->firmware, g_strdup(value));
    } else if (with_needs && g_str_equal(key, "depends")) {
        g_auto(GStrv) names = g_strsplit(value, ",", -1);
        for (char **name = names; *name; name++)
            if (**name)
                g_ptr_array_add(module->needs, kernel_module_name(*name));
    } else if (with_needs && g_str_equal(key, "softdep")) {
        add_soft_dependencies(module->needs, value);
    }
}

static int read_module(KernelTree *tree, KernelModule *module, struct kmod_ctx *context) {
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d/%s", tree->modules_fd, module->path);
    struct kmod_module *kmod = NULL;
    int r = kmod_module_new_from_path(context, path, &kmod);
    struct kmod_list *list = NULL;
    if (r >= 0)
        r = kmod_module_get_info(kmod, &list);
    if (r >= 0) {
        gboolean with_needs = !module->needs;
        if (with_needs)
            module->needs = strings_new();
        module->firmware = strings_new();
        struct kmod_list *entry;
        kmod_list_foreach(entry, list) take_info(
                module, kmod_module_info_get_key(entry), kmod_module_info_get_value(entry), with_needs);
    }
    kmod_module_info_free_list(list);
    kmod_module_unref(kmod);
    return r;
}

static void inspect_one(gpointer data, gpointer user_data) {
    KernelModule *module = data;
    Inspection *inspection = user_data;
    /* The configuration of this machine has no say in what an image needs. */
    static const char *const no_configuration[] = {NULL};
    struct kmod_ctx *context = kmod_new("/", no_configuration);
    int r = context ? read_module(inspection->tree, module, context) : -ENOMEM;
    kmod_unref(context);
    if (r >= 0)
        return;
    g_mutex_lock(&inspection->lock);
    if (!inspection->error)
        set_errno_error(&inspection->error, -r, "reading the kernel module %s", module->path);
    g_mutex_unlock(&inspection->lock);
}

gboolean kernel_tree_inspect(KernelTree *tree, GPtrArray *modules, gboolean with_firmware, GError **error) {
    Inspection inspection = {.tree = tree};
    g_mutex_init(&inspection.lock);
    GThreadPool *pool =
            g_thread_pool_new(inspect_one, &inspection, MAX(g_get_num_processors(), 1), FALSE, error);
    if (!pool)
        return FALSE;
    for (guint i = 0; i < modules->len; i++) {
        KernelModule *module = modules->pdata[i];
        if (!module->needs || (with_firmware && !module->firmware))
            g_thread_pool_push(pool, module, NULL);
    }
    g_thread_pool_free(pool, FALSE, TRUE);
    g_mutex_clear(&inspection.lock);
    if (inspection.error) {
        g_propagate_error(error, inspection.error);
        return FALSE;
    }
    return TRUE;
}
