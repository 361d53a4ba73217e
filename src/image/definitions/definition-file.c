/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sections of a partition definition. */

#include "image/definitions/definition-private.h"

#include "events/events.h"
#include "text/unit-file.h"

typedef enum {
    SECTION_NONE,
    SECTION_PARTITION,
    SECTION_IGNORED,
} Section;

typedef struct {
    Place place;
    Section section;
} Reading;

static gboolean fail_at(gpointer data, guint line, const char *message, GError **error) {
    Reading *reading = data;

    reading->place.line = line;
    return definition_fail(&reading->place, error, "%s", message);
}

static gboolean begin_section(gpointer data, guint line, const char *text, GError **error) {
    Reading *reading = data;

    if (g_str_equal(text, "[]"))
        return fail_at(data, line, "a section needs a name (expected [Partition])", error);
    reading->section = g_str_equal(text, "[Partition]") ? SECTION_PARTITION : SECTION_IGNORED;
    /* A later systemd may know it. */
    if (reading->section == SECTION_IGNORED && !g_str_has_prefix(text, "[X-"))
        events_warning_once(
                "%s:%u: unknown section %s is ignored (expected [Partition])", reading->place.path, line, text);
    return TRUE;
}

static gboolean assign(gpointer data, guint line, const char *name, const char *value, GError **error) {
    Reading *reading = data;

    reading->place.line = line;
    if (reading->section == SECTION_NONE)
        return definition_fail(&reading->place, error, "\"%s=\" stands before the section [Partition]", name);
    return definition_assign(&reading->place, name, value, error);
}

static gboolean skips(gpointer data) {
    const Reading *reading = data;

    return reading->section == SECTION_IGNORED;
}

gboolean partition_definition_parse(PartitionDefinition *definition, const char *path, const char *text, gsize length,
        const char *architecture, const Specifiers *specifiers, GError **error) {
    static const UnitFileReader reader = {begin_section, assign, skips, fail_at};
    Reading reading = {.place = {definition, path, 1, NULL, architecture, specifiers}};

    return unit_file_parse(text, length, &reader, &reading, error);
}
