/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Approving a release: everything about it is fetched and compared, shown, and signed with a key of SSH. */

#include "kitchen/client/client.h"

typedef struct {
    const char *project;   /* "NAMESPACE/PROJECT" */
    const char *channel;
    gint64 build;
    const char *key;       /* of ssh-keygen -Y sign -f; NULL: ~/.ssh/id_ed25519 */
    const char *files;     /* directory that artifacts are kept in; NULL: they are fetched, compared, and forgotten */
    const char *instance;  /* fingerprint of the certificate for manifests that it has to be; NULL: it is shown */
    gboolean yes;          /* nobody is asked */
} KitchenApproval;

/* Fetches the files of the release, compares their digests, sizes and names, shows what is approved, asks, has ssh-keygen sign the
 * statement of each target, and brings the signatures to the service. */
gboolean kitchen_approve(KitchenClient *client, const KitchenApproval *approval, GError **error) G_GNUC_WARN_UNUSED_RESULT;
