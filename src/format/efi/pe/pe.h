/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Portable executables as UEFI loads them ("Microsoft PE and COFF Specification"): reading the headers and
 * the section table of a buffer. Pure functions, every bound checked. */

#include <glib.h>

typedef enum {
    PE_ERROR_MALFORMED,   /* not a PE image, or a damaged one */
    PE_ERROR_UNSUPPORTED, /* a valid image that we cannot work with */
    PE_ERROR_NO_SPACE,    /* a section does not fit */
} PeError;

#define PE_ERROR pe_error_quark()
GQuark pe_error_quark(void);

#define PE_SECTION_NAME_MAX 8
#define PE_SECTION_HEADER_SIZE 40

/* Section characteristics */
#define PE_SCN_CNT_CODE 0x00000020u
#define PE_SCN_CNT_INITIALIZED_DATA 0x00000040u
#define PE_SCN_MEM_EXECUTE 0x20000000u
#define PE_SCN_MEM_READ 0x40000000u
#define PE_SCN_MEM_WRITE 0x80000000u

/* DLL characteristics */
#define PE_DLL_NX_COMPAT 0x0100u

typedef enum {
    PE_DIRECTORY_SECURITY = 4,
    PE_DIRECTORY_RELOCATION = 5,
    PE_DIRECTORY_DEBUG = 6,
} PeDirectory;

typedef struct {
    char name[PE_SECTION_NAME_MAX + 1]; /* NUL-terminated */
    guint32 virtual_size;               /* bytes in memory */
    guint32 virtual_address;            /* relative to the image's start in memory */
    guint32 raw_size;                   /* bytes in the file, padded to the file alignment */
    guint32 raw_offset;                 /* where in the file */
    guint32 characteristics;
} PeSection;

typedef struct {
    GBytes *bytes; /* the whole file */

    /* Offsets in the file of what an editor patches. */
    gsize coff_offset;     /* COFF file header */
    gsize optional_offset; /* optional header */
    gsize sections_offset; /* section table */

    gboolean plus; /* PE32+ (64 bit) rather than PE32 */
    guint16 machine;
    guint16 dll_characteristics;
    guint32 section_alignment;
    guint32 file_alignment;
    guint32 size_of_headers;
    guint32 size_of_image;
    guint32 n_directories; /* data directories that the optional header has */

    PeSection *sections;
    guint n_sections;
} PeImage;

/* Reads the headers of IMAGE, of which the result keeps a reference. */
PeImage *pe_image_new(GBytes *image, GError **error);
void pe_image_free(PeImage *pe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PeImage, pe_image_free)

/* Whether SIZE bytes at DATA look like a PE image at all (magic numbers only). */
gboolean pe_is_image(const void *data, gsize size);

/* The first section called NAME, or NULL. */
const PeSection *pe_image_find_section(const PeImage *pe, const char *name);

/* The content of a section without padding: what is both in the file and in memory. Never outside of the
 * buffer, which pe_image_new() made sure of. RET_SIZE receives its length. Owned by the image. */
const guint8 *pe_image_get_data(const PeImage *pe, const PeSection *section, gsize *ret_size);

/* The same as a slice of the image's bytes; a new reference. */
GBytes *pe_image_get_bytes(const PeImage *pe, const PeSection *section);

/* Address (file offset for the security directory) and size of a data directory; FALSE when the image has
 * none or an empty one. */
gboolean pe_image_get_directory(
        const PeImage *pe, PeDirectory directory, guint32 *ret_address, guint32 *ret_size);

/* How many section headers fit before the first section's memory, once headers may grow up to there. */
guint pe_image_get_max_sections(const PeImage *pe);
