/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes a PE image out of another one by replacing and adding sections. Code does not move in memory; raw
 * data moves in the file when the section table needs the room. */

#include <glib.h>

#include "format/efi/pe/pe.h"

typedef struct PeWriter PeWriter;

/* Starts from ORIGINAL, which must not be signed. Its symbol table and anything after its sections are left
 * out. */
PeWriter *pe_writer_new(GBytes *original, GError **error);
void pe_writer_free(PeWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PeWriter, pe_writer_free)

/* The original; owned by the writer. */
const PeImage *pe_writer_get_original(const PeWriter *writer);

/* Gives section INDEX of the original other content. It may grow until the next section in memory. */
gboolean pe_writer_replace(PeWriter *writer, guint index, GBytes *content, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same; but a section that does not fit is taken from its place and added after all others, with the same
 * name and characteristics. Only data that nothing refers to by its address can be moved: executable and
 * writable sections, and those that a data directory names, are an error (PE_ERROR_NO_SPACE). For sections
 * that a reader finds by name, and whose place in the table means nothing. */
gboolean pe_writer_replace_or_move(PeWriter *writer, guint index, GBytes *content, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds a section after all others, in file and memory. NAME has up to 8 characters; CHARACTERISTICS are
 * PE_SCN_… flags. */
gboolean pe_writer_add(
        PeWriter *writer, const char *name, guint32 characteristics, GBytes *content, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Clears DLL characteristics. */
void pe_writer_clear_dll_characteristics(PeWriter *writer, guint16 flags);

/* The image. Checksum 0; no field depends on the clock. */
GBytes *pe_writer_finish(PeWriter *writer, GError **error);
