/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What whoever asks for a build wants of it, besides the recipe. All zero: a build as any other. */
typedef struct {
    int force;                      /* from 2 on nothing that is cached is used; packages and metadata are looked for again */
    gboolean rerun_build_scripts;   /* only the build scripts run, on what earlier builds left */
    gboolean keep_workspace;        /* temporary trees stay when the build fails */
    char *const *script_arguments;  /* of build scripts; ended by NULL; NULL: none */
} BuildOptions;
