/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What distributions with rpm call things, where their repositories lie, and which keys sign them. */

#include "distro/driver/driver.h"

/* A key that signs packages. */
typedef struct {
    char *name;        /* of its file in /etc/pki/rpm-gpg and /usr/share/distribution-gpg-keys */
    char *url;         /* where RepositoryKeyFetch= gets it from; NULL: nowhere */
    gboolean optional; /* another one of the list will do */
} RpmKey;
void rpm_key_free(RpmKey *key);

/* What rpm calls ARCHITECTURE, or NULL. */
const char *rpm_architecture(Architecture architecture);

/* The keys of CONFIG's distribution, of which any may sign: elements RpmKey; owned by the caller. */
GPtrArray *rpm_family_keys(const ImageConfig *config);

/* A file of repositories as dnf and zypper read it, by Mirror=, LocalMirror=, Snapshot= and Release=. KEYS are what
 * their gpgkey= says, one a line. Owned by the caller. ERROR says which setting the distribution does not know. */
char *rpm_family_repositories(const ImageConfig *config, const char *keys, GError **error);

/* What an empty tree starts with, NULL-terminated; owned by the caller. */
char **rpm_family_base(const ImageConfig *config);

/* Where the database of rpm lies, below the tree. */
const char *rpm_family_database(const ImageConfig *config);
