/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The repositories of each distribution, for family.c. */

#include "distro/driver/driver.h"
#include "distro/rpm/family/repository-text.h"

/* The number before the dot of Release=. */
int rpm_major_release(const ImageConfig *config);

/* FALSE with ERROR set: WHAT the distribution cannot do. */
gboolean rpm_refuse(GError **error, const ImageConfig *config, const char *what);

/* The same for Snapshot=, where it is set. */
gboolean rpm_refuse_snapshot(const ImageConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Add the repositories of a distribution by Release=, Mirror= and Snapshot=. FALSE with ERROR set where these do not
 * fit. */
gboolean rpm_add_fedora(RepositoryText *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rpm_add_centos(RepositoryText *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean rpm_add_rhel(RepositoryText *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;    /* and UBI */
gboolean rpm_add_rebuild(RepositoryText *text, GError **error) G_GNUC_WARN_UNUSED_RESULT; /* Rocky and Alma */
gboolean rpm_add_opensuse(RepositoryText *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds the keys (RpmKey) that may sign openSUSE's packages. */
void rpm_add_opensuse_keys(const ImageConfig *config, GPtrArray *keys);

/* The package that says which openSUSE it is; NULL when the recipe names one. */
const char *rpm_opensuse_release_package(const ImageConfig *config);
