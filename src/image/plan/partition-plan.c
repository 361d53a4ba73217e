/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/plan/partition-plan.h"

#include "base/hex.h"
#include "events/events.h"
#include "format/verity/signature/verity-signature.h"
#include "format/verity/verity.h"
#include "image/definitions/disk-error.h"
#include "text/size.h"

#include <string.h>

#define MIB (G_GUINT64_CONSTANT(1024) * 1024)

static guint64 round_up(guint64 size) {
    return (size + PARTITION_GRAIN - 1) / PARTITION_GRAIN * PARTITION_GRAIN;
}

static void planned_partition_free(gpointer data) {
    PlannedPartition *partition = data;

    g_free(partition->label);
    g_free(partition->root_hash);
    g_free(partition);
}

void plan_free(Plan *plan) {
    if (!plan)
        return;
    g_ptr_array_unref(plan->partitions);
    g_free(plan);
}

static gboolean fail_at(const PartitionDefinition *definition, GError **error, const char *format, ...)
        G_GNUC_PRINTF(3, 4);

static gboolean fail_at(const PartitionDefinition *definition, GError **error, const char *format, ...) {
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, DISK_ERROR, DISK_ERROR_PLAN, "%s:%u: %s", definition->path,
            MAX(definition->type_line, 1), message);
    return FALSE;
}

/* ---- names -------------------------------------------------------------------------------------------- */

static gboolean uuid_taken(const Plan *plan, const Uuid *uuid) {
    for (guint i = 0; i < plan->partitions->len; i++) {
        const PlannedPartition *other = plan->partitions->pdata[i];
        if (uuid_is_equal(&other->uuid, uuid))
            return TRUE;
    }
    return FALSE;
}

static gboolean label_taken(const Plan *plan, const char *label) {
    for (guint i = 0; i < plan->partitions->len; i++) {
        const PlannedPartition *other = plan->partitions->pdata[i];
        if (g_strcmp0(other->label, label) == 0)
            return TRUE;
    }
    return FALSE;
}

static Uuid choose_uuid(const Plan *plan, const PartitionDefinition *definition, const Uuid *seed) {
    Uuid uuid;
    guint64 counter = 0;

    if (definition->uuid_set)
        return definition->uuid;
    do
        uuid = uuid_derive_partition(seed, &definition->type.uuid, counter++);
    while (uuid_taken(plan, &uuid));
    return uuid;
}

/* The label of the definition, else the name of the type, numbered where it is taken. */
static char *choose_label(const Plan *plan, const PartitionDefinition *definition) {
    g_autofree char *label = NULL;
    /* A type without a name is called as systemd-repart calls it. */
    gboolean named =
            definition->type.role != PARTITION_OTHER || strlen(definition->type.name) != UUID_TEXT_LENGTH;
    const char *name = named ? definition->type.name : "linux";

    if (definition->label)
        return g_strdup(definition->label);
    label = g_strdup(name);
    for (guint number = 2; label_taken(plan, label); number++) {
        g_free(label);
        label = g_strdup_printf("%s-%u", name, number);
    }
    return g_steal_pointer(&label);
}

static void add_partition(Plan *plan, const PartitionDefinition *definition, const Uuid *seed) {
    PlannedPartition *partition = g_new0(PlannedPartition, 1);

    partition->definition = definition;
    partition->number = plan->partitions->len + 1;
    partition->uuid = choose_uuid(plan, definition, seed);
    partition->luks = uuid_derive(&partition->uuid, "luks-uuid");
    partition->file_system = uuid_derive(&partition->uuid, "file-system-uuid");
    partition->label = choose_label(plan, definition);
    partition->content_size = SIZE_NOT_SET;
    g_ptr_array_add(plan->partitions, partition);
}

/* ---- verity siblings ---------------------------------------------------------------------------------- */

static PlannedPartition *find_verity(const Plan *plan, const char *key, PartitionVerity what) {
    for (guint i = 0; i < plan->partitions->len; i++) {
        PlannedPartition *partition = plan->partitions->pdata[i];
        if (partition->definition->verity == what &&
                g_str_equal(partition->definition->verity_match_key, key))
            return partition;
    }
    return NULL;
}

/* Points PARTITION to its siblings, or says what is missing. */
static gboolean match_siblings(Plan *plan, PlannedPartition *partition, GError **error) {
    const PartitionDefinition *definition = partition->definition;
    const char *key = definition->verity_match_key;

    if (find_verity(plan, key, definition->verity) != partition)
        return fail_at(definition, error,
                "there is already a partition with this Verity= and VerityMatchKey=%s: %s", key,
                find_verity(plan, key, definition->verity)->definition->path);
    partition->data = find_verity(plan, key, PARTITION_VERITY_DATA);
    if (!partition->data)
        return fail_at(definition, error, "no definition has Verity=data and VerityMatchKey=%s", key);
    partition->hash = find_verity(plan, key, PARTITION_VERITY_HASH);
    if (!partition->hash)
        return fail_at(definition, error, "no definition has Verity=hash and VerityMatchKey=%s", key);
    partition->signature = find_verity(plan, key, PARTITION_VERITY_SIGNATURE);
    return TRUE;
}

