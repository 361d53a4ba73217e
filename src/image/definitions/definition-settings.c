/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Settings of a partition definition: what each value has to be, and where it goes. Where nothing else is said
 * the grammar is that of systemd-repart, whose warnings about values are errors here. */

#include "image/definitions/definition-private.h"

#include "events/events.h"
#include "text/repart-values.h"

#include <limits.h>
#include <string.h>

/* Of a LUKS2 header. */
#define LUKS_LABEL_MAX 47

static gboolean set_type(const Place *place, const char *value, void *field, GError **error) {
    PartitionDefinition *definition = place->definition;

    if (!partition_type_parse(value, place->architecture, &definition->type))
        return definition_fail(place, error,
                "\"%s\" is not a partition type for %s (expected esp, xbootldr, swap, home, srv, var, tmp, "
                "linux-generic, root, usr, with -verity or -verity-sig, with an architecture, or a UUID)",
                value, place->architecture);
    definition->type_set = TRUE;
    definition->type_line = place->line;
    return TRUE;
}

static gboolean set_label(const Place *place, const char *value, void *field, GError **error) {
    g_autofree char *label = definition_expand(place, value, error);

    if (!label)
        return FALSE;
    if (!g_utf8_validate(label, -1, NULL))
        return definition_fail(place, error, "the label is not valid UTF-8");
    for (const char *at = label; *at; at = g_utf8_next_char(at))
        if (g_utf8_get_char(at) > 0xffff)
            return definition_fail(place, error,
                    "the label \"%s\" contains U+%X: libfdisk writes characters up to U+FFFF only", label,
                    g_utf8_get_char(at));
    glong units = partition_label_length(label);
    if (units > PARTITION_LABEL_MAX)
        return definition_fail(place, error,
                "the label \"%s\" has %ld UTF-16 units, a partition table has room for %d; shorten the "
                "label, the image ID or the image version",
                label, units, PARTITION_LABEL_MAX);
    g_free(place->definition->label);
    /* An empty label is one, too. */
    place->definition->label = g_steal_pointer(&label);
    place->definition->label_line = place->line;
    return TRUE;
}

static gboolean set_uuid(const Place *place, const char *value, void *field, GError **error) {
    PartitionDefinition *definition = place->definition;

    definition->uuid_set = *value != '\0';
    definition->uuid = (Uuid){};
    if (*value == '\0' || g_str_equal(value, "null"))
        return TRUE;
    if (!uuid_parse_text(value, &definition->uuid))
        return definition_fail(place, error, "\"%s\" is neither a UUID nor \"null\"", value);
    return TRUE;
}

static gboolean set_priority(const Place *place, const char *value, void *field, GError **error) {
    gint64 *priority = field;

    *priority = 0;
    if (*value && !repart_signed_parse(value, G_MININT32, G_MAXINT32, priority))
        return definition_fail(place, error, "\"%s\" is not a number from -2147483648 to 2147483647", value);
    return TRUE;
}

static gboolean set_weight(const Place *place, const char *value, void *field, GError **error) {
    guint64 *weight = field;

    *weight = weight == &place->definition->weight ? PARTITION_WEIGHT_DEFAULT : 0;
    if (*value && !repart_unsigned_parse(value, 1000000, weight))
        return definition_fail(place, error, "\"%s\" is not a number from 0 to 1000000", value);
    return TRUE;
}

static gboolean set_bytes(
        const Place *place, const char *value, guint64 *field, gboolean up, GError **error) {
    guint64 bytes;

    if (*value == '\0') {
        *field = SIZE_NOT_SET;
        return TRUE;
    }
    if (!repart_size_parse(value, &bytes) || bytes > G_MAXINT64 >> 8)
        return definition_fail(place, error, "\"%s\" is not a size (numbers with K, M, G, T, B or nothing, as in 512M, 1.5G, 1G512M)", value);
    *field = (bytes + (up ? PARTITION_GRAIN - 1 : 0)) / PARTITION_GRAIN * PARTITION_GRAIN;
    return TRUE;
}

static gboolean set_bytes_up(const Place *place, const char *value, void *field, GError **error) {
    return set_bytes(place, value, field, TRUE, error);
}

static gboolean set_bytes_down(const Place *place, const char *value, void *field, GError **error) {
    return set_bytes(place, value, field, FALSE, error);
}

static gboolean set_copy_blocks(const Place *place, const char *value, void *field, GError **error) {
    g_autofree char *path = NULL;

    if (g_str_equal(value, "auto"))
        return definition_fail(place, error,
                "\"auto\" copies from the running system and means nothing while an image is built "
                "(give the path of a file in the image)");
    if (*value && !(path = definition_expand_path(place, value, error)))
        return FALSE;
    g_free(place->definition->copy_blocks);
    place->definition->copy_blocks = g_steal_pointer(&path);
    return TRUE;
}

