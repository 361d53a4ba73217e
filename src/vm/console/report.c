/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/console/report.h"

#include <string.h>


static const char script[] =
#include "vm/report-script.inc"
        ;

/* A guest that floods its port does not fill our memory. */
#define ENTRIES_MAX 200

char **vm_report_credentials(const char *port) {
    g_autofree char *unit = g_strdup_printf("[Unit]\n"
                                            "Description=Report on the chain of trust\n"
                                            "After=multi-user.target\n"
                                            "[Service]\n"
                                            "Type=exec\n"
                                            "Environment=PORT=/dev/%s\n"
                                            "LoadCredential=particleos.report\n"
                                            "ExecStart=/bin/sh ${CREDENTIALS_DIRECTORY}/particleos.report\n",
            port);
    const char *const credentials[] = {
            "particleos.report",
            script,
            "systemd.extra-unit.particleos-report.service",
            unit,
            "systemd.unit-dropin.multi-user.target~particleos-report",
            "[Unit]\nWants=particleos-report.service\n",
            NULL,
    };
    return g_strdupv((char **) credentials);
}

static void volume_free(gpointer data) {
    VmReportVolume *volume = data;
    g_free(volume->name);
    g_free(volume->use);
    g_free(volume->type);
    g_free(volume->tokens);
    g_free(volume);
}

static VmReport *report_new(void) {
    VmReport *report = g_new0(VmReport, 1);
    report->secure_boot = report->setup_mode = -1;
    report->volumes = g_ptr_array_new_with_free_func(volume_free);
    report->messages = g_ptr_array_new_with_free_func(g_free);
    report->failed_units = g_ptr_array_new_with_free_func(g_free);
    return report;
}

void vm_report_free(VmReport *report) {
    if (!report)
        return;
    g_free(report->os);
    g_free(report->kernel);
    g_free(report->boot_time);
    g_free(report->verity_hash);
    g_ptr_array_unref(report->volumes);
    g_ptr_array_unref(report->messages);
    g_ptr_array_unref(report->failed_units);
    g_free(report);
}

static void set_text(char **field, const char *value) {
    g_free(*field);
    *field = *value ? g_strdup(value) : NULL;
}

static int parse_flag(const char *value) {
    return strcmp(value, "0") == 0 ? 0 : strcmp(value, "1") == 0 ? 1 : -1;
}

static void add_entry(GPtrArray *array, const char *value) {
    if (array->len < ENTRIES_MAX && *value)
        g_ptr_array_add(array, g_strdup(value));
}

static gboolean is_hexadecimal(const char *text) {
    return *text && text[strspn(text, "0123456789abcdef")] == '\0';
}

/* "NAME: START LENGTH verity VERSION DATA HASH BLOCK BLOCK BLOCKS START ALGORITHM ROOTHASH SALT [OPTIONS]"
 * as dmsetup prints the table (Documentation/admin-guide/device-mapper/verity.rst of Linux). */
static void parse_verity_table(VmReport *report, const char *value) {
    enum { NAME = 0, TYPE = 3, ROOT_HASH = 12, OPTIONS = 14 };
    g_auto(GStrv) words = g_strsplit(value, " ", -1);
    if (g_strv_length(words) < OPTIONS || strcmp(words[TYPE], "verity") != 0)
        return;
    if (strcmp(words[NAME], "usr:") != 0 || !is_hexadecimal(words[ROOT_HASH]))
        return;
    set_text(&report->verity_hash, words[ROOT_HASH]);
    report->verity_signed = g_strv_contains((const char *const *) words + OPTIONS, "root_hash_sig_key_desc");
}

/* "NAME: START LENGTH verity V" (verified so far) or "C" (corruption was seen). */
static void parse_verity_status(VmReport *report, const char *value) {
    g_auto(GStrv) words = g_strsplit(value, " ", -1);
    if (g_strv_length(words) >= 5 && strcmp(words[0], "usr:") == 0)
        report->verity_corrupted = strcmp(words[4], "C") == 0;
}

/* "NAME TYPE TOKENS" */
static void parse_luks(VmReport *report, const char *value) {
    g_auto(GStrv) words = g_strsplit(value, " ", 3);
    guint n = g_strv_length(words);
    if (n < 2 || report->volumes->len >= ENTRIES_MAX)
        return;
    VmReportVolume *volume = g_new0(VmReportVolume, 1);
    volume->name = g_strdup(words[0]);
    volume->type = g_strdup(words[1]);
    volume->tokens = g_strdup(n > 2 ? words[2] : "");
    g_ptr_array_add(report->volumes, volume);
}

static void set_use(VmReport *report, const char *name, const char *use) {
    for (guint i = 0; i < report->volumes->len; i++) {
        VmReportVolume *volume = report->volumes->pdata[i];
        if (strcmp(volume->name, name) == 0 && !volume->use)
            volume->use = g_strdup(use);
    }
}

/* "NAME TARGET TYPE" */
static void parse_mount(VmReport *report, const char *value) {
    g_auto(GStrv) words = g_strsplit(value, " ", 3);
    if (g_strv_length(words) < 2)
        return;
    if (strcmp(words[0], "usr") == 0 && strcmp(words[1], "/usr") == 0)
        report->verity_usr = TRUE;
    set_use(report, words[0], words[1]);
}

