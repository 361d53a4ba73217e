/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ranges of subordinate IDs: "NAME:START:COUNT" lines, see subuid(5). */
#include <string.h>

#include "base/cleanup.h"
#include "kitchen/install/install.h"
#include "kitchen/install/private.h"

/* Below are ranges that programs give out by themselves. */
#define FIRST G_GUINT64_CONSTANT(524288)
#define COUNT 65536u
#define LAST_MAX (G_MAXUINT32 - COUNT)

/* Whether USER has a range in TEXT; RET_END is the first ID behind all ranges. */
static gboolean find(const char *text, const char *user, guint64 *ret_end) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    gboolean found = FALSE;

    *ret_end = FIRST;
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, ":", -1);
        guint64 start = 0, count = 0;

        if (g_strv_length(fields) != 3 || !g_ascii_string_to_unsigned(fields[1], 10, 0, G_MAXUINT32, &start, NULL) ||
                !g_ascii_string_to_unsigned(fields[2], 10, 0, G_MAXUINT32, &count, NULL))
            continue;
        found = found || strcmp(fields[0], user) == 0;
        *ret_end = MAX(*ret_end, start + count);
    }
    return found;
}

gboolean install_range(Install *install, const char *path, const char *user, GError **error) {
    g_autoptr(GError) failure = NULL;
    g_autofree char *text = install_read(install, path, &failure);
    g_autofree char *changed = NULL;
    const char *name = NULL;
    guint64 start = 0;

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (find(text ?: "", user, &start)) {
        install_say(install, "has       a range for %s in %s", user, path);
        return TRUE;
    }
    if (start > LAST_MAX) {
        g_set_error(error, INSTALL_ERROR, 0,
                "%s: there is no room for a range of %u IDs behind the others: add one for %s by hand", path, COUNT,
                user);
        return FALSE;
    }
    install_say(install, "%s %s:%" G_GUINT64_FORMAT ":%u to %s", install->options->dry_run ? "would add" : "adds     ",
            user, start, COUNT, path);
    if (install->options->dry_run)
        return TRUE;
    AUTO_FD fd = install_open_parent(install, path, TRUE, &name, error);
    changed = g_strdup_printf("%s%s%s:%" G_GUINT64_FORMAT ":%u\n", text ?: "",
            text && *text && !g_str_has_suffix(text, "\n") ? "\n" : "", user, start, COUNT);
    return fd >= 0 && install_write(fd, name, 0644, changed, TRUE, error);
}
