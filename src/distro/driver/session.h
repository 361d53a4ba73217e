/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every driver does with its session. */

#include "distro/driver/driver.h"

/* WORKSPACE/NAME of the session; owned by the caller. */
char *session_path(const DistroSession *session, const char *name);

/* Takes a cache in the workspace (cache_is_private) in place of one that somebody else can write to, with a warning.
 * Call it in setup(), before anything is put into the cache. */
void session_choose_cache(DistroSession *session);

/* FALSE with ERROR set when the recipe names no mirror: none is built in, so that nobody's packages come from a place
 * that nobody chose. For families whose settings of the host are not read. */
gboolean session_require_mirror(const ImageConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What scripts of packages find in their environment: no initramfs generators and boot loader hooks unless the recipe
 * wants them, Environment=, and the day that the image is made for. */
void session_environment(const DistroSession *session, Sandbox *sandbox);

/* Lets scripts of the recipe see the directory LOWER at TARGET; what they write there goes away. NAME: a word of its
 * own for each directory. */
void session_throwaway(
        DistroSession *session, Sandbox *sandbox, const char *lower, const char *name, const char *target);