static gboolean check_mode(
        const PartitionDefinition *definition, DiskVerity verity, gboolean can_sign, GError **error) {
    if (verity == DISK_VERITY_DISABLED)
        return fail_at(definition, error,
                "the definition asks for verity, but the recipe says Verity=disabled "
                "(set Verity=signed, hash or auto, or remove Verity= here)");
    if (definition->verity != PARTITION_VERITY_SIGNATURE || verity == DISK_VERITY_DEFER)
        return TRUE;
    if (verity == DISK_VERITY_HASH)
        return fail_at(definition, error,
                "the definition asks for a signature, but the recipe says Verity=hash "
                "(set Verity=signed or Verity=defer, or remove this definition)");
    if (!can_sign)
        return fail_at(definition, error,
                "signing needs a key and a certificate (make them with \"particleos genkey\", or set "
                "VerityKey= "
                "and VerityCertificate=; Verity=defer leaves the signature for later)");
    return TRUE;
}

static gboolean match_verity(Plan *plan, DiskVerity verity, gboolean can_sign, GError **error) {
    gboolean any_signature = FALSE;

    for (guint i = 0; i < plan->partitions->len; i++) {
        PlannedPartition *partition = plan->partitions->pdata[i];
        if (partition->definition->verity == PARTITION_VERITY_OFF)
            continue;
        any_signature |= partition->definition->verity == PARTITION_VERITY_SIGNATURE;
        if (!check_mode(partition->definition, verity, can_sign, error) ||
                !match_siblings(plan, partition, error))
            return FALSE;
    }
    if (verity == DISK_VERITY_SIGNED && !any_signature) {
        g_set_error(error, DISK_ERROR, DISK_ERROR_PLAN,
                "the recipe says Verity=signed, but no partition definition has Verity=signature "
                "(add one to mkosi.repart)");
        return FALSE;
    }
    return TRUE;
}

/* The smallest size of a useful file system. */
static guint64 format_minimum(PartitionFormat format) {
    switch (format) {
    case PARTITION_FORMAT_EXT4:
        return 32 * MIB;
    case PARTITION_FORMAT_BTRFS:
        return 256 * MIB;
    default:
        return PARTITION_GRAIN;
    }
}

/* The file system that is asked for must have a chance to fit. */
static gboolean check_room(const PartitionDefinition *definition, GError **error) {
    guint64 minimum = format_minimum(definition->format);

    if (minimum == PARTITION_GRAIN || definition->minimize != PARTITION_MINIMIZE_OFF ||
            definition->size_max >= minimum)
        return TRUE;
    g_autofree char *needed = text_format_size(minimum);
    g_autofree char *allowed = text_format_size(definition->size_max);
    return fail_at(definition, error, "Format=%s needs at least %s, but SizeMaxBytes= allows %s",
            partition_format_to_string(definition->format), needed, allowed);
}

/* What mksquashfs and mkfs.btrfs take; erofs knows zstd only, which all levels are for. */
static gboolean check_level(const PartitionDefinition *definition, GError **error) {
    static const struct {
        PartitionFormat format;
        const char *compression;
        gint64 least, most;
    } levels[] = {
            {PARTITION_FORMAT_SQUASHFS, "gzip", 1, 9},
            {PARTITION_FORMAT_SQUASHFS, "lzo", 1, 9},
            {PARTITION_FORMAT_SQUASHFS, "zstd", 1, 22},
            {PARTITION_FORMAT_BTRFS, "zlib", 1, 9},
            {PARTITION_FORMAT_BTRFS, "zstd", 1, 15},
    };
    const char *compression = definition->compression;

    if (!compression && definition->format == PARTITION_FORMAT_SQUASHFS)
        compression = "gzip";
    for (gsize i = 0; i < G_N_ELEMENTS(levels) && definition->compression_level >= 0; i++)
        if (levels[i].format == definition->format && g_strcmp0(levels[i].compression, compression) == 0 &&
                (definition->compression_level < levels[i].least ||
                        definition->compression_level > levels[i].most))
            return fail_at(definition, error,
                    "CompressionLevel=%" G_GINT64_FORMAT ": Format=%s with Compression=%s has levels from %"
                    G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                    definition->compression_level, partition_format_to_string(definition->format), compression,
                    levels[i].least, levels[i].most);
    return TRUE;
}

