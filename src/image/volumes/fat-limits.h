/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What FAT cannot express, found before the file system is made: names, sizes, two things with one name. */

#include <gio/gio.h>

typedef struct FatLimits FatLimits;

FatLimits *fat_limits_new(void);
void fat_limits_free(FatLimits *limits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FatLimits, fat_limits_free)

/* Something at PATH (absolute) of the file system, SIZE bytes large, which comes from SOURCE. Directories may
 * come from several places. */
gboolean fat_limits_add(FatLimits *limits, const char *path, gboolean is_directory, guint64 size,
        const char *source, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* When everything was added: a file system of SIZE bytes has room for it, as far as can be said. */
gboolean fat_limits_check(const FatLimits *limits, guint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
