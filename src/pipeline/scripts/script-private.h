/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files that run scripts share. Internal to script*.c. */

#include "pipeline/state/image-build.h"

#define SCRIPT_BUILDROOT "/buildroot"

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

/* script-environment.c: sets all variables. */
gboolean script_environment(Sandbox *sandbox, const ScriptRun *run, gboolean chroot, GError **error);

/* TRUE when Environment= or EnvironmentFiles= set NAME to something true. */
gboolean script_environment_flag(const ImageConfig *config, const char *name);

/* script-sources.c: makes build sources ready to be mounted: themselves, or overlays over them as
 * BuildSourcesEphemeral= says. */
ScriptSources *script_sources_new(
        const ScriptKind *kind, const Recipe *recipe, const ImageConfig *config, GError **error);
void script_sources_free(ScriptSources *sources);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScriptSources, script_sources_free)
void script_sources_bind(const ScriptSources *sources, Sandbox *sandbox, SandboxMountFlags flags);

/* Covers what scripts shall not see below PATH of the host, which is mounted at TARGET of SANDBOX. */
void script_sources_mask(
        const ScriptSources *sources, Sandbox *sandbox, const char *path, const char *target);

/* script-mounts.c: a sandbox in which SCRIPT is at its place and sees what its kind sees. */
Sandbox *script_sandbox(const ScriptRun *run, const char *script, gboolean chroot);

/* Before the first script and after the last one: removes mount points that were made in the tree. */
void script_mounts_remember(ScriptRun *run);
gboolean script_mounts_clean(const ScriptRun *run, GError **error);

/* script-helpers.c: the programs that act on the image. */
void script_helpers(Sandbox *sandbox, const ScriptRun *run);

/* script-check.c: an error unless SCRIPT can be run where it will be. */
gboolean script_check(const ScriptRun *run, const char *script, gboolean chroot, GError **error);
