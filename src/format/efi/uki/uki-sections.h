/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sections of a unified kernel image and how profiles combine them (UAPI group specification "Unified Kernel
 * Image"): the sections before the first .profile are the base; each .profile starts a profile, whose
 * sections replace those of the base. Profile numbers count .profile sections from 0. */

#include <glib.h>

#include "format/efi/pe/pe.h"

/* In the order in which the stub measures them. */
typedef enum {
    UKI_SECTION_LINUX,
    UKI_SECTION_OSREL,
    UKI_SECTION_CMDLINE,
    UKI_SECTION_INITRD,
    UKI_SECTION_UCODE,
    UKI_SECTION_SPLASH,
    UKI_SECTION_DTB,
    UKI_SECTION_UNAME,
    UKI_SECTION_SBAT,
    UKI_SECTION_PCRSIG, /* the only one that is not measured */
    UKI_SECTION_PCRPKEY,
    UKI_SECTION_PROFILE,
    UKI_SECTION_DTBAUTO,
    UKI_SECTION_HWIDS,
    N_UKI_SECTIONS,
} UkiSection;

/* ".linux" and so on. */
const char *uki_section_name(UkiSection section);

/* The section called NAME, or -1. */
int uki_section_from_name(const char *name);

/* Whether the stub measures the section into PCR 11. */
gboolean uki_section_is_measured(UkiSection section);

/* One way to boot a UKI. */
typedef struct {
    int number;                       /* as in "@1"; -1: a UKI without profiles */
    char *id;                         /* ID= of .profile, or NULL */
    char *title;                      /* TITLE= of .profile, or NULL */
    GBytes *sections[N_UKI_SECTIONS]; /* effective content, NULL when absent */
    gboolean own[N_UKI_SECTIONS];     /* comes from the profile itself, not from the base */
} UkiProfileView;

/* A UKI that was read. */
typedef struct {
    PeImage *pe;
    GPtrArray *profiles; /* of UkiProfileView; at least one */
} UkiView;

/* Reads a UKI. Content refers to IMAGE, nothing is copied. An image without .linux is refused (addons are no
 * UKI). */
UkiView *uki_view_new(GBytes *image, GError **error);
void uki_view_free(UkiView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UkiView, uki_view_free)

/* Text of a section without trailing NULs and newlines, or NULL when absent or not UTF-8; owned by the
 * caller. */
char *uki_profile_view_get_text(const UkiProfileView *profile, UkiSection section);