static gboolean set_format(const Place *place, const char *value, void *field, GError **error) {
    PartitionDefinition *definition = place->definition;

    definition->format_empty = g_str_equal(value, "empty");
    definition->format = PARTITION_FORMAT_NONE;
    if (*value == '\0' || definition->format_empty)
        return TRUE;
    for (PartitionFormat i = PARTITION_FORMAT_NONE + 1; i <= PARTITION_FORMAT_LAST; i++)
        if (g_str_equal(value, partition_format_to_string(i))) {
            definition->format = i;
            return TRUE;
        }
    return definition_fail(place, error,
            "unknown file system \"%s\" (expected erofs, squashfs, ext4, btrfs, vfat, swap or empty)",
            value);
}

static gboolean set_default_subvolume(const Place *place, const char *value, void *field, GError **error) {
    g_autofree char *path = NULL;

    if (*value && !(path = definition_expand_path(place, value, error)))
        return FALSE;
    g_free(place->definition->default_subvolume);
    place->definition->default_subvolume = g_steal_pointer(&path);
    return TRUE;
}

static gboolean set_minimize(const Place *place, const char *value, void *field, GError **error) {
    PartitionMinimize *minimize = field;
    gboolean on;

    if (*value == '\0')
        *minimize = PARTITION_MINIMIZE_OFF;
    else if (g_str_equal(value, "best"))
        *minimize = PARTITION_MINIMIZE_BEST;
    else if (g_str_equal(value, "guess"))
        *minimize = PARTITION_MINIMIZE_GUESS;
    else if (repart_boolean_parse(value, &on))
        *minimize = on ? PARTITION_MINIMIZE_BEST : PARTITION_MINIMIZE_OFF;
    else
        return definition_fail(place, error, "\"%s\" is none of off, best, guess or a boolean", value);
    return TRUE;
}

static gboolean set_verity(const Place *place, const char *value, void *field, GError **error) {
    static const char *const names[] = {
            [PARTITION_VERITY_OFF] = "off",
            [PARTITION_VERITY_DATA] = "data",
            [PARTITION_VERITY_HASH] = "hash",
            [PARTITION_VERITY_SIGNATURE] = "signature",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_equal(*value ? value : "off", names[i])) {
            *(PartitionVerity *) field = i;
            return TRUE;
        }
    return definition_fail(place, error, "\"%s\" is none of off, data, hash, signature", value);
}

static gboolean set_string(const Place *place, const char *value, void *field, GError **error) {
    char **string = field;

    g_free(*string);
    *string = *value ? g_strdup(value) : NULL;
    return TRUE;
}

static gboolean set_verity_block_size(const Place *place, const char *value, void *field, GError **error) {
    guint64 bytes;

    if (*value && (!repart_size_parse(value, &bytes) || bytes != 4096))
        return definition_fail(place, error, "only blocks of 4096 bytes are implemented, not \"%s\"", value);
    return TRUE;
}

static gboolean set_compression_level(const Place *place, const char *value, void *field, GError **error) {
    gint64 *level = field;

    *level = -1;
    if (*value && !repart_signed_parse(value, 0, 22, level))
        return definition_fail(place, error, "\"%s\" is not a number from 0 to 22", value);
    return TRUE;
}

static gboolean set_split_name(const Place *place, const char *value, void *field, GError **error) {
    if (strchr(value, '/'))
        return definition_fail(place, error, "\"%s\" is part of a file name and must not contain \"/\"", value);
    return set_string(place, value, field, error);
}

static gboolean set_flags(const Place *place, const char *value, void *field, GError **error) {
    guint64 *flags = field;

    *flags = 0;
    if (*value && !repart_unsigned_parse(value, G_MAXUINT64, flags))
        return definition_fail(place, error,
                "\"%s\" is not a number of 64 bits (hexadecimal 0x..., octal 0o... or 0..., binary 0b..., or "
                "decimal)",
                value);
    return TRUE;
}

static gboolean set_tristate(const Place *place, const char *value, void *field, GError **error) {
    gboolean on = FALSE;

    if (*value && !repart_boolean_parse(value, &on))
        return definition_fail(place, error, "\"%s\" is not a boolean", value);
    *(Tristate *) field = *value ? (on ? TRISTATE_YES : TRISTATE_NO) : TRISTATE_UNSET;
    return TRUE;
}

