/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/uki/uki.h"

#include <string.h>

#include "format/efi/pe/pe-writer.h"
#include "format/efi/uki/uki-stub.h"
#include "format/efi/uki/uki-text.h"

G_DEFINE_QUARK(uki - error - quark, uki_error)

/* Room for the signature of a 4096-bit key in base64 in each entry of a .pcrsig that is signed elsewhere. */
#define PCRSIG_RESERVE 1024

#define DEFAULT_BASE_PROFILE "ID=main\n"

/* What is known while a UKI grows. */
typedef struct {
    const UkiSpec *spec;
    PeWriter *writer;
    GBytes *base[N_UKI_SECTIONS];        /* what profiles inherit */
    PcrMeasurer *measurers[N_PCR_BANKS]; /* shared by the profiles */
    GBytes *public_key;                  /* for PCR signatures, or NULL */
    GPtrArray *policies;                 /* of all profiles */
} UkiBuild;

static void uki_build_clear(UkiBuild *build) {
    for (guint i = 0; i < N_UKI_SECTIONS; i++)
        g_clear_pointer(&build->base[i], g_bytes_unref);
    for (guint i = 0; i < N_PCR_BANKS; i++)
        g_clear_pointer(&build->measurers[i], pcr_measurer_free);
    g_clear_pointer(&build->public_key, g_bytes_unref);
    g_clear_pointer(&build->policies, g_ptr_array_unref);
    g_clear_pointer(&build->writer, pe_writer_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(UkiBuild, uki_build_clear)

GBytes *uki_join_initrds(GPtrArray *initrds) {
    if (initrds->len == 1)
        return g_bytes_ref(initrds->pdata[0]);
    gsize total = 0;
    for (guint i = 0; i < initrds->len; i++)
        total += (g_bytes_get_size(initrds->pdata[i]) + 3) & ~(gsize) 3;

    guint8 *joined = g_malloc0(total);
    gsize offset = 0;
    for (guint i = 0; i < initrds->len; i++) {
        gsize size;
        const void *data = g_bytes_get_data(initrds->pdata[i], &size);
        if (size > 0)
            memcpy(joined + offset, data, size);
        offset += (size + 3) & ~(gsize) 3;
    }
    return g_bytes_new_take(joined, total);
}

static GBytes *text_bytes(const char *text) {
    return text ? g_bytes_new(text, strlen(text)) : NULL;
}

/* Puts CONTENT into SECTION of the image: into the stub's own section if it has one, else into a new one. */
static gboolean write_section(UkiBuild *build, UkiSection section, GBytes *content, GError **error) {
    const char *name = uki_section_name(section);
    const PeImage *stub = pe_writer_get_original(build->writer);
    const PeSection *existing = pe_image_find_section(stub, name);
    if (existing)
        return pe_writer_replace_or_move(build->writer, existing - stub->sections, content, error);
    /* Kernels that use the old handover protocol are executed in place. */
    guint32 kind = section == UKI_SECTION_LINUX ? PE_SCN_CNT_CODE : PE_SCN_CNT_INITIALIZED_DATA;
    return pe_writer_add(build->writer, name, PE_SCN_MEM_READ | kind, content, error);
}

/* Takes CONTENT (NULL or empty: nothing happens). */
static gboolean add_base_section(UkiBuild *build, UkiSection section, GBytes *content, GError **error) {
    build->base[section] = content;
    if (!content || g_bytes_get_size(content) == 0)
        return TRUE;
    return write_section(build, section, content, error);
}

static GBytes *make_sbat(const UkiBuild *build) {
    const PeImage *stub = pe_writer_get_original(build->writer);
    g_autoptr(PeImage) linux_image = pe_image_new(build->spec->linux_image, NULL);
    g_autofree char *stub_sbat = uki_read_sbat(stub);
    g_autofree char *linux_sbat = linux_image ? uki_read_sbat(linux_image) : NULL;
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    if (stub_sbat)
        g_ptr_array_add(texts, stub_sbat);
    if (linux_sbat)
        g_ptr_array_add(texts, linux_sbat);
    g_ptr_array_add(texts, (char *) (build->spec->sbat ? build->spec->sbat : uki_default_sbat));
    g_ptr_array_add(texts, NULL);
    char *merged = uki_merge_sbat((const char *const *) texts->pdata);
    return g_bytes_new_take(merged, strlen(merged));
}

static gboolean add_automatic_devicetrees(UkiBuild *build, GError **error) {
    const GPtrArray *devicetrees = build->spec->dtbauto;
    for (guint i = 0; devicetrees && i < devicetrees->len; i++)
        if (!pe_writer_add(build->writer, ".dtbauto", PE_SCN_MEM_READ | PE_SCN_CNT_INITIALIZED_DATA,
                    devicetrees->pdata[i], error))
            return FALSE;
    return TRUE;
}

static gboolean add_base_sections(UkiBuild *build, GError **error) {
    const UkiSpec *spec = build->spec;
    GBytes *initrd = spec->initrds && spec->initrds->len > 0 ? uki_join_initrds(spec->initrds) : NULL;
    struct {
        UkiSection section;
        GBytes *content;
    } parts[] = {
            {UKI_SECTION_OSREL, text_bytes(spec->os_release)},
            {UKI_SECTION_CMDLINE, text_bytes(spec->cmdline)},
            {UKI_SECTION_DTB, spec->dtb ? g_bytes_ref(spec->dtb) : NULL},
            {UKI_SECTION_UNAME, text_bytes(spec->uname)},
            {UKI_SECTION_SPLASH, spec->splash ? g_bytes_ref(spec->splash) : NULL},
            {UKI_SECTION_PCRPKEY, build->public_key ? g_bytes_ref(build->public_key) : NULL},
            {UKI_SECTION_SBAT, make_sbat(build)},
            {UKI_SECTION_LINUX, g_bytes_ref(spec->linux_image)},
            {UKI_SECTION_INITRD, initrd},
            {UKI_SECTION_UCODE, spec->ucode ? g_bytes_ref(spec->ucode) : NULL},
    };
    gboolean ok = TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        /* After a failure the rest is still taken, so that it is freed. */
        if (ok)
            ok = add_base_section(build, parts[i].section, parts[i].content, error);
        else
            build->base[parts[i].section] = parts[i].content;
    }
    return ok && add_automatic_devicetrees(build, error);
}

/* Content of a .pcrsig that is signed elsewhere: digests, then blanks. */
static char *reserve_signatures(const char *json, guint n) {
    gsize room = strlen(json) + (gsize) n * PCRSIG_RESERVE;
    char *padded = g_malloc(room + 1);
    memset(padded, ' ', room);
    memcpy(padded, json, strlen(json));
    padded[room] = '\0';
    return padded;
}

/* What booting SECTIONS gives; on a machine with one of the automatic device trees, with that. The policies are for
 * signatures by PUBLIC_KEY. */
static GPtrArray *predict(UkiBuild *build, guint number, GBytes *const sections[N_UKI_SECTIONS], GBytes *public_key,
        GError **error) {
    const UkiSpec *spec = build->spec;
    PcrPolicyOptions options = spec->pcr;
    options.profile = number;
    guint n = spec->dtbauto ? spec->dtbauto->len : 0;
    GBytes *now[N_UKI_SECTIONS];
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify) pcr_policy_free);
    uki_stub_select_sections(pe_writer_get_original(build->writer), sections, now);
    for (guint i = 0; i < MAX(n, 1); i++) {
        if (n > 0)
            now[UKI_SECTION_DTBAUTO] = spec->dtbauto->pdata[i];
        GPtrArray *policies = pcr_policies_new(now, public_key, &options, build->measurers, error);
        if (!policies)
            return NULL;
        g_ptr_array_extend_and_steal(all, policies);
    }
    return g_steal_pointer(&all);
}

