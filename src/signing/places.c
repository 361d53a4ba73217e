/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signing/places.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "base/sha256.h"
#include "format/efi/pe/pe.h"
#include "format/fat/fat-reader.h"
#include "format/verity/signature/verity-signature.h"
#include "format/verity/verity.h"
#include "inspect/disk/partitions.h"

#define BLOCK (256u * 1024)
#define GAP 16
#define PE_SIZE_MAX (1024u * 1024 * 1024)
#define VARIABLE_SIZE_MAX (1024u * 1024)
#define DEPTH_MAX 16

typedef struct {
    const char *artifact;
    int fd;
    guint64 size;
    GPtrArray *certificates;
    GPtrArray *things;
} Scan;

static void place_free(gpointer data) {
    SigningPlace *place = data;
    g_free(place->artifact);
    g_array_unref(place->ranges);
    g_free(place);
}

/* Updates of several variables may differ in nothing but their signatures, which are not there yet. */
static gboolean has_same_name(const char *a, const char *b) {
    g_autofree char *x = g_path_get_basename(a), *y = g_path_get_basename(b);
    return g_ascii_strcasecmp(x, y) == 0;
}

/* Takes RANGES. A thing that is known gets one place more. */
static void add_place(Scan *scan, SigningType type, const char *title, GBytes *content, GArray *ranges) {
    SigningPlace *place = g_new0(SigningPlace, 1);
    place->artifact = g_strdup(scan->artifact);
    place->ranges = ranges;
    for (guint i = 0; i < scan->things->len; i++) {
        SigningThing *thing = scan->things->pdata[i];
        if (thing->type == type && (type != SIGNING_VARIABLE || has_same_name(thing->title, title)) &&
                g_bytes_equal(thing->content, content)) {
            g_ptr_array_add(thing->places, place);
            return;
        }
    }
    GPtrArray *places = g_ptr_array_new_with_free_func(place_free);
    g_ptr_array_add(places, place);
    g_ptr_array_add(scan->things, signing_thing_new(type, title, g_bytes_ref(content), places));
}

/* CONTENT at RANGES (taken) is a thing of TYPE if it waits for something. */
static void consider(Scan *scan, SigningType type, const char *title, GBytes *content, GArray *ranges) {
    g_autoptr(SigningThing) thing = signing_thing_new(type, title, g_bytes_ref(content), NULL);

    if (signing_thing_is_pending(thing, scan->certificates))
        add_place(scan, type, title, content, ranges);
    else
        g_array_unref(ranges);
}

static GArray *one_range(guint64 offset, guint64 size) {
    GArray *ranges = g_array_new(FALSE, FALSE, sizeof(FatRange));
    FatRange range = {offset, size};
    g_array_append_val(ranges, range);
    return ranges;
}

static GBytes *read_range(Scan *scan, guint64 offset, gsize size, GError **error) {
    g_autofree guint8 *data = g_malloc(size);

    if (pread_up_to(scan->fd, data, size, offset) != (gssize) size) {
        set_errno_error(error, errno ? errno : EIO, "Cannot read %s", scan->artifact);
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&data), size);
}

static gboolean scan_fat_file(Scan *scan, FatReader *fat, const FatEntry *entry, const char *path, GError **error) {
    g_autofree char *lower = g_ascii_strdown(path, -1);
    gboolean variable = g_str_has_suffix(lower, ".auth") && entry->size <= VARIABLE_SIZE_MAX;

    if (entry->size == 0 || entry->size > PE_SIZE_MAX)
        return TRUE;
    g_autoptr(GBytes) content = fat_reader_read(fat, entry, error);
    g_autoptr(GArray) ranges = content ? fat_reader_get_ranges(fat, entry, error) : NULL;
    if (!ranges)
        return FALSE;
    if (variable)
        consider(scan, SIGNING_VARIABLE, path, content, g_steal_pointer(&ranges));
    else if (pe_is_image(g_bytes_get_data(content, NULL), g_bytes_get_size(content)))
        consider(scan, SIGNING_PE, path, content, g_steal_pointer(&ranges));
    return TRUE;
}