static gboolean set_fs_sector_size(const Place *place, const char *value, void *field, GError **error) {
    guint64 size = 0;

    if (*value && (!repart_size_parse(value, &size) || size < 512 || size > 4096 || (size & (size - 1))))
        return definition_fail(place, error, "\"%s\" is none of 512, 1024, 2048, 4096", value);
    *(guint *) field = size;
    return TRUE;
}

/* What only concerns partitions that are encrypted with a TPM says nothing here, as those are refused. */
static gboolean ignore(const Place *place, const char *value, void *field, GError **error) {
    return TRUE;
}

static gboolean refuse_integrity(const Place *place, const char *value, void *field, GError **error) {
    gboolean on;

    if (*value == '\0' || (repart_boolean_parse(value, &on) && !on))
        return TRUE;
    return definition_fail(place, error, "authenticated encryption cannot be made while an image is built");
}

static gboolean refuse_replace(const Place *place, const char *value, void *field, GError **error) {
    return *value == '\0' ||
           definition_fail(place, error, "moves a mounted file system: only possible on a running system");
}

/* FactoryReset= acts on the running system, not while an image is built. */
static gboolean check_boolean(const Place *place, const char *value, void *field, GError **error) {
    gboolean on;

    if (*value && !repart_boolean_parse(value, &on))
        return definition_fail(place, error, "\"%s\" is not a boolean", value);
    return TRUE;
}

static gboolean set_encrypt(const Place *place, const char *value, void *field, GError **error) {
    gboolean *encrypt = field;
    gboolean on;

    *encrypt = g_str_equal(value, "key-file");
    if (*encrypt || *value == '\0' || (repart_boolean_parse(value, &on) && !on))
        return TRUE;
    return definition_fail(place, error,
            "partitions bound to a TPM are made at first boot, where the TPM is, not while the image is "
            "built: move this definition to usr/lib/repart.d/ of the image, or use key-file with "
            "Passphrase=");
}

static gboolean set_encrypt_kdf(const Place *place, const char *value, void *field, GError **error) {
    if (*value && !g_str_equal(value, "argon2id") && !g_str_equal(value, "pbkdf2") &&
            !g_str_equal(value, "minimal"))
        return definition_fail(place, error, "\"%s\" is none of argon2id, pbkdf2, minimal", value);
    return set_string(place, value, field, error);
}

static gboolean refuse_key_file(const Place *place, const char *value, void *field, GError **error) {
    return *value == '\0' ||
           definition_fail(place, error,
                   "the passphrase of an image is in the file that Passphrase= of the recipe names");
}

/* A name that device mapper and files of that name can have. */
static gboolean is_volume_name(const char *name) {
    return *name && strlen(name) <= NAME_MAX && !strchr(name, '/') && !g_str_equal(name, ".") &&
           !g_str_equal(name, "..");
}

/* NAME[:KEY-FILE[:OPTIONS[:EXTRA-OPTIONS]]] */
static gboolean set_encrypted_volume(const Place *place, const char *value, void *field, GError **error) {
    g_auto(GStrv) fields = g_strsplit(value, ":", -1);

    for (char **part = fields; *part; part++)
        if (strpbrk(*part, " \t"))
            return definition_fail(place, error, "\"%s\" contains a blank", value);
    if (*value && (!is_volume_name(fields[0]) || g_strv_length(fields) > 4))
        return definition_fail(place, error, "\"%s\" is not of the form NAME[:KEY-FILE[:OPTIONS]]", value);
    /* The fourth field concerns the running system only. */
    if (*value && g_strv_length(fields) == 4)
        g_clear_pointer(&fields[3], g_free);
    g_autofree char *text = *value ? g_strjoinv(":", fields) : g_strdup("");
    return set_string(place, text, field, error);
}

static gboolean set_volume_name(const Place *place, const char *value, void *field, GError **error) {
    if (*value && !is_volume_name(value))
        return definition_fail(place, error, "\"%s\" is not the name of a volume", value);
    return set_string(place, value, field, error);
}

static gboolean set_volume_label(const Place *place, const char *value, void *field, GError **error) {
    g_autofree char *label = definition_expand(place, value, error);

    if (!label)
        return FALSE;
    if (strlen(label) > LUKS_LABEL_MAX)
        return definition_fail(place, error, "the label \"%s\" has %zu bytes, a LUKS header has room for %d",
                label, strlen(label), LUKS_LABEL_MAX);
    return set_string(place, label, field, error);
}

/* Registers of the TPM by number or by name. */
static gboolean check_pcrs(const Place *place, const char *value, void *field, GError **error) {
    for (const char *at = value; *at; at++)
        if (!g_ascii_isalnum(*at) && !strchr("-_+:=,", *at))
            return definition_fail(place, error, "\"%s\" does not name registers of a TPM", value);
    return TRUE;
}

