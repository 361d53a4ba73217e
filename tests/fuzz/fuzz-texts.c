/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts of trees and of people: os-release, environment files, and the values of both grammars. */
#include "text/environment-file.h"
#include "text/os-release.h"
#include "text/recipe-values.h"
#include "text/repart-values.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_os_release(const char *text) {
    g_autoptr(GHashTable) table = os_release_parse(text);
    g_autofree char *id = os_release_get(text, "ID");
    g_assert_cmpstr(id, ==, g_hash_table_lookup(table, "ID"));
}

/* What was set is what is read. */
static void check_setting(const char *text) {
    g_autofree char *value = g_strdelimit(g_strdup(text), "\n", ' ');
    g_autofree char *changed = os_release_set(text, "IMAGE_ID", value);
    g_autofree char *back = os_release_get(changed, "IMAGE_ID");
    g_assert_nonnull(back);
}

static void check_environment(const char *text) {
    g_auto(GStrv) variables = environment_file_parse(text, NULL);
    for (char **variable = variables; *variable; variable++)
        g_assert_true(**variable != '#' && !strchr(*variable, '\n'));
}

static void check_value(const char *text) {
    gboolean on;
    gint64 number;
    guint64 magnitude;

    if (recipe_boolean_parse(text, &on))
        g_assert_true(on || !on);
    if (recipe_size_parse(text, &number) == RECIPE_SIZE_GOOD)
        g_assert_true(number > 0 && number % 4096 == 0);
    recipe_integer_parse(text, 10, &number);
    recipe_integer_parse(text, 8, &number);
    repart_boolean_parse(text, &on);
    repart_size_parse(text, &magnitude);
    if (repart_signed_parse(text, -5, 5, &number))
        g_assert_true(number >= -5 && number <= 5);
    if (repart_unsigned_parse(text, 5, &magnitude))
        g_assert_true(magnitude <= 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *text = g_strndup((const char *) data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    check_os_release(text);
    check_setting(text);
    check_environment(text);
    for (char **line = lines; *line; line++)
        check_value(*line);
    return 0;
}
