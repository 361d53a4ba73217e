/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/recipe-limits.h"

#include <limits.h>
#include <string.h>

#include "events/events.h"
#include "pipeline/boot/boot-limits.h"
#include "pipeline/state/boot-rules.h"
#include "pipeline/state/image-build.h"
#include "pipeline/state/output-names.h"

/* What every systemd-sysupdate takes for a version; that of systemd 262 takes "~" and "^" as well, that of 257 not. */
#define VERSION_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".,_-+"

static gboolean fail(const ImageConfig *config, GError **error, const char *setting, const char *format, ...)
        G_GNUC_PRINTF(4, 5);

/* The place of SETTING in the recipe, if it is known, stands before what is wrong. */
static gboolean fail(const ImageConfig *config, GError **error, const char *setting, const char *format, ...) {
    const char *origin = recipe_setting_origin(config, setting);
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "%s%s%s=: %s", origin ? origin : "", origin ? ": " : "",
            setting, message);
    return FALSE;
}

/* Without Output= the name is made of those of the image and its version. */
static gboolean check_names(const ImageConfig *config, GError **error) {
    g_autofree char *name = outputs_main_name(config);
    const char *setting = recipe_setting_origin(config, "Output") || !config->image_id ? "Output" : "ImageId";

    if (config->format == OUTPUT_FORMAT_NONE || strlen(name) <= NAME_MAX)
        return TRUE;
    return fail(config, error, setting,
            "the name of the output, \"%.20s...%s\", has %zu bytes, the name of a file has room for %d: shorten "
            "Output=, ImageId= or ImageVersion=",
            name, name + strlen(name) - 20, strlen(name), NAME_MAX);
}

/* systemd takes it for one that is not set. */
static gboolean check_machine_id(const ImageConfig *config, GError **error) {
    return !config->machine_id || strspn(config->machine_id, "0-") < strlen(config->machine_id) ||
           fail(config, error, "MachineId", "zeros only are no machine ID; leave it out, or name another one");
}

/* Files of the tree, root hashes and profiles may make it longer, which is judged when they are known. */
static gboolean check_command_line(const ImageConfig *config, GError **error) {
    g_autofree char *words = g_strjoinv(" ", config->kernel_command_line);
    gsize room = boot_command_line_room(config->architecture);
    gboolean booted = (config->bootable == FEATURE_ENABLED && boot_wants_kernels(config)) ||
                      boot_format_is_tree_uki(config->format);

    if (!booted || room == 0 || strlen(words) <= room)
        return TRUE;
    return fail(config, error, "KernelCommandLine",
            "the command line has %zu bytes, but kernels for %s keep the first %zu: take words out", strlen(words),
            architecture_to_string(config->architecture), room);
}

static void warn_of_version(const ImageConfig *config) {
    const char *version = config->image_version;
    const char *origin = recipe_setting_origin(config, "ImageVersion");
    gsize good = version ? strspn(version, VERSION_CHARACTERS) : 0;

    if (config->sysupdate_directory && version && version[good])
        events_warning_once("%s%sImageVersion=%s: not every systemd-sysupdate finds versions with \"%.*s\" in them; letters, "
                        "digits and .,_-+ are found",
                origin ? origin : "", origin ? ": " : "", version,
                (int) (g_utf8_next_char(version + good) - (version + good)), version + good);
}

gboolean recipe_limits_check(const ImageConfig *config, GError **error) {
    warn_of_version(config);
    return check_names(config, error) && check_machine_id(config, error) && check_command_line(config, error);
}
