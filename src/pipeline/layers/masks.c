/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/layers/masks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "pipeline/state/cache-places.h"
#include "pipeline/state/output-names.h"

typedef enum {
    MASK_MADE = 1, /* not hidden where it is mounted on purpose */
    MASK_SECRET,
} MaskKind;

struct Masks {
    GHashTable *paths; /* absolute path without links -> MaskKind */
};

/* What is secret and what is made, by the names that the recipe language gives it. */
static const struct {
    const char *name;
    MaskKind kind;
} known_names[] = {
        {"mkosi.passphrase", MASK_SECRET},
        {"mkosi.rootpw", MASK_SECRET},
        {"mkosi.credentials", MASK_SECRET},
        {"mkosi.local", MASK_SECRET},
        {"mkosi.local.conf", MASK_SECRET},
        {".mkosi-private", MASK_SECRET}, /* options of earlier builds */
        {"mkosi.output", MASK_MADE},
        {"mkosi.cache", MASK_MADE},
        {"mkosi.pkgcache", MASK_MADE},
        {"mkosi.workspace", MASK_MADE},
        {"mkosi.builddir", MASK_MADE},
        {"mkosi.tools", MASK_MADE},
        {"mkosi.tools.manifest", MASK_MADE},
        {MASKS_UNFINISHED, MASK_MADE},
};

/* The state of looking for what is hidden. */
typedef struct {
    Masks *masks;
    const Recipe *recipe; /* NULL: it is not known yet */
    const char *kept;     /* then, a directory that is not hidden */
    GHashTable *shared;   /* directories that hold outputs or layers beside other things -> patterns */
    GHashTable *inodes;   /* "device:inode" of secrets that have other names, too */
} Search;

static gboolean is_at_or_below(const char *path, const char *directory) {
    gsize length = strlen(directory);

    if (g_str_equal(directory, "/"))
        return TRUE;
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static gboolean holds(const char *directory, const char *path) {
    g_autofree char *real = path ? realpath(path, NULL) : NULL;
    return real && is_at_or_below(real, directory);
}

static gboolean holds_source(const char *directory, const ImageConfig *config) {
    for (RecipeTree **tree = config->build_sources; tree && *tree; tree++)
        if (holds(directory, (*tree)->source))
            return TRUE;
    return FALSE;
}

gboolean masks_is_dedicated(const Recipe *recipe, const char *directory) {
    g_autofree char *real = realpath(directory, NULL);

    if (!real || holds(real, recipe->config_directory) || holds(real, recipe->directory))
        return FALSE;
    for (ImageConfig **image = recipe->images; *image; image++)
        if (holds_source(real, *image))
            return FALSE;
    return !recipe->tools || !holds_source(real, recipe->tools);
}

static void hide(Search *search, const char *path, MaskKind kind) {
    gpointer old = g_hash_table_lookup(search->masks->paths, path);

    if (GPOINTER_TO_INT(old) < (int) kind)
        g_hash_table_insert(search->masks->paths, g_strdup(path), GINT_TO_POINTER(kind));
}

static char *inode_key(dev_t device, ino_t inode) {
    return g_strdup_printf("%ju:%ju", (uintmax_t) device, (uintmax_t) inode);
}

/* Links are only names of what they lead to. */
static void hide_secret(Search *search, const char *path) {
    g_autofree char *real = path ? realpath(path, NULL) : NULL;
    struct stat info;

    if (!real || stat(real, &info) < 0)
        return;
    hide(search, real, MASK_SECRET);
    if (S_ISREG(info.st_mode) && info.st_nlink > 1)
        g_hash_table_add(search->inodes, inode_key(info.st_dev, info.st_ino));
}

static void hide_made(Search *search, const char *path) {
    g_autofree char *real = path ? realpath(path, NULL) : NULL;

    if (real && (search->recipe ? masks_is_dedicated(search->recipe, real)
                                : !is_at_or_below(search->kept, real)))
        hide(search, real, MASK_MADE);
}

/* Adds PATTERNS to those of what builds leave in DIRECTORY. */
static void share(Search *search, const char *directory, char *const *patterns) {
    g_autofree char *real = realpath(directory, NULL);
    GPtrArray *list = real ? g_hash_table_lookup(search->shared, real) : NULL;

    if (!real)
        return;
    if (!list) {
        list = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(search->shared, g_steal_pointer(&real), list);
    }
    for (; *patterns; patterns++)
        g_ptr_array_add(list, g_strdup(*patterns));
}

static void search_settings(Search *search, const ImageConfig *config) {
    static char *const layers[] = {(char *) "*.cache", (char *) "*.cache.*", NULL};
    const char *const made[] = {config->package_cache_directory, config->workspace_directory,
            config->build_directory, config->forward_journal, config->tools_tree};
    g_auto(GStrv) secrets = image_config_secret_files(config);
    g_auto(GStrv) outputs = outputs_names(config);
    const char *directory = image_config_output_directory(config);

    for (char **secret = secrets; *secret; secret++)
        hide_secret(search, *secret);
    for (size_t i = 0; i < G_N_ELEMENTS(made); i++)
        hide_made(search, made[i]);
    if (masks_is_dedicated(search->recipe, directory))
        hide_made(search, directory);
    else
        share(search, directory, outputs);
    if (config->cache_directory && masks_is_dedicated(search->recipe, config->cache_directory))
        hide_made(search, config->cache_directory);
    else if (config->cache_directory)
        share(search, config->cache_directory, layers);
    if (config->workspace_directory && !masks_is_dedicated(search->recipe, config->workspace_directory))
        share(search, config->workspace_directory, (char *const[]){NULL});
}

static void search_recipe(Search *search, const Recipe *recipe) {
    for (ImageConfig **image = recipe->images; *image; image++)
        search_settings(search, *image);
    if (recipe->tools)
        search_settings(search, recipe->tools);
}

static gboolean matches(const GPtrArray *patterns, const char *name) {
    for (guint i = 0; i < patterns->len; i++)
        if (g_pattern_match_simple(patterns->pdata[i], name))
            return TRUE;
    return FALSE;
}

/* Whether somebody builds in NAME: that is what a new workspace looks like (tree/workspace.c). */
static gboolean is_workspace(int dir_fd, const char *name) {
    static const char prefix[] = "particleos-";
    struct stat info;

    return g_str_has_prefix(name, prefix) && strlen(name) == sizeof prefix - 1 + 6 &&
           fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode) &&
           (info.st_mode & 0777) == 0700;
}

