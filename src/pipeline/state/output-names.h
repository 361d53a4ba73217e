/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the outputs of an image are called, where they lie, and what they are packed with. */

#include "format/compress/compressor.h"
#include "recipe/result/recipe.h"

/* Whether the output is a disk image (a disk, an extension, a portable service). */
gboolean outputs_are_disks(const ImageConfig *config);

/* ".zst" when the finished main output of CONFIG is compressed, "" when it is not. */
const char *outputs_compression_suffix(const ImageConfig *config);

/* File name of the main output before it is compressed ("image.raw"); owned by the caller. */
char *outputs_plain_name(const ImageConfig *config);

/* File name of the tree that SplitArtifacts=tar archives; owned by the caller. */
char *outputs_tar_name(const ImageConfig *config);

/* File name of the main output ("image.raw", "initrd.cpio.zst"); owned by the caller. */
char *outputs_main_name(const ImageConfig *config);

/* Everything that a build of CONFIG may leave in its output directory: names, NULL-terminated; owned by the
 * caller. Names of split partitions are patterns with a star. */
char **outputs_names(const ImageConfig *config);

/* The image of RECIPE whose output is called OUTPUT in DIRECTORY, or NULL. */
const ImageConfig *outputs_find(const Recipe *recipe, const char *directory, const char *output);

/* Path of the main output of CONFIG, where a build puts it; owned by the caller. */
char *outputs_main_path(const ImageConfig *config);

/* How CompressOutput= of CONFIG is called in the room of formats. */
CompressorKind outputs_compressor(const ImageConfig *config);

/* Whether the checksums of CONFIG are signed without another program, which leaves a key ring beside them. */
gboolean outputs_have_keyring(const ImageConfig *config);
