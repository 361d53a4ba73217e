/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/container/container.h"

#include <string.h>
#include <sys/stat.h>

#define SULOGIN "SYSTEMD_SULOGIN_FORCE="
/* An unlimited journal, in practice. */
#define JOURNAL_LIMITS                                                                                      \
    "--forward-journal-max-use=1T", "--forward-journal-keep-free=1G", "--forward-journal-max-file-size=4G"

static void add(GPtrArray *arguments, const char *word) {
    g_ptr_array_add(arguments, g_strdup(word));
}

static void addf(GPtrArray *arguments, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void addf(GPtrArray *arguments, const char *format, ...) {
    va_list list;
    va_start(list, format);
    g_ptr_array_add(arguments, g_strdup_vprintf(format, list));
    va_end(list);
}

char *vm_machine_name(const ImageConfig *config) {
    char *name = g_strdup(config->machine ? config->machine : config->output);
    return g_strdelimit(name, "_", '-');
}

static gboolean has_prefix(char *const *words, const char *prefix) {
    for (; words && *words; words++)
        if (g_str_has_prefix(*words, prefix))
            return TRUE;
    return FALSE;
}

char **vm_extra_kernel_arguments(const ImageConfig *config) {
    GPtrArray *words = g_ptr_array_new();
    add(words, "systemd.wants=network.target");
    /* An emergency shell is of no use if nobody has a password. */
    if (!has_prefix(config->kernel_command_line_extra, SULOGIN))
        add(words, SULOGIN "1");
    for (char **word = config->kernel_command_line_extra; *word; word++) {
        const char *value = strchr(*word, '=');
        if (value && strchr(value, ' '))
            addf(words, "%.*s=\"%s\"", (int) (value - *word), *word, value + 1);
        else
            add(words, *word);
    }
    g_ptr_array_add(words, NULL);
    return (char **) g_ptr_array_free(words, FALSE);
}

char **vm_machine_kernel_arguments(const ImageConfig *config) {
    /* vmw_vmci gets in the way of virtio's vsock. */
    static const char *const always[] = {"rw", "module_blacklist=vmw_vmci"};
    static const char *const addresses[] = {
            "ip=enc0:any", "ip=enp0s1:any", "ip=enp0s2:any", "ip=host0:any", "ip=none"};
    GPtrArray *words = g_ptr_array_new();
    g_auto(GStrv) extra = vm_extra_kernel_arguments(config);
    for (gsize i = 0; i < G_N_ELEMENTS(always); i++)
        add(words, always[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(addresses) && !has_prefix(config->kernel_command_line_extra, "ip=");
            i++)
        add(words, addresses[i]);
    if (!has_prefix(config->kernel_command_line_extra, "loglevel="))
        add(words, "loglevel=4");
    for (char **word = extra; *word; word++)
        add(words, *word);
    g_ptr_array_add(words, NULL);
    return (char **) g_ptr_array_free(words, FALSE);
}

char *vm_fstab_escape(const char *path) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (; *path; path++)
        if (strchr(" \t\n\\#", *path))
            g_string_append_printf(text, "\\%03o", (unsigned char) *path);
        else
            g_string_append_c(text, *path);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *vm_runtime_tree_target(const RecipeTree *tree) {
    if (tree->target && g_path_is_absolute(tree->target))
        return g_strdup(tree->target);
    return tree->target ? g_build_filename("/root/src", tree->target, NULL) : g_strdup("/root/src");
}

static void tree_free(gpointer data) {
    RecipeTree *tree = data;
    g_free(tree->source);
    g_free(tree->target);
    g_free(tree);
}

static void add_tree(GPtrArray *trees, const char *source, char *target) {
    RecipeTree *tree = g_new0(RecipeTree, 1);
    tree->source = g_strdup(source);
    tree->target = target;
    g_ptr_array_add(trees, tree);
}

GPtrArray *vm_runtime_trees(const ImageConfig *config) {
    GPtrArray *trees = g_ptr_array_new_with_free_func(tree_free);
    if (config->runtime_build_sources) {
        for (RecipeTree **tree = config->build_sources; *tree; tree++)
            add_tree(trees, (*tree)->source, g_build_filename("/work/src", (*tree)->target, NULL));
        if (config->build_subdirectory)
            add_tree(trees, config->build_subdirectory, g_strdup("/work/build"));
    }
    for (RecipeTree **tree = config->runtime_trees; *tree; tree++)
        add_tree(trees, (*tree)->source, vm_runtime_tree_target(*tree));
    return trees;
}

static void add_network(GPtrArray *arguments, Network network) {
    switch (network) {
    case NETWORK_USER:
        add(arguments, "--resolv-conf=auto");
        break;
    case NETWORK_INTERFACE:
        add(arguments, "--private-network");
        add(arguments, "--network-veth");
        break;
    case NETWORK_NONE:
    case _NETWORK_MAX:
        add(arguments, "--private-network");
        break;
    }
}

/* What belongs to somebody else belongs to root inside. Not recursive: the output directory, with the image
 * itself in it, is often below such a tree. */
static const char *id_map(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && st.st_uid != 0 ? "rootidmap" : "noidmap";
}

/* A colon separates the parts of the option. */
static char *escape(const char *path) {
    g_auto(GStrv) parts = g_strsplit(path, ":", -1);
    return g_strjoinv("\\:", parts);
}

static void add_trees(GPtrArray *arguments, const ImageConfig *config) {
    g_autoptr(GPtrArray) trees = vm_runtime_trees(config);
    for (guint i = 0; i < trees->len; i++) {
        const RecipeTree *tree = trees->pdata[i];
        g_autofree char *source = escape(tree->source), *target = escape(tree->target);
        addf(arguments, "--bind=%s:%s:norbind,%s", source, target, id_map(tree->source));
    }
}

static void add_journal(GPtrArray *arguments, const ImageConfig *config, const VmContainer *container) {
    static const char *const limits[] = {JOURNAL_LIMITS};
    if (container->forward_journal) {
        addf(arguments, "--forward-journal=%s", config->forward_journal);
        for (gsize i = 0; i < G_N_ELEMENTS(limits); i++)
            add(arguments, limits[i]);
        addf(arguments, "--forward-journal-max-files=%d",
                g_str_has_suffix(config->forward_journal, ".journal") ? 1 : 100);
    } else if (container->journal_socket) {
        addf(arguments, "--bind=%s:/run/host/journal/socket:%s", container->journal_socket,
                id_map(container->journal_socket));
        add(arguments, "--set-credential=journal.forward_to_socket:/run/host/journal/socket");
    }
}

/* The kernel hands what it does not know to init: NAME=VALUE without a dot as environment, the rest as
 * arguments. */
static void add_boot(GPtrArray *arguments, const ImageConfig *config, const VmContainer *container) {
    g_auto(GStrv) extra = vm_extra_kernel_arguments(config);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    char **const lists[] = {config->kernel_command_line, extra};
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        for (char **word = lists[i]; word && *word; word++) {
            const char *equals = strchr(*word, '=');
            const char *dot = strchr(*word, '.');
            if (!equals || (dot && dot < equals)) {
                g_ptr_array_add(words, *word);
                continue;
            }
            g_autofree char *name = g_strndup(*word, equals - *word);
            addf(arguments, "--setenv=%s%s", g_strdelimit(name, "-", '_'), equals);
        }
    for (char *const *word = container->arguments; word && *word; word++)
        add(arguments, *word);
    for (guint i = 0; i < words->len; i++)
        add(arguments, words->pdata[i]);
}

static void add_command(GPtrArray *arguments, const VmContainer *container) {
    if (!container->arguments || !container->arguments[0])
        return;
    add(arguments, "--");
    for (char *const *word = container->arguments; *word; word++)
        add(arguments, *word);
}

char **vm_container_arguments(const ImageConfig *config, const VmContainer *container) {
    GPtrArray *arguments = g_ptr_array_new();
    g_autofree char *name = vm_machine_name(config);
    add(arguments, container->program);
    add(arguments, "--quiet");
    add(arguments, "--link-journal=no");
    add(arguments, "--suppress-sync=yes");
    add_network(arguments, config->runtime_network);
    if (config->nspawn_settings)
        add(arguments, "--settings=trusted");
    if (container->boot)
        add(arguments, "--boot");
    else {
        addf(arguments, "--rlimit=RLIMIT_CORE=%s", container->core_limit);
        add(arguments, "--console=autopipe");
    }
    addf(arguments, "--machine=%s", name);
    addf(arguments, "--register=%s", container->register_machine ? "yes" : "no");
    if (container->keep_unit)
        add(arguments, "--keep-unit");
    for (guint i = 0; container->credentials && i < container->credentials->len; i++) {
        const VmCredential *credential = container->credentials->pdata[i];
        addf(arguments, "--load-credential=%s:%s/%s", credential->name, container->credential_directory,
                credential->name);
    }
    addf(arguments, "--%s=%s", container->is_directory ? "directory" : "image", container->path);
    add_trees(arguments, config);
    if (config->bind_user) {
        addf(arguments, "--bind-user=%s", container->user);
        add(arguments, "--bind-user-group=wheel");
    }
    if (container->boot && config->forward_journal)
        add_journal(arguments, config, container);
    if (container->boot)
        add_boot(arguments, config, container);
    else
        add_command(arguments, container);
    g_ptr_array_add(arguments, NULL);
    return (char **) g_ptr_array_free(arguments, FALSE);
}