/* What genkey makes, and what "genkey -f" makes room for. */
static gboolean is_made_key(const char *name) {
    return g_str_has_prefix(name, "mkosi.") && (g_str_has_suffix(name, ".key") || g_str_has_suffix(name, ".key.old"));
}

static MaskKind judge_name(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(known_names); i++)
        if (g_str_equal(known_names[i].name, name))
            return known_names[i].kind;
    return is_made_key(name) ? MASK_SECRET : 0;
}

/* Whether the entry is another name of a secret. */
static gboolean is_second_name(Search *search, int dir_fd, const char *name) {
    struct stat info;

    if (g_hash_table_size(search->inodes) == 0 || fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return FALSE;
    g_autofree char *key = inode_key(info.st_dev, info.st_ino);
    return g_hash_table_contains(search->inodes, key);
}

/* Whether a file whose name says that it is a key is one that others may have. */
static gboolean is_public_key(const char *text, gsize length) {
    static const char *const marks[] = {"-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN CERTIFICATE-----"};

    /* A packet with a public key (RFC 9580), in the old and in the new format. */
    if (length > 0 && ((guchar) text[0] == 0x98 || (guchar) text[0] == 0x99 || (guchar) text[0] == 0xc6))
        return TRUE;
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
        if (g_strstr_len(text, length, marks[i]))
            return !g_strstr_len(text, length, "PRIVATE KEY");
    return FALSE;
}

static gboolean is_private_file(int dir_fd, const char *name) {
    char text[65536];
    gboolean key = g_str_has_suffix(name, ".key");

    if (g_str_has_prefix(name, "mkosi.key."))
        return TRUE;
    if (!key && !g_str_has_suffix(name, ".pem"))
        return FALSE;
    AUTO_FD fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (length < 0)
        return TRUE;
    return key ? !is_public_key(text, length) : g_strstr_len(text, length, "PRIVATE KEY") != NULL;
}

/* What no name of the language tells: private keys, and what leads to programs of the host. */
static gboolean is_private(int dir_fd, const struct dirent *entry) {
    struct stat info;
    unsigned char type = entry->d_type;

    if (type == DT_UNKNOWN && fstatat(dir_fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0)
        type = IFTODT(info.st_mode);
    return type == DT_SOCK || type == DT_FIFO || (type == DT_REG && is_private_file(dir_fd, entry->d_name));
}

/* The configuration of a repository can hold passwords. */
static void hide_git_addresses(Search *search, const char *git) {
    g_autofree char *config = g_build_filename(git, "config", NULL);

    hide_secret(search, config);
}

static void search_directory(Search *search, int fd, GString *path);

static void search_entry(Search *search, int dir_fd, GString *path, const struct dirent *entry,
        const GPtrArray *patterns) {
    const char *name = entry->d_name;
    MaskKind kind = judge_name(name);

    if (!kind && patterns && (matches(patterns, name) || is_workspace(dir_fd, name)))
        kind = MASK_MADE;
    if (!kind && is_second_name(search, dir_fd, name))
        kind = MASK_SECRET;
    if (!kind && !search->recipe && is_private(dir_fd, entry))
        kind = MASK_SECRET;
    if (kind && search->kept && is_at_or_below(search->kept, path->str))
        kind = 0;
    if (kind) {
        hide(search, path->str, kind);
        /* The entry may be a link. */
        if (kind == MASK_SECRET)
            hide_secret(search, path->str);
        else
            hide_made(search, path->str);
        return;
    }
    if (!search->recipe && g_str_equal(name, ".git"))
        hide_git_addresses(search, path->str);
    /* What git keeps has no such names. */
    if ((entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) || g_str_equal(name, ".git"))
        return;
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        search_directory(search, fd, path);
}

/* Takes over FD, the directory PATH. */
static void search_directory(Search *search, int fd, GString *path) {
    const GPtrArray *patterns = g_hash_table_lookup(search->shared, path->str);
    gsize length = path->len;
    DIR *dir = fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        close(fd);
        return;
    }
    while ((entry = readdir(dir))) {
        if (g_str_equal(entry->d_name, ".") || g_str_equal(entry->d_name, ".."))
            continue;
        g_string_append_printf(path, "%s%s", length > 1 ? "/" : "", entry->d_name);
        if (!g_hash_table_contains(search->masks->paths, path->str))
            search_entry(search, dirfd(dir), path, entry, patterns);
        g_string_truncate(path, length);
    }
    closedir(dir);
}

static void search_source(Search *search, const char *source) {
    g_autofree char *real = realpath(source, NULL);
    int fd = real ? open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    g_autoptr(GString) path = g_string_new(real);
    search_directory(search, fd, path);
}

Masks *masks_new(const Recipe *recipe, const ImageConfig *config) {
    Masks *masks = g_new0(Masks, 1);
    const Recipe *whole = recipe->whole ? recipe->whole : recipe;
    g_autoptr(GHashTable) shared = g_hash_table_new_full(
            g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
    g_autoptr(GHashTable) inodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Search search = {masks, whole, NULL, shared, inodes};
    g_autofree char *packages = build_user_cache_directory();

    masks->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    search_recipe(&search, whole);
    if (whole != recipe)
        search_recipe(&search, recipe);
    hide_made(&search, packages);
    hide_secret(&search, g_getenv("GNUPGHOME"));
    for (RecipeTree **tree = config->build_sources; *tree; tree++)
        search_source(&search, (*tree)->source);
    return masks;
}

Masks *masks_new_by_name(const char *directory, const char *kept) {
    Masks *masks = g_new0(Masks, 1);
    g_autoptr(GHashTable) shared = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) inodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Search search = {masks, NULL, kept, shared, inodes};

    masks->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    search_source(&search, directory);
    return masks;
}

void masks_free(Masks *masks) {
    if (!masks)
        return;
    g_hash_table_unref(masks->paths);
    g_free(masks);
}

gboolean masks_hide(const Masks *masks, const char *path) {
    return g_hash_table_contains(masks->paths, path);
}

static int compare_names(gconstpointer a, gconstpointer b) {
    return strcmp(a, b);
}

/* PLACE of SANDBOX for HIDDEN of the host. */
static void cover(Sandbox *sandbox, const char *hidden, const char *place, const char *kept) {
    if (!kept || !is_at_or_below(kept, hidden)) {
        sandbox_mask(sandbox, place);
        return;
    }
    if (g_str_equal(kept, hidden))
        return;
    g_autofree char *target = g_build_filename(place, kept + strlen(hidden), NULL);
    sandbox_tmpfs(sandbox, place);
    sandbox_bind(sandbox, kept, target, SANDBOX_READ_ONLY);
}

void masks_apply(
        const Masks *masks, Sandbox *sandbox, const char *source, const char *target, const char *kept) {
    g_autofree char *real = realpath(source, NULL);
    g_autoptr(GList) paths = g_list_sort(g_hash_table_get_keys(masks->paths), compare_names);

    for (const GList *path = real ? paths : NULL; path; path = path->next) {
        const char *hidden = path->data;
        gboolean itself = g_str_equal(hidden, real);
        MaskKind kind = GPOINTER_TO_INT(g_hash_table_lookup(masks->paths, hidden));
        if (!is_at_or_below(hidden, real) || (itself && kind == MASK_MADE))
            continue;
        g_autofree char *place =
                itself ? g_strdup(target) : g_build_filename(target, hidden + strlen(real), NULL);
        cover(sandbox, hidden, place, kept);
    }
}
