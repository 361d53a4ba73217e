/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the language says about its settings. Their one definition is settings/all.def: the enumeration and the table here, the
 * fields of ImageConfig, and with them parser, command line, JSON, help and manual are made from it. */

#include <glib.h>

/* SETTING_NAME, in the order of the reference. */
typedef enum {
#define SCALAR(id, ...) SETTING_##id,
#define LIST SCALAR
#define MAP SCALAR
#define WORD SCALAR
#define FLAGS SCALAR
#define ALIAS SCALAR
#include "recipe/language/settings/all.def"
    _SETTING_MAX,
} SettingId;

typedef enum {
    SHAPE_SCALAR,
    SHAPE_LIST, /* a later assignment appends */
    SHAPE_MAP,  /* a later assignment replaces key by key */
} SettingShape;

/* Type of a scalar, or of the elements of a list. */
typedef enum {
    TYPE_BOOL,
    TYPE_FEATURE,
    TYPE_ENUM,     /* one of .words; with .yes and .no also a boolean */
    TYPE_ARTIFACT, /* TYPE_ENUM in a list that a boolean replaces */
    TYPE_INT,
    TYPE_UNSIGNED,
    TYPE_SECTOR_SIZE,
    TYPE_VSOCK_CID,
    TYPE_OCTAL,
    TYPE_BYTES,
    TYPE_UUID,
    TYPE_STRING,
    TYPE_NAME, /* no '/' in it */
    TYPE_FILE_NAME,
    TYPE_PATH,
    TYPE_INCLUDE, /* TYPE_PATH that is read where it stands */
    TYPE_SCRIPT,  /* a glob of paths */
    TYPE_TREE,    /* SOURCE[:TARGET] */
    TYPE_REGEX,
    TYPE_KEY,
    TYPE_CERTIFICATE,
    TYPE_KEY_SOURCE,
    TYPE_CERTIFICATE_SOURCE,
    TYPE_PASSWORD,
    TYPE_SIGN, /* a boolean, or "offline" */
    TYPE_MINIMUM_VERSION,
    TYPE_UKI_PROFILE,
    TYPE_DRIVE,
    TYPE_CREDENTIAL,
    TYPE_KEY_VALUE,   /* KEY=VALUE */
    TYPE_ENVIRONMENT, /* KEY=VALUE, or KEY to take it from the process environment */
} SettingType;

typedef enum {
    SPLIT_WORDS, /* at whitespace and commas */
    SPLIT_LINES, /* at spaces and newlines */
    SPLIT_SHELL, /* at spaces and newlines, with quotes */
} SettingSplit;

/* Who may set it, and which images get the main image's value (reference, "Scopes"). */
typedef enum {
    SCOPE_LOCAL,
    SCOPE_UNIVERSAL,
    SCOPE_MULTIVERSAL,
    SCOPE_INHERIT,
    SCOPE_INITRD_INHERIT,
    SCOPE_MAIN,
    SCOPE_TOOLS,
    SCOPE_INITRD,
} SettingScope;

/* How a condition compares it. */
typedef enum {
    MATCH_NONE,
    MATCH_ENUM,
    MATCH_ARCHITECTURE,
    MATCH_FEATURE,
    MATCH_STRING,
    MATCH_GLOB,
    MATCH_VERSION,
    MATCH_LIST,
    MATCH_MAP,
    MATCH_TARGETS,
} SettingMatch;

typedef enum {
    SETTING_SORTED = 1 << 0,          /* list: sorted after every assignment */
    SETTING_MUST_EXIST = 1 << 1,      /* path, or the source of a tree */
    SETTING_DIRECTORY = 1 << 2,       /* ... and must be a directory */
    SETTING_ABSOLUTE = 1 << 3,        /* must be written as an absolute path */
    SETTING_NOT_IN_USR = 1 << 4,      /* must not be below /usr */
    SETTING_SECRET = 1 << 5,          /* the file must have no permission bits for others */
    SETTING_RELATIVE_TARGET = 1 << 6, /* the target of a tree may be relative */
    SETTING_COMPUTED = 1 << 7,        /* the default is computed (defaults.c) */
    SETTING_OPTIONAL = 1 << 8,        /* scalar: empty means null, even if there is a default */
    SETTING_IN_TOOLS = 1 << 9,        /* may be set in mkosi.tools.conf */
    SETTING_CLI_EXACT = 1 << 10,      /* option: only the words themselves */
    SETTING_CLI_EMPTY = 1 << 11,      /* ... or nothing */
    SETTING_NOT_IN_JSON = 1 << 12,
    SETTING_FILE_CONTENT = 1 << 13,    /* companions hold the value, they are not the value */
    SETTING_NOT_IMPLEMENTED = 1 << 14, /* parsed, but the build refuses it */
} SettingFlags;

typedef struct {
    const char *name;
    const char *old_name; /* NULL if none */
    const char *section;
    const char *option;     /* without "--" */
    const char *old_option; /* NULL if none */
    char letter;            /* short option, or 0 */
    char specifier;         /* X of %X, or 0 */
    SettingShape shape;
    SettingType type;
    SettingSplit split;
    SettingScope scope;
    SettingMatch match;
    SettingFlags flags;
    SettingId stored_in;          /* the setting whose list it shares; 0: itself */
    const char *const *words;     /* of an enumeration, in the order of the C enumeration */
    const char *yes, *no;         /* the words that booleans stand for */
    const char *const *constants; /* words that are not taken for paths */
    const char *const *cli_words; /* the only words that the option accepts */
    const char *const *files;     /* companions; NAME.d/STAR is a glob */
    const char *default_text;     /* parsed like a value; NULL: null or empty */
    const char *help;
} Setting;

extern const Setting settings[_SETTING_MAX];

/* By name or old name; NULL if there is none. The caller compares .name to see which it was. */
const Setting *setting_by_name(const char *name);

/* By name of the option, old ones included; NULL if there is none. */
const Setting *setting_by_option(const char *option);
const Setting *setting_by_letter(char letter);
const Setting *setting_by_specifier(char specifier);

SettingId setting_id(const Setting *setting);

/* Where the value is kept: the setting itself, or the one whose list it shares. */
SettingId setting_slot(const Setting *setting);

/* The name that a setting of scope tools or initrd has in that image ("InitrdPackages": Packages). */
const Setting *setting_for_special_image(const Setting *setting);
