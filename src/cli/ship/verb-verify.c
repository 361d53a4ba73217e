/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/verbs.h"
#include "ui/terminal.h"
#include "verify/release.h"

static const char *get_text(JsonObject *report, const char *name) {
    return json_object_get_string_member_with_default(report, name, "");
}

static gint64 get_number(JsonObject *report, const char *name) {
    return json_object_get_int_member_with_default(report, name, 0);
}

static void print_files(JsonArray *files) {
    for (guint i = 0; i < json_array_get_length(files); i++) {
        JsonObject *file = json_array_get_object_element(files, i);
        g_autofree char *size = g_format_size_full((guint64) get_number(file, "size"), G_FORMAT_SIZE_IEC_UNITS);
        printf("  %s  %s  %s\n", get_text(file, "sha256"), size, get_text(file, "name"));
    }
}

static void print_report(JsonObject *report) {
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(get_number(report, "time"));
    g_autofree char *when = g_date_time_format(time, "%Y-%m-%d %H:%M:%S UTC");

    printf("%s/%s, target %s, channel %s, version %s\n", get_text(report, "namespace"), get_text(report, "project"),
            get_text(report, "target"), get_text(report, "channel"), get_text(report, "version"));
    printf("signed %s, entry %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " in the log %s\n", when, get_number(report, "leaf"),
            get_number(report, "entries"), get_text(report, "log"));
    if (json_object_has_member(report, "remembered"))
        printf("the log continues the one that had %" G_GINT64_FORMAT " entries\n", get_number(report, "remembered"));
    if (json_object_has_member(report, "bestBefore"))
        printf("good until %s\n", get_text(report, "bestBefore"));
    print_files(json_object_get_array_member(report, "files"));
    printf("%sAll of it is what was published%s\n", ui_out_colour(UI_COLOUR_GREEN), ui_out_colour(UI_COLOUR_RESET));
}

gboolean verb_verify(const VerbCall *call, int *ret_exit_status, GError **error) {
    const Arguments *arguments = call->arguments;
    VerifyOptions options = {
            .address = arguments->words[0],
            .key = arguments->log_key,
            .log = arguments->log,
            .checkpoint = arguments->checkpoint,
            .whole_log = arguments->whole_log,
            .now = g_get_real_time() / G_USEC_PER_SEC,
    };

    if (!options.address || arguments->words[1] || !options.key) {
        g_set_error_literal(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
                "Say what is to be verified, and whose it has to be: particleos verify --log-key=FINGERPRINT ADDRESS. The "
                "fingerprint is that of the key of the build service's log: ask somebody who knows it");
        return FALSE;
    }
    g_autoptr(JsonObject) report = verify_release(&options, error);
    if (!report)
        return FALSE;
    if (arguments->json) {
        g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), report);
        g_autofree char *text = json_to_string(node, TRUE);
        puts(text);
    } else
        print_report(report);
    return TRUE;
}
