/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rollout.h"

#include <string.h>

#include "base/sha256.h"

static void digest_of(const char *version, int bucket, guint8 digest[static SHA256_SIZE]) {
    g_autofree char *text = g_strdup_printf("%s%02d", version, bucket);

    sha256_buffer(text, strlen(text), digest);
}

gboolean rollout_has(const char *version, guint percent, int bucket) {
    guint8 own[SHA256_SIZE], other[SHA256_SIZE];
    guint rank = 0;

    if (percent >= 100 || bucket == ROLLOUT_ALL)
        return percent >= 100;
    digest_of(version, bucket, own);
    for (int i = 0; i < ROLLOUT_BUCKETS; i++) {
        digest_of(version, i, other);
        rank += memcmp(other, own, SHA256_SIZE) < 0;
    }
    return rank < percent;
}

const RolloutOffer *rollout_choose(GPtrArray *offers, int bucket) {
    const RolloutOffer *found = NULL;

    for (guint i = 0; i < offers->len; i++) {
        const RolloutOffer *offer = offers->pdata[i];

        if ((!found || strcmp(offer->version, found->version) > 0) && rollout_has(offer->version, offer->percent, bucket))
            found = offer;
    }
    return found;
}
