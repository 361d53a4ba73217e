/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/run/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "distro/driver/transcript.h"
#include "events/printable.h"

struct RpmOutput {
    DistroProgress progress;
    gpointer data;
    Transcript said;     /* its recent ones are lines since the transaction turned to a package: what its script says */
    gboolean in_problem; /* all lines that follow belong to the complaint */
    GPtrArray *failed_scripts;
};

RpmOutput *rpm_output_new(DistroProgress progress, gpointer data) {
    RpmOutput *output = g_new0(RpmOutput, 1);

    output->progress = progress;
    output->data = data;
    output->failed_scripts = g_ptr_array_new_with_free_func(g_free);
    transcript_init(&output->said);
    return output;
}

void rpm_output_free(RpmOutput *output) {
    if (!output)
        return;
    transcript_clear(&output->said);
    g_ptr_array_unref(output->failed_scripts);
    g_free(output);
}

static void append_line(GString *text, const char *line) {
    g_autofree char *shown = printable_line(line);
    g_string_append_printf(text, "%s  %s", text->len > 0 ? "\n" : "", shown);
}

/* "  Installing       : hello-1-1.x86_64                     3/7", or dnf 5's "[3/7] Installing hello-1-1.x86_64",
 * or zypper's "(3/7) Installing: hello-1-1.x86_64 [...done]". Returns
 * the text after the verb, NULL when LINE is none. */
static const char *step_of_transaction(const char *line, guint *ret_done, guint *ret_total) {
    static const char *const verbs[] = {"Preparing", "Installing", "Running", "Verifying", "Upgrading", "Erasing",
            "Cleanup", "Removing", "Reinstalling", "Downgrading", "Obsoleting", NULL};
    const char *at = line + strspn(line, " ");

    if ((*at == '[' && sscanf(at, "[%u/%u]", ret_done, ret_total) == 2) ||
            (*at == '(' && sscanf(at, "(%u/%u)", ret_done, ret_total) == 2)) {
        at = strpbrk(at, "])") + 1;
        at += strspn(at, " ");
    } else {
        const char *slash = strrchr(line, '/');
        const char *number = slash;
        while (number > line && g_ascii_isdigit(number[-1]))
            number--;
        if (!slash || number == slash || !g_ascii_isdigit(slash[1]) || line[0] != ' ')
            return NULL;
        *ret_done = strtoul(number, NULL, 10);
        *ret_total = strtoul(slash + 1, NULL, 10);
    }
    for (const char *const *verb = verbs; *verb; verb++)
        if (g_str_has_prefix(at, *verb)) {
            const char *colon = strstr(at, ": ");
            return colon ? colon + 2 : at + strlen(*verb);
        }
    return NULL;
}

static void show_progress(RpmOutput *output, const char *what, guint done, guint total) {
    g_autofree char *name = g_strstrip(g_strndup(what, strcspn(what + strspn(what, " "), " ") + strspn(what, " ")));

    if (output->progress && total > 0)
        output->progress(MIN(done, total), total, name, output->data);
}

/* "error: %prein(hello-1-1.x86_64) scriptlet failed, exit status 3"; "warning:" when the transaction goes on. */
static gboolean is_failed_script(const char *line) {
    return strstr(line, "scriptlet failed") &&
           (g_str_has_prefix(line, "error: ") || g_str_has_prefix(line, "warning: "));
}

static void take_failed_script(RpmOutput *output, const char *line) {
    g_autoptr(GString) text = g_string_new(NULL);
    char *said;

    while ((said = g_queue_pop_head(&output->said.recent))) {
        append_line(text, said);
        if (line[0] == 'e')
            transcript_add_reason(&output->said, said);
        g_free(said);
    }
    append_line(text, line);
    if (line[0] == 'e')
        transcript_add_reason(&output->said, line);
    else
        g_ptr_array_add(output->failed_scripts, g_strdup(text->str));
}

static gboolean is_complaint(const char *line) {
    static const char *const prefixes[] = {"No match for argument", "error: ", "Error in ", "Failed to ", "Cannot ",
            "Problem opening package", "Curl error", "GPG key at", "Public key for", "Import of key",
            "Problem retrieving", "File '", "Package '", "Signature verification failed", "'", "No provider of", NULL};

    for (const char *const *prefix = prefixes; *prefix; prefix++)
        if (g_str_has_prefix(line, *prefix))
            return TRUE;
    return strstr(line, "is not signed") || strstr(line, "check FAILED") || strstr(line, "Status code: ") ||
           strstr(line, "hecksum doesn't match") || strstr(line, "not found in package names");
}

