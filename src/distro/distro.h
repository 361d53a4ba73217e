/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What differs between distributions: where packages come from and how they get into a tree. One table of
 * operations per distribution; everything else in the program is the same for all. */

#include <glib.h>

#include "distro/driver/types.h"
#include "recipe/result/image-config.h"

/* The package manager's own state for one image: configuration, metadata, downloaded packages. Nothing of it
 * is inside the image. */
typedef struct DistroSession DistroSession;

typedef struct {
    const char *workspace;        /* directory for generated configuration */
    const char *sandbox_tree;     /* merged SandboxTrees, or NULL: an /etc/apt in it joins the configuration */
    const char *package_cache;    /* PackageCacheDirectory or its default: metadata and downloaded packages */
    const char *local_repository; /* directory with package files offered in addition, or NULL */
    const char *tools_tree;       /* where the package manager's programs come from; NULL: the host */
    gboolean debug;
} DistroSessionOptions;

DistroSession *distro_session_new(const ImageConfig *config, const DistroSessionOptions *options, GError **error);
void distro_session_free(DistroSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DistroSession, distro_session_free)

/* The repositories that the session uses, as text that is equal for equal ones; owned by the caller. */
char *distro_repositories(DistroSession *session);

/* The repositories that the session uses, local ones left out, each once: elements DistroRepository, by URL and suite.
 * The digests are those of the last distro_sync(). */
GPtrArray *distro_list_repositories(DistroSession *session, GError **error);

/* Digest over all that the repositories offer: scripts may install anything. Owned by the caller. */
char *distro_metadata_digest(DistroSession *session);

/* What installing the packages of the session's image configures for the package manager inside of it; NULL
 * when that is nothing. Owned by the caller. */
char *distro_image_configuration(DistroSession *session);

/* TRUE when metadata from an earlier sync is there. */
gboolean distro_have_metadata(DistroSession *session);

/* Fetches and verifies repository metadata. */
gboolean distro_sync(DistroSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* FALSE with ERROR set when the metadata that is there is not what was verified, or older than the recipe
 * allows. Warns when it is old and allowed. Call after distro_sync(), and when that was not needed. */
gboolean distro_check_metadata(DistroSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the driver takes the file NAME (in PackageDirectories=) for a package. */
gboolean distro_is_package_file(DistroSession *session, const char *name);

/* Indexes the packages in the local repository; call again after its content changed. */
gboolean distro_index_local_repository(DistroSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What installing PACKAGES (and, if BOOTSTRAP, the distribution's base) into ROOT would download, sorted by
 * file name: elements DistroPackage. ROOT NULL: an empty tree. */
GPtrArray *distro_resolve(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error);

/* Downloads and verifies what distro_install() will need. One at a time per package cache. */
gboolean distro_download(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Installs PACKAGES into the tree ROOT in one transaction, from downloaded packages; BOOTSTRAP: ROOT is
 * empty but for skeleton trees, the distribution's base is installed too. Initramfs generators and boot
 * loader hooks are kept from running, fsync does nothing. */
gboolean distro_install(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
        DistroProgress progress, gpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean distro_remove(DistroSession *session, const char *root, char *const *packages, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What is installed in the tree ROOT: elements DistroInstalled, sorted by name and architecture; empty when the tree has
 * no database. */
GPtrArray *distro_installed(DistroSession *session, const char *root, GError **error);

/* What the tree ROOT, or its database, holds of PACKAGE's changelog; owned by the caller. NULL: nothing. */
char *distro_changelog(DistroSession *session, const char *root, const char *package);

/* Takes out of the tree what is another each time that the same packages are installed: logs, times in databases. */
gboolean distro_forget_installation(DistroSession *session, const char *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the tree has the distribution's package manager, which needs its databases. */
gboolean distro_has_manager(DistroSession *session, int root_fd);

/* Removes databases and caches of the package manager from the tree. */
gboolean distro_clean_metadata(DistroSession *session, int root_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The programs whose work the tree is: package managers of other tools trees may do it differently. Paths below the
 * tools tree, NULL-terminated; borrowed. */
const char *const *distro_programs(DistroSession *session);

/* What the distribution calls ARCHITECTURE, or NULL. */
const char *distro_architecture(Distribution distribution, Architecture architecture);

/* The package manager's programs made to act on the image, for scripts: names and shell scripts,
 * alternating, NULL-terminated; owned by the caller. The scripts expect the tree at /buildroot, and
 * DISTRO_HELPER_WRAPPER. */
char **distro_script_helpers(DistroSession *session);

/* Adds what those helpers need (configuration, metadata) to a script's sandbox. */
struct Sandbox;
void distro_sandbox_mounts(DistroSession *session, struct Sandbox *sandbox);
