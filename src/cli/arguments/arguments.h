/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the command line says: a verb, its words, options of the program, and options that are settings. Made by
 * cli/arguments/parse.h. */

#include <glib.h>

typedef struct {
    char *verb;             /* never NULL; "build" by default */
    char **words;           /* of the verb */
    GPtrArray *assignments; /* RecipeAssignment: options that are settings, in their order */
    char *directory;        /* -C: absolute, or NULL when "--directory=" asked for no recipe */
    int force;              /* how often -f was given */
    gboolean debug;
    gboolean debug_shell;
    gboolean debug_workspace;
    gboolean debug_sandbox;
    gboolean weak_sandbox;      /* programs run although the kernel does not allow every part of their sandbox */
    gboolean no_script_network; /* scripts have no network, and a recipe that wants it is refused */
    gboolean trust_recipe;      /* programs that the recipe brings run as the caller while it is read */
    gboolean debug_timing;
    gboolean no_pager;
    gboolean json;
    char *delta_level;      /* of zstd */
    gboolean delta_no_xz;
    gboolean all; /* summary shows every setting */
    gboolean auto_bump;
    gboolean wipe_build_dir;
    gboolean rerun_build_scripts;
    gboolean help;
    gboolean version;
    gboolean genkey_openpgp;     /* genkey makes the key that signs manifests */
    gboolean genkey_request;     /* genkey makes a request to an authority, not a certificate */
    gboolean genkey_per_purpose; /* genkey makes a key for each purpose */
    gboolean watch;              /* kitchen build waits for the build */
    gboolean whole_log;          /* verify reads all entries */
    gboolean yes;                /* burn does not ask */
    gboolean until_login;        /* vm boots unattended and reports */

    /* Values of options; NULL: not given. */
    char *genkey_valid_days;
    char *genkey_common_name;
    char *genkey_source; /* where genkey makes the key or finds it, as in KeySource= */
    char *genkey_key;    /* the key of a token, or one that is there already */
    char *doc_format;
    char *key_pin_fd;   /* the number of a descriptor that answers questions for PINs */
    char *key_pinentry; /* the program that asks for PINs */
    char *certificate;  /* of inspect, like the next five */
    char *pcr_certificate;
    char *root_hash_certificate;
    char *other_certificate;
    char *known_files;
    char *image;
    char *log_key; /* of verify, like the next two */
    char *log;
    char *checkpoint;
    char *events_fd;   /* the number of a descriptor that gets events */
    char *timeline;    /* the file of the picture */
    char *revocations; /* the file of revoke */
    char *listen;      /* of serve */
    char *since;       /* what inputs compares with */
} Arguments;
