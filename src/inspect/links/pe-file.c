/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "format/efi/pe/pe-audit.h"
#include "format/efi/uki/uki-sections.h"
#include "inspect/verdict/inspect-internal.h"

/* Outputs that are a program for UEFI themselves: unified kernel images and addons. */

/* What a UKI takes from an addon (systemd-stub(7)). */
static const char *const addon_sections[] = {".cmdline", ".initrd", ".ucode", ".dtb", ".dtbauto"};

void inspect_check_program(InspectNode *node, const char *path, GBytes *image) {
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) error = NULL;
    g_autoptr(PeImage) pe = pe_image_new(image, &error);
    if (pe)
        pe_audit(pe, problems);
    else
        g_ptr_array_add(problems, g_strdup(error->message));
    for (guint i = 0; i < problems->len; i++)
        inspect_node_set(inspect_node_add(node, "program", path), INSPECT_BROKEN, "%s",
                (const char *) problems->pdata[i]);
}

/* A kernel that is taken for an addon, or a program of which some readers take the first command line and
 * others the last, is not what its signer meant. */
static void check_addon_sections(InspectNode *node, const char *path, const PeImage *pe) {
    guint n = 0;
    for (guint i = 0; i < pe->n_sections; i++) {
        const char *name = pe->sections[i].name;
        if (strcmp(name, ".linux") == 0 || strcmp(name, ".profile") == 0)
            inspect_node_set(inspect_node_add(node, "addon", path), INSPECT_BROKEN,
                    "it is a kernel image, not an addon: it has a section %s", name);
        n += strcmp(name, ".cmdline") == 0;
    }
    if (n > 1)
        inspect_node_set(
                inspect_node_add(node, "addon", path), INSPECT_BROKEN, "it has %u command lines", n);
}

void inspect_check_addon_content(
        InspectContext *context, InspectNode *node, const char *path, GBytes *image) {
    g_autoptr(PeImage) pe = pe_image_new(image, NULL);
    if (!pe)
        return;
    check_addon_sections(node, path, pe);
    for (guint i = 0; i < pe->n_sections; i++) {
        gsize size = 0;
        const char *data = (const char *) pe_image_get_data(pe, &pe->sections[i], &size);
        if (strcmp(pe->sections[i].name, ".cmdline") != 0)
            continue;
        g_autofree char *text = g_strndup(data, size);
        inspect_check_command_line_words(node, text);
        inspect_check_root_hashes(context, node, text);
    }
}

gboolean inspect_is_pe_file(const InspectContext *context) {
    guint8 magic[2];
    return pread(context->fd, magic, sizeof magic, 0) == sizeof magic && memcmp(magic, "MZ", 2) == 0;
}

static void check_addon(InspectContext *context, InspectNode *root, GBytes *image, const PeImage *pe) {
    InspectNode *content;
    g_autoptr(GString) names = g_string_new(NULL);

    inspect_check_program(root, "program", image);
    inspect_check_addon_content(context, root, "addon", image);
    inspect_check_authenticode(context, root, "authenticode", "signature", image, FALSE);
    content = inspect_node_add(root, "addon", "addon");
    for (gsize i = 0; i < G_N_ELEMENTS(addon_sections); i++) {
        const PeSection *section = pe_image_find_section(pe, addon_sections[i]);
        gsize size = 0;
        const guint8 *data = section ? pe_image_get_data(pe, section, &size) : NULL;
        if (!section)
            continue;
        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", addon_sections[i]);
        if (g_str_equal(addon_sections[i], ".cmdline")) {
            g_autofree char *text =
                    g_utf8_make_valid((const char *) data, strnlen((const char *) data, size));
            g_autofree char *escaped = g_strescape(text, NULL);
            inspect_node_add_fact(content, "command-line", escaped);
            g_string_append_printf(names, " \"%s\"", escaped);
        }
    }
    if (names->len > 0)
        inspect_node_set(content, INSPECT_OK, "brings %s", names->str);
    else
        inspect_node_set(content, INSPECT_MISSING, "there is nothing in it that a UKI takes");
}

InspectNode *inspect_pe_file(InspectContext *context, GError **error) {
    g_autofree char *name = g_path_get_basename(context->path);
    g_autoptr(GMappedFile) mapped = g_mapped_file_new_from_fd(context->fd, FALSE, error);
    g_autoptr(GBytes) image = mapped ? g_mapped_file_get_bytes(mapped) : NULL;
    g_autoptr(PeImage) pe = image ? pe_image_new(image, error) : NULL;

    if (!pe) {
        g_prefix_error(error, "Cannot read the program %s: ", context->path);
        return NULL;
    }
    inspect_collect_signers(context, image);
    InspectNode *root = inspect_node_new("image", name);
    if (pe_image_find_section(pe, ".linux"))
        inspect_check_uki(context, root, image);
    else
        check_addon(context, root, image, pe);
    inspect_check_checksums(context, inspect_node_add(root, "checksums", "SHA256SUMS"));
    return root;
}
