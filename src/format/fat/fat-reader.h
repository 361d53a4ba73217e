/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads files out of a FAT12, FAT16 or FAT32 file system with long names (Microsoft "FAT: General Overview
 * of On-Disk Format"; ECMA-107). Reads only what is asked for, never writes, needs no mount. Everything that
 * the file system says about itself is checked. */

#include <glib.h>

typedef struct FatReader FatReader;

typedef struct {
    char *name;
    gboolean is_directory;
    guint32 size; /* bytes; 0 for directories */
    guint32 cluster;
} FatEntry;

/* The file system in SIZE bytes from byte OFFSET of FD on. FD is borrowed and must stay open. */
FatReader *fat_reader_new(int fd, guint64 offset, guint64 size, GError **error);
void fat_reader_free(FatReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FatReader, fat_reader_free)

/* 12, 16 or 32. */
int fat_reader_get_bits(const FatReader *reader);

/* What the directory PATH ("EFI/Linux", "" for the root; upper and lower case are the same) holds, sorted by
 * name, without "." and "..": an array of FatEntry. A directory that does not exist is empty. */
GPtrArray *fat_reader_list(FatReader *reader, const char *path, GError **error);

/* The entry at PATH, or NULL; without ERROR set when there is none. Owned by the caller. */
FatEntry *fat_reader_find(FatReader *reader, const char *path, GError **error);

void fat_entry_free(FatEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FatEntry, fat_entry_free)

/* The content of the file ENTRY. */
GBytes *fat_reader_read(FatReader *reader, const FatEntry *entry, GError **error);

/* A piece of a file, in bytes from the beginning of the descriptor. */
typedef struct {
    guint64 offset, size;
} FatRange;

/* Where the content of the file ENTRY is, piece after piece: an array of FatRange whose sizes add up to its size. */
GArray *fat_reader_get_ranges(FatReader *reader, const FatEntry *entry, GError **error);
