/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "packs/oldest.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/directory.h"

typedef struct {
    const char *name; /* borrowed */
    struct timespec used;
    guint64 size;
} Candidate;

static int compare_use(gconstpointer a, gconstpointer b) {
    const Candidate *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    if (x->used.tv_nsec != y->used.tv_nsec)
        return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
    return strcmp(x->name, y->name);
}

static GArray *list_candidates(int directory, const GPtrArray *names, const char *suffix, guint64 *ret_total) {
    GArray *candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));
    *ret_total = 0;
    for (guint i = 0; names && i < names->len; i++) {
        struct stat st;
        if (!g_str_has_suffix(names->pdata[i], suffix) ||
                fstatat(directory, names->pdata[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        const Candidate candidate = {names->pdata[i], st.st_mtim, (guint64) st.st_size};
        g_array_append_val(candidates, candidate);
        *ret_total += candidate.size;
    }
    g_array_sort(candidates, compare_use);
    return candidates;
}

guint remove_oldest(int directory, const char *suffix, guint64 limit, guint max, guint spared) {
    g_autoptr(GPtrArray) names = list_directory_at(directory, ".", NULL);
    guint64 total;
    g_autoptr(GArray) candidates = list_candidates(directory, names, suffix, &total);
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    guint removed = 0;

    for (guint i = 0; i < candidates->len && (total > limit || candidates->len - i > max); i++) {
        const Candidate *candidate = &g_array_index(candidates, Candidate, i);
        if (spared > 0 && candidate->used.tv_sec > now - (gint64) spared)
            break;
        total -= candidate->size;
        removed += unlinkat(directory, candidate->name, 0) == 0;
    }
    return removed;
}
