/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/apt/output.h"

#include <string.h>

#include "distro/driver/transcript.h"

struct AptOutput {
    DistroProgress progress;
    gpointer data;
    guint done;
    guint total;
    Transcript said; /* its recent ones are lines since dpkg began with a package: what its script says */
    gboolean in_list; /* the lines that follow belong to the complaint before them */
};

AptOutput *apt_output_new(DistroProgress progress, gpointer data, guint total) {
    AptOutput *output = g_new0(AptOutput, 1);

    output->progress = progress;
    output->data = data;
    output->total = total;
    transcript_init(&output->said);
    return output;
}

void apt_output_free(AptOutput *output) {
    if (!output)
        return;
    transcript_clear(&output->said);
    g_free(output);
}

static gboolean begins_with_any(const char *line, const char *const *prefixes) {
    for (; *prefixes; prefixes++)
        if (g_str_has_prefix(line, *prefixes))
            return TRUE;
    return FALSE;
}

/* dpkg turns to a package, so what is said from here on is about that one. */
static gboolean begins_package(const char *line) {
    static const char *const prefixes[] = {"Setting up ", "Unpacking ", "Preparing to unpack ",
            "Processing triggers for ", "Removing ", "Purging configuration files for ",
            "Selecting previously unselected package ", "(Reading database", NULL};
    return begins_with_any(line, prefixes);
}

/* What follows, indented, is part of it. */
static gboolean begins_list(const char *line) {
    static const char *const prefixes[] = {"dpkg: dependency problems", "dpkg: regarding ",
            "The following packages have unmet dependencies", "Unsatisfied dependencies", NULL};
    return begins_with_any(line, prefixes);
}

static gboolean is_complaint(const char *line) {
    static const char *const prefixes[] = {"E: ", "W: GPG error", "W: OpenPGP", "dpkg: error", "dpkg-deb: error",
            "dpkg-split: error", "dpkg: unrecoverable fatal error", NULL};
    return begins_with_any(line, prefixes);
}

/* Packages count when they are unpacked and when they are set up. */
static void show_progress(AptOutput *output, const char *line) {
    static const struct {
        const char *begin, *words;
        guint counts;
    } says[] = {{"Unpacking ", "unpacking", 1}, {"Setting up ", "setting up", 1},
            {"Processing triggers for ", "triggers of", 0}};

    for (gsize i = 0; output->progress && i < G_N_ELEMENTS(says); i++) {
        if (!g_str_has_prefix(line, says[i].begin))
            continue;
        const char *name = line + strlen(says[i].begin);
        g_autofree char *what = g_strdup_printf("%s %.*s", says[i].words, (int) strcspn(name, " "), name);
        output->done += says[i].counts;
        output->progress(MIN(output->done, output->total), output->total, what, output->data);
    }
}

void apt_output_line(const char *line, gpointer data) {
    AptOutput *output = data;

    show_progress(output, line);
    if (is_complaint(line) || begins_list(line)) {
        gboolean of_apt = !g_str_has_prefix(line, "dpkg") && line[1] == ':';
        if (g_str_has_prefix(line, "dpkg"))
            transcript_add_recent(&output->said);
        output->in_list = !of_apt;
        transcript_add_reason(&output->said, of_apt ? line + strlen("E: ") : line);
    } else if (output->in_list && (line[0] == ' ' || line[0] == '\t'))
        transcript_add_reason(&output->said, line);
    else if (begins_package(line)) {
        output->in_list = FALSE;
        transcript_forget(&output->said);
    } else if (*line)
        transcript_remember(&output->said, line, 0);
}

const char *apt_output_reason(const AptOutput *output) {
    return output->said.reason->str;
}

static const char advice_names[] = "Check the names in Packages=, and Release= and Repositories= for where they "
                                   "should come from.";
static const char advice_network[] = "Check the network, Mirror= and ProxyUrl=.";
static const char advice_keys[] = "Check that the archive's keyring is installed (package debian-archive-keyring "
                                  "or ubuntu-keyring), and that Mirror= is an archive of this distribution.";

/* The first that fits counts: the cause stands before its consequences. */
static const struct {
    const char *said, *advice;
} causes[] = {
        {"No space left on device", "Make room where temporary trees and packages are kept: "
                                    "WorkspaceDirectory= and PackageCacheDirectory=."},
        {"You don't have enough free space", "Make room where packages are kept: PackageCacheDirectory=."},
        {"NO_PUBKEY", advice_keys},
        {"EXPKEYSIG", "A key of the archive has expired: install a newer keyring (package "
                      "debian-archive-keyring or ubuntu-keyring)."},
        {"KEYEXPIRED", "A key of the archive has expired: install a newer keyring (package "
                       "debian-archive-keyring or ubuntu-keyring)."},
        {"BADSIG", "The metadata was changed after it had been signed: use another Mirror=, and find out "
                   "who did it."},
        {"is not signed", advice_keys},
        {"invalid signature", advice_keys},
        {"is not valid yet", "Set the clock of this machine, or ask the archive about its own."},
        {"is expired", "The mirror has stopped following the archive: use another Mirror=, or Snapshot= "
                       "where an old state is wanted."},
        {"Hash Sum mismatch", "The mirror is being updated, or something on the way changes files: try again "
                              "later, or use another Mirror=."},
        {"File has unexpected size", "The mirror is being updated, or something on the way changes files: "
                                     "try again later, or use another Mirror=."},
        {"ertificate verif", "Check the clock, and that the certificates of authorities are installed "
                             "(package ca-certificates)."},
        {"Could not resolve", advice_network},
        {"Temporary failure resolving", advice_network},
        {"Could not connect", advice_network},
        {"Unable to connect", advice_network},
        {"Cannot initiate the connection", advice_network},
        {"onnection failed", advice_network},
        {"onnection refused", advice_network},
        {"onnection timed out", advice_network},
        {"407  ", advice_network},
        {"does not have a Release file", "Check Release=, Repositories= and Mirror=: there is no such suite."},
        {"Unable to locate package", advice_names},
        {"Couldn't find any package", advice_names},
        {"has no installation candidate", advice_names},
        {"was not found", advice_names},
        {"unmet dependencies", "Some packages exclude each other, or lack one that no repository has: check "
                               "Packages=, Release= and Repositories=."},
        {"nsatisfied dependencies", "Some packages exclude each other, or lack one that no repository has: "
                                    "check Packages=, Release= and Repositories=."},
        {"  404  ", "The archive has moved on since its metadata was fetched: fetch it again with "
                    "-ff."},
        {"Unable to fetch some archives", advice_network},
};

const char *apt_output_advice(const AptOutput *output, const char *fallback) {
    for (gsize i = 0; i < G_N_ELEMENTS(causes); i++)
        if (strstr(output->said.reason->str, causes[i].said))
            return causes[i].advice;
    return fallback;
}
