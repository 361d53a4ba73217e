/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/volumes/fat-limits.h"

#include "image/definitions/disk-error.h"
#include "text/size.h"

#include <string.h>

#define NAME_UNITS 255                          /* UTF-16 units of a long name */
#define NAME_UNITS_PER_ENTRY 13                 /* of a directory entry that continues a long name */
#define DIRECTORY_ENTRIES 65536                 /* 2 MiB of directory */
#define FILE_SIZE G_GUINT64_CONSTANT(0xffffffff)

typedef struct {
    char *path, *source;
    gboolean is_directory;
    guint entries; /* of a directory: how many its content takes */
} Thing;

struct FatLimits {
    GHashTable *things; /* path without regard to case → Thing */
    guint64 bytes;
};

static void thing_free(gpointer data) {
    Thing *thing = data;

    g_free(thing->path);
    g_free(thing->source);
    g_free(thing);
}

FatLimits *fat_limits_new(void) {
    FatLimits *limits = g_new0(FatLimits, 1);

    limits->things = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, thing_free);
    return limits;
}

void fat_limits_free(FatLimits *limits) {
    if (!limits)
        return;
    g_hash_table_unref(limits->things);
    g_free(limits);
}

static gboolean fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean fail(GError **error, const char *format, ...) {
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, DISK_ERROR, DISK_ERROR_CONTENT, message);
    return FALSE;
}

/* UTF-16 units of NAME, or -1 and an error for a name that FAT cannot hold. */
static glong check_name(const char *path, const char *name, GError **error) {
    glong units = 0;

    if (!g_utf8_validate(name, -1, NULL)) {
        g_autofree char *shown = g_utf8_make_valid(path, -1);
        fail(error, "the name of %s is not valid UTF-8", shown);
        return -1;
    }
    for (const char *at = name; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (c < 0x20 || c == 0x7f || (c < 0x80 && strchr("\"*:<>?\\|", (int) c))) {
            g_autofree char *shown = g_strescape(path, NULL);
            fail(error, "%s: a name there cannot contain control characters or one of \"*:<>?\\|",
                    shown);
            return -1;
        }
        units += c > 0xffff ? 2 : 1;
    }
    if (g_str_has_suffix(name, ".") || g_str_has_suffix(name, " "))
        fail(error, "%s: a name there cannot end with a dot or a blank", path);
    else if (units > NAME_UNITS)
        fail(error, "%s: the name has %ld UTF-16 units, there is room for %d", path, units, NAME_UNITS);
    else
        return units;
    return -1;
}

/* What is at PATH already, another thing than the one from SOURCE. */
static gboolean check_other(const Thing *other, const char *path,
        gboolean is_directory, const char *source, GError **error) {
    if (!g_str_equal(other->path, path))
        return fail(error, "%s and %s are one name there, where case does not count (rename one)",
                other->path, path);
    if (other->is_directory != is_directory)
        return fail(error, "%s is a directory in one source of CopyFiles= and a file in another", path);
    if (!is_directory && !g_str_equal(other->source, source))
        return fail(error, "%s comes from %s and from %s (remove one of the two)", path,
                other->source, source);
    return TRUE;
}

static gboolean add(FatLimits *limits, const char *path, gboolean is_directory, const char *source,
        gboolean *ret_new, GError **error) {
    g_autofree char *key = g_utf8_casefold(path, -1);
    const Thing *other = g_hash_table_lookup(limits->things, key);

    *ret_new = !other;
    if (other)
        return check_other(other, path, is_directory, source, error);
    Thing *thing = g_new0(Thing, 1);
    *thing = (Thing){g_strdup(path), g_strdup(source), is_directory, 0};
    g_hash_table_insert(limits->things, g_steal_pointer(&key), thing);
    return TRUE;
}

gboolean fat_limits_add(FatLimits *limits, const char *path, gboolean is_directory, guint64 size,
        const char *source, GError **error) {
    g_autofree char *parent = g_path_get_dirname(path), *name = g_path_get_basename(path);
    gboolean is_new;

    if (g_str_equal(path, "/"))
        return add(limits, path, TRUE, "", &is_new, error);
    glong units = check_name(path, name, error);
    if (units < 0 || !fat_limits_add(limits, parent, TRUE, 0, source, error) ||
            !add(limits, path, is_directory, source, &is_new, error))
        return FALSE;
    if (size > FILE_SIZE) {
        g_autofree char *shown = text_format_size(size);
        return fail(error, "%s has %s, a file there has at most 4 GiB", path, shown);
    }
    if (!is_new)
        return TRUE;
    limits->bytes += size;
    g_autofree char *key = g_utf8_casefold(parent, -1);
    Thing *directory = g_hash_table_lookup(limits->things, key);
    directory->entries += 1 + (units + NAME_UNITS_PER_ENTRY - 1) / NAME_UNITS_PER_ENTRY;
    return directory->entries <= DIRECTORY_ENTRIES ||
           fail(error, "%s has more files than fit into a directory there (%d entries of 32 bytes)",
                   parent, DIRECTORY_ENTRIES);
}

gboolean fat_limits_check(const FatLimits *limits, guint64 size, GError **error) {
    if (limits->bytes < size)
        return TRUE;
    g_autofree char *needed = text_format_size(limits->bytes), *room = text_format_size(size);
    return fail(error, "the files have %s, the partition has %s (raise SizeMinBytes= and SizeMaxBytes=)",
            needed, room);
}
