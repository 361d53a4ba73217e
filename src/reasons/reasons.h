/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why something is built again: what "particleos inputs --json" said at one time and says at another,
 * compared, and the difference in words. What is compared was written by others: nothing of it is believed
 * before it has its shape. */

#include <glib.h>
#include <json-glib/json-glib.h>

#define REASONS_ERROR reasons_error_quark()
GQuark reasons_error_quark(void);

typedef enum {
    REASONS_ERROR_SYNTAX,  /* it is not what the program writes */
    REASONS_ERROR_VERSION, /* it is of a later version than this program knows */
} ReasonsError;

/* In the order in which they are told: what matters most comes first. */
typedef enum {
    REASON_IMAGE, /* one came or went */
    REASON_DISTRIBUTION,
    REASON_RELEASE,
    REASON_ARCHITECTURE,
    REASON_PROFILE,
    REASON_BASE, /* a tree that somebody else made and an image starts from */
    REASON_PACKAGES_UPDATED,
    REASON_PACKAGES_ADDED,
    REASON_PACKAGES_REMOVED,
    REASON_PACKAGES_REBUILT, /* the same version with another content */
    REASON_SETTING,
    REASON_ENVIRONMENT,
    REASON_SEED,
    REASON_EPOCH,
    REASON_RECIPE, /* a file of the recipe; it tells who made settings another */
    REASON_SCRIPT,
    REASON_TREE,   /* a file that is copied into an image, or of a definition */
    REASON_SOURCE, /* a file that scripts see */
    REASON_CERTIFICATE,
    REASON_METADATA, /* of a repository from which scripts can install anything */
    REASON_MACHINE,  /* that builds, where the recipe puts something of it into an image */
    REASON_TOOLS,    /* what makes images, but is not in them */
    REASON_PROGRAM,  /* particleos itself */
    _REASON_MAX,
} ReasonKind;

typedef struct {
    ReasonKind kind;
    char *text;    /* one line for people */
    char *subject; /* what it is about: a package, a setting, a file */
    char *before;  /* what it was, one line; NULL when it was not there */
    char *after;   /* what it is, one line; NULL when it is not there */
    char **images; /* which images it concerns; sorted, "main" first; empty: no certain ones */
} Reason;

void reason_free(Reason *reason);

/* The word for KIND in JSON: "packages-updated". */
const char *reason_kind_to_string(ReasonKind kind);

/* The largest input set that is read, in bytes. */
#define REASONS_LARGEST (64 * 1024 * 1024)

/* The input set that TEXT (LENGTH bytes; -1: a string) is. The caller owns the node. NULL with ERROR set
 * when it is no JSON, larger than REASONS_LARGEST or nested more deeply than input sets are. */
JsonNode *reasons_parse(const char *text, gssize length, GError **error);

/* What makes a build with the inputs AFTER another one than with BEFORE: elements Reason, the most important
 * one first, none when a build would give the same. The caller owns the array. NULL with ERROR set when one
 * of them is no input set. */
GPtrArray *reasons_compare(JsonNode *before, JsonNode *after, GError **error);

/* All reasons in one line: "systemd 262-1 → 262-2, and 3 more", then how many other reasons there are;
 * "nothing changed" without any. Owned by the caller. */
char *reasons_summary(const GPtrArray *reasons);

/* The reasons as data: "summary", and "reasons", a list of objects with "kind", "text", "subject", "before",
 * "after" and "images". The caller owns the node. */
JsonNode *reasons_to_json(const GPtrArray *reasons);
