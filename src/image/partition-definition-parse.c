/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/partition-definition.h"

#include "image/disk.h"
#include "ui/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where in which file a value stands, and what it may refer to. */
typedef struct {
    PartitionDefinition *definition;
    const char *path;
    guint line;
    const char *setting;
    const char *architecture;
    const Specifiers *specifiers;
} Place;

static gboolean fail(const Place *place, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean fail(const Place *place, GError **error, const char *format, ...) {
    g_autofree char *message = NULL;
    va_list arguments;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, DISK_ERROR, DISK_ERROR_DEFINITION, "%s:%u: %s%s%s", place->path, place->line,
            place->setting ? place->setting : "", place->setting ? "=: " : "", message);
    return FALSE;
}

/* ---- values ------------------------------------------------------------------------------------------- */

/* The next word of *AT, which is advanced: separated by SEPARATORS, with single and double quotes and
 * backslash escapes as in unit files. NULL at the end; an open quote sets BAD. */
static char *next_word(const char **at, const char *separators, gboolean skip_empty, gboolean *bad) {
    g_autoptr(GString) word = g_string_new(NULL);
    const char *p = *at;
    char quote = '\0';

    *bad = FALSE;
    if (!p)
        return NULL;
    while (skip_empty && *p && strchr(separators, *p))
        p++;
    if (skip_empty && !*p) {
        *at = NULL;
        return NULL;
    }
    for (; *p && (quote || !strchr(separators, *p)); p++) {
        if (*p == '\\' && p[1])
            g_string_append_c(word, *++p);
        else if (quote ? *p == quote : (*p == '"' || *p == '\''))
            quote = quote ? '\0' : *p;
        else
            g_string_append_c(word, *p);
    }
    *bad = quote != '\0';
    *at = *p ? p + 1 : NULL;
    return g_string_free(g_steal_pointer(&word), FALSE);
}

/* A list of words; NULL (and ERROR) for an open quote. */
static GPtrArray *split_words(const Place *place, const char *value, GError **error) {
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    const char *at = value;

    for (;;) {
        gboolean bad;
        g_autofree char *word = next_word(&at, " \t", TRUE, &bad);

        if (!word)
            return g_steal_pointer(&words);
        if (bad) {
            fail(place, error, "a quotation mark is not closed");
            return NULL;
        }
        g_ptr_array_add(words, g_steal_pointer(&word));
    }
}