/* After these words everything is about what went wrong. */
static gboolean begins_problem(const char *line) {
    return g_str_has_prefix(line, "Error:") || g_str_has_prefix(line, "Problem: ") ||
           g_str_has_prefix(line, "Errors during downloading metadata");
}

/* What Debian's rpm says whenever it installs, although it is told that it is for another tree. */
static gboolean is_noise(const char *line) {
    return strstr(line, "rpm: RPM should not be used directly") || g_str_has_prefix(line, "rpm: However assuming") ||
           g_str_equal(line, "Additional rpm output:");
}

void rpm_output_line(const char *line, gpointer data) {
    RpmOutput *output = data;
    guint done = 0, total = 0;
    const char *what = step_of_transaction(line, &done, &total);

    if (is_noise(line))
        return;
    if (what) {
        output->in_problem = FALSE;
        transcript_forget(&output->said);
        show_progress(output, what, done, total);
    } else if (is_failed_script(line))
        take_failed_script(output, line);
    else if (output->in_problem || begins_problem(line)) {
        output->in_problem = TRUE;
        if (*line)
            transcript_add_reason(&output->said, line);
    } else if (is_complaint(line) && !g_str_has_prefix(line, "Error in POST"))
        transcript_add_reason(&output->said, line);
    else if (*line)
        transcript_remember(&output->said, line, 0);
}

void rpm_output_text(RpmOutput *output, const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++)
        rpm_output_line(g_strchomp(*line), output);
}

const char *rpm_output_reason(const RpmOutput *output) {
    return output->said.reason->str;
}

char *rpm_output_last_lines(const RpmOutput *output) {
    g_autoptr(GString) text = g_string_new(NULL);

    for (const GList *line = output->said.recent.head; line; line = line->next)
        append_line(text, line->data);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

const GPtrArray *rpm_output_failed_scripts(const RpmOutput *output) {
    return output->failed_scripts;
}

const char *rpm_output_advice(const char *reason, const char *fallback) {
    static const char names[] =
            "Check the names in Packages=, and Release= and Repositories= for where they should come from.";
    static const char network[] = "Check the network, Mirror= and ProxyUrl=.";
    static const char keys[] =
            "Check that the key that signs the packages is among those of the distribution (etc/pki/rpm-gpg in "
            "SandboxTrees=, package distribution-gpg-keys, or RepositoryKeyFetch=yes).";
    static const char moved[] =
            "The mirror is being updated, or something on the way changes files: try again later, fetch "
            "metadata again with -ff, or use another Mirror=.";
    /* The first that fits counts: the cause stands before its consequences. */
    static const struct {
        const char *said, *advice;
    } causes[] = {
            {"No space left on device",
                    "Make room where temporary trees and packages are kept: WorkspaceDirectory= and "
                    "PackageCacheDirectory=."},
            {"At least", "Make room where the image is made: WorkspaceDirectory=."},
            {"Could not resolve host", network},
            {"Couldn't resolve host", network},
            {"ould not connect", network},
            {"ouldn't connect", network},
            {"onnection refused", network},
            {"onnection timed out", network},
            {"Timeout", network},
            {"SSL certificate", "Check the clock, and that the certificates of authorities are installed (package "
                                "ca-certificates)."},
            {"Status code: 404",
                    "Check Release=, Repositories= and Mirror=: there is no such repository, or the mirror has "
                    "moved on since its metadata was fetched (-ff)."},
            {"hecksum doesn't match", moved},
            {"hecksum mismatch", moved},
            {"is not signed", keys},
            {"is not installed", keys},
            {"GPG", keys},
            {"ignature verification failed", keys},
            {"scriptlet failed", "Run again with --debug to see the whole output of the package manager."},
            {"No match for argument", names},
            {"Unable to find a match", names},
            {"not found in package names", names},
            {"No provider of", names},
            {"Problem",
                    "Some packages exclude each other, or lack one that no repository has: check Packages=, Release= and "
                    "Repositories=."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(causes); i++)
        if (strstr(reason, causes[i].said))
            return causes[i].advice;
    return fallback;
}
