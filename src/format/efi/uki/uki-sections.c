/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/uki/uki-sections.h"

#include "format/efi/uki/uki.h"
#include "text/os-release.h"

#include <string.h>

static const char *const section_names[N_UKI_SECTIONS] = {
        [UKI_SECTION_LINUX] = ".linux",
        [UKI_SECTION_OSREL] = ".osrel",
        [UKI_SECTION_CMDLINE] = ".cmdline",
        [UKI_SECTION_INITRD] = ".initrd",
        [UKI_SECTION_UCODE] = ".ucode",
        [UKI_SECTION_SPLASH] = ".splash",
        [UKI_SECTION_DTB] = ".dtb",
        [UKI_SECTION_UNAME] = ".uname",
        [UKI_SECTION_SBAT] = ".sbat",
        [UKI_SECTION_PCRSIG] = ".pcrsig",
        [UKI_SECTION_PCRPKEY] = ".pcrpkey",
        [UKI_SECTION_PROFILE] = ".profile",
        [UKI_SECTION_DTBAUTO] = ".dtbauto",
        [UKI_SECTION_HWIDS] = ".hwids",
};

const char *uki_section_name(UkiSection section) {
    g_return_val_if_fail(section < N_UKI_SECTIONS, NULL);
    return section_names[section];
}

int uki_section_from_name(const char *name) {
    for (int i = 0; i < N_UKI_SECTIONS; i++)
        if (g_str_equal(section_names[i], name))
            return i;
    return -1;
}

gboolean uki_section_is_measured(UkiSection section) {
    return section != UKI_SECTION_PCRSIG;
}

static void profile_view_free(UkiProfileView *profile) {
    g_free(profile->id);
    g_free(profile->title);
    for (guint i = 0; i < N_UKI_SECTIONS; i++)
        g_clear_pointer(&profile->sections[i], g_bytes_unref);
    g_free(profile);
}

/* The profile's first section of a name counts, as for the stub. */
static void profile_view_take(UkiProfileView *profile, const PeImage *pe, const PeSection *section) {
    int kind = uki_section_from_name(section->name);
    if (kind < 0 || profile->own[kind])
        return;
    profile->own[kind] = TRUE;
    profile->sections[kind] = pe_image_get_bytes(pe, section);
}

/* What the base has and the profile does not. */
static void profile_view_inherit(UkiProfileView *profile, const UkiProfileView *base) {
    for (guint i = 0; i < N_UKI_SECTIONS; i++)
        if (!profile->own[i] && base->sections[i])
            profile->sections[i] = g_bytes_ref(base->sections[i]);
}

static void profile_view_read_names(UkiProfileView *profile) {
    g_autofree char *text = uki_profile_view_get_text(profile, UKI_SECTION_PROFILE);
    if (!text)
        return;
    profile->id = os_release_get(text, "ID");
    profile->title = os_release_get(text, "TITLE");
}

/* Index of the first .profile section from START on, or the number of sections. */
static guint next_profile(const PeImage *pe, guint start) {
    while (start < pe->n_sections && !g_str_equal(pe->sections[start].name, ".profile"))
        start++;
    return start;
}

static UkiProfileView *read_profile(const PeImage *pe, int number, guint start, guint end) {
    UkiProfileView *profile = g_new0(UkiProfileView, 1);
    profile->number = number;
    for (guint i = start; i < end; i++)
        profile_view_take(profile, pe, &pe->sections[i]);
    return profile;
}

UkiView *uki_view_new(GBytes *image, GError **error) {
    g_autoptr(UkiView) view = g_new0(UkiView, 1);
    view->profiles = g_ptr_array_new_with_free_func((GDestroyNotify) profile_view_free);
    view->pe = pe_image_new(image, error);
    if (!view->pe)
        return NULL;

    guint start = next_profile(view->pe, 0);
    UkiProfileView *base = read_profile(view->pe, -1, 0, start);
    if (!base->sections[UKI_SECTION_LINUX]) {
        profile_view_free(base);
        g_set_error(
                error, UKI_ERROR, UKI_ERROR_INVALID, "not a unified kernel image: it has no .linux section");
        return NULL;
    }
    if (start == view->pe->n_sections) {
        g_ptr_array_add(view->profiles, base);
        return g_steal_pointer(&view);
    }

    for (int number = 0; start < view->pe->n_sections; number++) {
        guint end = next_profile(view->pe, start + 1);
        UkiProfileView *profile = read_profile(view->pe, number, start, end);
        profile_view_inherit(profile, base);
        profile_view_read_names(profile);
        g_ptr_array_add(view->profiles, profile);
        start = end;
    }
    profile_view_free(base);
    return g_steal_pointer(&view);
}

void uki_view_free(UkiView *view) {
    if (!view)
        return;
    g_clear_pointer(&view->profiles, g_ptr_array_unref);
    pe_image_free(view->pe);
    g_free(view);
}

char *uki_profile_view_get_text(const UkiProfileView *profile, UkiSection section) {
    if (!profile->sections[section])
        return NULL;
    gsize size;
    const char *data = g_bytes_get_data(profile->sections[section], &size);
    while (size > 0 && (data[size - 1] == '\0' || data[size - 1] == '\n'))
        size--;
    return g_utf8_validate_len(data, size, NULL) ? g_strndup(data, size) : NULL;
}
