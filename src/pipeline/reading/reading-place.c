/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/reading/reading-place.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/directory.h"
#include "base/errors.h"
#include "pipeline/reading/reading-index.h"
#include "pipeline/state/image-build.h"

void reading_place_free(ReadingPlace *place) {
    if (!place)
        return;
    g_free(place->directory);
    g_free(place->top);
    g_free(place->git);
    g_free(place->git_common);
    g_free(place);
}

static gboolean holds_home(const char *directory, const char *home) {
    g_autofree char *real = home && *home ? realpath(home, NULL) : NULL;
    return real && !g_str_equal(real, "/") && path_is_below(real, directory);
}

/* Whether DIRECTORY is a place where people keep everything, not just a recipe. */
static gboolean is_wide(const char *directory, const struct stat *info) {
    const struct passwd *owner = getpwuid(info->st_uid);

    return g_str_equal(directory, "/") || (info->st_mode & S_ISVTX) ||
           holds_home(directory, g_getenv("HOME")) || holds_home(directory, g_get_home_dir()) ||
           (owner && holds_home(directory, owner->pw_dir));
}

/* The first line of a small file, or NULL. */
static char *read_line(const char *directory, const char *name, const char *prefix) {
    g_autofree char *path = g_build_filename(directory, name, NULL), *text = NULL;
    struct stat info;

    if (lstat(path, &info) < 0 || !S_ISREG(info.st_mode) || info.st_size > 8192 ||
            !g_file_get_contents(path, &text, NULL, NULL) || !g_str_has_prefix(text, prefix))
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    return g_strdup(g_strchomp(text + strlen(prefix)));
}

/* The path that a line of the file NAME in DIRECTORY leads to; without links. */
static char *read_path(const char *directory, const char *name, const char *prefix) {
    g_autofree char *line = read_line(directory, name, prefix);
    g_autofree char *path = line && *line ? g_canonicalize_filename(line, directory) : NULL;
    return path ? realpath(path, NULL) : NULL;
}

static gboolean belongs_to(const char *path, uid_t owner, mode_t type) {
    struct stat info;
    return lstat(path, &info) == 0 && (info.st_mode & S_IFMT) == type && info.st_uid == owner;
}

/* TOP/.git is a file: the working tree is one of several, or a submodule. What the file says can be
 * anybody's wish, so the repository must know the working tree, too. */
static void find_linked(ReadingPlace *place, const char *top, uid_t owner) {
    g_autofree char *git = read_path(top, ".git", "gitdir: ");
    g_autofree char *dot_git = g_build_filename(top, ".git", NULL);
    g_autofree char *back = git ? read_path(git, "gitdir", "") : NULL;
    g_autofree char *common = git ? read_path(git, "commondir", "") : NULL;

    if (!back || !common || !g_str_equal(back, dot_git) || !belongs_to(git, owner, S_IFDIR) ||
            !belongs_to(common, owner, S_IFDIR))
        return;
    g_autofree char *worktrees = g_path_get_dirname(git);
    g_autofree char *expected = g_build_filename(common, "worktrees", NULL);
    if (!g_str_equal(worktrees, expected))
        return;
    place->git = g_steal_pointer(&git);
    place->git_common = g_steal_pointer(&common);
}

/* Whether the place is more than a directory that somebody put into the working tree TOP. */
static gboolean is_part(const ReadingPlace *place, const char *top) {
    const char *relative = place->directory + strlen(top);

    return !*relative || reading_git_tracks(place->git, place->git_common, relative + 1);
}

/* Goes up from DIRECTORY to the repository that holds it. */
static void find_repository(ReadingPlace *place, uid_t owner) {
    g_autofree char *top = g_strdup(place->directory);
    struct stat info;

    while (lstat(top, &info) == 0 && info.st_uid == owner && !is_wide(top, &info)) {
        g_autofree char *dot_git = g_build_filename(top, ".git", NULL);
        if (belongs_to(dot_git, owner, S_IFDIR)) {
            place->git = g_strdup(dot_git);
            place->git_common = g_strdup(dot_git);
        } else if (belongs_to(dot_git, owner, S_IFREG))
            find_linked(place, top, owner);
        if (place->git && is_part(place, top)) {
            g_free(place->top);
            place->top = g_steal_pointer(&top);
            return;
        }
        g_clear_pointer(&place->git, g_free);
        g_clear_pointer(&place->git_common, g_free);
        char *parent = g_path_get_dirname(top);
        g_free(top);
        top = parent;
    }
}

ReadingPlace *reading_place_new(const char *directory, GError **error) {
    g_autoptr(ReadingPlace) place = g_new0(ReadingPlace, 1);
    struct stat info;

    if (stat(directory, &info) < 0) {
        set_errno_error(error, errno, "Cannot look at %s", directory);
        return NULL;
    }
    if (is_wide(directory, &info)) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "The recipe lies in %s, and the program would see all that is there; move the recipe to a "
                "directory of its own",
                directory);
        return NULL;
    }
    place->directory = g_strdup(directory);
    place->top = g_strdup(directory);
    find_repository(place, info.st_uid);
    return g_steal_pointer(&place);
}