static void parse_line(VmReport *report, const char *key, const char *value) {
    if (strcmp(key, "os") == 0)
        set_text(&report->os, value);
    else if (strcmp(key, "kernel") == 0)
        set_text(&report->kernel, value);
    else if (strcmp(key, "time") == 0)
        set_text(&report->boot_time, value);
    else if (strcmp(key, "secure-boot") == 0)
        report->secure_boot = parse_flag(value);
    else if (strcmp(key, "setup-mode") == 0)
        report->setup_mode = parse_flag(value);
    else if (strcmp(key, "verity-table") == 0)
        parse_verity_table(report, value);
    else if (strcmp(key, "verity-status") == 0)
        parse_verity_status(report, value);
    else if (strcmp(key, "luks") == 0)
        parse_luks(report, value);
    else if (strcmp(key, "mount") == 0)
        parse_mount(report, value);
    else if (strcmp(key, "swap") == 0)
        set_use(report, value, "swap");
    else if (strcmp(key, "message") == 0)
        add_entry(report->messages, value);
    else if (strcmp(key, "failed") == 0)
        add_entry(report->failed_units, value);
    else if (strcmp(key, "end") == 0)
        report->complete = TRUE;
}

/* Bytes that could act on the reader's terminal become question marks. */
static char *make_printable(const char *text, gsize length) {
    char *printable = g_utf8_make_valid(text, length);
    for (char *c = printable; *c; c++)
        if (g_ascii_iscntrl(*c) && *c != '\n')
            *c = *c == '\r' ? ' ' : '?';
    return printable;
}

VmReport *vm_report_parse(const char *text, gsize length) {
    VmReport *report = report_new();
    g_autofree char *printable = make_printable(text, length);
    g_auto(GStrv) lines = g_strsplit(printable, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_strchomp(*line);
        char *space = strchr(*line, ' ');
        if (space)
            *space = '\0';
        parse_line(report, *line, space ? space + 1 : "");
    }
    return report;
}

static gboolean opens_with_tpm(const VmReportVolume *volume) {
    g_auto(GStrv) tokens = g_strsplit(volume->tokens, ",", -1);
    return g_strv_contains((const char *const *) tokens, "tpm2");
}

static gboolean verity_is_good(const VmReport *report) {
    return report->verity_hash && report->verity_usr && report->verity_signed && !report->verity_corrupted;
}

static gboolean secure_boot_is_good(const VmReport *report) {
    return report->secure_boot == 1 && report->setup_mode == 0;
}

static gboolean is_root(const VmReportVolume *volume) {
    return g_strcmp0(volume->use, "/") == 0;
}

static gboolean root_is_encrypted(const VmReport *report) {
    for (guint i = 0; i < report->volumes->len; i++)
        if (is_root(report->volumes->pdata[i]))
            return TRUE;
    return FALSE;
}

gboolean vm_report_is_good(const VmReport *report) {
    for (guint i = 0; i < report->volumes->len; i++)
        if (!opens_with_tpm(report->volumes->pdata[i]))
            return FALSE;
    return report->complete && secure_boot_is_good(report) && verity_is_good(report) &&
           root_is_encrypted(report);
}

static void append_verdict(
        GString *text, const TextStyle *style, gboolean good, const char *what, const char *verdict) {
    g_string_append_printf(text, "  %s%s%s %-12s %s\n",
            good ? style->green : style->red, good ? "ok  " : "FAIL",
            style->reset, what, verdict);
}

static const char *describe_secure_boot(const VmReport *report) {
    if (report->secure_boot < 0)
        return "unknown: the firmware has no such variable";
    if (report->secure_boot == 1)
        return report->setup_mode == 0 ? "enabled (user mode)" : "enabled, but in setup mode";
    return report->setup_mode == 1 ? "disabled: no keys are enrolled (setup mode)" : "disabled";
}

static char *describe_verity(const VmReport *report) {
    if (!report->verity_hash)
        return g_strdup("not verified: there is no dm-verity volume");
    return g_strdup_printf("%s, root hash %.16s..., %s%s",
            report->verity_usr ? "dm-verity" : "not mounted from dm-verity", report->verity_hash,
            report->verity_signed ? "signature accepted by the kernel" : "without a signature",
            report->verity_corrupted ? ", CORRUPTED" : "");
}

static void append_volume(GString *text, const TextStyle *style, const VmReportVolume *volume) {
    g_autofree char *others = g_strdup(volume->tokens);
    g_autofree char *verdict =
            *volume->tokens
                    ? g_strdup_printf("%s, opens with: %s", volume->type, g_strdelimit(others, ",", ' '))
                    : g_strdup_printf("%s, nothing enrolled is known", volume->type);
    append_verdict(text, style, opens_with_tpm(volume), is_root(volume) ? "root" : volume->name, verdict);
}

char *vm_report_format(const VmReport *report, const TextStyle *style) {
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *verity = describe_verity(report);
    g_string_append_printf(text, "%sThe machine runs %s%s, Linux %s", style->bold,
            report->os ? report->os : "an unknown system", style->reset,
            report->kernel ? report->kernel : "unknown");
    if (report->boot_time)
        g_string_append_printf(text, ", started in %s", report->boot_time);
    g_string_append_c(text, '\n');

    append_verdict(text, style, secure_boot_is_good(report), "Secure Boot", describe_secure_boot(report));
    append_verdict(text, style, verity_is_good(report), "/usr", verity);
    for (guint i = 0; i < report->volumes->len; i++)
        append_volume(text, style, report->volumes->pdata[i]);
    if (!root_is_encrypted(report))
        append_verdict(text, style, FALSE, "root", "not encrypted");
    for (guint i = 0; i < report->messages->len; i++)
        g_string_append_printf(text, "       %-12s %s\n", i == 0 ? "kernel log" : "",
                (const char *) report->messages->pdata[i]);
    for (guint i = 0; i < report->failed_units->len; i++)
        append_verdict(text, style, FALSE, "failed unit", report->failed_units->pdata[i]);
    return g_string_free(g_steal_pointer(&text), FALSE);
}
