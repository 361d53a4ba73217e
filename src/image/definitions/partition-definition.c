/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/definitions/partition-definition.h"

#include "events/events.h"
#include "image/definitions/disk-error.h"

#include <string.h>

static void definition_pair_free(gpointer data) {
    DefinitionPair *pair = data;

    g_free(pair->source);
    g_free(pair->target);
    g_free(pair);
}

static void definition_exclude_free(gpointer data) {
    DefinitionExclude *exclude = data;

    g_free(exclude->path);
    g_free(exclude);
}

PartitionDefinition *partition_definition_new(const char *path) {
    PartitionDefinition *definition = g_new0(PartitionDefinition, 1);

    definition->path = g_strdup(path);
    definition->name = g_path_get_basename(path);
    definition->weight = PARTITION_WEIGHT_DEFAULT;
    definition->size_min = definition->size_max = SIZE_NOT_SET;
    definition->padding_min = definition->padding_max = SIZE_NOT_SET;
    definition->copy_files = g_ptr_array_new_with_free_func(definition_pair_free);
    definition->exclude_files = g_ptr_array_new_with_free_func(definition_exclude_free);
    definition->exclude_files_target = g_ptr_array_new_with_free_func(definition_exclude_free);
    definition->make_directories = g_ptr_array_new_with_free_func(g_free);
    definition->make_symlinks = g_ptr_array_new_with_free_func(definition_pair_free);
    definition->subvolumes = g_ptr_array_new_with_free_func(definition_pair_free);
    definition->mount_points = g_ptr_array_new_with_free_func(definition_pair_free);
    definition->compression_level = -1;
    definition->no_auto = definition->read_only = TRISTATE_UNSET;
    definition->grow_file_system = definition->add_validatefs = TRISTATE_UNSET;
    return definition;
}

void partition_definition_free(PartitionDefinition *definition) {
    if (!definition)
        return;
    g_free(definition->path);
    g_free(definition->name);
    g_free(definition->label);
    g_free(definition->copy_blocks);
    g_ptr_array_unref(definition->copy_files);
    g_ptr_array_unref(definition->exclude_files);
    g_ptr_array_unref(definition->exclude_files_target);
    g_ptr_array_unref(definition->make_directories);
    g_ptr_array_unref(definition->make_symlinks);
    g_ptr_array_unref(definition->subvolumes);
    g_ptr_array_unref(definition->mount_points);
    g_free(definition->default_subvolume);
    g_free(definition->verity_match_key);
    g_free(definition->compression);
    g_free(definition->split_name);
    g_free(definition->supplement_for);
    g_free(definition->encrypt_kdf);
    g_free(definition->encrypted_volume);
    g_free(definition->volume_label);
    g_free(definition->volume_name);
    g_free(definition);
}

static const char *const format_names[] = {
        [PARTITION_FORMAT_NONE] = "none",
        [PARTITION_FORMAT_EROFS] = "erofs",
        [PARTITION_FORMAT_SQUASHFS] = "squashfs",
        [PARTITION_FORMAT_EXT4] = "ext4",
        [PARTITION_FORMAT_BTRFS] = "btrfs",
        [PARTITION_FORMAT_VFAT] = "vfat",
        [PARTITION_FORMAT_SWAP] = "swap",
};

const char *partition_format_to_string(PartitionFormat format) {
    return format_names[format];
}

const char *partition_mount_point(PartitionRole role) {
    switch (role) {
    case PARTITION_ROOT:
        return "/";
    case PARTITION_ESP:
        return "/efi";
    case PARTITION_XBOOTLDR:
        return "/boot";
    case PARTITION_USR:
        return "/usr";
    case PARTITION_HOME:
        return "/home";
    case PARTITION_SRV:
        return "/srv";
    case PARTITION_VAR:
        return "/var";
    case PARTITION_TMP:
        return "/var/tmp";
    default:
        return NULL;
    }
}

glong partition_label_length(const char *label) {
    glong units = 0;

    for (const char *at = label; *at; at = g_utf8_next_char(at))
        units += g_utf8_get_char(at) > 0xffff ? 2 : 1;
    return units;
}

static gboolean fail_whole(const PartitionDefinition *definition, GError **error, const char *format, ...)
        G_GNUC_PRINTF(3, 4);

