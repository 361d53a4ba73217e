/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What words of a command line mean, before anything of a recipe is read. */
#include "cli/arguments/parse.h"

#include <string.h>

#include "recipe/language/error.h"

static Arguments *parse(const char *line, GError **error) {
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    return arguments_parse(words, "/usr", error);
}

static Arguments *parse_good(const char *line) {
    g_autoptr(GError) error = NULL;
    Arguments *arguments = parse(line, &error);
    g_assert_no_error(error);
    return arguments;
}

static void test_errors(void) {
    static const struct {
        const char *line, *expected;
    } cases[] = {
            {"--nothing", "--nothing: "},
            {"--formt=disk", "--format?"},
            {"--format", "--format: "},
            {"--format --debug", "--format: "},
            {"--debug=yes", "--debug: "},
            {"-X", "-X: "},
            {"nothing", "\"nothing\""},
            {"sumary", "did you mean summary?"},
            {"summary word", "\"word\""},
            {"--directory=/nowhere", "--directory: "},
            {"--rerun-build-scripts summary", "--rerun-build-scripts: "},
            {"-f --rerun-build-scripts", "--rerun-build-scripts: "},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(parse(cases[i].line, &error));
        g_assert_error(error, RECIPE_ERROR, RECIPE_ERROR_USAGE);
        if (!strstr(error->message, cases[i].expected))
            g_error("\"%s\" lacks \"%s\"", error->message, cases[i].expected);
    }
}

static void assert_assignment(
        const Arguments *arguments, guint i, const char *setting, const char *text, const char *option) {
    g_assert_cmpuint(i, <, arguments->assignments->len);
    const RecipeAssignment *assignment = arguments->assignments->pdata[i];
    g_assert_cmpstr(assignment->setting, ==, setting);
    g_assert_cmpstr(assignment->text, ==, text);
    g_assert_cmpstr(assignment->option, ==, option);
}

/* Long and short, new and old names; in their order. */
static void test_settings(void) {
    g_autoptr(Arguments) arguments =
            parse_good("--format tar -tdisk -i -o=a --output-dir=b --checksum --hostname= -T summary");
    g_assert_cmpuint(arguments->assignments->len, ==, 8);
    assert_assignment(arguments, 0, "Format", "tar", "--format");
    assert_assignment(arguments, 1, "Format", "disk", "-t");
    assert_assignment(arguments, 2, "Incremental", "yes", "-i");
    assert_assignment(arguments, 3, "Output", "a", "-o");
    assert_assignment(arguments, 4, "OutputDirectory", "b", "--output-dir");
    assert_assignment(arguments, 5, "Checksum", "yes", "--checksum");
    assert_assignment(arguments, 6, "Hostname", "", "--hostname");
    assert_assignment(arguments, 7, "WithTests", "no", "-T");
    g_assert_cmpstr(arguments->verb, ==, "summary");
}

static void test_options(void) {
    g_autoptr(Arguments) arguments = parse_good("-ff --json --certificate=c --genkey-key=pkcs11:a/b qemu -- -x --y");
    g_assert_cmpint(arguments->force, ==, 2);
    g_assert_true(arguments->json);
    g_assert_cmpstr(arguments->certificate, ==, "/usr/c");
    g_assert_cmpstr(arguments->genkey_key, ==, "pkcs11:a/b");
    g_assert_cmpstr(arguments->verb, ==, "vm");
    g_autofree char *words = g_strjoinv(" ", arguments->words);
    g_assert_cmpstr(words, ==, "-x --y");
    g_assert_cmpuint(arguments->assignments->len, ==, 0);
}

/* What follows --directory is relative to it, what stands before is not. */
static void test_directory(void) {
    g_autoptr(Arguments) arguments = parse_good("--known-files=k --output-directory=o -C / --certificate=c -O p");
    g_assert_cmpstr(arguments->directory, ==, "/");
    g_assert_cmpstr(arguments->known_files, ==, "/usr/k");
    g_assert_cmpstr(arguments->certificate, ==, "/c");
    g_assert_cmpstr(((RecipeAssignment *) arguments->assignments->pdata[0])->directory, ==, "/usr");
    g_assert_cmpstr(((RecipeAssignment *) arguments->assignments->pdata[1])->directory, ==, "/");
    g_autoptr(Arguments) none = parse_good("--directory=");
    g_assert_null(none->directory);
    g_assert_cmpstr(none->verb, ==, "build");
}

static void test_wants(void) {
    static const RecipeWants images = RECIPE_WANTS_IMAGES, content = RECIPE_WANTS_CONTENT,
                             next = RECIPE_WANTS_NEXT_VERSION, history = RECIPE_WANTS_HISTORY,
                             new_history = RECIPE_WANTS_NEW_HISTORY;
    const struct {
        const char *line;
        RecipeWants wants;
    } cases[] = {
            {"", images | content | new_history},
            {"--help", 0},
            {"--rerun-build-scripts", images | content | history},
            {"-B", images | content | next | new_history},
            {"bump", images | content | next | history},
            {"summary", images | history},
            {"-f summary", images},
            {"vm", images | content | history},
            {"-f vm", images | content | new_history},
            {"clean", images},
            {"ssh", images | history},
            {"-f ssh", images},
            {"inspect", images | history},
            {"inspect image.raw", 0},
            {"genkey", 0},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Arguments) arguments = parse_good(cases[i].line);
        g_assert_cmpint(arguments_get_wants(arguments), ==, cases[i].wants);
    }
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/arguments/errors", test_errors);
    g_test_add_func("/cli/arguments/settings", test_settings);
    g_test_add_func("/cli/arguments/options", test_options);
    g_test_add_func("/cli/arguments/directory", test_directory);
    g_test_add_func("/cli/arguments/wants", test_wants);
    return g_test_run();
}
