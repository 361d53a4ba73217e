/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Offsets inside PE headers that both reader and writer use. */

#include <glib.h>
#include <string.h>

#include "base/little-endian.h"

#define PE_SIGNATURE_SIZE 4
#define PE_COFF_SIZE 20

#define PE_COFF_MACHINE 0
#define PE_COFF_N_SECTIONS 2
#define PE_COFF_SYMBOLS 8
#define PE_COFF_N_SYMBOLS 12
#define PE_COFF_OPTIONAL_SIZE 16
#define PE_COFF_CHARACTERISTICS 18

/* The same in PE32 and PE32+. */
#define PE_OPTIONAL_INITIALIZED_DATA 8
#define PE_OPTIONAL_ENTRY_POINT 16
#define PE_OPTIONAL_SECTION_ALIGNMENT 32
#define PE_OPTIONAL_FILE_ALIGNMENT 36
#define PE_OPTIONAL_IMAGE_SIZE 56
#define PE_OPTIONAL_HEADERS_SIZE 60
#define PE_OPTIONAL_CHECKSUM 64
#define PE_OPTIONAL_DLL_CHARACTERISTICS 70

#define PE_MAGIC_32 0x010b
#define PE_MAGIC_32_PLUS 0x020b

/* ALIGNMENT is a power of two. */
static inline guint64 pe_align(guint64 value, guint64 alignment) {
    return (value + alignment - 1) & ~(alignment - 1);
}
