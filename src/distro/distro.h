/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What differs between distributions: where packages come from and how they get into a tree. One table of
 * operations per distribution; everything else in the program is the same for all. */

#include <glib.h>

#include "recipe/result/image-config.h"

#define DISTRO_ERROR distro_error_quark()
GQuark distro_error_quark(void);

typedef enum {
    DISTRO_ERROR_UNSUPPORTED, /* no driver, or the driver cannot do this */
    DISTRO_ERROR_MIRROR,      /* no mirror known, or it cannot be reached or trusted */
    DISTRO_ERROR_RESOLVE,     /* packages that do not exist or exclude each other */
    DISTRO_ERROR_INSTALL,     /* the package manager failed */
} DistroError;

/* One package as the resolver chose it. */
typedef struct {
    char *file;     /* name of the package file */
    char *name;     /* of the package */
    char *version;  /* "" when the file does not say it */
    char *architecture; /* "" when the file does not say it */
    char *digest;   /* "SHA256:..." */
    guint64 size;   /* bytes to download */
    gboolean local; /* a file of PackageDirectories=, used where it lies */
} DistroPackage;
void distro_package_free(DistroPackage *package);

/* One package as the tree's database knows it. */
typedef struct {
    char *name;
    char *version;
    char *architecture;
    char *source;           /* name of the source package */
    guint64 installed_size; /* bytes */
} DistroInstalled;
void distro_installed_free(DistroInstalled *installed);

/* The package manager's own state for one image: configuration, metadata, downloaded packages. Nothing of it
 * is inside the image. */
typedef struct DistroSession DistroSession;

typedef struct {
    const char *workspace;     /* directory for generated configuration */
    const char *sandbox_tree;  /* merged SandboxTrees, or NULL: an /etc/apt in it joins the configuration */
    const char *package_cache; /* PackageCacheDirectory or its default: metadata and downloaded packages */
    const char *local_repository; /* directory with package files offered in addition, or NULL */
    const char *tools_tree;       /* where the package manager's programs come from; NULL: the host */
    gboolean debug;
} DistroSessionOptions;

DistroSession *distro_session_new(
        const ImageConfig *config, const DistroSessionOptions *options, GError **error);
void distro_session_free(DistroSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DistroSession, distro_session_free)

/* The repositories that the session uses, as text that is equal for equal ones; owned by the caller. */
char *distro_repositories(DistroSession *session);

/* One suite of a repository, as a list of packages can be asked for. */
typedef struct {
    char *url;        /* of the repository, without password */
    char *suite;      /* what is in it, for people: "trixie-security" */
    char *components; /* "main contrib"; "" when there are none */
    char *metadata;   /* URL of the signed file that changes with every change of the repository */
    char *digest;     /* hex SHA-256 of that file as it was fetched last; NULL when it was not */
} DistroRepository;
void distro_repository_free(DistroRepository *repository);

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
gboolean distro_sync(DistroSession *session, GError **error);

/* FALSE with ERROR set when the metadata that is there is not what was verified, or older than the recipe
 * allows. Warns when it is old and allowed. Call after distro_sync(), and when that was not needed. */
gboolean distro_check_metadata(DistroSession *session, GError **error);

/* Indexes the packages in the local repository; call again after its content changed. */
gboolean distro_index_local_repository(DistroSession *session, GError **error);

/* What installing PACKAGES (and, if BOOTSTRAP, the distribution's base) into ROOT would download, sorted by
 * file name: elements DistroPackage. ROOT NULL: an empty tree. */
GPtrArray *distro_resolve(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error);

/* Downloads and verifies what distro_install() will need. One at a time per package cache. */
gboolean distro_download(
        DistroSession *session, const char *root, char *const *packages, gboolean bootstrap, GError **error);

/* Called with the number of steps done and their total while packages are installed. */
typedef void (*DistroProgress)(guint done, guint total, const char *what, gpointer data);

/* Installs PACKAGES into the tree ROOT in one transaction, from downloaded packages; BOOTSTRAP: ROOT is
 * empty but for skeleton trees, the distribution's base is installed too. Initramfs generators and boot
 * loader hooks are kept from running, fsync does nothing. */
gboolean distro_install(DistroSession *session, const char *root, char *const *packages, gboolean bootstrap,
        DistroProgress progress, gpointer data, GError **error);

gboolean distro_remove(DistroSession *session, const char *root, char *const *packages, GError **error);

/* Elements DistroInstalled, sorted by name and architecture; empty when the tree has no database. */
GPtrArray *distro_installed(const ImageConfig *config, int root_fd, GError **error);

/* Removes databases and caches of the package manager from the tree. */
gboolean distro_clean_metadata(const ImageConfig *config, int root_fd, GError **error);

/* What the distribution calls ARCHITECTURE, or NULL. */
const char *distro_architecture(Distribution distribution, Architecture architecture);

/* A program in a script's sandbox that runs a command with /proc, /dev, /run, /tmp and /var/tmp mounted in
 * the tree. */
#define DISTRO_HELPER_WRAPPER "/scripts/.mounted"

/* The package manager's programs made to act on the image, for scripts: names and shell scripts,
 * alternating, NULL-terminated; owned by the caller. The scripts expect the tree at /buildroot, and
 * DISTRO_HELPER_WRAPPER. */
char **distro_script_helpers(DistroSession *session);

/* Adds what those helpers need (configuration, metadata) to a script's sandbox. */
struct Sandbox;
void distro_sandbox_mounts(DistroSession *session, struct Sandbox *sandbox);
