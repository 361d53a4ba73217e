/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/make/built-image.h"
#include "cli/verbs.h"
#include "events/events.h"
#include "image/disk/burn.h"
#include "pipeline/state/output-names.h"
#include "text/size.h"

#define DEFAULT_SECTOR_SIZE 512

static gboolean refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean refuse(GError **error, const char *format, ...) {
    va_list list;
    va_start(list, format);
    *error = g_error_new_valist(RECIPE_ERROR, RECIPE_ERROR_SYNTAX, format, list);
    va_end(list);
    return FALSE;
}

static char *describe(const BurnTarget *target) {
    g_autofree char *size = text_format_size(target->size);
    return g_strdup_printf(
            "%s (%s%s%s)", target->path, target->model ? target->model : "", target->model ? ", " : "", size);
}

/* Nobody's disk is overwritten without somebody having read its name. */
static gboolean confirm(const Arguments *arguments, const BurnTarget *target, GError **error) {
    g_autofree char *device = describe(target);
    char answer[16] = "";
    if (arguments->yes || arguments->force > 0 || called_as_mkosi())
        return TRUE;
    if (!isatty(STDIN_FILENO))
        return refuse(error,
                "Everything on %s would be lost, and there is no terminal to ask on: say --yes if that is "
                "meant",
                device);
    if (!target->removable)
        events_warning("%s is not a removable device", target->path);
    fprintf(stderr, "Everything on %s will be lost. Type 'yes' to go on: ", device);
    if (!fgets(answer, sizeof(answer), stdin) || strcmp(g_strstrip(answer), "yes") != 0)
        return refuse(error, "Nothing was written");
    return TRUE;
}

gboolean verb_burn(const VerbCall *call, int *ret_exit_status, GError **error) {
    char **words = call->arguments->words;
    if (!configure_built_image(call->recipe, error))
        return FALSE;
    const ImageConfig *config = call->recipe->main;
    if (config->format != OUTPUT_FORMAT_DISK && config->format != OUTPUT_FORMAT_ESP)
        return refuse(error, "An image with Format=%s cannot be written to a device; Format=disk and Format=esp can",
                output_format_to_string(config->format));
    if (!words[0] || words[1])
        return refuse(error, "burn needs the one device to write to, for example 'particleos burn "
                             "/dev/disk/by-id/usb-...'");
    g_autofree char *path = outputs_main_path(config);
    g_autoptr(BurnTarget) target = burn_target_open(words[0], error);
    if (!target || !confirm(call->arguments, target, error))
        return FALSE;
    gboolean plain = config->format == OUTPUT_FORMAT_ESP || config->compress_output == COMPRESSION_NONE;
    guint sector_size = config->sector_size > 0 ? config->sector_size : DEFAULT_SECTOR_SIZE;
    if (!burn_write(target, path, plain, sector_size, error))
        return FALSE;
    g_autofree char *device = describe(target);
    events_info("%s is on %s and was read back without a difference", path, device);
    return TRUE;
}
