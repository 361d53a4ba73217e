/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the command line and the recipe's files to the images that they describe. */

#include <glib.h>
#include <stdio.h>

#include "events/events.h"
#include "recipe/result/image-config.h"
#include "text/style.h"

typedef enum {
    RECIPE_ERROR_SYNTAX,  /* a file or an option says something that the language does not know */
    RECIPE_ERROR_MISSING, /* something that the recipe names does not exist */
    RECIPE_ERROR_USAGE,   /* the command line has no such option, verb or argument */
} RecipeError;

#define RECIPE_ERROR recipe_error_quark()
GQuark recipe_error_quark(void);

/* What the command line says besides settings. */
typedef struct {
    char *verb;       /* never NULL; "build" by default */
    char **arguments; /* of the verb */
    char *directory;  /* -C: absolute, or NULL when "--directory=" asked for no recipe */
    int force;        /* how often -f was given */
    gboolean debug;
    gboolean debug_shell;
    gboolean debug_workspace;
    gboolean debug_sandbox;
    /* Programs run although the kernel does not allow every part of their sandbox. */
    gboolean weak_sandbox;
    /* Programs that the recipe brings run as the caller while it is read, not in a sandbox. */
    gboolean trust_recipe;
    gboolean debug_timing;
    gboolean no_pager;
    gboolean json;
    gboolean all; /* ours: summary shows every setting */
    gboolean auto_bump;
    gboolean wipe_build_dir;
    gboolean rerun_build_scripts;
    gboolean help;
    gboolean version;
    char *genkey_valid_days;
    char *genkey_common_name;
    gboolean genkey_openpgp;     /* ours: genkey makes the key that signs manifests */
    char *genkey_source;         /* ours: where genkey makes the key or finds it, as in KeySource=; or NULL */
    char *genkey_key;            /* ours: the key of a token, or one that is there already; or NULL */
    gboolean genkey_request;     /* ours: genkey makes a request to an authority, not a certificate */
    gboolean genkey_per_purpose; /* ours: genkey makes a key for each purpose */
    char *doc_format;
    char *key_pin_fd;      /* ours: the number of a descriptor that answers questions for PINs, or NULL */
    char *key_pinentry;    /* ours: the program that asks for PINs, or NULL */
    char *certificate;     /* ours: --certificate of inspect, or NULL */
    char *events_fd;       /* ours: the number of a descriptor that gets events, or NULL */
    char *pcr_certificate; /* ours: --pcr-certificate of inspect, or NULL */
    char *root_hash_certificate; /* ours: --root-hash-certificate of inspect, or NULL */
    char *other_certificate;     /* ours: --other-certificate of inspect, or NULL */
    char *known_files;     /* ours: --known-files of inspect, or NULL */
    char *image;           /* ours: --image of inspect, or NULL */
    char *revocations;     /* ours: the file of revoke, or NULL */
    char *listen;          /* ours: --listen of serve, or NULL */
    char *since;           /* ours: what inputs compares with, or NULL */
    gboolean watch;        /* ours: kitchen build waits for the build */
    gboolean yes;          /* ours: burn does not ask */
    gboolean until_login;  /* ours: vm boots unattended and reports */
} RecipeArguments;

typedef enum {
    RECIPE_READ_FILE,      /* a configuration file */
    RECIPE_READ_COMPANION, /* something that sets NOTE by its name */
    RECIPE_READ_SKIPPED,   /* a configuration file whose conditions do not hold; NOTE says which */
} RecipeReadKind;

/* One thing that was looked at while the recipe was read. */
typedef struct {
    const char *image; /* interned */
    RecipeReadKind kind;
    char *path; /* absolute */
    char *note;
} RecipeRead;

typedef struct Recipe Recipe;
struct Recipe {
    RecipeArguments *arguments;
    char *directory;        /* working directory, absolute; NULL without recipe */
    char *config_directory; /* where the recipe is (may be DIRECTORY/mkosi) */
    ImageConfig **images;   /* in build order, the main image last; NULL-terminated */
    ImageConfig *main;      /* the last of them (borrowed) */
    ImageConfig *tools;     /* the tools image, or NULL */
    GPtrArray *trace;       /* of RecipeRead, in the order of reading; NULL without recipe */
    const Recipe *whole;    /* the recipe of which this one is a part (borrowed), or NULL */
};

