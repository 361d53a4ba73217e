/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "update/program/verbs.h"

#include <stdio.h>
#include <string.h>

#include "text/size.h"
#include "update/program/json.h"

/* What a version is, in a word that people read. */
static const char *describe(const UpdateVersion *version, const UpdateVersion *candidate) {
    if (version == candidate)
        return "candidate";
    if (version->running)
        return version->tries_left >= 0 ? "runs, on trial" : "runs";
    if (version->complete && version->tries_left == 0)
        return "did not come up";
    if (version->complete && version->tries_left > 0)
        return "starts next";
    if (version->complete)
        return "installed";
    if (version->installed > 0)
        return "not whole";
    if (version->obsolete)
        return "obsolete";
    return version->offered ? "available" : "incomplete there";
}

static void put_version(GString *out, const UpdateVersion *version, const UpdateVersion *candidate) {
    if (out->str[out->len - 1] != '[')
        g_string_append_c(out, ',');
    g_string_append_c(out, '{');
    json_put_text(out, "version", version->version);
    json_put_text(out, "state", describe(version, candidate));
    json_put_boolean(out, "installed", version->complete);
    json_put_boolean(out, "available", version->offered);
    json_put_boolean(out, "running", version->running);
    json_put_boolean(out, "protected", version->protected);
    json_put_boolean(out, "obsolete", version->obsolete);
    json_put_boolean(out, "candidate", version == candidate);
    if (version->tries_left >= 0) {
        json_put_number(out, "triesLeft", version->tries_left);
        json_put_number(out, "triesDone", version->tries_done);
    }
    g_string_append_c(out, '}');
}

/* All versions, or with INSTALLED_ONLY those that are here. */
static gboolean print_versions(Update *update, const Arguments *arguments, gboolean installed_only, GError **error) {
    const GPtrArray *versions = update_get_versions(update);
    const UpdateVersion *candidate = installed_only ? NULL : update_find_candidate(update, NULL, NULL);
    g_autoptr(GString) out = g_string_new("[");

    if (!arguments->json && versions->len > 0)
        printf("%-32s %-9s %-9s %s\n", "VERSION", "INSTALLED", "AVAILABLE", "STATE");
    for (guint i = 0; i < versions->len; i++) {
        const UpdateVersion *version = versions->pdata[i];
        if (installed_only && version->installed == 0)
            continue;
        if (arguments->json)
            put_version(out, version, candidate);
        else
            printf("%-32s %-9s %-9s %s\n", version->version, version->complete ? "yes" : "no",
                    installed_only     ? "-"
                    : version->offered ? "yes"
                                       : "no",
                    describe(version, candidate));
    }
    if (arguments->json)
        printf("%s]\n", out->str);
    return TRUE;
}

static gboolean run_list(
        Update *update, const Arguments *arguments, const char *version, int *ret_status, GError **error) {
    return print_versions(update, arguments, FALSE, error);
}

static gboolean run_status(
        Update *update, const Arguments *arguments, const char *version, int *ret_status, GError **error) {
    return print_versions(update, arguments, TRUE, error);
}

static gboolean run_check(
        Update *update, const Arguments *arguments, const char *version, int *ret_status, GError **error) {
    g_autoptr(GError) failure = NULL;
    const UpdateVersion *candidate = update_find_candidate(update, version, &failure);
    g_autoptr(GString) out = g_string_new("{");

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    json_put_text(out, "version", candidate ? candidate->version : NULL);
    if (arguments->json)
        printf("%s}\n", out->str);
    else if (candidate)
        printf("%s\n", candidate->version);
    *ret_status = candidate ? 0 : STATUS_NOTHING_NEW;
    return TRUE;
}

static gboolean run_update(
        Update *update, const Arguments *arguments, const char *version, int *ret_status, GError **error) {
    g_auto(UpdateResult) result = {.version = NULL};
    g_autoptr(GString) out = g_string_new("{");

    if (!update_run(update, version, &result, error))
        return FALSE;
    g_autofree char *received = text_format_size(result.received), *kept = text_format_size(result.kept);
    json_put_text(out, "version", result.version);
    json_put_number(out, "received", (gint64) result.received);
    json_put_number(out, "kept", (gint64) result.kept);
    json_put_number(out, "made", (gint64) result.made);
    json_put_number(out, "written", (gint64) result.written);
    if (arguments->json)
        printf("%s}\n", out->str);
    else if (result.version)
        printf("Installed %s: %s came over the network, %s were here already. It runs after the next restart.\n",
                result.version, received, kept);
    else
        printf("There is nothing new.\n");
    return TRUE;
}

static gboolean run_rollback(
        Update *update, const Arguments *arguments, const char *version, int *ret_status, GError **error) {
    g_autofree char *former = NULL;
    g_autoptr(GString) out = g_string_new("{");

    if (!update_roll_back(update, version, &former, error))
        return FALSE;
    json_put_text(out, "version", former);
    if (arguments->json)
        printf("%s}\n", out->str);
    else
        printf("%s runs after the next restart. Newer versions that are here are not started any more.\n", former);
    return TRUE;
}

/* A verb that counts something. */
static void print_count(const Arguments *arguments, const char *name, guint n, const char *format) {
    g_autoptr(GString) out = g_string_new("{");

    json_put_number(out, name, n);
    if (arguments->json)
        printf("%s}\n", out->str);
    else
        printf("%u %s\n", n, format);
}

static gboolean run_verify(
        Update *update, const Arguments *arguments, const char *version, int *ret_status, GError **error) {
    guint checked = 0;

    if (!update_verify(update, &checked, error))
        return FALSE;
    print_count(arguments, "checked", checked, "slots are as their signed hash trees say.");
    return TRUE;
}

static gboolean run_cleanup(
        Update *update, const Arguments *arguments, const char *version, int *ret_status, GError **error) {
    guint removed = 0;

    if (!update_clean_up(update, &removed, error))
        return FALSE;
    print_count(arguments, "removed", removed, "files and slots cleared.");
    return TRUE;
}

const Verb verbs[] = {
        {"check", FALSE, TRUE, run_check, "print the version that an update would install; exit 10 when there is none"},
        {"update", FALSE, TRUE, run_update, "install that version"},
        {"status", TRUE, FALSE, run_status, "show the versions that are here"},
        {"list", FALSE, FALSE, run_list, "show all versions, here and at the source"},
        {"rollback", TRUE, TRUE, run_rollback, "start an older version from now on"},
        {"verify", TRUE, FALSE, run_verify, "check what is here against its signed hash trees"},
        {"cleanup", TRUE, FALSE, run_cleanup, "clear what was not finished, and old versions"},
        {NULL, FALSE, FALSE, NULL, NULL},
};
