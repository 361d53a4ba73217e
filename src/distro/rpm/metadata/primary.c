/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/rpm/metadata/primary.h"

#include <archive.h>
#include <string.h>

#include "base/hex.h"

#define BLOCK (128 * 1024)

/* The package that is being read. */
typedef struct {
    GHashTable *wanted;
    gboolean in_package;
    guint depth; /* of elements below <package> */
    GString *text;
    char *name, *architecture, *evr, *checksum_type, *checksum, *location;
    guint64 size;
} Reader;

char *rpm_primary_key(const char *name, const char *evr, const char *architecture) {
    return g_strdup_printf("%s %s %s", name, evr, architecture);
}

static void forget_package(Reader *reader) {
    char **const fields[] = {&reader->name, &reader->architecture, &reader->evr, &reader->checksum_type,
            &reader->checksum, &reader->location};

    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        g_clear_pointer(fields[i], g_free);
    reader->size = 0;
}

static const char *attribute(const char **names, const char **values, const char *name) {
    for (; *names; names++, values++)
        if (g_str_equal(*names, name))
            return *values;
    return NULL;
}

static void replace(char **field, const char *value) {
    g_free(*field);
    *field = g_strdup(value);
}

static void read_version(Reader *reader, const char **names, const char **values) {
    const char *epoch = attribute(names, values, "epoch"), *version = attribute(names, values, "ver");
    const char *release = attribute(names, values, "rel");
    gboolean has_epoch = epoch && *epoch && !g_str_equal(epoch, "0");

    g_free(reader->evr);
    reader->evr = g_strdup_printf(
            "%s%s%s-%s", has_epoch ? epoch : "", has_epoch ? ":" : "", version ? version : "", release ? release : "");
}

static void on_start(GMarkupParseContext *context, const char *element, const char **names, const char **values,
        gpointer data, GError **error) {
    Reader *reader = data;

    if (!reader->in_package) {
        reader->in_package = g_str_equal(element, "package");
        reader->depth = 0;
        return;
    }
    if (reader->depth++ > 0)
        return;
    g_string_truncate(reader->text, 0);
    if (g_str_equal(element, "version"))
        read_version(reader, names, values);
    else if (g_str_equal(element, "checksum"))
        replace(&reader->checksum_type, attribute(names, values, "type"));
    else if (g_str_equal(element, "location"))
        replace(&reader->location, attribute(names, values, "href"));
    else if (g_str_equal(element, "size")) {
        const char *size = attribute(names, values, "package");
        if (!size || !g_ascii_string_to_unsigned(size, 10, 0, G_MAXINT64, &reader->size, NULL))
            reader->size = 0;
    }
}

/* A file of a cache, and a word on a command line. */
static gboolean is_file_name(const char *name) {
    return g_str_has_suffix(name, ".rpm") && name[0] != '.' && name[0] != '-';
}

/* A path that stays below the repository. */
static gboolean is_place(const char *location) {
    g_auto(GStrv) parts = g_strsplit(location, "/", -1);
    return *location != '/' && !g_strv_contains((const char *const *) parts, "..") && !strchr(location, ' ');
}

static gboolean take_package(Reader *reader, GError **error) {
    if (!reader->name || !reader->evr || !reader->architecture)
        return TRUE;
    g_autofree char *key = rpm_primary_key(reader->name, reader->evr, reader->architecture);
    DistroPackage *package = g_hash_table_lookup(reader->wanted, key);
    if (!package || package->digest)
        return TRUE;
    const char *slash = reader->location ? strrchr(reader->location, '/') : NULL;
    const char *file = slash ? slash + 1 : reader->location ? reader->location : "";
    if (!is_file_name(file)) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
                "The list of the repository has a file name that is none of a package: %.200s", file);
        return FALSE;
    }
    if (g_strcmp0(reader->checksum_type, "sha256") != 0 || !reader->checksum || !hex_is_lower(reader->checksum, 64)) {
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR,
                "The list of the repository has no SHA-256 of %.200s (but: %.20s)", file,
                reader->checksum_type ? reader->checksum_type : "nothing");
        return FALSE;
    }
    g_free(package->file);
    package->file = g_strdup(file);
    package->place = is_place(reader->location) ? g_strdup(reader->location) : NULL;
    package->digest = g_strconcat("SHA256:", reader->checksum, NULL);
    package->size = reader->size;
    return TRUE;
}

static void on_end(GMarkupParseContext *context, const char *element, gpointer data, GError **error) {
    Reader *reader = data;

    if (!reader->in_package)
        return;
    if (reader->depth == 0) {
        reader->in_package = FALSE;
        (void) take_package(reader, error);
        forget_package(reader);
        return;
    }
    if (--reader->depth > 0)
        return;
    g_autofree char *text = g_strstrip(g_strdup(reader->text->str));
    if (g_str_equal(element, "name"))
        replace(&reader->name, text);
    else if (g_str_equal(element, "arch"))
        replace(&reader->architecture, text);
    else if (g_str_equal(element, "checksum"))
        replace(&reader->checksum, text);
}

static void on_text(GMarkupParseContext *context, const char *text, gsize length, gpointer data, GError **error) {
    Reader *reader = data;
    if (reader->in_package && reader->depth == 1)
        g_string_append_len(reader->text, text, length);
}

static const GMarkupParser parser = {.start_element = on_start, .end_element = on_end, .text = on_text};

static void reader_clear(Reader *reader) {
    forget_package(reader);
    g_string_free(reader->text, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reader, reader_clear)

gboolean rpm_primary_find_in_text(const char *text, gsize length, GHashTable *wanted, GError **error) {
    g_auto(Reader) reader = {.wanted = wanted, .text = g_string_new(NULL)};
    g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&parser, 0, &reader, NULL);

    return g_markup_parse_context_parse(context, text, length, error) &&
           g_markup_parse_context_end_parse(context, error);
}

static gboolean feed(struct archive *archive, GMarkupParseContext *context, GError **error) {
    g_autofree char *block = g_malloc(BLOCK);

    for (;;) {
        la_ssize_t n = archive_read_data(archive, block, BLOCK);
        if (n < 0) {
            g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR, "%s", archive_error_string(archive));
            return FALSE;
        }
        if (n == 0)
            return g_markup_parse_context_end_parse(context, error);
        if (!g_markup_parse_context_parse(context, block, n, error))
            return FALSE;
    }
}

gboolean rpm_primary_find(const char *file, GHashTable *wanted, GError **error) {
    g_auto(Reader) reader = {.wanted = wanted, .text = g_string_new(NULL)};
    g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&parser, 0, &reader, NULL);
    struct archive *archive = archive_read_new();
    struct archive_entry *entry = NULL;
    gboolean good;

    archive_read_support_filter_all(archive);
    archive_read_support_format_raw(archive);
    good = archive_read_open_filename(archive, file, BLOCK) == ARCHIVE_OK &&
           archive_read_next_header(archive, &entry) == ARCHIVE_OK;
    if (!good)
        g_set_error(error, DISTRO_ERROR, DISTRO_ERROR_MIRROR, "%s", archive_error_string(archive));
    else
        good = feed(archive, context, error);
    archive_read_free(archive);
    if (!good)
        g_prefix_error(error, "Cannot read the list of packages %s: ", file);
    return good;
}
