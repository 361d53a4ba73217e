/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/boot-limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/little-endian.h"
#include "format/efi/pe/pe.h"
#include "format/efi/uki/uki-stub.h"
#include "format/efi/uki/uki.h"
#include "pipeline/boot/boot-entry.h"
#include "pipeline/boot/boot-parts.h"
#include "pipeline/state/boot-rules.h"

/* Linux/x86 boot protocol, from 2.06 on: the longest command line without its NUL. */
#define X86_SETUP_MAGIC 0x202
#define X86_SETUP_VERSION 0x206
#define X86_SETUP_CMDLINE_SIZE 0x238
#define X86_SETUP_WITH_CMDLINE_SIZE 0x0206

/* " usrhash=" or " roothash=" with a SHA-256 in hexadecimal, which is not known yet. */
#define ROOT_HASH_WORD (strlen(" roothash=") + 64)

gboolean wants_boot_limits(const ImageBuild *image) {
    return image->boot.kernels->len > 0;
}

gsize boot_command_line_room(Architecture architecture) {
    switch (architecture) {
    case ARCHITECTURE_ARM64:
    case ARCHITECTURE_X86_64:
        return 2047;
    case ARCHITECTURE_LOONGARCH64:
        return 4095;
    default:
        return 0;
    }
}

/* Bytes of a command line that KERNEL keeps; 0: nobody knows. */
static gsize command_line_room(const ImageBuild *image, const BootKernel *kernel) {
    gsize size;
    const guint8 *data = g_bytes_get_data(kernel->image, &size);

    if (size >= X86_SETUP_CMDLINE_SIZE + 4 && memcmp(data + X86_SETUP_MAGIC, "HdrS", 4) == 0)
        return read_le16(data + X86_SETUP_VERSION) >= X86_SETUP_WITH_CMDLINE_SIZE
                       ? read_le32(data + X86_SETUP_CMDLINE_SIZE)
                       : 255;
    return boot_command_line_room(image->config->architecture);
}

static gboolean fail(const ImageBuild *image, GError **error, const char *setting, const char *format, ...)
        G_GNUC_PRINTF(4, 5);

/* The place of SETTING in the recipe, if it is known, stands before what is wrong. */
static gboolean fail(const ImageBuild *image, GError **error, const char *setting, const char *format, ...) {
    const char *origin = recipe_setting_origin(image->config, setting);
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "%s%s%s=: %s", origin ? origin : "",
            origin ? ": " : "", setting, message);
    return FALSE;
}

static gboolean check_command_lines(ImageBuild *image, const BootKernel *kernel, GError **error) {
    gsize room = command_line_room(image, kernel);
    g_autofree char *base = boot_command_line(image);
    gsize length = strlen(base), longest = length;
    const char *setting = "KernelCommandLine";

    for (RecipeUkiProfile **profile = image->config->unified_kernel_image_profiles; *profile; profile++) {
        g_autofree char *extra = g_strjoinv(" ", (*profile)->cmdline);
        if (*extra && length + 1 + strlen(extra) > longest) {
            longest = length + 1 + strlen(extra);
            setting = "UnifiedKernelImageProfiles";
        }
    }
    if (image->config->verity == VERITY_SIGNED || image->config->verity == VERITY_HASH)
        longest += ROOT_HASH_WORD;
    if (room == 0 || longest <= room)
        return TRUE;
    return fail(image, error, setting,
            "the command line has %zu bytes, but the kernel %s keeps the first %zu: take words out of "
            "KernelCommandLine= and of profiles",
            longest, kernel->version, room);
}

static gboolean check_stub(ImageBuild *image, GError **error) {
    g_autofree char *version = uki_stub_version(image->boot.stub);
    g_autoptr(PeImage) stub = pe_image_new(image->boot.stub, NULL);
    const char *name = version ? version : "of this image";

    /* A damaged stub is named where it is used. */
    if (!stub)
        return TRUE;
    if (image->config->unified_kernel_image_profiles[0] &&
            !uki_stub_knows_section(stub, UKI_SECTION_PROFILE))
        return fail(image, error, "UnifiedKernelImageProfiles",
                "systemd-stub %s knows no profiles, that of systemd 257 does: take a newer systemd-boot-efi, "
                "or leave the profiles out",
                name);
    if (image->config->devicetrees[0] && !uki_stub_knows_section(stub, UKI_SECTION_DTBAUTO) &&
            (image->config->devicetrees[1] || strpbrk(image->config->devicetrees[0], "*?[")))
        return fail(image, error, "Devicetrees",
                "systemd-stub %s cannot choose among several device trees, that of systemd 257 can: name one "
                "file",
                name);
    /* Kernel, initrd, and for each profile its name and command line, at the least. */
    guint least = stub->n_sections + 2, room = pe_image_get_max_sections(stub);
    for (RecipeUkiProfile **profile = image->config->unified_kernel_image_profiles; *profile; profile++)
        least += 2;
    return least <= room || fail(image, error, "UnifiedKernelImageProfiles",
                                    "at least %u sections are needed, but the headers of systemd-stub %s have "
                                    "room for %u at most: leave profiles out",
                                    least, name, room);
}

gboolean step_boot_limits(ImageBuild *image, GError **error) {
    for (guint i = 0; i < image->boot.kernels->len; i++)
        if (!check_command_lines(image, image->boot.kernels->pdata[i], error))
            return FALSE;
    return !image->boot.stub || !boot_wants_ukis(image) || boot_wants_prebuilt_ukis(image->config) ||
           check_stub(image, error);
}

const char *boot_kernel_without_zstd(const ImageBuild *image) {
    for (guint i = 0; i < image->boot.kernels->len; i++) {
        const BootKernel *kernel = image->boot.kernels->pdata[i];
        char *end;
        unsigned long major = strtoul(kernel->version, &end, 10);
        unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

        if (major > 0 && (major < 6 || (major == 6 && minor < 10)))
            return kernel->version;
    }
    return NULL;
}
