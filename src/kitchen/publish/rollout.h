/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which devices get which version. Devices are in 100 buckets, by an identifier that they keep for themselves. Of each version
 * other buckets are the first: the rank of bucket B is that of SHA-256("VERSION" "BB") among all, and those below the percentage
 * have it. So a larger percentage only adds. */

#include <glib.h>

#define ROLLOUT_BUCKETS 100
/* All devices, also those that know no bucket. */
#define ROLLOUT_ALL (-1)

typedef struct {
    const char *version;
    guint percent;
    const char *digest; /* of its set */
} RolloutOffer;

/* Whether BUCKET has VERSION at PERCENT. */
gboolean rollout_has(const char *version, guint percent, int bucket) G_GNUC_WARN_UNUSED_RESULT;

/* The newest of OFFERS (of RolloutOffer) that BUCKET has; NULL: none. */
const RolloutOffer *rollout_choose(GPtrArray *offers, int bucket);
