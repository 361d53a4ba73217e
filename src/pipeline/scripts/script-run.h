/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One run of scripts of a kind, which the files of this folder share. */

#include "events/task.h"
#include "pipeline/state/image-build.h"

#define SCRIPT_BUILDROOT "/buildroot"
/* Below it lies all that scripts get. */
#define SCRIPT_WORK "/work"

/* What differs between kinds of scripts (reference of the recipe language, chapter 13, Scripts). */
typedef enum {
    SCRIPT_NETWORK = 1 << 0,         /* always, not just with WithNetwork= */
    SCRIPT_TREE = 1 << 1,            /* the image's tree is there, and scripts may be .chroot */
    SCRIPT_OUTPUTS = 1 << 2,         /* /work/out */
    SCRIPT_DEST = 1 << 3,            /* /work/dest */
    SCRIPT_BUILD_DIRECTORY = 1 << 4, /* /work/build, to write in */
    SCRIPT_BUILD_RESULTS = 1 << 5,   /* /work/build, to read from */
    SCRIPT_COMPILES = 1 << 6,        /* WITH_DOCS and WITH_TESTS matter */
    SCRIPT_REAL_SOURCES = 1 << 7,    /* BuildSourcesEphemeral= does not matter */
    SCRIPT_CACHED_SOURCES = 1 << 8,  /* BuildSourcesEphemeral=buildcache keeps the changes */
    SCRIPT_CALLER = 1 << 9,          /* sees the caller's environment, /home and /run */
    SCRIPT_FILTER = 1 << 10,         /* reads the configuration and writes a changed one */
    SCRIPT_WITHOUT_TOOLS_TREE = 1 << 11,
    SCRIPT_READ_ONLY_SOURCES = 1 << 12,
} ScriptFlags;

typedef struct {
    const char *name; /* for messages */
    const char *path; /* of the script in its sandbox */
    ScriptFlags flags;
} ScriptKind;

typedef struct ScriptSources ScriptSources;

/* One run of scripts of a kind. Everything is borrowed. */
typedef struct {
    const ScriptKind *kind;
    const Recipe *recipe;
    const ImageConfig *config;
    ImageBuild *image; /* NULL: no image is being built */
    const char *root;  /* the tree that the script sees; NULL: none */
    const char *dest;
    const char *out;
    char *const *arguments; /* NULL: none */
    gboolean cached;        /* $CACHED */
    ScriptSources *sources;
    const char *json; /* configuration of the image */
    guint missing;    /* mount points that the tree does not have; set by script_mounts_remember() */
} ScriptRun;

/* Whether the script has network: by its kind or by WithNetwork=, and nobody took it away. */
static inline gboolean script_has_network(const ScriptRun *run) {
    if (task_has(task_current(), TASK_NO_SCRIPT_NETWORK))
        return FALSE;
    return (run->kind->flags & SCRIPT_NETWORK) || ((run->kind->flags & SCRIPT_TREE) && run->config->with_network);
}
