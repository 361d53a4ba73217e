/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Specifiers of partition definitions (repart.d(5)): they describe the image that is made, not the machine
 * that makes it. */

#include <glib.h>

typedef struct {
    const char *architecture;   /* %a */
    const char *image_version;  /* %A */
    const char *build_id;       /* %B */
    const char *image_id;       /* %M */
    const char *os_id;          /* %o */
    const char *kernel_version; /* %v */
    const char *version_id;     /* %w */
    const char *variant_id;     /* %W */
} Specifiers;

/* What SplitName= knows besides; all set. */
typedef struct {
    const char *type_name; /* %t */
    const char *type_uuid; /* %T, without hyphens */
    const char *uuid;      /* %U, without hyphens */
    guint number;          /* %n */
} SplitSpecifiers;

/* TEXT with specifiers replaced; NULL strings are empty. SPLIT is NULL except for SplitName=. Specifiers of
 * the running machine (%b, %H, %l, %m, %q) are errors: they would make the image depend on where it was
 * built. The error is in DISK_ERROR_DEFINITION and names the specifier only. */
char *specifiers_expand(
        const char *text, const Specifiers *specifiers, const SplitSpecifiers *split, GError **error);