static gboolean fail_whole(const PartitionDefinition *definition, GError **error, const char *format, ...) {
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, DISK_ERROR, DISK_ERROR_DEFINITION, "%s:%u: %s", definition->path,
            MAX(definition->type_line, 1), message);
    return FALSE;
}

static gboolean has_files(const PartitionDefinition *definition) {
    return definition->copy_files->len > 0 || definition->make_directories->len > 0 ||
           definition->make_symlinks->len > 0;
}

/* What another file system would use has no effect on this one. */
static void drop_useless(PartitionDefinition *definition) {
    gboolean btrfs = definition->format == PARTITION_FORMAT_BTRFS;
    gboolean compressed = btrfs || definition->format == PARTITION_FORMAT_EROFS ||
                          definition->format == PARTITION_FORMAT_SQUASHFS;

    if ((definition->subvolumes->len > 0 || definition->default_subvolume) && !btrfs) {
        events_warning_once("%s: Subvolumes= and DefaultSubvolume= have no effect without Format=btrfs",
                definition->path);
        g_ptr_array_set_size(definition->subvolumes, 0);
        g_clear_pointer(&definition->default_subvolume, g_free);
    }
    if (definition->compression && !compressed) {
        events_warning_once("%s: Compression= has no effect without Format=erofs, squashfs or btrfs",
                definition->path);
        g_clear_pointer(&definition->compression, g_free);
    }
}

static gboolean has_subvolume(const PartitionDefinition *definition, const char *path) {
    for (guint i = 0; i < definition->subvolumes->len; i++) {
        const DefinitionPair *subvolume = definition->subvolumes->pdata[i];
        if (g_str_equal(subvolume->source, path))
            return TRUE;
    }
    return FALSE;
}

/* Settings that only make sense for some formats. */
static gboolean check_format(const PartitionDefinition *definition, GError **error) {
    static const char *const squashfs_compressions[] = {"gzip", "lzo", "lz4", "xz", "zstd", NULL};
    gboolean btrfs = definition->format == PARTITION_FORMAT_BTRFS;
    gboolean erofs = definition->format == PARTITION_FORMAT_EROFS;
    gboolean squashfs = definition->format == PARTITION_FORMAT_SQUASHFS;

    if (definition->default_subvolume && !has_subvolume(definition, definition->default_subvolume))
        return fail_whole(definition, error, "DefaultSubvolume=%s is not among Subvolumes=",
                definition->default_subvolume);
    if (definition->format == PARTITION_FORMAT_SWAP && has_files(definition))
        return fail_whole(definition, error, "CopyFiles= and Make...= cannot be combined with Format=swap");
    if (definition->compression && erofs && !g_str_equal(definition->compression, "zstd") &&
            !g_str_equal(definition->compression, "none"))
        return fail_whole(definition, error,
                "Compression=%s is not implemented for erofs (expected zstd or none)",
                definition->compression);
    if (definition->compression && btrfs && !g_str_equal(definition->compression, "zstd") &&
            !g_str_equal(definition->compression, "zlib") && !g_str_equal(definition->compression, "lzo") &&
            !g_str_equal(definition->compression, "none"))
        return fail_whole(definition, error,
                "Compression=%s is not possible with btrfs (expected zstd, zlib, lzo or none)",
                definition->compression);
    if (definition->compression && squashfs &&
            !g_strv_contains(squashfs_compressions, definition->compression))
        return fail_whole(definition, error,
                "Compression=%s is not possible with squashfs (expected gzip, lzo, lz4, xz or zstd)",
                definition->compression);
    if ((erofs || squashfs) && !has_files(definition) && definition->add_validatefs == TRISTATE_NO)
        return fail_whole(definition, error, "Format=%s needs content: CopyFiles=, MakeDirectories=",
                partition_format_to_string(definition->format));
    if (definition->minimize != PARTITION_MINIMIZE_OFF && definition->format == PARTITION_FORMAT_NONE &&
            definition->verity != PARTITION_VERITY_HASH)
        return fail_whole(definition, error, "Minimize= needs a file system: Format= or CopyFiles=");
    if (definition->minimize == PARTITION_MINIMIZE_BEST && !erofs && !squashfs && !btrfs &&
            definition->verity != PARTITION_VERITY_HASH)
        return fail_whole(definition, error,
                "Minimize=best is only possible with read-only file systems and btrfs (use Minimize=guess)");
    return TRUE;
}

