/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which repositories an image of Debian or Ubuntu is made from, as an apt sources file (deb822, see
 * sources.list(5)). */

#include <glib.h>

#include "recipe/result/image-config.h"

/* Where the host's own apt configuration gets DISTRIBUTION ("debian", "ubuntu") from: the first URI whose
 * path ends in that name, and the first that ends in NAME-security. Either may be NULL. Free with g_free().
 */
typedef struct {
    char *archive;
    char *security;
} AptHostMirrors;
void apt_host_mirrors_clear(AptHostMirrors *mirrors);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AptHostMirrors, apt_host_mirrors_clear)

/* Reads DIRECTORY/sources.list and DIRECTORY/sources.list.d (one-line and deb822 style). */
void apt_host_mirrors_read(const char *directory, const char *distribution, AptHostMirrors *ret);

/* Adds what TEXT, the content of one file, says; DEB822 tells the style. For tests and fuzzing. */
void apt_host_mirrors_parse(
        const char *text, gboolean deb822, const char *distribution, AptHostMirrors *mirrors);

typedef enum {
    APT_SOURCES_FOR_BUILD, /* what the image's packages come from */
    APT_SOURCES_FOR_IMAGE, /* what apt in the finished image uses: never LocalMirror= */
} AptSourcesUse;

/* The sources file for CONFIG; owned by the caller. ERROR when there is no Mirror= and the host has none to
 * offer. */
char *apt_sources(const ImageConfig *config, AptSourcesUse use, GError **error);
