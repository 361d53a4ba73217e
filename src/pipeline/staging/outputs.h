/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The last steps: output files in staging, and their way into the output directory. */

#include "pipeline/state/image-build.h"

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

/* An error when two outputs of the images of RECIPE have one name in one directory. */
gboolean outputs_check_names(const Recipe *recipe, GError **error);

/* An error when the output NAME of IMAGE is there already, made by somebody else. Before each output. */
gboolean outputs_check_free(const ImageBuild *image, const char *name, GError **error);

/* The same as outputs_check_names(), for what was made. Before anything is published. */
gboolean outputs_check_made(const Build *build, GError **error);

/* Disk: what is wrong with the recipe's partition definitions by themselves, before there is a tree. Those that are
 * not there yet, because a script makes them, are judged later. */
gboolean disk_image_check_definitions(ImageBuild *image, GError **error);
void disk_image_clear_options(ImageBuild *image);

/* Disk: all volumes but the ESP, before the kernel command line is known. */
gboolean step_disk_volumes(ImageBuild *image, GError **error);
/* Disk: the ESP, partition table, split artifacts. */
gboolean step_disk_finish(ImageBuild *image, GError **error);

/* SplitArtifacts=tar, unless that is the format itself. */
gboolean wants_split_tar(const ImageBuild *image);
gboolean step_split_tar(ImageBuild *image, GError **error);

/* ElTorito=: the finished disk boots as CD-ROM, too. */
gboolean el_torito_check(const ImageConfig *config, GError **error);
gboolean el_torito_add(ImageBuild *image, GError **error);

/* Formats that are the tree itself, or an archive of it. Comes last of all steps that read the tree. */
gboolean outputs_write_oci(ImageBuild *image, const char *path, GError **error);
gboolean step_archive(ImageBuild *image, GError **error);

/* What the manifests say about the tree, read before documentation may be removed from it. */
gboolean wants_manifest(const ImageBuild *image);
gboolean step_record_content(ImageBuild *image, GError **error);
gboolean step_manifest(ImageBuild *image, GError **error);
gboolean step_split_files(ImageBuild *image, GError **error);
gboolean step_link(ImageBuild *image, GError **error);
/* The names of the files (no links, no directories) in staging, sorted: what checksums are of. */
GPtrArray *outputs_list_files(const ImageBuild *image, GError **error);
gboolean step_checksums(ImageBuild *image, GError **error);

/* Sign=: an OpenPGP signature of the checksums. */
gboolean signature_check(const ImageConfig *config, GError **error);
gboolean wants_signature(const ImageBuild *image);
gboolean step_signature(ImageBuild *image, GError **error);

/* Renames what is in staging into the output directory and removes outputs of earlier builds that this one
 * did not make. */
gboolean outputs_publish(ImageBuild *image, GError **error);

/* Removes all outputs of CONFIG from DIRECTORY. */
gboolean outputs_remove(const ImageConfig *config, const char *directory, GError **error);
