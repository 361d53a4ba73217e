/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How an image is built, from top to bottom. */

#include "pipeline/steps.h"

#include "pipeline/boot/boot-check.h"
#include "pipeline/boot/boot-kernels.h"
#include "pipeline/boot/boot-limits.h"
#include "pipeline/boot/boot-loader.h"
#include "pipeline/boot/boot-parts.h"
#include "pipeline/boot/boot-systemd.h"
#include "pipeline/boot/tree-uki.h"
#include "pipeline/content/base-trees.h"
#include "pipeline/content/configure.h"
#include "pipeline/content/extension.h"
#include "pipeline/content/format-limits.h"
#include "pipeline/content/shared-secrets.h"
#include "pipeline/content/ssh.h"
#include "pipeline/content/systemd-tools.h"
#include "pipeline/content/trees.h"
#include "pipeline/integrity/ipe.h"
#include "pipeline/integrity/offline-early.h"
#include "pipeline/integrity/offline.h"
#include "pipeline/integrity/signature.h"
#include "pipeline/kernel/kernel.h"
#include "pipeline/layers/build-overlay.h"
#include "pipeline/outputs/archive.h"
#include "pipeline/outputs/checksums.h"
#include "pipeline/outputs/compress.h"
#include "pipeline/outputs/disk-image.h"
#include "pipeline/outputs/manifest.h"
#include "pipeline/outputs/publish.h"
#include "pipeline/outputs/split-files.h"
#include "pipeline/packages/build-packages.h"
#include "pipeline/packages/package-folder.h"
#include "pipeline/packages/packages.h"
#include "pipeline/scripts/scripts.h"
#include "pipeline/state/boot-rules.h"
#include "pipeline/state/image-build.h"

static gboolean wants_whole_system(const ImageBuild *image) {
    return !boot_tree_is_partial(image->config);
}

static gboolean wants_first_boot(const ImageBuild *image) {
    return wants_whole_system(image) && image->config->format != OUTPUT_FORMAT_PORTABLE;
}

/* Nothing in it waits for a signature. */
static gboolean is_whole(const ImageBuild *image) {
    return !offline_is_waiting(image);
}

const BuildStep build_steps[] = {
        {"build packages", wants_build_overlay, step_build_overlay},
        {"check tree", NULL, step_check_tree},
        {"build scripts", wants_build_scripts, step_build_scripts, scripts_end_build},
        {"packages of scripts", wants_build_scripts, step_offer_packages},
        {"volatile packages", wants_volatile_packages, step_volatile_packages},
        {"build results", wants_build_results, step_build_results},
        {"extra trees", wants_extra_trees, step_extra_trees},
        {"postinst scripts", wants_postinst, step_postinst},
        {"kernels", NULL, step_place_kernels},
        {"configuration", NULL, step_configure},
        {"ssh", NULL, step_ssh},
        {"locales", wants_whole_system, step_locale_gen},
        {"system users", wants_whole_system, step_sysusers},
        {"volatile files", wants_whole_system, step_tmpfiles},
        {"presets", wants_whole_system, step_presets},
        {"kernel modules", NULL, step_filter_modules},
        {"first boot settings", wants_first_boot, step_firstboot},
        {"boot parts", NULL, step_save_boot_parts},
        {"limits of boot parts", wants_boot_limits, step_boot_limits},
        {"systemd of the boot", wants_boot_systemd, step_boot_systemd},
        {"remove packages", wants_remove_packages, step_remove_packages},
        {"traces of the installation", wants_forget_installation, step_forget_installation},
        {"record packages", NULL, step_record_packages},
        {"record content", wants_manifest, step_record_content},
        {"overlay", wants_overlay_difference, step_overlay_difference},
        {"package metadata", wants_clean_metadata, step_clean_metadata},
        {"remove files", wants_remove_files, step_remove_files},
        {"empty directories", wants_remove_empty_directories, step_remove_empty_directories},
        {"finalize scripts", wants_finalize, step_finalize},
        {"limits of the format", wants_format_limits, step_format_limits},
        {"integrity policies", wants_ipe, step_ipe},
        {"signatures inside of the tree", wants_offline_early, offline_check_early},
        {"disk volumes", NULL, step_disk_volumes},
        {"secrets that machines share", wants_shared_secrets, step_shared_secrets},
        {"boot loader", NULL, step_boot_loader},
        {"kernels to boot", NULL, step_install_kernels},
        {"what firmware finds", wants_boot_check, step_boot_check},
        {"tree to boot", wants_tree_uki, step_tree_uki},
        {"disk", NULL, step_disk_finish},
        {"tar archive", wants_split_tar, step_split_tar},
        {"split files", NULL, step_split_files},
        {"archive", NULL, step_archive},
        {"what is signed elsewhere", wants_offline, step_offline_scan},
        {"compression", is_whole, step_compress},
        {"manifest", NULL, step_manifest},
        {"requests for signatures", offline_is_waiting, step_offline_requests},
        {"checksums", is_whole, step_checksums},
        {"signature", wants_signature, step_signature},
        {"link", NULL, step_link},
        {"postoutput scripts", wants_postoutput, step_postoutput},
        {},
};