static gboolean check_verity(const PartitionDefinition *definition, GError **error) {
    PartitionRole role = definition->type.role;
    gboolean hash = definition->verity == PARTITION_VERITY_HASH;
    gboolean signature = definition->verity == PARTITION_VERITY_SIGNATURE;

    if (definition->verity != PARTITION_VERITY_OFF && !definition->verity_match_key)
        return fail_whole(definition, error, "Verity= needs VerityMatchKey=");
    if (definition->verity == PARTITION_VERITY_OFF && definition->verity_match_key)
        return fail_whole(definition, error, "VerityMatchKey= needs Verity=data, hash or signature");
    if ((hash || signature) && (definition->format != PARTITION_FORMAT_NONE || definition->copy_blocks ||
                                       has_files(definition)))
        return fail_whole(definition, error,
                "a partition with Verity=%s is filled by itself: no Format=, CopyFiles=, CopyBlocks=",
                hash ? "hash" : "signature");
    if (hash && role != PARTITION_ROOT_VERITY && role != PARTITION_USR_VERITY && role != PARTITION_OTHER)
        return fail_whole(definition, error, "Verity=hash needs Type=usr-verity or Type=root-verity, not %s",
                definition->type.name);
    if (signature && role != PARTITION_ROOT_VERITY_SIG && role != PARTITION_USR_VERITY_SIG &&
            role != PARTITION_OTHER)
        return fail_whole(definition, error,
                "Verity=signature needs Type=usr-verity-sig or Type=root-verity-sig, not %s",
                definition->type.name);
    if (definition->verity == PARTITION_VERITY_DATA && definition->format == PARTITION_FORMAT_NONE &&
            !definition->copy_blocks)
        return fail_whole(definition, error, "Verity=data needs content: Format= or CopyBlocks=");
    return TRUE;
}

static void imply_flags(PartitionDefinition *definition) {
    PartitionRole role = definition->type.role;

    if (definition->read_only == TRISTATE_UNSET &&
            (partition_role_is_verity(role) || definition->verity == PARTITION_VERITY_DATA))
        definition->read_only = TRISTATE_YES;
    if (definition->grow_file_system == TRISTATE_UNSET)
        definition->grow_file_system = definition->read_only == TRISTATE_YES ? TRISTATE_NO : TRISTATE_YES;

    const struct {
        gboolean known;
        Tristate value;
        guint64 flag;
    } flags[] = {
            {partition_role_knows_no_auto(role), definition->no_auto, PARTITION_FLAG_NO_AUTO},
            {partition_role_knows_read_only(role), definition->read_only, PARTITION_FLAG_READ_ONLY},
            {partition_role_knows_grow(role), definition->grow_file_system, PARTITION_FLAG_GROW_FILE_SYSTEM},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(flags); i++)
        if (flags[i].known && flags[i].value == TRISTATE_YES)
            definition->flags |= flags[i].flag;
        else if (flags[i].known && flags[i].value == TRISTATE_NO)
            definition->flags &= ~flags[i].flag;
}

/* vfat and swap have nowhere to put the attributes. */
static gboolean can_validate(const PartitionDefinition *definition) {
    return definition->format != PARTITION_FORMAT_NONE && definition->format != PARTITION_FORMAT_VFAT &&
           definition->format != PARTITION_FORMAT_SWAP;
}

/* Fills in the file system where something else asks for one. */
static void imply_format(PartitionDefinition *definition) {
    PartitionRole role = definition->type.role;
    gboolean boot = role == PARTITION_ESP || role == PARTITION_XBOOTLDR;
    gboolean made = definition->verity == PARTITION_VERITY_HASH ||
                    definition->verity == PARTITION_VERITY_SIGNATURE || definition->copy_blocks;

    if (definition->format_empty) {
        if (!definition->label)
            definition->label = g_strdup("_empty");
        if (definition->no_auto == TRISTATE_UNSET)
            definition->no_auto = TRISTATE_YES;
    } else if (definition->format == PARTITION_FORMAT_NONE && !made) {
        if (role == PARTITION_SWAP)
            definition->format = PARTITION_FORMAT_SWAP;
        else if (has_files(definition) || definition->add_validatefs == TRISTATE_YES)
            definition->format = boot ? PARTITION_FORMAT_VFAT : PARTITION_FORMAT_EXT4;
    }
}

