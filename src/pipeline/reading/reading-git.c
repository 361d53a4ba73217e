/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/reading/reading-git.h"

#include <string.h>
#include <sys/stat.h>

/* What says how the repository is stored and how files are compared with it. All other sections can say
 * where from, as whom and by which program something is fetched. */
static gboolean is_kept_section(const char *line) {
    static const char *const names[] = {"core", "extensions", "index", "pack", "gc", "feature"};
    const char *name = line + 1 + strspn(line + 1, " \t");

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        gsize length = strlen(names[i]);
        if (g_ascii_strncasecmp(name, names[i], length) == 0 && strchr("] \t", name[length]) && name[length])
            return TRUE;
    }
    return FALSE;
}

char *reading_git_config(const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GString) result = g_string_new(NULL);
    gboolean kept = FALSE;

    for (char **line = lines; *line; line++) {
        const char *start = *line + strspn(*line, " \t");
        if (*start == '[')
            kept = is_kept_section(start);
        if (kept && (**line || line[1]))
            g_string_append_printf(result, "%s\n", *line);
    }
    return g_string_free(g_steal_pointer(&result), FALSE);
}

static void cover_config(Sandbox *sandbox, const char *git, const char *name) {
    g_autofree char *path = g_build_filename(git, name, NULL), *text = NULL;
    struct stat info;

    if (lstat(path, &info) < 0)
        return;
    /* A link leads to what is seen only if it is shown. */
    if (!S_ISREG(info.st_mode) || !g_file_get_contents(path, &text, NULL, NULL)) {
        sandbox_mask(sandbox, path);
        return;
    }
    g_autofree char *config = reading_git_config(text);
    sandbox_file(sandbox, path, config, FALSE);
}

/* The repositories of submodules, which lie below each other as their names say. */
static void cover_modules(Sandbox *sandbox, const char *directory) {
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);

    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        g_autofree char *head = g_build_filename(path, "HEAD", NULL);
        struct stat info;
        if (lstat(path, &info) < 0 || !S_ISDIR(info.st_mode))
            continue;
        if (lstat(head, &info) == 0)
            reading_cover_git(sandbox, path);
        else
            cover_modules(sandbox, path);
    }
}

void reading_cover_git(Sandbox *sandbox, const char *git) {
    static const char *const masked[] = {"logs", "credentials", "FETCH_HEAD", "fsmonitor--daemon.ipc"};
    g_autofree char *modules = g_build_filename(git, "modules", NULL);

    cover_config(sandbox, git, "config");
    cover_config(sandbox, git, "config.worktree");
    for (size_t i = 0; i < G_N_ELEMENTS(masked); i++) {
        g_autofree char *path = g_build_filename(git, masked[i], NULL);
        sandbox_mask(sandbox, path);
    }
    cover_modules(sandbox, modules);
}