/* An absolute path without "..", "." and doubled slashes; "/" becomes "/". */
static char *clean_path(const Place *place, const char *path, GError **error) {
    g_autoptr(GString) out = g_string_new(NULL);

    if (*path != '/') {
        fail(place, error, "\"%s\" is not an absolute path", path);
        return NULL;
    }
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    for (char **part = parts; *part; part++) {
        if (**part == '\0' || g_str_equal(*part, "."))
            continue;
        if (g_str_equal(*part, "..")) {
            fail(place, error, "\"%s\" contains \"..\"", path);
            return NULL;
        }
        g_string_append_c(out, '/');
        g_string_append(out, *part);
    }
    if (out->len == 0)
        g_string_append_c(out, '/');
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static char *expand(const Place *place, const char *text, GError **error) {
    g_autoptr(GError) local = NULL;
    char *expanded = specifiers_expand(text, place->specifiers, NULL, &local);

    if (!expanded)
        fail(place, error, "%s", local->message);
    return expanded;
}

static char *expand_path(const Place *place, const char *text, GError **error) {
    g_autofree char *expanded = expand(place, text, error);

    return expanded ? clean_path(place, expanded, error) : NULL;
}

/* The digits at *AT, behind at most one "+"; *AT is advanced. */
static gboolean parse_digits(const char **at, guint64 *ret) {
    const char *p = *at + (**at == '+');
    gboolean digits = FALSE;

    for (*ret = 0; g_ascii_isdigit(*p); p++, digits = TRUE)
        if (!g_uint64_checked_mul(ret, *ret, 10) || !g_uint64_checked_add(ret, *ret, *p - '0'))
            return FALSE;
    *at = p;
    return digits;
}

/* The fraction behind a point at *AT (advanced), of FACTOR bytes. */
static guint64 parse_fraction(const char **at, guint64 factor, const char *digits) {
    double value = 0, place = 0.1;

    for (; g_ascii_isdigit(*digits); digits++, place /= 10)
        value += (*digits - '0') * place;
    *at = digits;
    return value * factor;
}

/* A size as systemd writes it: numbers to the base of 1024, each smaller in unit than the one before ("1.5G",
 * "1G512M", "512B"). */
static gboolean parse_size(const char *value, guint64 *ret) {
    static const char units[] = "EPTGMKB";
    const char *at = value;
    gsize next = 0;

    *ret = 0;
    do {
        guint64 number, part;
        at += strspn(at, " \t");
        if (!parse_digits(&at, &number))
            return FALSE;
        const char *fraction = *at == '.' ? at + 1 : "", *end = fraction;
        if (*at == '.')
            at = end + strspn(end, "0123456789");
        at += strspn(at, " \t");
        const char *unit = *at ? memchr(units + next, *at, strlen(units) - next) : NULL;
        /* Bytes without a unit end the size. */
        gsize index = unit ? (gsize) (unit - units) : strlen(units);
        guint64 factor = index < 6 ? G_GUINT64_CONSTANT(1) << (10 * (6 - index)) : 1;
        if (next > 6 || !g_uint64_checked_mul(&part, number, factor) ||
                !g_uint64_checked_add(&part, part, parse_fraction(&end, factor, fraction)) ||
                !g_uint64_checked_add(ret, *ret, part))
            return FALSE;
        at += unit != NULL;
        next = index + 1;
    } while (*at);
    return TRUE;
}

static gboolean parse_boolean(const char *value, gboolean *ret) {
    static const char *const yes[] = {"1", "yes", "y", "true", "t", "on", NULL};
    static const char *const no[] = {"0", "no", "n", "false", "f", "off", NULL};
    g_autofree char *lower = g_ascii_strdown(value, -1);

    *ret = g_strv_contains(yes, lower);
    return *ret || g_strv_contains(no, lower);
}

/* ---- settings: each function gets the trimmed value and the field it sets ----------------------------- */

static gboolean set_type(const Place *place, const char *value, void *field, GError **error) {
    PartitionDefinition *definition = place->definition;

    if (!partition_type_parse(value, place->architecture, &definition->type))
        return fail(place, error,
                "\"%s\" is not a partition type for %s (expected esp, xbootldr, swap, home, srv, var, tmp, "
                "linux-generic, root, usr, with -verity or -verity-sig, with an architecture, or a UUID)",
                value, place->architecture);
    definition->type_set = TRUE;
    definition->type_line = place->line;
    return TRUE;
}

static gboolean set_label(const Place *place, const char *value, void *field, GError **error) {
    g_autofree char *label = expand(place, value, error);

    if (!label)
        return FALSE;
    if (!g_utf8_validate(label, -1, NULL))
        return fail(place, error, "the label is not valid UTF-8");
    glong units = partition_label_length(label);
    if (units > PARTITION_LABEL_MAX)
        return fail(place, error,
                "the label \"%s\" has %ld UTF-16 units, a partition table has room for %d; shorten the "
                "label, "
                "the image ID or the image version",
                label, units, PARTITION_LABEL_MAX);
    g_free(place->definition->label);
    place->definition->label = *label ? g_steal_pointer(&label) : NULL;
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
        return fail(place, error, "\"%s\" is neither a UUID nor \"null\"", value);
    return TRUE;
}

static gboolean set_priority(const Place *place, const char *value, void *field, GError **error) {
    g_autoptr(GError) local = NULL;

    if (!g_ascii_string_to_signed(value, 10, G_MININT32, G_MAXINT32, field, &local))
        return fail(place, error, "\"%s\" is not a number from -2147483648 to 2147483647", value);
    return TRUE;
}

static gboolean set_weight(const Place *place, const char *value, void *field, GError **error) {
    if (!g_ascii_string_to_unsigned(value, 10, 0, 1000000, field, NULL))
        return fail(place, error, "\"%s\" is not a number from 0 to 1000000", value);
    return TRUE;
}

static gboolean set_bytes(
        const Place *place, const char *value, guint64 *field, gboolean up, GError **error) {
    guint64 bytes;

    if (*value == '\0') {
        *field = SIZE_NOT_SET;
        return TRUE;
    }
    if (!parse_size(value, &bytes) || bytes > G_MAXINT64 >> 8)
        return fail(place, error, "\"%s\" is not a size (numbers with K, M, G, T, B or nothing, as in 512M, 1.5G, 1G512M)", value);
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
        return fail(place, error,
                "\"auto\" copies from the running system and means nothing while an image is built "
                "(give the path of a file in the image)");
    if (*value && !(path = expand_path(place, value, error)))
        return FALSE;
    g_free(place->definition->copy_blocks);
    place->definition->copy_blocks = g_steal_pointer(&path);
    return TRUE;
}

static gboolean set_format(const Place *place, const char *value, void *field, GError **error) {
    PartitionDefinition *definition = place->definition;

    if (*value == '\0') {
        definition->format = PARTITION_FORMAT_NONE;
        return TRUE;
    }
    if (g_str_equal(value, "empty")) {
        g_free(definition->label);
        definition->label = g_strdup("_empty");
        definition->no_auto = TRISTATE_YES;
        return TRUE;
    }
    for (PartitionFormat i = PARTITION_FORMAT_NONE + 1; i <= PARTITION_FORMAT_LAST; i++)
        if (g_str_equal(value, partition_format_to_string(i))) {
            definition->format = i;
            return TRUE;
        }
    return fail(place, error,
            "unknown file system \"%s\" (expected erofs, squashfs, ext4, btrfs, vfat, swap or empty)",
            value);
}

static void add_pair(GPtrArray *array, char *source, char *target) {
    DefinitionPair *pair = g_new(DefinitionPair, 1);

    *pair = (DefinitionPair){source, target};
    g_ptr_array_add(array, pair);
}

static gboolean set_copy_files(const Place *place, const char *value, void *field, GError **error) {
    GPtrArray *array = *(GPtrArray **) field;
    const char *at = value;
    char *words[3] = {};
    gboolean bad = FALSE, good = FALSE;

    if (*value == '\0') {
        g_ptr_array_set_size(array, 0);
        return TRUE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(words) && !bad; i++)
        words[i] = next_word(&at, ":", FALSE, &bad);
    g_autofree char *first = words[0], *second = words[1], *options = words[2];
    if (bad)
        return fail(place, error, "a quotation mark is not closed");
    if (at)
        return fail(place, error, "\"%s\" has more than three fields (SOURCE[:TARGET[:OPTIONS]])", value);
    if (options && *options && !g_str_equal(options, "fsverity=off"))
        return fail(place, error, "unknown option \"%s\" (expected fsverity=off)", options);
    g_autofree char *source = expand_path(place, first, error);
    if (!source)
        return FALSE;
    g_autofree char *target = second && *second ? expand_path(place, second, error) : g_strdup(source);
    if ((good = target != NULL))
        add_pair(array, g_steal_pointer(&source), g_steal_pointer(&target));
    return good;
}

static gboolean set_excludes(const Place *place, const char *value, void *field, GError **error) {
    GPtrArray *array = *(GPtrArray **) field;
    g_autoptr(GPtrArray) words = split_words(place, value, error);

    if (!words)
        return FALSE;
    if (words->len == 0)
        g_ptr_array_set_size(array, 0);
    for (guint i = 0; i < words->len; i++) {
        const char *word = words->pdata[i];
        g_autofree char *path = expand_path(place, word, error);
        if (!path)
            return FALSE;
        DefinitionExclude *exclude = g_new0(DefinitionExclude, 1);
        exclude->contents_only = g_str_has_suffix(word, "/");
        exclude->path = g_str_equal(path, "/") ? g_strdup("") : g_steal_pointer(&path);
        g_ptr_array_add(array, exclude);
    }
    return TRUE;
}

static gboolean set_paths(const Place *place, const char *value, void *field, GError **error) {
    GPtrArray *array = *(GPtrArray **) field;
    g_autoptr(GPtrArray) words = split_words(place, value, error);

    if (!words)
        return FALSE;
    if (words->len == 0)
        g_ptr_array_set_size(array, 0);
    for (guint i = 0; i < words->len; i++) {
        char *path = expand_path(place, words->pdata[i], error);
        if (!path)
            return FALSE;
        g_ptr_array_add(array, path);
    }
    return TRUE;
}

/* SOURCE:TARGET pairs, where repart.d(5) calls the link's place "source" and its text "target". */
static gboolean set_symlinks(const Place *place, const char *value, void *field, GError **error) {
    GPtrArray *array = *(GPtrArray **) field;
    g_autoptr(GPtrArray) words = split_words(place, value, error);

    if (!words)
        return FALSE;
    if (words->len == 0)
        g_ptr_array_set_size(array, 0);
    for (guint i = 0; i < words->len; i++) {
        const char *word = words->pdata[i], *colon = strchr(word, ':');
        if (!colon || colon[1] == '\0')
            return fail(place, error, "\"%s\" is not of the form LINK:TARGET", word);
        g_autofree char *link = g_strndup(word, colon - word);
        g_autofree char *place_path = expand_path(place, link, error);
        if (!place_path)
            return FALSE;
        char *text = expand(place, colon + 1, error);
        if (!text)
            return FALSE;
        add_pair(array, g_steal_pointer(&place_path), text);
    }
    return TRUE;
}

static gboolean set_subvolumes(const Place *place, const char *value, void *field, GError **error) {
    GPtrArray *array = *(GPtrArray **) field;
    g_autoptr(GPtrArray) words = split_words(place, value, error);

    if (!words)
        return FALSE;
    if (words->len == 0)
        g_ptr_array_set_size(array, 0);
    for (guint i = 0; i < words->len; i++) {
        g_auto(GStrv) parts = g_strsplit(words->pdata[i], ":", 2);
        g_autofree char *path = expand_path(place, parts[0], error);
        if (!path)
            return FALSE;
        if (parts[1] && !g_str_equal(parts[1], "ro"))
            return fail(place, error, "unknown subvolume flag \"%s\" (expected ro)", parts[1]);
        add_pair(array, g_steal_pointer(&path), g_strdup(parts[1]));
    }
    return TRUE;
}

static gboolean set_default_subvolume(const Place *place, const char *value, void *field, GError **error) {
    g_autofree char *path = NULL;

    if (*value && !(path = expand_path(place, value, error)))
        return FALSE;
    g_free(place->definition->default_subvolume);
    place->definition->default_subvolume = g_steal_pointer(&path);
    return TRUE;
}

static gboolean set_minimize(const Place *place, const char *value, void *field, GError **error) {
    PartitionMinimize *minimize = field;
    gboolean on;

    if (g_str_equal(value, "best"))
        *minimize = PARTITION_MINIMIZE_BEST;
    else if (g_str_equal(value, "guess"))
        *minimize = PARTITION_MINIMIZE_GUESS;
    else if (parse_boolean(value, &on))
        *minimize = on ? PARTITION_MINIMIZE_BEST : PARTITION_MINIMIZE_OFF;
    else
        return fail(place, error, "\"%s\" is none of off, best, guess or a boolean", value);
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
        if (g_str_equal(value, names[i])) {
            *(PartitionVerity *) field = i;
            return TRUE;
        }
    return fail(place, error, "\"%s\" is none of off, data, hash, signature", value);
}

static gboolean set_string(const Place *place, const char *value, void *field, GError **error) {
    char **string = field;

    g_free(*string);
    *string = *value ? g_strdup(value) : NULL;
    return TRUE;
}

static gboolean set_verity_block_size(const Place *place, const char *value, void *field, GError **error) {
    guint64 bytes;

    if (*value && (!parse_size(value, &bytes) || bytes != 4096))
        return fail(place, error, "only blocks of 4096 bytes are implemented, not \"%s\"", value);
    return TRUE;
}

static gboolean set_compression_level(const Place *place, const char *value, void *field, GError **error) {
    if (!g_ascii_string_to_signed(value, 10, 0, 22, field, NULL))
        return fail(place, error, "\"%s\" is not a number from 0 to 22", value);
    return TRUE;
}

static gboolean set_split_name(const Place *place, const char *value, void *field, GError **error) {
    if (strchr(value, '/'))
        return fail(place, error, "\"%s\" is part of a file name and must not contain \"/\"", value);
    return set_string(place, value, field, error);
}

static gboolean set_flags(const Place *place, const char *value, void *field, GError **error) {
    const char *digits = value;
    guint base = 10;

    if (g_ascii_strncasecmp(value, "0x", 2) == 0)
        base = 16;
    else if (g_ascii_strncasecmp(value, "0b", 2) == 0)
        base = 2;
    if (base != 10)
        digits += 2;
    if (!g_ascii_string_to_unsigned(digits, base, 0, G_MAXUINT64, field, NULL))
        return fail(place, error,
                "\"%s\" is not a number of 64 bits (hexadecimal 0x..., binary 0b..., or decimal)", value);
    return TRUE;
}

static gboolean set_tristate(const Place *place, const char *value, void *field, GError **error) {
    gboolean on = FALSE;

    if (*value && !parse_boolean(value, &on))
        return fail(place, error, "\"%s\" is not a boolean", value);
    *(Tristate *) field = *value ? (on ? TRISTATE_YES : TRISTATE_NO) : TRISTATE_UNSET;
    return TRUE;
}

/* WHERE[:OPTIONS], each part in quotes if it contains a colon. */
static gboolean set_mount_point(const Place *place, const char *value, void *field, GError **error) {
    GPtrArray *array = *(GPtrArray **) field;
    const char *at = value;
    gboolean bad = FALSE;

    if (*value == '\0') {
        g_ptr_array_set_size(array, 0);
        return TRUE;
    }
    g_autofree char *where = next_word(&at, ":", FALSE, &bad);
    g_autofree char *options = at ? next_word(&at, ":", FALSE, &bad) : NULL;
    if (bad)
        return fail(place, error, "a quote is not closed in \"%s\"", value);
    if (at)
        return fail(place, error, "\"%s\" is not of the form WHERE[:OPTIONS]", value);
    g_autofree char *path = expand_path(place, where, error);
    if (!path)
        return FALSE;
    add_pair(array, g_steal_pointer(&path), options && *options ? g_steal_pointer(&options) : NULL);
    return TRUE;
}

static gboolean set_fs_sector_size(const Place *place, const char *value, void *field, GError **error) {
    guint64 size = 0;

    if (*value && (!parse_size(value, &size) || size < 512 || size > 4096 || (size & (size - 1))))
        return fail(place, error, "\"%s\" is none of 512, 1024, 2048, 4096", value);
    *(guint *) field = size;
    return TRUE;
}

/* What only concerns partitions that are encrypted with a TPM says nothing here, as those are refused. */
static gboolean ignore(const Place *place, const char *value, void *field, GError **error) {
    return TRUE;
}

static gboolean refuse_integrity(const Place *place, const char *value, void *field, GError **error) {
    if (*value == '\0' || g_str_equal(value, "off"))
        return TRUE;
    return fail(place, error, "authenticated encryption cannot be made while an image is built");
}

static gboolean refuse_replace(const Place *place, const char *value, void *field, GError **error) {
    return *value == '\0' ||
           fail(place, error, "moves a mounted file system: only possible on a running system");
}

/* FactoryReset= acts on the running system, not while an image is built. */
static gboolean check_boolean(const Place *place, const char *value, void *field, GError **error) {
    gboolean on;

    if (*value && !parse_boolean(value, &on))
        return fail(place, error, "\"%s\" is not a boolean", value);
    return TRUE;
}

static gboolean set_encrypt(const Place *place, const char *value, void *field, GError **error) {
    gboolean *encrypt = field;
    gboolean on;

    *encrypt = g_str_equal(value, "key-file");
    if (*encrypt || *value == '\0' || (parse_boolean(value, &on) && !on))
        return TRUE;
    return fail(place, error,
            "partitions bound to a TPM are made at first boot, where the TPM is, not while the image is "
            "built: move this definition to usr/lib/repart.d/ of the image, or use key-file with "
            "Passphrase=");
}

static gboolean set_encrypt_kdf(const Place *place, const char *value, void *field, GError **error) {
    if (*value && !g_str_equal(value, "argon2id") && !g_str_equal(value, "pbkdf2") &&
            !g_str_equal(value, "minimal"))
        return fail(place, error, "\"%s\" is none of argon2id, pbkdf2, minimal", value);
    return set_string(place, value, field, error);
}

static gboolean refuse_key_file(const Place *place, const char *value, void *field, GError **error) {
    return *value == '\0' ||
           fail(place, error,
                   "the passphrase of an image is in the file that Passphrase= of the recipe names");
}

/* The options of crypttab may contain what looks like a separator. */
static gboolean set_encrypted_volume(const Place *place, const char *value, void *field, GError **error) {
    g_auto(GStrv) fields = g_strsplit(value, ":", 3);

    for (char **part = fields; *part; part++)
        if (strpbrk(*part, " \t"))
            return fail(place, error, "\"%s\" contains a blank", value);
    if (*value && !*fields[0])
        return fail(place, error, "\"%s\" is not of the form NAME[:KEY-FILE[:OPTIONS]]", value);
    return set_string(place, value, field, error);
}

static const struct {
    const char *name;
    gboolean (*set)(const Place *place, const char *value, void *field, GError **error);
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
        {"CopyFiles", set_copy_files, offsetof(PartitionDefinition, copy_files)},
        {"ExcludeFiles", set_excludes, offsetof(PartitionDefinition, exclude_files)},
        {"ExcludeFilesTarget", set_excludes, offsetof(PartitionDefinition, exclude_files_target)},
        {"MakeDirectories", set_paths, offsetof(PartitionDefinition, make_directories)},
        {"MakeSymlinks", set_symlinks, offsetof(PartitionDefinition, make_symlinks)},
        {"Subvolumes", set_subvolumes, offsetof(PartitionDefinition, subvolumes)},
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
        {"MountPoint", set_mount_point, offsetof(PartitionDefinition, mount_points)},
        {"FileSystemSectorSize", set_fs_sector_size, offsetof(PartitionDefinition, fs_sector_size)},
        {"SupplementFor", set_string, offsetof(PartitionDefinition, supplement_for)},
        {"VolumeLabel", set_string, offsetof(PartitionDefinition, volume_label)},
        {"VolumeName", ignore, 0},
        {"EncryptKDF", set_encrypt_kdf, offsetof(PartitionDefinition, encrypt_kdf)},
        {"EncryptedVolume", set_encrypted_volume, offsetof(PartitionDefinition, encrypted_volume)},
        {"TPM2PCRs", ignore, 0},
        {"KeyFile", refuse_key_file, 0},
        {"Discard", check_boolean, 0},
        {"Integrity", refuse_integrity, 0},
        {"IntegrityAlgorithm", ignore, 0},
        {"BlockDeviceReplace", refuse_replace, 0},
        {"FactoryReset", check_boolean, 0},
        {"Encrypt", set_encrypt, offsetof(PartitionDefinition, encrypt)},
};

static gboolean assign(Place *place, const char *name, const char *value, GError **error) {
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
    ui_warning("%s:%u: unknown setting \"%s\" is ignored", place->path, place->line, name);
    return TRUE;
}

/* ---- the file ----------------------------------------------------------------------------------------- */

typedef enum {
    SECTION_NONE,
    SECTION_PARTITION,
    SECTION_IGNORED, /* [X-...] */
} Section;

static gboolean parse_line(Place *place, char *line, Section *section, GError **error) {
    g_strstrip(line);
    if (*line == '\0' || *line == '#' || *line == ';')
        return TRUE;
    if (*line == '[') {
        if (line[strlen(line) - 1] != ']')
            return fail(place, error, "\"]\" is missing after \"%s\"", line);
        *section = g_str_equal(line, "[Partition]") ? SECTION_PARTITION : SECTION_IGNORED;
        if (*section == SECTION_IGNORED && !g_str_has_prefix(line, "[X-"))
            return fail(place, error, "unknown section %s (expected [Partition])", line);
        return TRUE;
    }
    char *equals = strchr(line, '=');
    if (!equals)
        return fail(place, error, "\"%s\" is neither a section nor of the form Setting=value", line);
    *equals = '\0';
    g_strchomp(line);
    if (*section == SECTION_NONE)
        return fail(place, error, "\"%s=\" stands before the section [Partition]", line);
    return *section == SECTION_IGNORED || assign(place, line, g_strstrip(equals + 1), error);
}

gboolean partition_definition_parse(PartitionDefinition *definition, const char *path, const char *text,
        gsize length, const char *architecture, const Specifiers *specifiers, GError **error) {
    Place place = {definition, path, 0, NULL, architecture, specifiers};
    g_autoptr(GString) joined = g_string_new(NULL);
    Section section = SECTION_NONE;
    guint line_number = 0;

    if (length > 1024 * 1024 || memchr(text, '\0', length) || !g_utf8_validate(text, length, NULL)) {
        place.line = 1;
        return fail(&place, error, "this is not a text file in UTF-8");
    }
    for (gsize at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        gsize line_length = (end ? (gsize) (end - text) : length) - at;
        gboolean continues = line_length > 0 && text[at + line_length - 1] == '\\';
        gboolean comment = FALSE;

        line_number++;
        if (joined->len == 0)
            place.line = line_number;
        for (gsize i = at; i < at + line_length && !comment; i++) {
            if (g_ascii_isspace(text[i]))
                continue;
            comment = text[i] == '#' || text[i] == ';';
            break;
        }
        /* A comment between the lines of a continued value is not part of it. */
        if (!comment) {
            g_string_append_len(joined, text + at, line_length - (continues ? 1 : 0));
            if (continues)
                g_string_append_c(joined, ' ');
        }
        at += line_length + 1;
        if ((continues || (comment && joined->len > 0)) && at < length)
            continue;
        if (!parse_line(&place, joined->str, &section, error))
            return FALSE;
        g_string_truncate(joined, 0);
    }
    return TRUE;
}
