/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A minimal PE32+ image in the manner of a systemd stub: sections .text, .data, .sbat at 0x1000, 0x2000,
 * 0x3000, headers of 0x400 bytes, so that there is room for few sections unless data moves. */
GBytes *pe_fixture_stub(void);

/* The same in the manner of systemd 252: between .sbat and the section behind it are 256 bytes, and the names of
 * sections that it knows end with .pcrpkey. */
GBytes *pe_fixture_old_stub(void);

/* A PE image that stands for a kernel, with SIZE bytes of noise made from SEED in .text. */
GBytes *pe_fixture_kernel(gsize size, guint32 seed);

/* SIZE bytes of noise made from SEED. */
GBytes *pe_fixture_noise(gsize size, guint32 seed);
