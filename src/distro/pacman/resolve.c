/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/pacman/resolve.h"

#include <string.h>

#include "base/hex.h"
#include "distro/driver/resolve-cache.h"
#include "distro/pacman/configuration.h"
#include "distro/pacman/desc.h"
#include "distro/pacman/metadata.h"
#include "distro/pacman/run.h"
#include "distro/pacman/session.h"

/* What an empty tree starts with. */
#define BASE "filesystem"

/* Lines of the answer begin with it: pacman says other things as well. */
#define MARK "particleos:"

static void choice_free(gpointer data) {
    PacmanChoice *choice = data;
    distro_package_free(choice->package);
    g_free(choice->repository);
    g_free(choice);
}

static GPtrArray *new_choices(void) {
    return g_ptr_array_new_with_free_func(choice_free);
}

static int compare_choices(gconstpointer a, gconstpointer b) {
    return strcmp((*(PacmanChoice *const *) a)->package->file, (*(PacmanChoice *const *) b)->package->file);
}

/* The key depends on everything that the answer for an empty tree does. NULL: it cannot be told. */
static char *resolve_key(DistroSession *session, GPtrArray *argv) {
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *program =
            g_build_filename(session->tools_tree ? session->tools_tree : "/", "usr/bin/pacman", NULL);

    if (!pacman_digest_metadata(session, checksum, NULL))
        return NULL;
    resolve_cache_digest_program(checksum, program);
    for (guint i = 0; i < argv->len; i++)
        g_checksum_update(checksum, argv->pdata[i], strlen(argv->pdata[i]) + 1);
    return g_strdup(g_checksum_get_string(checksum));
}

static PacmanChoice *new_choice(const char *repository, const PacmanDesc *desc) {
    PacmanChoice *choice = g_new0(PacmanChoice, 1);

    choice->repository = g_strdup(repository);
    choice->package = g_new0(DistroPackage, 1);
    choice->package->file = g_strdup(desc->file);
    choice->package->name = g_strdup(desc->name);
    choice->package->version = g_strdup(desc->version);
    choice->package->architecture = g_strdup(desc->architecture);
    choice->package->digest = g_strconcat("SHA256:", desc->sha256, NULL);
    choice->package->size = desc->size;
    choice->package->local = g_str_equal(repository, PACMAN_LOCAL);
    return choice;
}

static gboolean is_repository_name(const char *name) {
    return *name && *name != '.' && !strchr(name, '/');
}

static PacmanChoice *look_up(DistroSession *session, GHashTable *databases, const char *repository, const char *name,
        const char *version, GError **error) {
    GHashTable *packages = g_hash_table_lookup(databases, repository);

    if (!packages) {
        if (!is_repository_name(repository) || !(packages = pacman_read_database(session, repository, error)))
            return NULL;
        g_hash_table_insert(databases, g_strdup(repository), packages);
    }
    const PacmanDesc *desc = g_hash_table_lookup(packages, name);
    if (desc && g_str_equal(desc->version, version) && desc->file && desc->sha256)
        return new_choice(repository, desc);
    g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
            "The database of the repository %s has no file and SHA-256 for %s %s: what cannot be checked is not "
            "installed",
            repository, name, version);
    return NULL;
}

/* Reads the lines of TEXT that are marked: repository, name, version. */
static GPtrArray *read_answer(DistroSession *session, const char *text, GError **error) {
    g_autoptr(GHashTable) databases =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
    g_autoptr(GPtrArray) choices = new_choices();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        if (!g_str_has_prefix(*line, MARK))
            continue;
        g_auto(GStrv) words = g_strsplit(*line + strlen(MARK), " ", -1);
        PacmanChoice *choice =
                g_strv_length(words) == 3 ? look_up(session, databases, words[0], words[1], words[2], error) : NULL;
        if (!choice) {
            if (error && !*error)
                g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_RESOLVE, "pacman answered with what is no package: %s",
                        *line);
            return NULL;
        }
        g_ptr_array_add(choices, choice);
    }
    g_ptr_array_sort(choices, compare_choices);
    return g_steal_pointer(&choices);
}

static char *choices_text(GPtrArray *choices) {
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < choices->len; i++) {
        const PacmanChoice *choice = choices->pdata[i];
        const DistroPackage *package = choice->package;
        g_string_append_printf(text, "%s %s %s %s %s %s %" G_GUINT64_FORMAT "\n", choice->repository, package->file,
                package->name, package->version, package->architecture, package->digest, package->size);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static PacmanChoice *parse_choice(const char *line) {
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    g_autoptr(PacmanDesc) desc = g_new0(PacmanDesc, 1);

    if (g_strv_length(words) != 7 || !is_repository_name(words[0]) || !is_repository_name(words[1]) ||
            !g_str_has_prefix(words[5], "SHA256:") || !hex_is_lower(words[5] + strlen("SHA256:"), 64) ||
            !g_ascii_string_to_unsigned(words[6], 10, 0, G_MAXINT64, &desc->size, NULL))
        return NULL;
    desc->file = g_strdup(words[1]);
    desc->name = g_strdup(words[2]);
    desc->version = g_strdup(words[3]);
    desc->architecture = g_strdup(words[4]);
    desc->sha256 = g_strdup(words[5] + strlen("SHA256:"));
    return new_choice(words[0], desc);
}

GPtrArray *pacman_choices_parse(const char *text) {
    g_autoptr(GPtrArray) choices = new_choices();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        PacmanChoice *choice = **line ? parse_choice(*line) : NULL;
        if (choice)
            g_ptr_array_add(choices, choice);
        else if (**line)
            return NULL;
    }
    g_ptr_array_sort(choices, compare_choices);
    return g_steal_pointer(&choices);
}