/* Adds the same policies with signatures by the former key. What was sealed to it finds them by its fingerprint. */
static gboolean add_former_policies(UkiBuild *build, guint number, GBytes *const sections[N_UKI_SECTIONS],
        GPtrArray *policies, GError **error) {
    const KeySource *key = build->spec->pcr_former_key;
    g_autoptr(GBytes) public_key = key_source_get_public_pem(key, error);
    GPtrArray *more = public_key ? predict(build, number, sections, public_key, error) : NULL;
    gboolean good = more && pcr_policies_sign(more, key, error);

    if (good)
        g_ptr_array_extend_and_steal(policies, more);
    else if (more)
        g_ptr_array_unref(more);
    return good;
}

/* Predicts what booting SECTIONS of profile NUMBER gives, and writes .pcrsig. */
static gboolean add_pcr_signatures(
        UkiBuild *build, guint number, GBytes *const sections[N_UKI_SECTIONS], GError **error) {
    const UkiSpec *spec = build->spec;
    if (!build->public_key)
        return TRUE;
    g_autoptr(GPtrArray) policies = predict(build, number, sections, build->public_key, error);
    if (!policies || (spec->pcr_key && !pcr_policies_sign(policies, spec->pcr_key, error)) ||
            (spec->pcr_key && spec->pcr_former_key &&
                    !add_former_policies(build, number, sections, policies, error)))
        return FALSE;

    g_autofree char *json = pcr_policies_to_json(policies);
    if (!spec->pcr_key) {
        char *padded = reserve_signatures(json, policies->len);
        g_free(json);
        json = padded;
    }
    g_ptr_array_extend_and_steal(build->policies, g_steal_pointer(&policies));
    if (!spec->pcr_key && !spec->pcr_reserve)
        return TRUE;
    g_autoptr(GBytes) content = text_bytes(json);
    return pe_writer_add(
            build->writer, ".pcrsig", PE_SCN_MEM_READ | PE_SCN_CNT_INITIALIZED_DATA, content, error);
}

