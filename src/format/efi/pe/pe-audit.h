/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a program for UEFI is laid out so that every loader loads the same bytes, and every byte of the
 * file is covered by its signature or known ("Microsoft PE and COFF Specification"; "Windows Authenticode
 * Portable Executable Signature Format"). */

#include "format/efi/pe/pe.h"

/* Adds to PROBLEMS (an array of strings): sections that overlap, in the file or in memory, leave gaps or lie
 * outside of the image; bytes after the last section; a wrong checksum; entries of the certificate table
 * that are no signatures of this image, and bytes between them. */
void pe_audit(const PeImage *pe, GPtrArray *problems);
