/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/pacman/output.h"

#include <string.h>

#include "distro/driver/transcript.h"

struct PacmanOutput {
    DistroProgress progress;
    gpointer data;
    guint done, total;
    Transcript said; /* its recent ones are lines since pacman turned to a package or hook, that one included */
    gboolean failed;
    gboolean removed_files;
};

PacmanOutput *pacman_output_new(DistroProgress progress, gpointer data, guint total) {
    PacmanOutput *output = g_new0(PacmanOutput, 1);

    output->progress = progress;
    output->data = data;
    output->total = total;
    transcript_init(&output->said);
    return output;
}

void pacman_output_free(PacmanOutput *output) {
    if (!output)
        return;
    transcript_clear(&output->said);
    g_free(output);
}

/* The package that LINE says pacman turns to; owned by the caller; NULL: it says something else. */
static char *package_begun(const char *line) {
    static const char *const verbs[] = {"installing ", "upgrading ", "reinstalling ", "downgrading ", "removing "};

    if (!g_str_has_suffix(line, "..."))
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (g_str_has_prefix(line, verbs[i])) {
            const char *name = line + strlen(verbs[i]);
            return g_strndup(name, strlen(name) - strlen("..."));
        }
    return NULL;
}

/* "(2/14) Arming ConditionNeedsUpdate..." or the title of a stage. */
static gboolean begins_hook_or_stage(const char *line) {
    if (g_str_has_prefix(line, ":: Running ") || g_str_has_prefix(line, ":: Processing "))
        return TRUE;
    const char *end = line[0] == '(' ? strchr(line, ')') : NULL;
    return end && strspn(line + 1, "0123456789/ ") == (gsize) (end - line - 1) && end[1] == ' ';
}

static gboolean is_detail(const char *line) {
    return strstr(line, " exists in filesystem") || strstr(line, " exists in both ") ||
           (g_str_has_prefix(line, ":: ") && (strstr(line, "dependency ") || strstr(line, " in conflict")));
}

/* The line that names the package or hook stays. */
static void begin(PacmanOutput *output, const char *line) {
    transcript_forget(&output->said);
    transcript_remember(&output->said, line, 1);
}

/* Questions are answered on the line that asks. */
static const char *after_question(const char *line) {
    static const char *const questions[] = {"[Y/n] ", "[y/N] "};

    for (gsize i = 0; i < G_N_ELEMENTS(questions); i++) {
        const char *found = g_strrstr(line, questions[i]);
        if (found && found[strlen(questions[i])])
            return found + strlen(questions[i]);
    }
    return line;
}

/* Scriptlets are programs for a shell. Of the packages that come before the shell pacman itself cannot run them, and Arch
 * is made for that. */
static gboolean has_no_shell(PacmanOutput *output) {
    const char *first = g_queue_peek_head(&output->said.recent), *last = g_queue_peek_tail(&output->said.recent);
    g_autofree char *package = first ? package_begun(first) : NULL;

    return package && g_str_has_prefix(last, "call to execv failed (No such file");
}

static void complain(PacmanOutput *output, const char *line) {
    gboolean of_program = g_str_has_prefix(line, "error: command failed to execute") ||
                          g_str_has_prefix(line, "error: command terminated by signal");

    if (of_program && has_no_shell(output))
        return;
    if (of_program) {
        output->failed = TRUE;
        transcript_add_recent(&output->said);
    }
    transcript_add_reason(&output->said, line + strlen("error: "));
}

void pacman_output_line(const char *whole, gpointer data) {
    PacmanOutput *output = data;
    const char *line = after_question(whole);
    g_autofree char *package = package_begun(line);

    if (package) {
        begin(output, line);
        output->done++;
        if (output->progress)
            output->progress(MIN(output->done, output->total), output->total, package, output->data);
    } else if (g_str_has_prefix(line, "error: "))
        complain(output, line);
    else if (strstr(line, " is corrupted (")) {
        output->removed_files = TRUE;
        transcript_add_reason(&output->said, line);
    } else if (begins_hook_or_stage(line))
        begin(output, line);
    else if (is_detail(line))
        transcript_add_reason(&output->said, line);
    else if (*line)
        transcript_remember(&output->said, line, 1);
}

gboolean pacman_output_failed(const PacmanOutput *output) {
    return output->failed;
}

gboolean pacman_output_removed_files(const PacmanOutput *output) {
    return output->removed_files;
}

const char *pacman_output_reason(const PacmanOutput *output) {
    return output->said.reason->str;
}

const char *pacman_output_advice(const PacmanOutput *output, const char *fallback) {
    static const char network[] = "Check the network, Mirror= and ProxyUrl=.";
    static const char keys[] = "Check that the keyring is there (package archlinux-keyring, or "
                               "SandboxTrees=DIRECTORY:/usr/share/pacman/keyrings) and new enough, and that Mirror= "
                               "is an archive of this distribution.";
    static const char names[] = "Check the names in Packages=, and Repositories= for where they should come from.";
    static const char together[] = "Some packages exclude each other, or lack one that no repository has: check "
                                   "Packages= and Repositories=.";
    /* The first that fits counts: the cause stands before its consequences. */
    static const struct {
        const char *said, *advice;
    } causes[] = {
            {"No space left on device", "Make room where temporary trees and packages are kept: "
                                        "WorkspaceDirectory= and PackageCacheDirectory=."},
            {"not enough free disk space", "Make room where temporary trees and packages are kept: "
                                           "WorkspaceDirectory= and PackageCacheDirectory=."},
            {"command failed to execute", "Mend the package, or bring what its program wants (SkeletonTrees=)."},
            {"command terminated by signal", "Mend the package, or bring what its program wants (SkeletonTrees=)."},
            {"could not be looked up remotely", keys},
            {"unknown trust", keys},
            {"marginal trust", keys},
            {"required key missing from keyring", keys},
            {"missing required signature", keys},
            {"PGP signature", "It was changed after it had been signed: use another Mirror=, and find out who did it."},
            {"(checksum)", "The mirror is being updated, or something on the way changes files: try again later, or "
                           "use another Mirror=."},
            {"ertificate verif", "Check the clock, and that the certificates of authorities are installed (package "
                                 "ca-certificates)."},
            {".db' from", "Check the network, Mirror=, Repositories= and Snapshot=."},
            {"error: 404", "The archive has moved on since its metadata was fetched: fetch it again with -ff."},
            {"failed retrieving file", network},
            {"target not found", names},
            {"could not find or read package", names},
            {":: removing ", "Other packages need it: name them in RemovePackages=, too."},
            {"unresolvable package conflicts", together},
            {"could not satisfy dependencies", together},
            {"conflicting dependencies", together},
            {"conflicting files", "Two packages have one file, or SkeletonTrees= brings it: leave one of them out."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(causes); i++)
        if (strstr(output->said.reason->str, causes[i].said))
            return causes[i].advice;
    return fallback;
}