/* Of FAT32, in sectors of SIZE bytes and clusters of one sector: with fewer clusters it is taken for FAT16. */
static guint64 fat32_minimum(guint size) {
    guint64 clusters = 65525, table = (clusters + 2) * 4, sum = (clusters + 32) * size + 2 * table;

    return (sum + MIB - 1) / MIB * MIB;
}

/* No kernel mounts a FAT whose sectors are smaller than those of the disk. */
static gboolean check_sectors(const PartitionDefinition *definition, guint disk_sector_size, GError **error) {
    if (definition->format != PARTITION_FORMAT_VFAT || definition->fs_sector_size == 0 ||
            definition->fs_sector_size >= disk_sector_size)
        return TRUE;
    return fail_at(definition, error,
            "FileSystemSectorSize=%u: the sectors of a FAT cannot be smaller than those of the disk, which "
            "have %u bytes (SectorSize=)",
            definition->fs_sector_size, disk_sector_size);
}

static gboolean check_uuid(GPtrArray *definitions, guint index, GError **error) {
    const PartitionDefinition *definition = definitions->pdata[index];
    const Uuid null = {};

    for (guint i = 0; i < index && definition->uuid_set && !uuid_is_equal(&definition->uuid, &null); i++) {
        const PartitionDefinition *other = definitions->pdata[i];
        if (other->uuid_set && uuid_is_equal(&other->uuid, &definition->uuid))
            return fail_at(definition, error, "UUID= is that of %s, too", other->path);
    }
    return TRUE;
}

static gboolean check_formats(GPtrArray *definitions, guint sector_size, GError **error) {
    for (guint i = 0; i < definitions->len; i++)
        if (!check_room(definitions->pdata[i], error) || !check_level(definitions->pdata[i], error) ||
                !check_sectors(definitions->pdata[i], sector_size, error) || !check_uuid(definitions, i, error))
            return FALSE;
    return TRUE;
}

/* An empty one is made nevertheless. */
static void warn_of_small_fat(const Plan *plan) {
    for (guint i = 0; i < plan->partitions->len; i++) {
        const PlannedPartition *partition = plan->partitions->pdata[i];
        const PartitionDefinition *definition = partition->definition;
        guint sector_size = definition->fs_sector_size ? definition->fs_sector_size : plan->sector_size;
        guint64 minimum = fat32_minimum(sector_size);

        if (definition->format != PARTITION_FORMAT_VFAT || plan_file_system_size(plan, partition) >= minimum ||
                definition->copy_files->len + definition->make_directories->len == 0)
            continue;
        g_autofree char *size = text_format_size(plan_file_system_size(plan, partition));
        events_warning_once("%s:%u: a FAT32 of %s is so small that some programs take it for another FAT (older "
                        "mtools cannot write into it): set SizeMinBytes= to %" G_GUINT64_FORMAT "M or more",
                definition->path, MAX(definition->type_line, 1), size, minimum / MIB);
    }
}

Plan *plan_new(GPtrArray *definitions, const Uuid *seed, guint sector_size, guint64 minimum_size,
        DiskVerity verity, gboolean can_sign, GError **error) {
    g_autoptr(Plan) plan = g_new0(Plan, 1);

    plan->partitions = g_ptr_array_new_with_free_func(planned_partition_free);
    plan->disk_uuid = uuid_derive(seed, "disk-uuid");
    plan->verity_uuid = uuid_derive(seed, "verity-uuid");
    plan->sector_size = sector_size;
    plan->minimum_size = minimum_size;
    uuid_hmac(seed, "verity-salt", strlen("verity-salt"), plan->verity_salt);
    if (definitions->len > 128) {
        g_set_error(error, DISK_ERROR, DISK_ERROR_PLAN,
                "there are %u partition definitions, a partition table has room for 128", definitions->len);
        return NULL;
    }
    if (!check_formats(definitions, sector_size, error))
        return NULL;
    for (guint i = 0; i < definitions->len; i++)
        add_partition(plan, definitions->pdata[i], seed);
    warn_of_small_fat(plan);
    return match_verity(plan, verity, can_sign, error) ? g_steal_pointer(&plan) : NULL;
}

void plan_set_root_hash(PlannedPartition *data, const guint8 root_hash[32]) {
    PlannedPartition *siblings[] = {data, data->hash, data->signature};
    Uuid data_uuid, hash_uuid;
    g_autofree char *hex = hex_encode(root_hash, 32);

    for (gsize i = 0; i < G_N_ELEMENTS(siblings); i++)
        if (siblings[i]) {
            g_free(siblings[i]->root_hash);
            siblings[i]->root_hash = g_strdup(hex);
        }
    verity_partition_uuids(root_hash, data_uuid.bytes, hash_uuid.bytes);
    if (!data->definition->uuid_set)
        data->uuid = data_uuid;
    if (!data->hash->definition->uuid_set)
        data->hash->uuid = hash_uuid;
}

/* ---- sizes -------------------------------------------------------------------------------------------- */

