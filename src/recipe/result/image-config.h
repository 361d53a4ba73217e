/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a recipe says, resolved: plain structs that nobody changes after recipe_load(). Field names are those
 * of the settings in snake case (Linux= is linux_image, Register= is register_machine). A string that is not
 * set is NULL, a list that is empty is an empty, NULL-terminated vector (never NULL). Maps are vectors of
 * "KEY=VALUE", sorted by key. Paths are absolute.
 */

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

typedef struct {
    char *image;              /* main, default-initrd, tools, or the name of a subimage */
    char **files;             /* the configuration files read, in order */
    char *build_subdirectory; /* BuildDirectory with the expanded BuildKey, or NULL */

    /* [Config] */
    /* list of name without '/': names of the profiles in mkosi.profiles/ to apply after everything else of
     * the same directory */
    char **profiles;
    /* list of string: images of mkosi.images/ that are built before this one; for the main image the
     * default is every image that matches */
    char **dependencies;
    /* version: refuse the recipe when the tool is older; the highest value given wins */
    char *minimum_version;
    /* list of script path: scripts that receive the configuration as JSON and print a changed one */
    char **configure_scripts;
    /* list of string: names of Environment= entries that subimages, default initrd and default tools tree
     * also get */
    char **pass_environment;

    /* [Distribution] */
    Distribution distribution; /* enum Distribution: which distribution is installed */
    char *release;             /* string: which release of the distribution */
    Architecture architecture; /* enum Architecture: CPU architecture of the image */
    char *mirror;              /* string: base URL of the package mirror */
    char *snapshot;            /* string: name of a dated state of the package archive */
    /* string: single flat package repository that replaces all others during the build */
    char *local_mirror;
    gboolean repository_date_check; /* bool, ours: whether metadata past its date is an error */
    gboolean repository_key_check;  /* bool: whether package and repository signatures are verified */
    gboolean repository_key_fetch;  /* bool: whether signing keys of the distribution may be downloaded */
    char **repositories;            /* list of string: additional repositories or archive components to enable */

    /* [Output] */
    OutputFormat format; /* enum OutputFormat: what kind of output is made */
    /* list of enum ManifestFormat: which package manifests are written */
    ManifestFormatFlags manifest_format;
    char *output;           /* file name: base name of all output files of the image */
    char *output_extension; /* file name: file name extension of the main output */
    guint64 output_size;    /* bytes: minimum size the disk image is grown to */
    /* enum Compression: compression of the main output (or of its inner archive) */
    Compression compress_output;
    gint64 compress_level;  /* int: compression level */
    char *output_directory; /* path: where outputs go */
    int output_mode;        /* octal int: file mode of the outputs */
    char *image_version;    /* string: version of the image; part of the default output name */
    char *image_id;         /* string: identifier of the image; default output name of the main image */
    char **oci_labels;      /* map of KEY=VALUE: labels of the OCI configuration */
    char **oci_annotations; /* map of KEY=VALUE: annotations of the OCI manifest */
    /* list of enum ArtifactOutput: parts of the image that are also written as separate files */
    ArtifactFlags split_artifacts;
    char **repart_directories; /* list of path: directories of partition definitions for disk images */
    gint64 sector_size;        /* int: logical sector size of the disk image */
    gboolean overlay;          /* bool: output holds only what was added on top of the base trees */
    char *seed;                /* uuid: seed from which partition and file system UUIDs are derived */
    Feature el_torito;         /* feature: whether disk images also get an ISO 9660 boot catalog */
    char *el_torito_system;    /* string: system identifier of the ISO descriptor */
    char *el_torito_volume;    /* string: volume identifier of the ISO descriptor */
    char *el_torito_publisher; /* string: publisher identifier of the ISO descriptor */
    char **clean_scripts;      /* list of script path: scripts run after outputs were removed */

    /* [Content] */
    char **packages; /* list of string: packages installed into the image */
    /* list of string: packages installed only into the overlay that build scripts see */
    char **build_packages;
    /* list of string: packages installed after the build scripts, never part of the cached tree */
    char **volatile_packages;
    /* list of path: directories with package files offered to the package manager */
    char **package_directories;
    /* list of path: like PackageDirectories= but changes in them do not invalidate the cached tree */
    char **volatile_package_directories;
    gboolean with_recommends; /* bool: whether recommended packages are installed too */
    gboolean with_docs;       /* bool: whether documentation is installed */
    char **base_trees;        /* list of path: trees (directory, tar, disk image) the image starts from */
    /* list of tree SOURCE[:TARGET]: trees copied in before packages are installed */
    RecipeTree **skeleton_trees;
    /* list of tree SOURCE[:TARGET]: trees copied in after packages and build results */
    RecipeTree **extra_trees;
    char **remove_packages;         /* list of string: packages removed near the end */
    char **remove_files;            /* list of string: globs of files removed near the end */
    Feature clean_package_metadata; /* feature: whether the package manager's databases are removed */
    gint64 source_date_epoch;       /* int: timestamp that replaces build times */
    char **sync_scripts;            /* list of script path: scripts run before any image is built, with network */
    /* list of script path: scripts run after the packages are installed and before the tree is cached */
    char **prepare_scripts;
    char **build_scripts;             /* list of script path: scripts that compile or generate content */
    char **post_installation_scripts; /* list of script path: scripts run after extra trees were copied */
    char **finalize_scripts;          /* list of script path: scripts run last before the output is made */
    /* list of script path: scripts run on the finished outputs before they are moved to the output
     * directory */
    char **post_output_scripts;
    Feature bootable;               /* feature: whether kernel, boot loader and ESP are set up */
    Bootloader bootloader;          /* enum Bootloader: which UEFI boot loader */
    BiosBootloader bios_bootloader; /* enum BiosBootloader: which BIOS boot loader */
    ShimBootloader shim_bootloader; /* enum ShimBootloader: whether shim starts the boot loader */
    /* enum UnifiedKernelImage: whether kernels are packed as UKIs, and who signs them */
    UnifiedKernelImage unified_kernel_images;
    /* file name: file name pattern of UKIs (delayed specifiers &e &k &h) */
    char *unified_kernel_image_format;
    /* list of UKI profile file: files that describe additional profiles of the UKI */
    RecipeUkiProfile **unified_kernel_image_profiles;
    char **initrds;          /* list of path: initrds to use; the word default stands for the default initrd image */
    gboolean microcode_host; /* bool: only include microcode for the CPU of the build host */
    char **initrd_profiles;  /* list of string: profiles of the builtin initrd configuration to enable */
    char **initrd_packages;  /* list of string: packages added to the default initrd */
    char **initrd_volatile_packages; /* list of string: volatile packages added to the default initrd */
    char **devicetrees;              /* list of string: device tree files added to UKI or boot entry */
    char *splash;                    /* path: boot splash picture, path inside the image */
    char **kernel_command_line;      /* list of string: kernel arguments built into the image */
    /* list of regular expression: kernel modules to drop, as regular expressions (older form) */
    char **kernel_modules_exclude;
    /* list of string: kernel modules to keep or, with a leading -, drop; globs, the last match wins */
    char **kernel_modules;
    gboolean kernel_modules_include_host; /* bool: also keep the modules loaded on the build host */
    gboolean kernel_modules_initrd;       /* bool: whether an additional initrd with kernel modules is made */
    /* list of regular expression: modules not for that initrd, as regular expressions (older form) */
    char **kernel_modules_initrd_exclude;
    char **kernel_initrd_modules; /* list of string: modules for that initrd as globs, a leading - drops */
    /* bool: also put the modules loaded on the build host into that initrd */
    gboolean kernel_modules_initrd_include_host;
    /* list of regular expression: firmware files to drop, as regular expressions (older form) */
    char **firmware_exclude;
    /* list of string: firmware files to keep or, with a leading -, drop; globs, the last match wins */
    char **firmware_files;
    char *locale;                 /* string: system locale */
    char *locale_messages;        /* string: locale for messages */
    char *keymap;                 /* string: console keymap */
    char *timezone;               /* string: time zone */
    char *hostname;               /* string: host name */
    RecipePassword root_password; /* password: password of root, plain or hashed */
    char *root_shell;             /* string: login shell of root */
    char *machine_id;             /* uuid: content of /etc/machine-id */
    gboolean autologin;           /* bool: log root in automatically on the consoles */
    gboolean make_initrd;         /* bool: make the tree usable as an initrd (/init, /etc/initrd-release) */
    Ssh ssh;                      /* enum Ssh: whether an SSH server reachable over vsock is set up */
    Feature selinux_relabel;      /* feature: whether files are labelled with the image's SELinux policy */

    /* [Validation] */
    gboolean secure_boot;                   /* bool: whether boot loader and UKIs are signed for Secure Boot */
    gboolean secure_boot_auto_enroll;       /* bool: whether key enrolment files are put on the ESP */
    char *secure_boot_key;                  /* key: private key for Secure Boot */
    RecipeKeySource secure_boot_key_source; /* key source: where the Secure Boot key lives */
    char *secure_boot_certificate;          /* certificate: X.509 certificate for Secure Boot */
    /* certificate source: where the Secure Boot certificate lives */
    RecipeKeySource secure_boot_certificate_source;
    SecureBootSignTool secure_boot_sign_tool; /* enum SecureBootSignTool: which tool signs PE binaries */
    Verity verity;    /* enum Verity: whether verity partitions are made, signed, or left to be signed later */
    char *verity_key; /* key: private key for verity root hash signatures */
    RecipeKeySource verity_key_source;         /* key source: where the verity key lives */
    char *verity_certificate;                  /* certificate: X.509 certificate for verity root hash signatures */
    RecipeKeySource verity_certificate_source; /* certificate source: where the verity certificate lives */
    Feature sign_expected_pcr;   /* feature: whether expected PCR values are signed and put into the UKI */
    char *sign_expected_pcr_key; /* key: private key for PCR signatures */
    RecipeKeySource sign_expected_pcr_key_source; /* key source: where the PCR signing key lives */
    char *sign_expected_pcr_certificate;          /* certificate: X.509 certificate for PCR signatures */
    /* certificate source: where the PCR signing certificate lives */
    RecipeKeySource sign_expected_pcr_certificate_source;
    /* feature: whether a PCR policy that only holds inside the initrd is signed too */
    Feature sign_initrd_pcrs;
    /* bool: whether policies over PCRs 11 and 12 are signed too, for boots to which nothing was added */
    gboolean sign_expected_pcr12;
    char *sign_expected_pcr_former_key; /* key: a second one that signs the same policies, while keys change */
    RecipeKeySource sign_expected_pcr_former_key_source; /* key source: where that key lives */
    char *passphrase;  /* path: file with the LUKS passphrase for encrypted partitions */
    gboolean checksum; /* bool: whether a SHA256SUMS file is written */
    Sign sign; /* sign: whether that SHA256SUMS file is signed with OpenPGP, or all signatures are made elsewhere */
    char *key; /* string: OpenPGP key to sign with */
    char *openpgp_tool;                         /* string: gpg, another program with the SOP interface, or builtin */
    char *openpgp_key;                          /* key: private key of OpenPGPTool=builtin */
    RecipeKeySource openpgp_key_source;         /* key source: where that key lives */
    char *openpgp_certificate;                  /* certificate: name and time of that key */
    RecipeKeySource openpgp_certificate_source; /* certificate source: where that certificate lives */

    /* [Build] */
    char *tools_tree; /* path: tree that build programs are taken from; default and yes mean: build one */
    Distribution tools_tree_distribution; /* enum Distribution: distribution of the default tools tree */
    char *tools_tree_release;             /* string: release of the default tools tree */
    char **tools_tree_profiles;           /* list of string: profiles of the builtin tools configuration to enable */
    char *tools_tree_mirror;              /* string: mirror for the default tools tree */
    char *tools_tree_snapshot;            /* string: snapshot for the default tools tree */
    char **tools_tree_repositories;       /* list of string: additional repositories for the default tools tree */
    /* list of tree SOURCE[:TARGET]: sandbox trees for the default tools tree */
    RecipeTree **tools_tree_sandbox_trees;
    char **tools_tree_packages;            /* list of string: packages added to the default tools tree */
    char **tools_tree_package_directories; /* list of path: package directories for the default tools tree */
    gboolean tools_tree_certificates;      /* bool: whether CA certificates come from the tools tree */
    char **extra_search_paths;             /* list of path: directories searched for programs before PATH */
    Incremental incremental;               /* enum Incremental: whether the installed tree is cached and reused */
    CacheOnly cache_only; /* enum Cacheonly: whether packages and metadata may come only from the cache */
    /* list of tree SOURCE[:TARGET]: trees put into the sandbox in which build programs run, for instance
     * package manager configuration */
    RecipeTree **sandbox_trees;
    char *workspace_directory;     /* path: where temporary trees go */
    char *cache_directory;         /* path: where cached trees go */
    char *cache_key;               /* string: name of the cache entry (delayed specifiers) */
    char *package_cache_directory; /* path: where downloaded packages go */
    char *build_directory;         /* path: persistent out-of-tree build directory for build scripts */
    /* string: name of the subdirectory of the build directory (delayed specifiers); - means the directory
     * itself */
    char *build_key;
    Feature use_subvolumes;  /* feature: whether btrfs subvolumes are used for trees */
    gboolean repart_offline; /* bool: whether disk images are made without loop devices */
    gboolean history;        /* bool: whether the CLI settings of a build are remembered for later verbs */
    /* list of tree SOURCE[:TARGET]: source trees mounted below /work/src in scripts */
    RecipeTree **build_sources;
    /* enum BuildSourcesEphemeral: whether scripts' changes to the sources are thrown away or kept in the
     * build directory */
    BuildSourcesEphemeral build_sources_ephemeral;
    char **environment;               /* map of KEY[=VALUE]: environment variables for scripts */
    char **environment_files;         /* list of path: files with such variables */
    gboolean with_tests;              /* bool: whether build scripts run test suites */
    gboolean with_network;            /* bool: whether build, postinst and finalize scripts have network */
    char *proxy_url;                  /* string: HTTP proxy */
    char **proxy_exclude;             /* list of string: hosts that bypass the proxy */
    char *proxy_peer_certificate;     /* path: CA bundle to verify the proxy with */
    char *proxy_client_certificate;   /* path: client certificate for the proxy */
    char *proxy_client_key;           /* path: key of that client certificate */
    gboolean make_scripts_executable; /* bool: make scripts executable instead of failing */
    gboolean foreign_uid_range;       /* bool: give directory outputs to the foreign UID range */
    gint64 delegate_ranges;           /* int: number of UID ranges to ask systemd-nsresourced for */

    /* [Runtime] */
    char *nspawn_settings; /* path: systemd-nspawn settings file copied next to the output */
    gboolean ephemeral;    /* bool: run container or VM on a throw-away copy */
    /* credential list: NAME=VALUE split at spaces and newlines with shell quotes, or one path of a file or
     * directory: systemd credentials passed to container or VM */
    RecipeCredential **credentials;
    char **kernel_command_line_extra; /* list of string: kernel arguments added when booting */
    /* list of tree SOURCE[:TARGET]: host directories mounted into container or VM (below /root/src when
     * the target is relative) */
    RecipeTree **runtime_trees;
    guint64 runtime_size;           /* bytes: size the disk image is grown to before booting */
    Network runtime_network;        /* enum Network: network of the container or VM */
    gboolean runtime_build_sources; /* bool: mount build sources and build directory into container or VM */
    gboolean bind_user;             /* bool: make the invoking user known inside */
    char *ssh_key;                  /* path: private key for the ssh verb */
    char *ssh_certificate;          /* path: certificate that carries the public key for the ssh verb */
    Vmm virtual_machine_monitor;    /* enum Vmm: which program runs VMs */
    char *machine;                  /* string: name of the container or VM */
    char *forward_journal;          /* path: where the journal of the container or VM is stored on the host */
    char *sysupdate_directory;      /* path: directory of systemd-sysupdate transfer definitions */
    ConsoleMode console;            /* enum ConsoleMode: how the VM's console is shown */
    gint64 cpus;                    /* int: number of virtual CPUs; 0 means all of the host */
    guint64 ram;                    /* bytes: memory of the VM */
    guint64 max_mem;                /* bytes: memory the VM can be grown to */
    Feature kvm;                    /* feature: whether KVM is used */
    gboolean cxl;                   /* bool: whether CXL devices are added */
    Feature vsock;                  /* feature: whether the VM gets a vsock device */
    gint64 vsock_cid;               /* int: vsock connection ID */
    Feature tpm;                    /* feature: whether the VM gets a virtual TPM */
    gboolean removable;             /* bool: attach the image as a removable drive */
    QemuDiskType disk_type;         /* enum QemuDiskType: how the root disk is attached to the VM */
    Firmware firmware;              /* enum Firmware: how the VM boots */
    char *firmware_variables;       /* path: initial UEFI variable store, or a builtin set of keys */
    char *linux_image;              /* string: kernel for direct boot (delayed specifier &b) */
    /* list of drive ID:SIZE[:DIRECTORY[:OPTIONS[:FILEID[:FLAGS]]]]: additional drives created for the VM */
    RecipeDrive **drives;
    /* list of string: additional QEMU arguments (the CLI option exists but is hidden from the help) */
    char **qemu_args;
    Feature register_machine;    /* feature: whether the container or VM is registered with systemd-machined */
    Feature storage_target_mode; /* feature: whether the serve verb also offers the disk over NVMe-TCP */

    struct ImageValues *values; /* private to src/recipe: what the JSON is made from */
} ImageConfig;

/* The numbers of settings that can be null: -1 (source_date_epoch, sector_size, output_mode), 0 for sizes.
 */

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