static GPtrArray *ask_pacman(DistroSession *session, const char *root, GPtrArray *argv, GError **error) {
    g_autoptr(Sandbox) sandbox = pacman_sandbox(session, root, 0, error);
    g_autofree char *text = NULL;

    if (!sandbox)
        return NULL;
    if (pacman_run(session, sandbox, argv, NULL, DISTRO_ERROR_RESOLVE,
                "Check the names in Packages=, and Repositories= for where they should come from.", &text, error))
        return read_answer(session, text, error);
    g_prefix_error(error, "Cannot resolve packages for arch: ");
    return NULL;
}

/* TARGETS are names alone, the base's choice settled. */
static GPtrArray *choose(
        DistroSession *session, const char *root, char *const *base, char *const *packages, GError **error) {
    g_autoptr(GPtrArray) argv = pacman_transaction(session, "--sync");
    g_autofree char *key = NULL, *kept = NULL;

    pacman_add_words(argv, "--needed", "--assume-installed=initramfs", "--print-format=" MARK "%r %n %v", NULL);
    for (char *const *name = base; name && *name; name++)
        g_ptr_array_add(argv, g_strdup(*name));
    for (char *const *name = packages; name && *name; name++)
        g_ptr_array_add(argv, g_strdup(*name));
    if (!root && (key = resolve_key(session, argv)) && (kept = resolve_cache_get(session->package_cache, key))) {
        GPtrArray *known = pacman_choices_parse(kept);
        if (known)
            return known;
    }
    GPtrArray *choices = ask_pacman(session, root, argv, error);
    g_autofree char *text = choices && key ? choices_text(choices) : NULL;
    if (text)
        resolve_cache_put(session->package_cache, key, text);
    return choices;
}

/* Settles what an empty tree starts with before the recipe's packages have a say, because it is installed before
 * them. */
static gboolean choose_base(DistroSession *session, GError **error) {
    static char *const base[] = {(char *) BASE, NULL};
    PacmanState *state = pacman_state(session);

    if (state->base)
        return TRUE;
    g_autoptr(GPtrArray) choices = choose(session, NULL, base, NULL, error);
    if (!choices)
        return FALSE;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < choices->len; i++)
        g_ptr_array_add(names, g_strdup(((PacmanChoice *) choices->pdata[i])->package->name));
    g_ptr_array_add(names, NULL);
    state->base = (char **) g_ptr_array_free(g_steal_pointer(&names), FALSE);
    return TRUE;
}

GPtrArray *pacman_choose(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error) {
    if (!pacman_take_metadata(session, error) || (bootstrap && !choose_base(session, error)))
        return NULL;
    if (!bootstrap && (!packages || !packages[0]))
        return new_choices();
    return choose(session, root, bootstrap ? pacman_state(session)->base : NULL, packages, error);
}

GPtrArray *pacman_choice_packages(GPtrArray *choices) {
    GPtrArray *packages = g_ptr_array_new();

    for (guint i = 0; i < choices->len; i++)
        g_ptr_array_add(packages, ((PacmanChoice *) choices->pdata[i])->package);
    return packages;
}

gboolean pacman_add_targets(
        GPtrArray *argv, DistroSession *session, char *const *packages, gboolean bootstrap, GError **error) {
    if (!pacman_take_metadata(session, error) || (bootstrap && !choose_base(session, error)))
        return FALSE;
    for (char **name = bootstrap ? pacman_state(session)->base : NULL; name && *name; name++)
        g_ptr_array_add(argv, g_strdup(*name));
    for (char *const *name = packages; name && *name; name++)
        g_ptr_array_add(argv, g_strdup(*name));
    return TRUE;
}

GPtrArray *pacman_resolve(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error) {
    g_autoptr(GPtrArray) choices = pacman_choose(session, root, packages, bootstrap, error);
    GPtrArray *resolved = NULL;

    if (!choices)
        return NULL;
    resolved = g_ptr_array_new_with_free_func((GDestroyNotify) distro_package_free);
    for (guint i = 0; i < choices->len; i++)
        g_ptr_array_add(resolved, g_steal_pointer(&((PacmanChoice *) choices->pdata[i])->package));
    return resolved;
}
