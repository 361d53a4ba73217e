/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PE addons (UAPI group specification "Unified Kernel Image"; systemd-stub(7)): signed sidecars of a UKI
 * that bring more of the kernel command line and more initrds, and no kernel. */

#include <glib.h>

typedef struct {
    GBytes *stub;        /* the addon stub, which only says that it cannot be started */
    const char *cmdline; /* NULL or "": none */
    GPtrArray *initrds;  /* of GBytes, in order; NULL or empty: none */
} UkiAddonSpec;

/* The addon, not yet signed. What SPEC holds is borrowed. An addon without any content is an error. */
GBytes *uki_addon_build(const UkiAddonSpec *spec, GError **error);
