/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether every reader finds the same in a FAT file system. Firmware (EDK2, and older kinds), Linux and
 * mtools agree on sound ones; where something is damaged or only allowed, each goes its own way, and
 * somebody who knows how can show one of them files that another does not see. */

#include "format/fat/fat-reader.h"

typedef struct {
    char *path; /* "EFI/BOOT/BOOTX64.EFI", as the names are written */
    FatEntry *entry;
} FatFile;

void fat_file_free(FatFile *file);

/* Reads boot sectors, allocation tables and all directories. Adds to PROBLEMS (an array of strings) whatever
 * readers could differ on or nobody should have written: geometry, copies that differ, odd entries and
 * names, names that are there twice (long or short, in any case), chains that are crossed, looped, too long
 * or too short, clusters that belong to nothing, bytes that are not zero after the end of a file (within its
 * last sector), of a directory or of the file system. Returns all files and directories, sorted by
 * directory, as an array of FatFile. Never fails: what cannot be read is a problem. Clusters that are free
 * may hold anything. */
GPtrArray *fat_reader_audit(FatReader *reader, GPtrArray *problems);
