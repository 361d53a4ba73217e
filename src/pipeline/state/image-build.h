/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The state of one build (all images of a recipe) and of one image in it. Steps read and extend ImageBuild;
 * each field says which step sets it. */

#include <glib.h>

#include "crypto/certificates/certificate.h"
#include "crypto/keys/key-session.h"
#include "distro/distro.h"
#include "format/openpgp/openpgp.h"
#include "image/disk/disk.h"
#include "pipeline/state/build-options.h"
#include "recipe/result/recipe.h"
#include "sandbox/sandbox.h"
#include "tree/workspace.h"

#define BUILD_ERROR build_error_quark()
GQuark build_error_quark(void);

typedef enum {
    BUILD_ERROR_FAILED,
    BUILD_ERROR_INPUT,           /* something that the recipe names cannot be used */
    BUILD_ERROR_NOT_IMPLEMENTED, /* a setting that this program knows but cannot do yet */
    BUILD_ERROR_DEPENDENCY,      /* another image that this one needs failed */
} BuildError;

typedef struct Build Build;
typedef struct ImageBuild ImageBuild;

/* Directories of an image. */
typedef struct {
    char *directory;    /* in the workspace, for this image alone */
    char *staging;      /* finished outputs; renamed into the output directory when everything succeeded */
    char *sandbox_tree; /* merged SandboxTrees, or NULL */
    char *packages;     /* $PACKAGEDIR: packages of earlier images and of this one */
    char *artifacts;    /* $ARTIFACTDIR */
    char *repository;   /* packages offered to the package manager: local ones, and those of $PACKAGEDIR */
    char *destination;  /* $DESTDIR of build scripts, or NULL if none ran */
} ImagePlaces;

/* What lies below the tree of an image. */
typedef struct {
    GPtrArray *bases;  /* directories that BaseTrees= made the lower layers of root, top first, ended by NULL;
                            or NULL */
    GArray *used;      /* descriptors that keep cached layers in place (pipeline/layers/layer.h) */
    int output_lock;   /* of the layer that the output becomes, while it is made; else -1 */
    char *build_layer; /* the build overlay's layer, or NULL; set by the build packages step */
    char *base_key;    /* key of the layer with packages installed; set by the packages step */
    gboolean reused;   /* that layer came from the cache */
    gboolean mounted;  /* root is an overlay mount */
} ImageLayers;

/* What boots, read before files are removed from the tree. */
typedef struct {
    char *kernel_version;    /* of the newest kernel; NULL: no kernel in the image */
    GPtrArray *kernels;      /* BootKernel (pipeline/boot/boot-parts.h), newest first */
    GBytes *stub;            /* systemd-stub, or NULL; for addons the addon stub */
    GPtrArray *boot_loaders; /* BootFile: systemd-boot for every EFI architecture that the image has */
    GPtrArray *shim;         /* BootFile: shim and its MokManager */
    GBytes *splash;          /* Splash=, or NULL */
    GPtrArray *microcode;    /* GBytes: microcode archives */
} ImageBoot;

/* The disk that is made of the tree. The disk steps set it. */
typedef struct {
    DiskOptions *options; /* borrowed by disk */
    Disk *disk;           /* between the two disk steps */
    char *usr_hash;       /* hex */
    char *root_hash;      /* hex */
    GPtrArray *split;     /* paths in staging of SplitArtifacts=partitions */
} ImageDisk;

/* What of the image is signed elsewhere (pipeline/integrity/offline.h, offline-early.h). */
typedef struct {
    GPtrArray *early_things, *early_requests; /* or NULL */
    GPtrArray *waiting;                       /* SigningThing: what of the outputs; set by the step that looks for it */
} ImageSigning;

struct ImageBuild {
    Build *build;
    const ImageConfig *config;
    const char *name; /* of the image, for messages: config->image */
    DistroSession *distro;

    char *root; /* the tree; an overlay mount over the cached layer, or a plain directory */
    int root_fd;
    char *output; /* path of the main output in staging */

    ImagePlaces places;
    ImageLayers layers;
    ImageBoot boot;
    ImageDisk disk;
    ImageSigning elsewhere;

    /* Set before files are removed from the tree. */
    GBytes *os_release;   /* /usr/lib/os-release as the image ships it */
    GPtrArray *installed; /* DistroInstalled: content of the manifest */
    char *changelog;      /* Output.changelog, or NULL */
    char *extension;      /* the extension-release file of a system extension, or NULL */

    /* Shared with threads that wait for this image. */
    gboolean finished;
    gboolean failed;
    GThread *thread;
    GError *error;
};

struct Build {
    const Recipe *recipe;
    BuildOptions options;
    Workspace *workspace;
    GPtrArray *images; /* ImageBuild in build order */
    GMutex lock;       /* guards finished and failed of the images */
    GCond changed;
    GMutex package_cache_lock; /* one download at a time */
    KeySession *key_session; /* all keys are opened in it, at the start; borrowed */
    KeySource *verity_key, *secure_boot_key;
    Certificate *verity_certificate, *secure_boot_certificate;
    OpenpgpKey *manifest_key; /* OpenPGPTool=builtin */

    /* Of pipeline/integrity/offline.h. */
    GPtrArray *certificates_elsewhere;         /* Certificate: of the keys that are not here */
    Certificate *manifest_certificate_elsewhere; /* OpenPGPTool=builtin; or NULL */
    GPtrArray *keys_elsewhere;                 /* who makes room for their signatures */
    GHashTable *signed_elsewhere, *found_elsewhere; /* digests of what zeros stand for; guarded by LOCK */
};

/* The image called NAME in this build, or NULL. */
ImageBuild *build_find_image(Build *build, const char *name);

/* Waits until IMAGE is finished; an error when it failed. */
gboolean build_wait_for_image(ImageBuild *image, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The image of this build whose output the file PATH is, or NULL. */
ImageBuild *build_find_output(Build *build, const char *path);

/* Where the file PATH, an output of some image of this build, is now: in that image's staging directory if
 * it is made by this build (waits for the image), else PATH itself. Owned by the caller. */
char *build_resolve_output(Build *build, const char *path, GError **error);
