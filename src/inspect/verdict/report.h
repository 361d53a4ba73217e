/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an inspection found: a tree of links of the chain of trust, each with a verdict. */

#include <glib.h>

#include "text/style.h"

typedef enum {
    INSPECT_NOT_APPLICABLE, /* the image does not use this */
    INSPECT_OK,
    INSPECT_MISSING, /* the image would be complete with it; the links that are there hold */
    INSPECT_BROKEN,
} InspectVerdict;

/* "ok", "broken", "missing", "not-applicable" */
const char *inspect_verdict_to_string(InspectVerdict verdict);

typedef struct InspectNode InspectNode;

struct InspectNode {
    char *id;     /* stable name for JSON: "authenticode" */
    char *title;  /* for people: "EFI/BOOT/BOOTX64.EFI" */
    char *detail; /* one line, or NULL */
    InspectVerdict verdict;
    GPtrArray *facts;    /* "NAME=VALUE" for JSON: signer, fingerprint, root-hash */
    GPtrArray *children; /* of InspectNode */
};

InspectNode *inspect_node_new(const char *id, const char *title);
void inspect_node_free(InspectNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InspectNode, inspect_node_free)

/* A new child of PARENT, owned by it. */
InspectNode *inspect_node_add(InspectNode *parent, const char *id, const char *title);

/* Sets verdict and detail. */
void inspect_node_set(InspectNode *node, InspectVerdict verdict, const char *format, ...)
        G_GNUC_PRINTF(3, 4);

/* A link that is broken for the reason that ERROR gives. */
void inspect_node_set_error(InspectNode *node, const GError *error);

void inspect_node_add_fact(InspectNode *node, const char *name, const char *value);

/* The worst verdict of a node and everything below it. */
InspectVerdict inspect_node_get_worst(const InspectNode *node);

/* How many links without children have VERDICT. */
guint inspect_node_count(const InspectNode *node, InspectVerdict verdict);

/* The first link with the identifier ID, depth first, or NULL. */
InspectNode *inspect_node_find(InspectNode *node, const char *id);

/* The tree for people; owned by the caller. */
char *inspect_node_to_text(const InspectNode *node, const TextStyle *style);

/* The tree as JSON text with a newline at its end; owned by the caller. */
char *inspect_node_to_json(const InspectNode *node);
