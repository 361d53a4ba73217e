/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What pacman is told: pacman.conf(5), made from the recipe alone. */

#include <glib.h>

#include "recipe/result/image-config.h"

/* The repository of PackageDirectories=, which comes first. */
#define PACMAN_LOCAL "mkosi"

/* What Arch calls ARCHITECTURE; NULL: there is no such Arch. */
const char *pacman_architecture(Architecture architecture);

/* FALSE with ERROR set when CONFIG asks for what Arch or pacman do not have; warns of what has no effect. */
gboolean pacman_configuration_check(const ImageConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The file pacman.conf for CONFIG; owned by the caller. INCLUDES: there are files in /etc/pacman.d that shall be
 * read. */
char *pacman_configuration(const ImageConfig *config, gboolean includes, GError **error);

/* TEXT, a pacman.conf that the recipe brings, without what does not work in the sandbox: it has no user that downloads,
 * and does not say what is mounted. Owned by the caller. */
char *pacman_configuration_adopt(const char *text);

/* TEXT, a pacman.conf, that trusts everything: for fetching the keyring. Owned by the caller. */
char *pacman_configuration_without_keys(const char *text);

/* Adds the repositories that TEXT, a pacman.conf or a part of one, names: elements DistroRepository (types.h), without
 * digests, one for the first server of each. What is no address of the network is left out. ARCHITECTURE stands for
 * "$arch". */
void pacman_configuration_list(const char *text, const char *architecture, GPtrArray *repositories);