static const struct {
    const char *name;
    DefinitionSetter set;
    gsize offset;
} settings[] = {
        {"Type", set_type, 0},
        {"Label", set_label, 0},
        {"UUID", set_uuid, 0},
        {"Priority", set_priority, offsetof(PartitionDefinition, priority)},
        {"Weight", set_weight, offsetof(PartitionDefinition, weight)},
        {"PaddingWeight", set_weight, offsetof(PartitionDefinition, padding_weight)},
        {"SizeMinBytes", set_bytes_up, offsetof(PartitionDefinition, size_min)},
        {"SizeMaxBytes", set_bytes_down, offsetof(PartitionDefinition, size_max)},
        {"PaddingMinBytes", set_bytes_up, offsetof(PartitionDefinition, padding_min)},
        {"PaddingMaxBytes", set_bytes_down, offsetof(PartitionDefinition, padding_max)},
        {"CopyBlocks", set_copy_blocks, 0},
        {"Format", set_format, 0},
        {"CopyFiles", definition_set_copy_files, offsetof(PartitionDefinition, copy_files)},
        {"ExcludeFiles", definition_set_excludes, offsetof(PartitionDefinition, exclude_files)},
        {"ExcludeFilesTarget", definition_set_excludes, offsetof(PartitionDefinition, exclude_files_target)},
        {"MakeDirectories", definition_set_directories, offsetof(PartitionDefinition, make_directories)},
        {"MakeSymlinks", definition_set_symlinks, offsetof(PartitionDefinition, make_symlinks)},
        {"Subvolumes", definition_set_subvolumes, offsetof(PartitionDefinition, subvolumes)},
        {"DefaultSubvolume", set_default_subvolume, 0},
        {"Minimize", set_minimize, offsetof(PartitionDefinition, minimize)},
        {"Verity", set_verity, offsetof(PartitionDefinition, verity)},
        {"VerityMatchKey", set_string, offsetof(PartitionDefinition, verity_match_key)},
        {"VerityDataBlockSizeBytes", set_verity_block_size, 0},
        {"VerityHashBlockSizeBytes", set_verity_block_size, 0},
        {"Compression", set_string, offsetof(PartitionDefinition, compression)},
        {"CompressionLevel", set_compression_level, offsetof(PartitionDefinition, compression_level)},
        {"SplitName", set_split_name, offsetof(PartitionDefinition, split_name)},
        {"Flags", set_flags, offsetof(PartitionDefinition, flags)},
        {"NoAuto", set_tristate, offsetof(PartitionDefinition, no_auto)},
        {"ReadOnly", set_tristate, offsetof(PartitionDefinition, read_only)},
        {"GrowFileSystem", set_tristate, offsetof(PartitionDefinition, grow_file_system)},
        {"AddValidateFS", set_tristate, offsetof(PartitionDefinition, add_validatefs)},
        {"MountPoint", definition_set_mount_point, offsetof(PartitionDefinition, mount_points)},
        {"FileSystemSectorSize", set_fs_sector_size, offsetof(PartitionDefinition, fs_sector_size)},
        {"SupplementFor", set_string, offsetof(PartitionDefinition, supplement_for)},
        {"VolumeLabel", set_volume_label, offsetof(PartitionDefinition, volume_label)},
        {"VolumeName", set_volume_name, offsetof(PartitionDefinition, volume_name)},
        {"EncryptKDF", set_encrypt_kdf, offsetof(PartitionDefinition, encrypt_kdf)},
        {"EncryptedVolume", set_encrypted_volume, offsetof(PartitionDefinition, encrypted_volume)},
        {"TPM2PCRs", check_pcrs, 0},
        {"KeyFile", refuse_key_file, 0},
        {"Discard", check_boolean, 0},
        {"Integrity", refuse_integrity, 0},
        {"IntegrityAlgorithm", ignore, 0},
        {"BlockDeviceReplace", refuse_replace, 0},
        {"FactoryReset", check_boolean, 0},
        {"Encrypt", set_encrypt, offsetof(PartitionDefinition, encrypt)},
};

gboolean definition_assign(Place *place, const char *name, const char *value, GError **error) {
    if (g_str_has_prefix(name, "X-"))
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
        if (g_str_equal(settings[i].name, name)) {
            place->setting = settings[i].name;
            gboolean done =
                    settings[i].set(place, value, (char *) place->definition + settings[i].offset, error);
            place->setting = NULL;
            return done;
        }
    /* A later systemd may know it. */
    events_warning_once("%s:%u: unknown setting \"%s\" is ignored", place->path, place->line, name);
    return TRUE;
}