static gboolean check_sizes(const PartitionDefinition *definition, GError **error) {
    if (definition->size_min != SIZE_NOT_SET && definition->size_min > definition->size_max)
        return fail_whole(definition, error, "SizeMinBytes= is larger than SizeMaxBytes=");
    if (definition->padding_min != SIZE_NOT_SET && definition->padding_min > definition->padding_max)
        return fail_whole(definition, error, "PaddingMinBytes= is larger than PaddingMaxBytes=");
    if (definition->verity == PARTITION_VERITY_SIGNATURE &&
            (definition->size_min != SIZE_NOT_SET || definition->size_max != SIZE_NOT_SET))
        events_warning_once("%s: the size of a partition with Verity=signature is always the same", definition->path);
    return TRUE;
}

static gboolean check_content(const PartitionDefinition *definition, GError **error) {
    if (definition->copy_blocks && (definition->format != PARTITION_FORMAT_NONE || definition->format_empty ||
                                           has_files(definition)))
        return fail_whole(definition, error, "CopyBlocks= cannot be combined with Format= or CopyFiles=");
    if (definition->format_empty && has_files(definition))
        return fail_whole(definition, error, "CopyFiles= and Make...= cannot be combined with Format=empty");
    if (definition->add_validatefs == TRISTATE_YES && !can_validate(definition))
        return fail_whole(definition, error, "AddValidateFS=yes needs Format=, and not swap or vfat");
    if (definition->supplement_for &&
            (definition->copy_blocks || definition->encrypt || definition->verity != PARTITION_VERITY_OFF))
        return fail_whole(
                definition, error, "SupplementFor= cannot be combined with CopyBlocks=, Encrypt= or Verity=");
    return TRUE;
}

static gboolean check_encryption(const PartitionDefinition *definition, GError **error) {
    PartitionRole role = definition->type.role;

    if (definition->volume_name && !definition->encrypt)
        return fail_whole(definition, error, "VolumeName= needs Encrypt=");
    if (!definition->encrypt)
        return TRUE;
    if (role == PARTITION_ESP || role == PARTITION_XBOOTLDR || definition->verity != PARTITION_VERITY_OFF)
        return fail_whole(definition, error, "Encrypt= is not possible with Verity= or Type=%s",
                definition->type.name);
    if (definition->format == PARTITION_FORMAT_NONE && !definition->copy_blocks)
        return fail_whole(definition, error, "Encrypt= needs content: Format= or CopyBlocks=");
    return TRUE;
}

static gboolean check_split_name(
        const PartitionDefinition *definition, const Specifiers *specifiers, GError **error) {
    static const SplitSpecifiers sample = {"type", "type", "uuid", 1};
    g_autoptr(GError) local = NULL;

    if (!definition->split_name)
        return TRUE;
    g_autofree char *name = specifiers_expand(definition->split_name, specifiers, &sample, &local);
    if (!name)
        return fail_whole(definition, error, "SplitName=: %s", local->message);
    if (strchr(name, '/'))
        return fail_whole(definition, error, "SplitName=: \"%s\" contains \"/\"", name);
    return TRUE;
}

gboolean partition_definition_complete(
        PartitionDefinition *definition, const Specifiers *specifiers, GError **error) {
    if (!definition->type_set)
        return fail_whole(definition, error, "Type= is missing");
    imply_format(definition);
    if (!check_sizes(definition, error) || !check_content(definition, error) ||
            !check_encryption(definition, error))
        return FALSE;
    drop_useless(definition);
    if (!check_format(definition, error) || !check_verity(definition, error) ||
            !check_split_name(definition, specifiers, error))
        return FALSE;
    imply_flags(definition);
    if (definition->add_validatefs == TRISTATE_UNSET)
        definition->add_validatefs = can_validate(definition) ? TRISTATE_YES : TRISTATE_NO;
    return TRUE;
}
