/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is in front of the allocation tables of a FAT file system, and behind its last cluster. */

#include "format/fat/fat-reader.h"

/* Adds to PROBLEMS (an array of strings) what a sound file system does not have there. */
void fat_check_boot_sectors(FatReader *reader, GPtrArray *problems);
