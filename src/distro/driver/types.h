/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What drivers and their callers exchange, whatever the family. */

#include <glib.h>

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
    char *file;         /* name of the package file */
    char *name;         /* of the package */
    char *version;      /* "" when the file does not say it */
    char *architecture; /* "" when the file does not say it */
    char *digest;       /* "SHA256:..." */
    guint64 size;       /* bytes to download */
    gboolean local;     /* a file of PackageDirectories=, used where it lies */
    char *place;    /* where the package manager looks for it in a cache of its own; NULL: by its name */
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

/* One suite of a repository, as a list of packages can be asked for. */
typedef struct {
    char *url;        /* of the repository, without password */
    char *suite;      /* what is in it, for people: "trixie-security" */
    char *components; /* "main contrib"; "" when there are none */
    char *metadata;   /* URL of the signed file that changes with every change of the repository */
    char *digest;     /* hex SHA-256 of that file as it was fetched last; NULL when it was not */
} DistroRepository;
void distro_repository_free(DistroRepository *repository);

/* Called with the number of steps done and their total while packages are installed. */
typedef void (*DistroProgress)(guint done, guint total, const char *what, gpointer data);

/* A program in a script's sandbox that runs a command with /proc, /dev, /run, /tmp and /var/tmp mounted in
 * the tree. */
#define DISTRO_HELPER_WRAPPER "/scripts/.mounted"
