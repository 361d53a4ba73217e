/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/kernel/kernel-filter.h"

#include <fnmatch.h>
#include <string.h>

typedef struct {
    char *pattern; /* normalised, without '-' */
    gboolean drop;
} Glob;

struct KernelFilter {
    KernelFilterKind kind;
    GArray *globs;      /* of Glob, in the order of the list */
    GPtrArray *regexes; /* of GRegex */
};

static void glob_clear(gpointer data) {
    Glob *glob = data;
    g_free(glob->pattern);
}

/* '_' becomes '-', except inside brackets, where '-' has a meaning. */
static void normalise_glob(char *pattern) {
    gboolean in_brackets = FALSE;
    for (char *c = pattern; *c; c++) {
        if (*c == '[')
            in_brackets = TRUE;
        else if (*c == ']')
            in_brackets = FALSE;
        else if (*c == '_' && !in_brackets)
            *c = '-';
    }
}

static gboolean add_pattern(KernelFilter *filter, const char *pattern, GError **error) {
    if (g_str_has_prefix(pattern, "re:")) {
        GRegex *regex = g_regex_new(pattern + 3, G_REGEX_OPTIMIZE, 0, error);
        if (!regex) {
            g_prefix_error(error, "regular expression '%s': ", pattern + 3);
            return FALSE;
        }
        g_ptr_array_add(filter->regexes, regex);
        return TRUE;
    }
    Glob glob = {.drop = *pattern == '-'};
    const char *text = pattern + (glob.drop ? 1 : 0);
    glob.pattern = g_strconcat(text, g_str_has_suffix(text, "/") ? "*" : "", NULL);
    if (filter->kind == KERNEL_FILTER_MODULES)
        normalise_glob(glob.pattern);
    g_array_append_val(filter->globs, glob);
    return TRUE;
}

static gboolean add_patterns(KernelFilter *filter, const char *const *patterns, GError **error) {
    for (; patterns && *patterns; patterns++)
        if (!add_pattern(filter, *patterns, error))
            return FALSE;
    return TRUE;
}

KernelFilter *kernel_filter_new(
        KernelFilterKind kind, const char *const *patterns, const KernelFilterWords *words, GError **error) {
    g_autoptr(KernelFilter) filter = g_new0(KernelFilter, 1);
    filter->kind = kind;
    filter->globs = g_array_new(FALSE, FALSE, sizeof(Glob));
    g_array_set_clear_func(filter->globs, glob_clear);
    filter->regexes = g_ptr_array_new_with_free_func((GDestroyNotify) g_regex_unref);

    for (; patterns && *patterns; patterns++) {
        gboolean ok;
        if (words && g_str_equal(*patterns, "default"))
            ok = add_patterns(filter, words->default_modules, error);
        else if (words && g_str_equal(*patterns, "host"))
            ok = add_patterns(filter, words->host_modules, error);
        else
            ok = add_pattern(filter, *patterns, error);
        if (!ok)
            return NULL;
    }
    return g_steal_pointer(&filter);
}

void kernel_filter_free(KernelFilter *filter) {
    if (!filter)
        return;
    g_array_unref(filter->globs);
    g_ptr_array_unref(filter->regexes);
    g_free(filter);
}

gboolean kernel_filter_is_empty(const KernelFilter *filter) {
    return filter->globs->len == 0 && filter->regexes->len == 0;
}

gboolean kernel_filter_has_globs(const KernelFilter *filter) {
    return filter->globs->len > 0;
}

static void strip_suffix(char *name, const char *const *suffixes) {
    for (; *suffixes; suffixes++)
        if (g_str_has_suffix(name, *suffixes)) {
            name[strlen(name) - strlen(*suffixes)] = '\0';
            return;
        }
}

static const char *const compressed_suffixes[] = {".gz", ".xz", ".zst", NULL};
static const char *const module_suffixes[] = {".ko", NULL};

gboolean kernel_module_is_file(const char *name) {
    g_autofree char *copy = g_strdup(name);
    strip_suffix(copy, compressed_suffixes);
    return g_str_has_suffix(copy, ".ko");
}

char *kernel_module_name(const char *path) {
    char *name = g_path_get_basename(path);
    name[strcspn(name, ".")] = '\0';
    g_strdelimit(name, "_", '-');
    return name;
}

/* PATH as globs see it. */
static char *normalise_path(KernelFilterKind kind, const char *path) {
    char *name = g_strdup(path);
    strip_suffix(name, compressed_suffixes);
    if (kind == KERNEL_FILTER_MODULES) {
        strip_suffix(name, module_suffixes);
        g_strdelimit(name, "_", '-');
    }
    return name;
}

/* '*' matches '/' as well, and there is no escaping. */
static gboolean matches(const char *pattern, const char *text) {
    return fnmatch(pattern, text, FNM_NOESCAPE) == 0;
}

/* ABSOLUTE is the path with a leading slash. */
static gboolean glob_matches(const char *pattern, const char *absolute) {
    if (*pattern == '/') {
        static const char kernel[] = "/kernel";
        if (g_str_has_prefix(absolute, "/kernel/") && matches(pattern, absolute + strlen(kernel)))
            return TRUE;
        if (matches(pattern, absolute))
            return TRUE;
    }
    if (strchr(pattern, '/')) {
        g_autofree char *anywhere = g_strconcat("*/", pattern, NULL);
        if (matches(anywhere, absolute))
            return TRUE;
    }
    return matches(pattern, strrchr(absolute, '/') + 1);
}

KernelFilterVerdict kernel_filter_match_globs(const KernelFilter *filter, const char *path) {
    if (filter->globs->len == 0)
        return KERNEL_FILTER_NO_MATCH;
    g_autofree char *name = normalise_path(filter->kind, path);
    g_autofree char *absolute = g_strconcat("/", name, NULL);
    for (guint i = filter->globs->len; i > 0; i--) {
        const Glob *glob = &g_array_index(filter->globs, Glob, i - 1);
        if (glob_matches(glob->pattern, absolute))
            return glob->drop ? KERNEL_FILTER_DROP : KERNEL_FILTER_KEEP;
    }
    return KERNEL_FILTER_NO_MATCH;
}

gboolean kernel_filter_match_regex(const KernelFilter *filter, const char *path) {
    const char *text = path;
    if (filter->kind == KERNEL_FILTER_MODULES) {
        const char *slash = strchr(path, '/');
        text = slash ? slash + 1 : "";
    }
    for (guint i = 0; i < filter->regexes->len; i++)
        if (g_regex_match(filter->regexes->pdata[i], text, 0, NULL))
            return TRUE;
    return FALSE;
}
