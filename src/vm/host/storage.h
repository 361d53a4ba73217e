/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files that a machine writes to. */

#include <glib.h>

#include "recipe/result/image-config.h"

/* Copies a regular file; the copy belongs to the caller only (mode 0600). */
gboolean vm_copy_file(const char *source, const char *target, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A copy-on-write disk OVERLAY (qcow2) over the raw IMAGE, at least SIZE bytes large. */
gboolean vm_make_overlay(const char *image, const char *overlay, guint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Grows the raw IMAGE to SIZE bytes; never shrinks it. */
gboolean vm_grow_image(const char *image, guint64 size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes the file of a drive outside of the workspace, unless it persists. */
void vm_remove_drive(const RecipeDrive *drive);

/* Makes the file of a drive (Drives=) in its directory, or in SCRATCH when it has none; owned by the caller.
 * A drive that persists is kept as it is, the others start empty, unless one with the same file was
 * MADE_BEFORE. */
char *vm_make_drive(const RecipeDrive *drive, gboolean made_before, const char *scratch, GError **error);

/* Makes the store of firmware variables TARGET from TEMPLATE, with CERTIFICATE enrolled: as the platform's
 * only key, or, with MOK, as a machine owner's key beside those of TEMPLATE. Done by virt-fw-vars; the error
 * names its package. */
gboolean vm_enrol_keys(
        const char *template, const char *target, const char *certificate, gboolean mok, GError **error) G_GNUC_WARN_UNUSED_RESULT;
