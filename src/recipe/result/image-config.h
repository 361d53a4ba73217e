/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a recipe says, resolved: plain structs that nobody changes after recipe_load(). */

#include <glib.h>

#include "recipe/language/enums.h"

typedef struct {
    char *source; /* absolute path */
    char *target; /* path inside the image or sandbox, or NULL */
} RecipeTree;

typedef struct {
    char *id;
    guint64 size; /* bytes */
    char *directory;
    char *options;
    char *file_id;
    gboolean persist;
} RecipeDrive;

typedef struct {
    char *name;
    char *value; /* NULL when path is set */
    char *path;  /* NULL when value is set */
} RecipeCredential;

typedef struct {
    char **profile; /* map: ID=..., TITLE=... in the order of the file */
    char **cmdline;
    gboolean sign_expected_pcr;
} RecipeUkiProfile;

typedef struct {
    KeySourceType type;
    char *source; /* name of engine or provider, "" if none */
} RecipeKeySource;

typedef struct {
    char *text; /* NULL: not set */
    gboolean hashed;
} RecipePassword;

/* How a value of each type is kept: alone, ... */
#define SCALAR_BOOL gboolean
#define SCALAR_FEATURE Feature
#define SCALAR_SIGN Sign
#define SCALAR_OCTAL int          /* -1: not set */
#define SCALAR_INT gint64         /* -1: not set */
#define SCALAR_UNSIGNED gint64    /* -1: not set */
#define SCALAR_SECTOR_SIZE gint64 /* -1: not set */
#define SCALAR_VSOCK_CID gint64
#define SCALAR_BYTES guint64 /* 0: not set */
#define SCALAR_KEY_SOURCE RecipeKeySource
#define SCALAR_CERTIFICATE_SOURCE RecipeKeySource
#define SCALAR_PASSWORD RecipePassword
#define SCALAR_STRING char * /* as all that follow; NULL: not set */
#define SCALAR_UUID char *
#define SCALAR_FILE_NAME char *
#define SCALAR_PATH char * /* absolute */
#define SCALAR_KEY char *
#define SCALAR_CERTIFICATE char *
#define SCALAR_MINIMUM_VERSION char *

/* ... and in a list: a vector that ends with NULL, and is never NULL. */
#define LIST_STRING char **
#define LIST_NAME char **
#define LIST_PATH char ** /* absolute */
#define LIST_SCRIPT char **
#define LIST_REGEX char **
#define LIST_TREE RecipeTree **
#define LIST_DRIVE RecipeDrive **
#define LIST_CREDENTIAL RecipeCredential **
#define LIST_UKI_PROFILE RecipeUkiProfile **

/* One image. What a field means is said where the setting is defined, in recipe/language/settings/. */
typedef struct {
    char *image;              /* main, default-initrd, tools, or the name of a subimage */
    char **files;             /* the configuration files read, in order */
    char *build_subdirectory; /* BuildDirectory with the expanded BuildKey, or NULL */

#define SCALAR(id, field, title, flag, of_type, ...) SCALAR_##of_type field;
#define LIST(id, field, title, flag, of_type, ...) LIST_##of_type field;
#define MAP(id, field, ...) char **field; /* "KEY=VALUE", sorted by key */
#define WORD(id, field, title, flag, c_type, ...) c_type field;
#define FLAGS(id, field, title, flag, of_type, c_type, ...) c_type field;
#define ALIAS(...)
#include "recipe/language/settings/all.def"

    struct ImageValues *values; /* private to src/recipe: what the JSON is made from */
} ImageConfig;

/* The plain struct; takes VALUES. */
ImageConfig *image_config_new(struct ImageValues *values);
void image_config_free(ImageConfig *config);

/* The JSON of one image as scripts see it in $MKOSI_CONFIG; owned by the caller. */
char *image_config_to_json(const ImageConfig *config);

/* The image that TEXT says, as the configure script SCRIPT printed it after it got CONFIG. NULL with ERROR
 * set when it is not JSON, leaves a setting out, or has a value of the wrong type; the error names SCRIPT
 * and the key. What has changed has SCRIPT as its origin. */
ImageConfig *image_config_from_json(
        const ImageConfig *config, const char *text, gssize length, const char *script, GError **error);

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

/* VALUE with the delayed specifiers (&d ...) of CacheKey and BuildKey expanded; owned by the caller. */
char *image_config_expand_key(const ImageConfig *config, const char *value);
