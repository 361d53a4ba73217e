/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Deltas that a source offers: which one fits what the device has, and making pieces of it.
 *
 * Beside a file NAME a source may have NAME.from-VERSION.delta. It is fetched whole, and what was fetched stays until the
 * update is done, so that an interrupted one goes on. It is never trusted: whoever gets its pieces compares them with the
 * signed hash tree or manifest. Whatever is wrong with one, the update goes on without it. */

#include "format/delta/delta-apply.h"
#include "update/source/source.h"

typedef struct {
    const char *name; /* of the source */
    char *version;    /* that it is from */
} DeltaOffer;

/* The deltas for the file NAME: an array of DeltaOffer. */
GPtrArray *delta_offers(const UpdateSource *source, const char *name);

typedef struct {
    int fd;
    guint64 size;
    Delta *delta;
} FetchedDelta;

/* Called with bytes that have arrived of all. */
typedef void (*DeltaProgress)(gpointer data, guint64 arrived, guint64 all);

/* Fetches the delta NAME, which has SIZE bytes, to DIRECTORY, goes on with what is there of it, checks its digest, and reads
 * it. PROGRESS may be NULL. */
FetchedDelta *delta_fetch(UpdateSource *source, const char *name, guint64 size, const char *directory,
        DeltaProgress progress, gpointer data, GError **error);
void fetched_delta_free(FetchedDelta *fetched);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FetchedDelta, fetched_delta_free)

/* Removes what delta_fetch() left in DIRECTORY. */
void delta_forget(const char *directory);