/* The sections that a profile has of its own, and its signatures. CMDLINE may be NULL. */
static gboolean add_profile(UkiBuild *build, guint number, const char *text, const char *cmdline,
        gboolean sign_pcr, GError **error) {
    g_autoptr(GBytes) profile_content = text_bytes(text);
    g_autoptr(GBytes) cmdline_content = text_bytes(cmdline);
    if (!profile_content || g_bytes_get_size(profile_content) == 0) {
        g_set_error(error, UKI_ERROR, UKI_ERROR_INVALID,
                "a UKI profile has no content; it needs at least an ID");
        return FALSE;
    }

    GBytes *sections[N_UKI_SECTIONS];
    memcpy(sections, build->base, sizeof sections);
    sections[UKI_SECTION_PROFILE] = profile_content;
    if (!pe_writer_add(build->writer, ".profile", PE_SCN_MEM_READ | PE_SCN_CNT_INITIALIZED_DATA,
                profile_content, error))
        return FALSE;
    if (cmdline_content) {
        sections[UKI_SECTION_CMDLINE] = cmdline_content;
        if (!pe_writer_add(build->writer, ".cmdline", PE_SCN_MEM_READ | PE_SCN_CNT_INITIALIZED_DATA,
                    cmdline_content, error))
            return FALSE;
    }
    return !sign_pcr || add_pcr_signatures(build, number, sections, error);
}

/* The main profile is profile 0 as soon as there are others: then it needs a .profile too, which comes after
 * everything that profiles share. */