/* The partition is as large as its content turns out to be. */
static gboolean is_minimized(const PartitionDefinition *definition) {
    return definition->minimize != PARTITION_MINIMIZE_OFF && definition->format != PARTITION_FORMAT_SWAP;
}

/* What the size is when the definition does not say one. */
static guint64 default_size(const PartitionDefinition *definition) {
    PartitionRole role = definition->type.role;

    if (is_minimized(definition))
        return PARTITION_GRAIN;
    return role == PARTITION_ROOT_VERITY_SIG || role == PARTITION_USR_VERITY_SIG
                   ? VERITY_SIGNATURE_PARTITION_SIZE
                   : 10 * MIB;
}

guint64 plan_minimal_size(const Plan *plan, const PlannedPartition *partition) {
    const PartitionDefinition *definition = partition->definition;
    PartitionRole role = definition->type.role;
    guint sector_size = definition->fs_sector_size ? definition->fs_sector_size : plan->sector_size;

    if (definition->verity == PARTITION_VERITY_SIGNATURE)
        return VERITY_SIGNATURE_PARTITION_SIZE;
    guint64 size = definition->size_min != SIZE_NOT_SET ? MAX(definition->size_min, PARTITION_GRAIN)
                                                        : default_size(definition);
    if ((role == PARTITION_ESP || role == PARTITION_XBOOTLDR) && definition->format == PARTITION_FORMAT_VFAT)
        size = MIN(MAX(size, (sector_size > 512 ? 260 : 100) * MIB), definition->size_max);
    guint64 least = is_minimized(definition) ? PARTITION_GRAIN : format_minimum(definition->format);
    if (definition->encrypt)
        size = definition->size_min == SIZE_NOT_SET ? size + LUKS_HEADER_SIZE : size;
    return round_up(MAX(size, least + (definition->encrypt ? LUKS_HEADER_SIZE : 0)));
}

guint64 plan_file_system_size(const Plan *plan, const PlannedPartition *partition) {
    return plan_minimal_size(plan, partition) - (partition->definition->encrypt ? LUKS_HEADER_SIZE : 0);
}

/* TRUE when the size does not depend on content: any content that does not fit will be an error. */
static gboolean size_is_fixed(const PartitionDefinition *definition) {
    return definition->verity == PARTITION_VERITY_SIGNATURE ||
           (definition->size_min != SIZE_NOT_SET && definition->size_min == definition->size_max);
}

guint64 plan_early_offset(const Plan *plan, const PlannedPartition *partition) {
    guint64 offset = PLAN_HEAD_SIZE;

    for (guint i = 0; i < plan->partitions->len; i++) {
        const PlannedPartition *other = plan->partitions->pdata[i];
        if (other == partition)
            return offset;
        if (!size_is_fixed(other->definition))
            return 0;
        offset += plan_minimal_size(plan, other);
        if (other->definition->padding_min != SIZE_NOT_SET)
            offset += other->definition->padding_min;
    }
    return 0;
}

guint64 plan_maximal_size(const Plan *plan, const PlannedPartition *partition) {
    const PartitionDefinition *definition = partition->definition;

    if (definition->size_max == SIZE_NOT_SET || definition->verity == PARTITION_VERITY_SIGNATURE)
        return SIZE_NOT_SET;
    /* A size that is not given has a minimum all the same, which wins. */
    return MAX(definition->size_max, plan_minimal_size(plan, partition));
}

static gboolean check_maximum(const Plan *plan, const PlannedPartition *partition, GError **error) {
    guint64 maximum = plan_maximal_size(plan, partition);

    if (partition->size <= maximum)
        return TRUE;
    g_autofree char *needed = text_format_size(partition->size), *allowed = text_format_size(maximum);
    g_set_error(error, DISK_ERROR, DISK_ERROR_CONTENT,
            "%s: the partition needs %s, but SizeMaxBytes= allows %s (raise it, or put less into the image)",
            partition->definition->path, needed, allowed);
    return FALSE;
}

gboolean plan_layout(Plan *plan, GError **error) {
    guint64 offset = PLAN_HEAD_SIZE;

    for (guint i = 0; i < plan->partitions->len; i++) {
        PlannedPartition *partition = plan->partitions->pdata[i];
        guint64 content = partition->content_size == SIZE_NOT_SET ? 0 : partition->content_size;

        partition->size = MAX(plan_minimal_size(plan, partition), round_up(content));
        if (!check_maximum(plan, partition, error))
            return FALSE;
        partition->offset = offset;
        offset += partition->size;
        if (partition->definition->padding_min != SIZE_NOT_SET)
            offset += partition->definition->padding_min;
    }
    plan->size =
            MAX(round_up(offset + PLAN_TAIL_SIZE), plan->minimum_size / PARTITION_GRAIN * PARTITION_GRAIN);
    return TRUE;
}
