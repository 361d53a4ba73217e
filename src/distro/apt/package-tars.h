/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The archives inside of package files, decompressed once per machine: dpkg asks dpkg-deb for them ("--fsys-tarfile"), and
 * in the sandbox that is a script that hands out what is there already, and calls the real one otherwise. dpkg does the
 * same as ever with the same bytes.
 *
 * They are kept beside the packages, up to UnpackedPackages= bytes, by the digest of the package file that the index of
 * the repository names, with a digest of their own that is checked before they are used. What is not there yet is made
 * while dpkg works already.
 */

#include "distro/driver/driver.h"

typedef struct PackageTars PackageTars;

/* Begins with FILES (DistroPackage), for the next program of SANDBOX. NULL when nothing is to be kept. */
PackageTars *package_tars_begin(DistroSession *session, const GPtrArray *files, Sandbox *sandbox);

/* The program has ended. TARS may be NULL. */
void package_tars_end(PackageTars *tars);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PackageTars, package_tars_end)