static gboolean add_profiles(UkiBuild *build, GError **error) {
    const UkiSpec *spec = build->spec;
    guint n = spec->profiles ? spec->profiles->len : 0;
    if (n == 0 && !spec->base_profile)
        return !spec->base_sign_expected_pcr || add_pcr_signatures(build, 0, build->base, error);

    const char *text = spec->base_profile ? spec->base_profile : DEFAULT_BASE_PROFILE;
    if (!add_profile(build, 0, text, NULL, spec->base_sign_expected_pcr, error))
        return FALSE;
    for (guint i = 0; i < n; i++) {
        const UkiProfile *profile = spec->profiles->pdata[i];
        if (!add_profile(
                    build, i + 1, profile->profile, profile->cmdline, profile->sign_expected_pcr, error)) {
            g_prefix_error(error, "UKI profile %u: ", i + 1);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean check_linux(UkiBuild *build, GError **error) {
    g_autoptr(PeImage) kernel = pe_image_new(build->spec->linux_image, error);
    if (!kernel) {
        g_prefix_error(error, "the kernel cannot be started by UEFI: ");
        return FALSE;
    }
    /* Firmware that enforces W^X wants the same promise from both. */
    if (!(kernel->dll_characteristics & PE_DLL_NX_COMPAT))
        pe_writer_clear_dll_characteristics(build->writer, PE_DLL_NX_COMPAT);
    return TRUE;
}

static gboolean prepare(UkiBuild *build, GError **error) {
    const UkiSpec *spec = build->spec;
    build->policies = g_ptr_array_new_with_free_func((GDestroyNotify) pcr_policy_free);
    build->writer = pe_writer_new(spec->stub, error);
    if (!build->writer) {
        g_prefix_error(error, "UEFI stub: ");
        return FALSE;
    }
    if (!check_linux(build, error))
        return FALSE;
    if (spec->pcr_key) {
        build->public_key = key_source_get_public_pem(spec->pcr_key, error);
        return build->public_key != NULL;
    }
    build->public_key = spec->pcr_public_key ? g_bytes_ref(spec->pcr_public_key) : NULL;
    return TRUE;
}

GBytes *uki_build(const UkiSpec *spec, GPtrArray **ret_policies, GError **error) {
    g_return_val_if_fail(spec->stub && spec->linux_image, NULL);
    g_auto(UkiBuild) build = {.spec = spec};
    g_autoptr(GBytes) image = NULL;
    if (prepare(&build, error) && add_base_sections(&build, error) && add_profiles(&build, error))
        image = pe_writer_finish(build.writer, error);
    if (!image) {
        g_prefix_error(error, "assembling the unified kernel image: ");
        return NULL;
    }
    if (ret_policies)
        *ret_policies = build.public_key ? g_steal_pointer(&build.policies) : NULL;
    return g_steal_pointer(&image);
}

/* ---- signatures that were made elsewhere ---- */

static PcrPolicy *find_signed(GPtrArray *policies, const PcrPolicy *policy) {
    for (guint i = 0; i < policies->len; i++) {
        PcrPolicy *candidate = policies->pdata[i];
        if (candidate->signature && pcr_policy_equal(candidate, policy))
            return candidate;
    }
    return NULL;
}

/* The content of a .pcrsig section with its signatures, or NULL. */
static GBytes *sign_section(GBytes *content, GPtrArray *signatures, GError **error) {
    gsize size;
    const char *text = g_bytes_get_data(content, &size);
    g_autoptr(GPtrArray) policies = pcr_policies_parse(text, size, error);
    if (!policies)
        return NULL;
    for (guint i = 0; i < policies->len; i++) {
        PcrPolicy *policy = policies->pdata[i];
        const PcrPolicy *found = find_signed(signatures, policy);
        if (!found) {
            g_set_error(error, UKI_ERROR, UKI_ERROR_INVALID,
                    "no signature for PCR policy %u of a profile; sign every entry of the .pcrs file",
                    i + 1);
            return NULL;
        }
        g_clear_pointer(&policy->signature, g_bytes_unref);
        policy->signature = g_bytes_ref(found->signature);
    }
    char *json = pcr_policies_to_json(policies);
    return g_bytes_new_take(json, strlen(json));
}

GBytes *uki_attach_signatures(GBytes *uki, const char *json, GError **error) {
    g_autoptr(GPtrArray) signatures = pcr_policies_parse(json, -1, error);
    g_autoptr(PeWriter) writer = signatures ? pe_writer_new(uki, error) : NULL;
    if (!writer)
        return NULL;
    const PeImage *pe = pe_writer_get_original(writer);
    for (guint i = 0; i < pe->n_sections; i++) {
        if (!g_str_equal(pe->sections[i].name, ".pcrsig"))
            continue;
        g_autoptr(GBytes) content = pe_image_get_bytes(pe, &pe->sections[i]);
        g_autoptr(GBytes) replacement = sign_section(content, signatures, error);
        if (!replacement || !pe_writer_replace(writer, i, replacement, error))
            return NULL;
    }
    return pe_writer_finish(writer, error);
}

/* Replaces the content of SECTION in COPY, the bytes of PE. RET_CHANGED stays as it is when nothing was pending. */
static gboolean complete_section(const PeImage *pe, const PeSection *section, const KeySource *key, guint8 *copy,
        gboolean *ret_changed, GError **error) {
    g_autoptr(GError) problem = NULL;
    gsize size = 0;
    const guint8 *text = pe_image_get_data(pe, section, &size);
    g_autoptr(GBytes) made = pcr_json_complete(text, size, key, &problem);

    if (made) {
        memcpy(copy + section->raw_offset, g_bytes_get_data(made, NULL), size);
        *ret_changed = TRUE;
    }
    if (!problem)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
}

GBytes *uki_complete_signatures(GBytes *uki, const KeySource *key, GError **error) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(uki, &size);
    g_autoptr(PeImage) pe = pe_image_new(uki, error);
    g_autofree guint8 *copy = pe && pe_image_find_section(pe, ".pcrsig") ? g_memdup2(data, size) : NULL;
    gboolean changed = FALSE;

    for (guint i = 0; copy && i < pe->n_sections; i++)
        if (g_str_equal(pe->sections[i].name, ".pcrsig") &&
                !complete_section(pe, &pe->sections[i], key, copy, &changed, error))
            return NULL;
    return changed ? g_bytes_new_take(g_steal_pointer(&copy), size) : NULL;
}