static gboolean scan_fat_directory(Scan *scan, FatReader *fat, const char *path, guint depth, GError **error) {
    g_autoptr(GPtrArray) entries = depth < DEPTH_MAX ? fat_reader_list(fat, path, error) : NULL;

    if (!entries) {
        if (depth == DEPTH_MAX)
            g_set_error_literal(error, SIGNING_ERROR, SIGNING_ERROR_MALFORMED, "directories without end");
        return FALSE;
    }
    for (guint i = 0; i < entries->len; i++) {
        const FatEntry *entry = entries->pdata[i];
        g_autofree char *below = *path ? g_strdup_printf("%s/%s", path, entry->name) : g_strdup(entry->name);
        if (entry->is_directory ? !scan_fat_directory(scan, fat, below, depth + 1, error)
                                : !scan_fat_file(scan, fat, entry, below, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean scan_fat(Scan *scan, guint64 offset, guint64 size, GError **error) {
    g_autoptr(FatReader) fat = fat_reader_new(scan->fd, offset, size, error);
    return fat && scan_fat_directory(scan, fat, "", 0, error);
}

static gboolean scan_signature(Scan *scan, const char *title, guint64 offset, guint64 size, GError **error) {
    if (size < VERITY_SIGNATURE_PARTITION_SIZE)
        return TRUE;
    g_autoptr(GBytes) content = read_range(scan, offset, VERITY_SIGNATURE_PARTITION_SIZE, error);
    if (!content)
        return FALSE;
    consider(scan, SIGNING_VERITY, title, content, one_range(offset, VERITY_SIGNATURE_PARTITION_SIZE));
    return TRUE;
}

/* The root hash of a hash tree is the digest of its topmost block. */
static gboolean read_root_hash(Scan *scan, const InspectPartition *hash, guint8 ret_hash[static VERITY_DIGEST_SIZE]) {
    guint8 blocks[2 * VERITY_BLOCK_SIZE];
    VeritySuperblock super;

    if (hash->size < sizeof blocks ||
            pread_up_to(scan->fd, blocks, sizeof blocks, hash->offset) != (gssize) sizeof blocks ||
            !verity_superblock_parse(blocks, VERITY_BLOCK_SIZE, &super, NULL) || super.data_blocks < 2)
        return FALSE;
    g_autoptr(Sha256) digest = sha256_new();
    sha256_update(digest, super.salt, super.salt_size);
    sha256_update(digest, blocks + VERITY_BLOCK_SIZE, VERITY_BLOCK_SIZE);
    sha256_finish(digest, ret_hash);
    return TRUE;
}

static const InspectPartition *find_hash(GPtrArray *partitions, const InspectPartition *signature) {
    for (guint i = 0; i < partitions->len; i++) {
        const InspectPartition *partition = partitions->pdata[i];
        if (partition->role == INSPECT_ROLE_VERITY && partition->designator == signature->designator)
            return partition;
    }
    return NULL;
}

/* What an empty signature partition is to hold: a signature, by the one key that there is, of the root hash that the hash
 * partition beside it has. NULL: nothing, as in a free slot. */
static GBytes *make_pending(Scan *scan, GPtrArray *partitions, const InspectPartition *signature) {
    const InspectPartition *hash = find_hash(partitions, signature);
    guint8 root_hash[VERITY_DIGEST_SIZE];

    if (!hash || scan->certificates->len == 0 || !read_root_hash(scan, hash, root_hash))
        return NULL;
    const Certificate *certificate = scan->certificates->pdata[0];
    g_autoptr(KeySource) key = signing_key_without_answer(certificate);
    g_autoptr(GBytes) message = verity_signature_sign(root_hash, sizeof root_hash, key, certificate, NULL);
    return message ? verity_signature_partition_build(root_hash, sizeof root_hash, message, certificate, NULL) : NULL;
}

/* Verity=defer leaves the partition empty. */
static gboolean scan_empty(Scan *scan, GPtrArray *partitions, const InspectPartition *signature, const char *title,
        GError **error) {
    g_autoptr(GBytes) content =
            signature->size >= VERITY_SIGNATURE_PARTITION_SIZE
                    ? read_range(scan, signature->offset, VERITY_SIGNATURE_PARTITION_SIZE, error)
                    : NULL;
    static const guint8 zeros[VERITY_SIGNATURE_PARTITION_SIZE];

    if (!content)
        return signature->size < VERITY_SIGNATURE_PARTITION_SIZE;
    g_autoptr(GBytes) pending = memcmp(g_bytes_get_data(content, NULL), zeros, sizeof zeros) == 0
                                        ? make_pending(scan, partitions, signature)
                                        : NULL;
    if (pending)
        add_place(scan, SIGNING_VERITY, title, pending, one_range(signature->offset, sizeof zeros));
    return TRUE;
}

static gboolean scan_disk(Scan *scan, const char *path, GError **error) {
    g_autoptr(GPtrArray) problems = NULL;
    g_autoptr(GPtrArray) partitions = inspect_partitions_read(path, &problems, error);

    if (!partitions)
        return FALSE;
    for (guint i = 0; i < partitions->len; i++) {
        const InspectPartition *partition = partitions->pdata[i];
        g_autofree char *title = g_strdup_printf(
                "%s of %s", inspect_designator_to_string(partition->designator), scan->artifact);
        if (partition->offset > scan->size || partition->size > scan->size - partition->offset)
            continue;
        if (partition->role == INSPECT_ROLE_VERITY_SIGNATURE
                        ? !scan_signature(scan, title, partition->offset, partition->size, error) ||
                                  !scan_empty(scan, partitions, partition, title, error)
                        : (partition->designator == INSPECT_ESP || partition->designator == INSPECT_XBOOTLDR) &&
                                  !scan_fat(scan, partition->offset, partition->size, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean has_magic(Scan *scan, guint64 offset, const char *magic) {
    char buffer[16] = {};
    gsize size = strlen(magic);
    return pread_up_to(scan->fd, buffer, size, offset) == (gssize) size && memcmp(buffer, magic, size) == 0;
}

/* A file of the whole. */
static gboolean scan_whole(Scan *scan, SigningType type, GError **error) {
    g_autoptr(GBytes) content = scan->size <= PE_SIZE_MAX ? read_range(scan, 0, scan->size, error) : NULL;

    if (!content)
        return scan->size > PE_SIZE_MAX;
    if (type != SIGNING_PE || pe_is_image(g_bytes_get_data(content, NULL), scan->size))
        consider(scan, type, scan->artifact, content, one_range(0, scan->size));
    return TRUE;
}

static gboolean scan_artifact(Scan *scan, const char *path, GError **error) {
    if (scan->size == 0)
        return TRUE;
    if (has_magic(scan, 512, "EFI PART") || has_magic(scan, 4096, "EFI PART"))
        return scan_disk(scan, path, error);
    if (has_magic(scan, 0, "MZ"))
        return scan_whole(scan, SIGNING_PE, error);
    if (has_magic(scan, 0, "{\"rootHash\"") && scan->size == VERITY_SIGNATURE_PARTITION_SIZE)
        return scan_signature(scan, scan->artifact, 0, scan->size, error);
    if (g_str_has_suffix(scan->artifact, ".pcrs"))
        return scan_whole(scan, SIGNING_PCR, error);
    /* An ESP that was split off. */
    if (has_magic(scan, 510, "\x55\xaa") && g_str_has_suffix(scan->artifact, ".raw"))
        return scan_fat(scan, 0, scan->size, error);
    return TRUE;
}

static int compare_things(gconstpointer a, gconstpointer b) {
    const SigningThing *x = *(SigningThing *const *) a, *y = *(SigningThing *const *) b;
    return strcmp(x->title, y->title);
}

GPtrArray *signing_scan(const char *directory, GPtrArray *names, GPtrArray *certificates, GError **error) {
    g_autoptr(GPtrArray) things = g_ptr_array_new_with_free_func((GDestroyNotify) signing_thing_free);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(directory, name, NULL);
        AUTO_FD fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        struct stat info;

        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0 || fstat(fd, &info) < 0) {
            set_errno_error(error, errno, "Cannot read %s", path);
            return NULL;
        }
        Scan scan = {name, fd, (guint64) info.st_size, certificates, things};
        if (S_ISREG(info.st_mode) && !scan_artifact(&scan, path, error)) {
            g_prefix_error(error, "Cannot look for signatures in %s: ", path);
            return NULL;
        }
    }
    g_ptr_array_sort(things, compare_things);
    return g_steal_pointer(&things);
}

/* The next bytes from START on that differ in A and B (SIZE bytes); those that are the same for GAP bytes end them. */
static gboolean next_difference(
        const guint8 *a, const guint8 *b, gsize size, gsize start, gsize *ret_start, gsize *ret_end) {
    gsize i = start;

    while (i < size && a[i] == b[i])
        i++;
    *ret_start = *ret_end = i;
    for (; i < size && i - *ret_end < GAP; i++)
        if (a[i] != b[i])
            *ret_end = i + 1;
    return *ret_end > *ret_start;
}

/* Writes those bytes of DATA (SIZE bytes) at OFFSET that are not there yet. */
static gboolean write_differences(int fd, guint64 offset, const guint8 *data, gsize size, guint64 *ret_written) {
    g_autofree guint8 *present = g_malloc(BLOCK);

    for (gsize done = 0, step; done < size; done += step) {
        step = MIN(BLOCK, size - done);
        if (pread_up_to(fd, present, step, offset + done) != (gssize) step)
            return FALSE;
        for (gsize start = 0, end; next_difference(present, data + done, step, start, &start, &end); start = end) {
            if (!pwrite_all(fd, data + done + start, end - start, offset + done + start, NULL))
                return FALSE;
            *ret_written += end - start;
        }
    }
    return TRUE;
}

static gboolean write_place(const SigningPlace *place, const char *directory, GBytes *content, guint64 *ret_written,
        GError **error) {
    g_autofree char *path = g_build_filename(directory, place->artifact, NULL);
    AUTO_FD fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    const guint8 *data = g_bytes_get_data(content, NULL);

    for (guint i = 0; fd >= 0 && i < place->ranges->len; i++) {
        FatRange range = g_array_index(place->ranges, FatRange, i);
        if (!write_differences(fd, range.offset, data, range.size, ret_written))
            return set_errno_error(error, errno, "Cannot write %s", path);
        data += range.size;
    }
    return (fd >= 0 && fsync(fd) == 0) || set_errno_error(error, errno, "Cannot write %s", path);
}

gboolean signing_thing_write(const SigningThing *thing, const char *directory, GBytes *content, guint64 *ret_written,
        GError **error) {
    g_assert(g_bytes_get_size(content) == g_bytes_get_size(thing->content));
    for (guint i = 0; i < thing->places->len; i++)
        if (!write_place(thing->places->pdata[i], directory, content, ret_written, error))
            return FALSE;
    return TRUE;
}