/* A program that the recipe brings and whose output is wanted while the recipe is read: an executable
 * mkosi.version and its like, or mkosi.bump. */
typedef struct {
    const char *path;             /* absolute */
    const char *directory;        /* where it runs; absolute */
    const char *config_directory; /* as in Recipe; NULL without a recipe of one's own */
    const RecipeArguments *arguments;
} RecipeProgram;

/* What whoever loads a recipe does in between. */
typedef struct {
    /* Called when the command line is known and nothing of the recipe has been read; may be NULL. FALSE with ERROR set
     * ends it. */
    gboolean (*begin)(const RecipeArguments *arguments, gpointer data, GError **error);
    /* Runs such programs. Reading only asks for it: what a program may do is decided elsewhere. */
    /* It returns what PROGRAM prints, owned by the caller; NULL with ERROR set when it does not end with
     * success. */
    char *(*run)(const RecipeProgram *program, gpointer data, GError **error);
    gpointer data;
} RecipeRunner;

/* Parses ARGV and, for verbs that need it, reads the recipe. Warnings are events. Errors name file
 * and line, or the option, the setting, and what is accepted. With RUNNER NULL a program that would have to
 * run is an error. Returns NULL with ERROR set on failure. */
Recipe *recipe_load(int argc, char **argv, const RecipeRunner *runner, GError **error);
void recipe_free(Recipe *recipe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recipe, recipe_free)

/* The object that "--json summary" prints; owned by the caller, ends with a newline. */
char *recipe_to_json(const Recipe *recipe);

/* The JSON of one image as scripts see it in $MKOSI_CONFIG; owned by the caller. */
char *image_config_to_json(const ImageConfig *config);

/* The image that TEXT says, as the configure script SCRIPT printed it after it got CONFIG. NULL with ERROR
 * set when it is not JSON, leaves a setting out, or has a value of the wrong type; the error names SCRIPT
 * and the key. What has changed has SCRIPT as its origin. */
ImageConfig *image_config_from_json(
        const ImageConfig *config, const char *text, gssize length, const char *script, GError **error);
void image_config_free(ImageConfig *config);

/* Puts the images into build order again and drops those that are not needed any more, after Dependencies=
 * of some have changed. */
gboolean recipe_sort_images(Recipe *recipe, GError **error);

/* Forgets what History=yes kept of earlier builds. */
gboolean recipe_remove_history(const Recipe *recipe, GError **error);

/* Calls VISIT for every setting of the language, in the order of the table. */
typedef void (*RecipeVisit)(const char *section, const char *name, gpointer data);
void recipe_each_setting(RecipeVisit visit, gpointer data);

/* The one setting NAME of an image as canonical JSON text, for layer keys; owned by the caller. */
char *image_config_setting_to_json(const ImageConfig *config, const char *name);

/* The directory in which outputs of an image lie: OutputDirectory=, or where the recipe is. The one place
 * that knows. */
const char *image_config_output_directory(const ImageConfig *config);

/* In it, the file that is called like the output of the image with SUFFIX behind it; owned by the caller. */
char *image_config_output_path(const ImageConfig *config, const char *suffix);

/* Files (or directories) that an image's settings name and that hold something secret: private keys,
 * passphrases, credentials. Absolute, not resolved; some may not exist, because keys can also be the names
 * of something in an engine. NULL-terminated, owned by the caller. */
char **image_config_secret_files(const ImageConfig *config);

/* Where the setting NAME of an image was assigned last: "mkosi.conf:12", "--option", or NULL when only its
 * default counts. */
const char *recipe_setting_origin(const ImageConfig *config, const char *name);

/* FALSE with ERROR set when an image of the recipe assigns a setting that this program knows but does not
 * implement yet. The error names file and line, or the option. */
gboolean recipe_check_implemented(const Recipe *recipe, GError **error);

/* What the word "default" stands for in KernelModules= and KernelInitrdModules=: the module filter of the
 * builtin initrd configuration. NULL-terminated, owned by the caller; NULL with ERROR set on failure. */
char **recipe_default_kernel_modules(GError **error);

/* The summary for people: only what differs from the defaults unless ALL. Owned by the caller. */
char *recipe_summary(const Recipe *recipe, gboolean all, const TextStyle *style);

/* VALUE with the delayed specifiers (&d ...) of CacheKey and BuildKey expanded; owned by the caller. */
char *image_config_expand_key(const ImageConfig *config, const char *value);
