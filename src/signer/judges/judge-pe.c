/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs for firmware: UKIs are judged by what is in them, all others by their digests. Kernels are never
 * signed: with one alone anybody could start what he likes. */

#include <string.h>

#include "base/hex.h"
#include "base/little-endian.h"
#include "format/efi/pe/authenticode.h"
#include "format/efi/pe/pe-audit.h"
#include "format/efi/uki/uki-text.h"
#include "signer/judges/judges.h"
#include "signer/text/error.h"

#define PROGRAM_SIZE_MAX (512 * 1024 * 1024)

/* Documentation/arch/x86/boot.rst */
#define X86_FLAG_OFFSET 0x1fe
#define X86_FLAG 0xaa55
#define X86_MAGIC_OFFSET 0x202
#define X86_MAGIC "HdrS"
/* include/linux/pe.h: where the EFI zboot and the other architectures say so. */
#define ZBOOT_OFFSET 4
#define ZBOOT_MAGIC "zimg"
#define LINUX_OFFSET 56
#define LINUX_MAGIC 0x818223cdu
#define MAGIC_END 0x206

gboolean signer_is_kernel(const guint8 *data, gsize size) {
    if (size < MAGIC_END)
        return FALSE;
    guint32 magic = read_le32(data + LINUX_OFFSET);
    return (read_le16(data + X86_FLAG_OFFSET) == X86_FLAG && memcmp(data + X86_MAGIC_OFFSET, X86_MAGIC, 4) == 0) ||
           memcmp(data + ZBOOT_OFFSET, ZBOOT_MAGIC, 4) == 0 || magic == LINUX_MAGIC ||
           memcmp(data + LINUX_OFFSET, "ARM\x64", 4) == 0 || memcmp(data + LINUX_OFFSET, "RSC\x05", 4) == 0;
}

/* The first of what is wrong. */
static gboolean check_no_problems(const SignerCase *this, GPtrArray *problems, GError **error) {
    return problems->len == 0 ||
           signer_refuse(error, SIGNER_ERROR_CONTENT, "%s: %s", this->thing->title, (const char *) problems->pdata[0]);
}

static guint64 generation_of(const char *sbat, const char *component) {
    g_auto(GStrv) lines = g_strsplit_set(sbat, "\r\n", -1);
    guint64 lowest = G_MAXUINT64, generation = 0;

    for (char **line = lines; *line; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, ",", 3);
        if (g_strcmp0(fields[0], component) == 0 &&
                (!fields[1] || !g_ascii_string_to_unsigned(fields[1], 10, 0, G_MAXUINT32, &generation, NULL)))
            return 0;
        if (g_strcmp0(fields[0], component) == 0)
            lowest = MIN(lowest, generation);
    }
    return lowest;
}

/* A component that is not there cannot be too old; but a program that says nothing at all can be anything.
 */
static gboolean check_floors(const SignerCase *this, const PeImage *pe, GError **error) {
    g_autofree char *sbat = uki_read_sbat(pe);
    GPtrArray *floors = this->policy->floors;

    if (floors->len > 0 && !sbat)
        return signer_refuse(error, SIGNER_ERROR_CONTENT,
                "%s: it has no .sbat, and the policy has an SBATFloor=", this->thing->title);
    for (guint i = 0; i < floors->len; i++) {
        const SignerFloor *lowest = floors->pdata[i];
        if (generation_of(sbat, lowest->component) < lowest->generation)
            return signer_refuse(error, SIGNER_ERROR_CONTENT,
                    "%s: its %s is of a lower generation than %" G_GUINT64_FORMAT, this->thing->title,
                    lowest->component, lowest->generation);
    }
    return TRUE;
}

static gboolean note_digest(SignerCase *this, GBytes *image, GError **error) {
    guint8 digest[SHA256_SIZE];
    g_autoptr(GError) problem = NULL;

    if (!authenticode_digest(g_bytes_get_data(image, NULL), g_bytes_get_size(image), digest, &problem))
        return signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_CONTENT, "%s", this->thing->title);
    g_autofree char *hex = hex_encode(digest, sizeof digest);
    json_object_set_string_member(this->facts, "authenticode", hex);
    return TRUE;
}

gboolean signer_judge_pe(SignerCase *this, GError **error) {
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) problem = NULL;
    gsize size;

    if (!signer_case_take_thing(this, SIGNING_PE, PROGRAM_SIZE_MAX, SIGNER_PURPOSE_SECURE_BOOT, error))
        return FALSE;
    GBytes *image = this->thing->content;
    const guint8 *data = g_bytes_get_data(image, &size);
    if (signer_is_kernel(data, size))
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "%s: it is a kernel, which is signed only as a part of a UKI",
                this->thing->title);
    g_autoptr(PeImage) pe = pe_image_new(image, &problem);
    if (!pe)
        return signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_CONTENT, "%s", this->thing->title);
    pe_audit(pe, problems);
    if (!check_no_problems(this, problems, error) || !check_floors(this, pe, error) || !note_digest(this, image, error))
        return FALSE;
    return pe_image_find_section(pe, ".linux") ? signer_judge_uki(this, image, error)
                                               : signer_judge_program(this, image, error);
}

/* ---- against the log ---- */

/* Names are the worker's, so there are few of them. */
#define FIRSTS_MAX 32

static gboolean compare_program(SignerCase *this, const SignerIndex *index, GError **error) {
    const char *name = this->request->title;
    guint n = 0;
    const char *first = signer_index_get_first(index, this->request->owner, name, &n);

    if (g_hash_table_contains(this->policy->trusted, this->program) || g_strcmp0(first, this->program) == 0)
        return TRUE;
    if (!this->policy->development || first || n >= FIRSTS_MAX)
        return signer_refuse(error, SIGNER_ERROR_CONTENT,
                "%s: nobody has trusted this program (Authenticode digest %s)%s. An administrator of the "
                "signer can: "
                "particleos-signer trust %s FILE",
                name, this->program, first ? ", it is not the first of its name" : "", this->request->owner);
    g_autofree char *note =
            g_strdup_printf("Development=yes: %s with the digest %s is the first of its name, and trusted from now on",
                    name, this->program);
    json_object_set_string_member(this->facts, "trusted", this->program);
    json_object_set_string_member(this->facts, "name", name);
    json_object_set_string_member(this->extra, "trusted", this->program);
    json_object_set_string_member(this->extra, "note", note);
    return TRUE;
}

gboolean signer_compare_pe(SignerCase *this, const SignerIndex *index, GError **error) {
    const SignerRequest *request = this->request;

    for (guint i = 0; i < this->root_hashes->len; i++)
        if (!signer_index_has_root_hash(
                    index, request->owner, request->target, request->job, this->root_hashes->pdata[i]))
            return signer_refuse(error, SIGNER_ERROR_CONTENT,
                    "%s: the root hash %.64s was not signed in this job; a UKI starts only what is built "
                    "with it",
                    this->thing->title, (const char *) this->root_hashes->pdata[i]);
    return !this->program || compare_program(this, index, error);
}
