/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/source/delta-install.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "base/io.h"
#include "base/sha256.h"
#include "update/transfer/error.h"

#define MIDDLE ".from-"
#define END ".delta"
#define BLOCK 4096u

static void offer_free(gpointer data) {
    g_free(((DeltaOffer *) data)->version);
    g_free(data);
}

GPtrArray *delta_offers(const UpdateSource *source, const char *name) {
    GPtrArray *offers = g_ptr_array_new_with_free_func(offer_free);
    const GPtrArray *names = update_source_get_names(source);
    g_autofree char *start = g_strconcat(name, MIDDLE, NULL);

    for (guint i = 0; i < names->len; i++) {
        const char *file = names->pdata[i];
        if (!g_str_has_prefix(file, start) || !g_str_has_suffix(file, END) ||
                strlen(file) <= strlen(start) + strlen(END))
            continue;
        DeltaOffer *offer = g_new(DeltaOffer, 1);
        *offer = (DeltaOffer){file, g_strndup(file + strlen(start), strlen(file) - strlen(start) - strlen(END))};
        g_ptr_array_add(offers, offer);
    }
    return offers;
}

void fetched_delta_free(FetchedDelta *fetched) {
    if (!fetched)
        return;
    if (fetched->fd >= 0)
        close(fetched->fd);
    delta_free(fetched->delta);
    g_free(fetched);
}

typedef struct {
    UpdateSource *source;
    const char *name;
    guint64 size;
    int fd;
    DeltaProgress progress;
    gpointer data;
} Fetch;

static gboolean on_bytes(gpointer data, guint64 offset, const guint8 *bytes, gsize size, GError **error) {
    const Fetch *fetch = data;

    if (fetch->progress)
        fetch->progress(fetch->data, offset + size, fetch->size);
    return pwrite_all(fetch->fd, bytes, size, offset, error);
}

/* What is there of the file goes on, from the last whole block of it. RET_FROM: where. */
static gboolean fetch_rest(Fetch *fetch, guint64 *ret_from, GError **error) {
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(HttpRange));
    struct stat info;

    if (fstat(fetch->fd, &info) < 0)
        return set_errno_error(error, errno, "Cannot look at %s", fetch->name);
    guint64 there = (guint64) info.st_size;
    HttpRange range = {there >= fetch->size ? fetch->size : there / BLOCK * BLOCK, 0};
    range.size = fetch->size - range.offset;
    *ret_from = range.offset;
    if (range.size > 0)
        g_array_append_val(ranges, range);
    return update_source_fetch(fetch->source, fetch->name, fetch->size, ranges, on_bytes, fetch, error) &&
           (ftruncate(fetch->fd, (off_t) fetch->size) == 0 ||
                   set_errno_error(error, errno, "Cannot set the size of %s", fetch->name));
}

static gboolean check(const Fetch *fetch, GError **error) {
    const guint8 *digest = update_source_find_digest(fetch->source, fetch->name);
    guint8 found[SHA256_SIZE];

    if (!digest)
        return TRUE;
    return sha256_fd_range(fetch->fd, 0, fetch->size, found, error) &&
           (memcmp(found, digest, SHA256_SIZE) == 0 ||
                   update_fail(error, UPDATE_ERROR_UNTRUSTED, "%s is not what the signed manifest says", fetch->name));
}

/* Something that is there and not right is fetched anew, once: power may have failed before it was flushed. */
static gboolean fetch_all(Fetch *fetch, GError **error) {
    g_autoptr(GError) failure = NULL;
    guint64 from = 0;

    if (!fetch_rest(fetch, &from, error))
        return FALSE;
    if (check(fetch, &failure))
        return TRUE;
    if (from == 0) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    return (ftruncate(fetch->fd, 0) == 0 || set_errno_error(error, errno, "Cannot empty %s", fetch->name)) &&
           fetch_rest(fetch, &from, error) && check(fetch, error);
}

FetchedDelta *delta_fetch(UpdateSource *source, const char *name, guint64 size, const char *directory,
        DeltaProgress progress, gpointer data, GError **error) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autoptr(FetchedDelta) fetched = g_new0(FetchedDelta, 1);

    fetched->fd = -1;
    fetched->size = size;
    if (g_mkdir_with_parents(directory, 0700) < 0) {
        set_errno_error(error, errno, "Cannot make %s", directory);
        return NULL;
    }
    fetched->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fetched->fd < 0) {
        set_errno_error(error, errno, "Cannot open %s", path);
        return NULL;
    }
    Fetch fetch = {source, name, size, fetched->fd, progress, data};
    g_autoptr(GError) failure = NULL;
    if (fetch_all(&fetch, &failure))
        fetched->delta = delta_read(fetched->fd, size, &failure);
    if (fetched->delta)
        return g_steal_pointer(&fetched);
    /* What is not right is not continued. What was interrupted is. */
    if (!g_error_matches(failure, UPDATE_ERROR, UPDATE_ERROR_NETWORK))
        (void) unlink(path);
    g_propagate_error(error, g_steal_pointer(&failure));
    return NULL;
}

void delta_forget(const char *directory) {
    g_autoptr(GPtrArray) names = list_directory_if_any(directory);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(directory, names->pdata[i], NULL);
        if (g_str_has_suffix(names->pdata[i], END))
            (void) unlink(path);
    }
}
