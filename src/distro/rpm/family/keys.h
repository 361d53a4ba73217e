/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The keys that sign packages, in a directory of the session. Where they come from: etc/pki/rpm-gpg in SandboxTrees=;
 * /usr/share/distribution-gpg-keys and /etc/pki/rpm-gpg of the tools tree (or the host); with RepositoryKeyFetch= the
 * network. */

#include "distro/driver/driver.h"

/* Where a sandbox sees them. */
#define RPM_KEYS "/run/rpm-keys"

/* Copies the keys that are there into WORKSPACE/rpm/keys. Returns what gpgkey= says: addresses, one a line; owned by the
 * caller. RET_MISSING: those that rpm_keys_fetch() has to get, RpmKey; owned by the caller. ERROR when one is nowhere and
 * may not be fetched. */
char *rpm_keys_prepare(DistroSession *session, GPtrArray **ret_missing, GError **error);

/* Fetches the keys MISSING into the package cache, and from there into the session. */
gboolean rpm_keys_fetch(DistroSession *session, GPtrArray *missing, GError **error) G_GNUC_WARN_UNUSED_RESULT;
