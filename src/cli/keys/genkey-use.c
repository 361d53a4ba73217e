/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/keys/genkey-use.h"

static const char *const image_settings[] = {"SecureBoot", "Verity", "SignExpectedPcr", NULL};
static const char *const secure_boot_settings[] = {"SecureBoot", NULL};
static const char *const verity_settings[] = {"Verity", NULL};
static const char *const pcr_settings[] = {"SignExpectedPcr", NULL};
static const char *const manifest_settings[] = {"OpenPGP", NULL};

const GenkeyUse genkey_use_images = {"images", "mkosi", image_settings, GENKEY_FOR_IMAGES, TRUE, NULL};

const GenkeyUse genkey_use_manifests = {"manifest", "mkosi.openpgp", manifest_settings, GENKEY_FOR_MANIFESTS, TRUE,
        "signs lists of updates; without it devices take none until they get another key ring by hand"};

static const GenkeyUse secure_boot = {"secure-boot", "mkosi", secure_boot_settings, GENKEY_FOR_IMAGES, TRUE,
        "signs what firmware starts; who has it starts anything on your devices; without it no device\n"
        "      takes a new loader, kernel or key again but by hand, in its firmware's setup"};

static const GenkeyUse verity = {"verity", "mkosi.verity", verity_settings, GENKEY_FOR_IMAGES, FALSE,
        "signs /usr, and integrity policies, which the kernel checks by the same keys; who has it makes code\n"
        "      that your devices run; lost, another one takes its place after an addition to the firmware's db"};

static const GenkeyUse pcr = {"pcr", "mkosi.pcr", pcr_settings, GENKEY_FOR_IMAGES, FALSE,
        "signs which systems may open the disks; who has it and the Secure Boot key opens them; lost,\n"
        "      devices that take the next version ask for the recovery key, and are sealed anew"};

const GenkeyUse *const genkey_uses[N_GENKEY_PURPOSES] = {&secure_boot, &verity, &pcr, &genkey_use_manifests};

char *genkey_use_expand(const GenkeyUse *use, const char *pattern) {
    g_auto(GStrv) words = g_strsplit(pattern, "%p", -1);
    g_autofree char *text = g_strjoinv(use->word, words);
    g_auto(GStrv) parts = g_strsplit(text, "%u", -1);
    return g_strjoinv(g_get_user_name(), parts);
}
