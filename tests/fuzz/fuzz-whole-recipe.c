/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole recipes: several files, options and a history in one input, read like the program does.
 *
 * A line "@@ PATH" begins the file PATH of the recipe; "@@ options" begins options, one a line. */
#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "cli/arguments/parse.h"
#include "recipe/reading/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MARK "@@ "

/* Of the sanitizers, where there are any: where reports go. */
extern void __sanitizer_set_report_fd(void *fd) __attribute__((weak));

static char *directory;
static int messages, nowhere;

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk) {
    return walk->level == 0 ? 0 : g_remove(path);
}

static void remove_all(void) {
    nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void at_exit(void) {
    remove_all();
    g_rmdir(directory);
}

static void set_up(void) {
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir();
    directory = g_build_filename(memory, "fuzz-recipe-XXXXXX", NULL);
    g_assert_nonnull(g_mkdtemp(directory));
    atexit(at_exit);
    messages = dup(STDERR_FILENO);
    nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (__sanitizer_set_report_fd)
        __sanitizer_set_report_fd((void *) (intptr_t) messages);
    g_setenv("MKOSI_HOST_DISTRIBUTION", "debian", TRUE);
    g_setenv("MKOSI_HOST_RELEASE", "trixie", TRUE);
}

/* Names that stay in the recipe. */
static gboolean is_safe(const char *path) {
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    if (!*path || strlen(path) > 200 || g_strv_length(parts) > 6)
        return FALSE;
    for (char **part = parts; *part; part++)
        if (!**part || strcmp(*part, ".") == 0 || strcmp(*part, "..") == 0)
            return FALSE;
    return TRUE;
}

/* The directories of the machine are large: no search through several levels of them. */
static gboolean searches_widely(const char *text) {
    for (const char *p = text; (p = strpbrk(p, "*?[")); p++) {
        gsize word = strcspn(p, " ,\t\n");
        if (memchr(p, '/', word))
            return TRUE;
    }
    return FALSE;
}

static void add_options(GPtrArray *argv, const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", 20);
    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, "--") && !g_str_has_prefix(*line, "--dir"))
            g_ptr_array_add(argv, g_strdup(*line));
}

static void add_file(const char *name, const char *text, gsize length) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    if (!is_safe(name) || g_mkdir_with_parents(parent, 0700) < 0)
        return;
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    (void) fwrite(text, 1, length, file);
    /* Never executable: a companion that is would be run. */
    (void) fchmod(fileno(file), 0600);
    (void) fclose(file);
}

/* Takes one file off the text from *P to END. */
static void take_section(const char **p, const char *end, GPtrArray *argv) {
    const char *line = memchr(*p, '\n', end - *p);
    g_autofree char *name = g_strndup(*p + strlen(MARK), (line ?: end) - *p - strlen(MARK));
    const char *start = line ? line + 1 : end;
    const char *next = g_strstr_len(start, end - start, "\n" MARK);
    const char *stop = next ? next + 1 : end;
    if (strcmp(name, "options") == 0) {
        g_autofree char *text = g_strndup(start, stop - start);
        add_options(argv, text);
    } else
        add_file(name, start, stop - start);
    *p = stop;
}

/* No program of the recipe runs. */
static Recipe *load_recipe(const Arguments *arguments, GError **error) {
    const RecipeRequest request = {
            .directory = arguments->directory,
            .assignments = arguments->assignments,
            .wants = arguments_get_wants(arguments),
    };
    return recipe_load(&request, error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static gsize done;
    if (g_once_init_enter(&done)) {
        set_up();
        g_once_init_leave(&done, 1);
    }
    g_autofree char *text = g_strndup((const char *) data, size);
    if (searches_widely(text))
        return 0;

    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(argv, g_strdup("-C"));
    g_ptr_array_add(argv, g_strdup(directory));
    const char *p = (const char *) data, *end = p + size;
    while (end - p > (gssize) strlen(MARK) && memcmp(p, MARK, strlen(MARK)) == 0)
        take_section(&p, end, argv);
    g_ptr_array_add(argv, g_strdup("summary"));
    g_ptr_array_add(argv, NULL);

    g_autoptr(GError) error = NULL;
    dup2(nowhere, STDERR_FILENO); /* warnings */
    g_autoptr(Arguments) arguments = arguments_parse((char **) argv->pdata, "/", &error);
    g_autoptr(Recipe) recipe = arguments ? load_recipe(arguments, &error) : NULL;
    dup2(messages, STDERR_FILENO);
    g_assert_true(!recipe == !!error);
    if (recipe && recipe->main) {
        g_autofree char *json = recipe_to_json(recipe);
        g_assert_nonnull(json);
        const TextStyle plain = {"", "", "", "", "", "", ""};
        g_autofree char *summary = recipe_summary(recipe, TRUE, &plain);
        g_assert_nonnull(summary);
        ignore_failure(recipe_check_implemented(recipe, NULL));
    }
    remove_all();
    return 0;
}
