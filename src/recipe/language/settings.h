/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table of settings: everything that the language says about a setting is one row. The parser, the
 * command line, the JSON output, the help and the plain structs all derive from it. */

#include <glib.h>

/* In the order of the reference, which is the order in which companions are looked for. */
typedef enum {
    SETTING_INCLUDE,
    SETTING_PROFILES,
    SETTING_DEPENDENCIES,
    SETTING_MINIMUM_VERSION,
    SETTING_CONFIGURE_SCRIPTS,
    SETTING_PASS_ENVIRONMENT,
    SETTING_DISTRIBUTION,
    SETTING_RELEASE,
    SETTING_ARCHITECTURE,
    SETTING_MIRROR,
    SETTING_SNAPSHOT,
    SETTING_LOCAL_MIRROR,
    SETTING_REPOSITORY_KEY_CHECK,
    SETTING_REPOSITORY_DATE_CHECK,
    SETTING_REPOSITORY_KEY_FETCH,
    SETTING_REPOSITORIES,
    SETTING_FORMAT,
    SETTING_MANIFEST_FORMAT,
    SETTING_OUTPUT,
    SETTING_OUTPUT_EXTENSION,
    SETTING_OUTPUT_SIZE,
    SETTING_COMPRESS_OUTPUT,
    SETTING_COMPRESS_LEVEL,
    SETTING_OUTPUT_DIRECTORY,
    SETTING_OUTPUT_MODE,
    SETTING_IMAGE_VERSION,
    SETTING_IMAGE_ID,
    SETTING_OCI_LABELS,
    SETTING_OCI_ANNOTATIONS,
    SETTING_SPLIT_ARTIFACTS,
    SETTING_REPART_DIRECTORIES,
    SETTING_SECTOR_SIZE,
    SETTING_OVERLAY,
    SETTING_SEED,
    SETTING_EL_TORITO,
    SETTING_EL_TORITO_SYSTEM,
    SETTING_EL_TORITO_VOLUME,
    SETTING_EL_TORITO_PUBLISHER,
    SETTING_CLEAN_SCRIPTS,
    SETTING_PACKAGES,
    SETTING_BUILD_PACKAGES,
    SETTING_VOLATILE_PACKAGES,
    SETTING_PACKAGE_DIRECTORIES,
    SETTING_VOLATILE_PACKAGE_DIRECTORIES,
    SETTING_WITH_RECOMMENDS,
    SETTING_WITH_DOCS,
    SETTING_BASE_TREES,
    SETTING_SKELETON_TREES,
    SETTING_EXTRA_TREES,
    SETTING_REMOVE_PACKAGES,
    SETTING_REMOVE_FILES,
    SETTING_CLEAN_PACKAGE_METADATA,
    SETTING_SOURCE_DATE_EPOCH,
    SETTING_SYNC_SCRIPTS,
    SETTING_PREPARE_SCRIPTS,
    SETTING_BUILD_SCRIPTS,
    SETTING_POST_INSTALLATION_SCRIPTS,
    SETTING_FINALIZE_SCRIPTS,
    SETTING_POST_OUTPUT_SCRIPTS,
    SETTING_BOOTABLE,
    SETTING_BOOTLOADER,
    SETTING_BIOS_BOOTLOADER,
    SETTING_SHIM_BOOTLOADER,
    SETTING_UNIFIED_KERNEL_IMAGES,
    SETTING_UNIFIED_KERNEL_IMAGE_FORMAT,
    SETTING_UNIFIED_KERNEL_IMAGE_PROFILES,
    SETTING_INITRDS,
    SETTING_MICROCODE_HOST,
    SETTING_INITRD_PROFILES,
    SETTING_INITRD_PACKAGES,
    SETTING_INITRD_VOLATILE_PACKAGES,
    SETTING_DEVICETREES,
    SETTING_SPLASH,
    SETTING_KERNEL_COMMAND_LINE,
    SETTING_KERNEL_MODULES_INCLUDE,
    SETTING_KERNEL_MODULES_EXCLUDE,
    SETTING_KERNEL_MODULES,
    SETTING_KERNEL_MODULES_INCLUDE_HOST,
    SETTING_KERNEL_MODULES_INITRD,
    SETTING_KERNEL_MODULES_INITRD_INCLUDE,
    SETTING_KERNEL_MODULES_INITRD_EXCLUDE,
    SETTING_KERNEL_INITRD_MODULES,
    SETTING_KERNEL_MODULES_INITRD_INCLUDE_HOST,
    SETTING_FIRMWARE_INCLUDE,
    SETTING_FIRMWARE_EXCLUDE,
    SETTING_FIRMWARE_FILES,
    SETTING_LOCALE,
    SETTING_LOCALE_MESSAGES,
    SETTING_KEYMAP,
    SETTING_TIMEZONE,
    SETTING_HOSTNAME,
    SETTING_ROOT_PASSWORD,
    SETTING_ROOT_SHELL,
    SETTING_MACHINE_ID,
    SETTING_AUTOLOGIN,
    SETTING_MAKE_INITRD,
    SETTING_SSH,
    SETTING_SELINUX_RELABEL,
    SETTING_SECURE_BOOT,
    SETTING_SECURE_BOOT_AUTO_ENROLL,
    SETTING_SECURE_BOOT_KEY,
    SETTING_SECURE_BOOT_KEY_SOURCE,
    SETTING_SECURE_BOOT_CERTIFICATE,
    SETTING_SECURE_BOOT_CERTIFICATE_SOURCE,
    SETTING_SECURE_BOOT_SIGN_TOOL,
    SETTING_VERITY,
    SETTING_VERITY_KEY,
    SETTING_VERITY_KEY_SOURCE,
    SETTING_VERITY_CERTIFICATE,
    SETTING_VERITY_CERTIFICATE_SOURCE,
    SETTING_SIGN_EXPECTED_PCR,
    SETTING_SIGN_EXPECTED_PCR_KEY,
    SETTING_SIGN_EXPECTED_PCR_KEY_SOURCE,
    SETTING_SIGN_EXPECTED_PCR_CERTIFICATE,
    SETTING_SIGN_EXPECTED_PCR_CERTIFICATE_SOURCE,
    SETTING_SIGN_INITRD_PCRS,
    SETTING_SIGN_EXPECTED_PCR12,
    SETTING_SIGN_EXPECTED_PCR_FORMER_KEY,
    SETTING_SIGN_EXPECTED_PCR_FORMER_KEY_SOURCE,
    SETTING_PASSPHRASE,
    SETTING_CHECKSUM,
    SETTING_SIGN,
    SETTING_KEY,
    SETTING_OPENPGP_TOOL,
    SETTING_OPENPGP_KEY,
    SETTING_OPENPGP_KEY_SOURCE,
    SETTING_OPENPGP_CERTIFICATE,
    SETTING_OPENPGP_CERTIFICATE_SOURCE,
    SETTING_TOOLS_TREE,
    SETTING_TOOLS_TREE_DISTRIBUTION,
    SETTING_TOOLS_TREE_RELEASE,
    SETTING_TOOLS_TREE_PROFILES,
    SETTING_TOOLS_TREE_MIRROR,
    SETTING_TOOLS_TREE_SNAPSHOT,
    SETTING_TOOLS_TREE_REPOSITORIES,
    SETTING_TOOLS_TREE_SANDBOX_TREES,
    SETTING_TOOLS_TREE_PACKAGES,
    SETTING_TOOLS_TREE_PACKAGE_DIRECTORIES,
    SETTING_TOOLS_TREE_CERTIFICATES,
    SETTING_EXTRA_SEARCH_PATHS,
    SETTING_INCREMENTAL,
    SETTING_CACHE_ONLY,
    SETTING_SANDBOX_TREES,
    SETTING_WORKSPACE_DIRECTORY,
    SETTING_CACHE_DIRECTORY,
    SETTING_CACHE_KEY,
    SETTING_PACKAGE_CACHE_DIRECTORY,
    SETTING_BUILD_DIRECTORY,
    SETTING_BUILD_KEY,
    SETTING_USE_SUBVOLUMES,
    SETTING_REPART_OFFLINE,
    SETTING_HISTORY,
    SETTING_BUILD_SOURCES,
    SETTING_BUILD_SOURCES_EPHEMERAL,
    SETTING_ENVIRONMENT,
    SETTING_ENVIRONMENT_FILES,
    SETTING_WITH_TESTS,
    SETTING_WITH_NETWORK,
    SETTING_PROXY_URL,
    SETTING_PROXY_EXCLUDE,
    SETTING_PROXY_PEER_CERTIFICATE,
    SETTING_PROXY_CLIENT_CERTIFICATE,
    SETTING_PROXY_CLIENT_KEY,
    SETTING_MAKE_SCRIPTS_EXECUTABLE,
    SETTING_FOREIGN_UID_RANGE,
    SETTING_DELEGATE_RANGES,
    SETTING_NSPAWN_SETTINGS,
    SETTING_EPHEMERAL,
    SETTING_CREDENTIALS,
    SETTING_KERNEL_COMMAND_LINE_EXTRA,
    SETTING_RUNTIME_TREES,
    SETTING_RUNTIME_SIZE,
    SETTING_RUNTIME_NETWORK,
    SETTING_RUNTIME_BUILD_SOURCES,
    SETTING_BIND_USER,
    SETTING_SSH_KEY,
    SETTING_SSH_CERTIFICATE,
    SETTING_VIRTUAL_MACHINE_MONITOR,
    SETTING_MACHINE,
    SETTING_FORWARD_JOURNAL,
    SETTING_SYSUPDATE_DIRECTORY,
    SETTING_CONSOLE,
    SETTING_CPUS,
    SETTING_RAM,
    SETTING_MAX_MEM,
    SETTING_KVM,
    SETTING_CXL,
    SETTING_VSOCK,
    SETTING_VSOCK_CID,
    SETTING_TPM,
    SETTING_REMOVABLE,
    SETTING_DISK_TYPE,
    SETTING_FIRMWARE,
    SETTING_FIRMWARE_VARIABLES,
    SETTING_LINUX,
    SETTING_DRIVES,
    SETTING_QEMU_ARGS,
    SETTING_REGISTER,
    SETTING_STORAGE_TARGET_MODE,
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
    gsize offset;                 /* of the field in ImageConfig, 0 if there is none */
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
