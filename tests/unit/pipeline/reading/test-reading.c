/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "pipeline/reading/reading-environment.h"
#include "pipeline/reading/reading-git.h"
#include "pipeline/reading/reading-index.h"

static void test_environment(void) {
    static char *const environment[] = {(char *) "SUFFIX=rc1", (char *) "SUFFIXES=x",
            (char *) "BUILD_NUMBER=512", (char *) "CI_JOB_TOKEN=abc", (char *) "DB_PASSWORD=abc",
            (char *) "LONG=0123456789abcdef0", (char *) "PLACE=https://u:p@x", (char *) "PATH=/bin",
            (char *) "EMPTY=", (char *) "UNNAMED=1", NULL};
    static const char script[] =
            "#!/bin/sh\necho ${SUFFIX}$BUILD_NUMBER $CI_JOB_TOKEN $DB_PASSWORD $LONG $PLACE $PATH "
            "$EMPTY\n";
    g_auto(GStrv) withheld = NULL;
    g_auto(GStrv) given = reading_environment(script, environment, &withheld);
    g_autofree char *given_text = g_strjoinv(" ", given), *withheld_text = g_strjoinv(" ", withheld);

    g_assert_cmpstr(given_text, ==, "SUFFIX=rc1 BUILD_NUMBER=512 EMPTY=");
    g_assert_cmpstr(withheld_text, ==, "CI_JOB_TOKEN DB_PASSWORD LONG PLACE");
}

static void test_git_config(void) {
    g_autofree char *text =
            reading_git_config("[core]\n\tbare = false\n[remote \"origin\"]\n\turl = https://u:p@x\n"
                               "[http]\n\textraheader = x\n[Core \"x\"]\n\ta = b\n[coreutils]\n\tc = d\n"
                               "[include]\n\tpath = /x\n[extensions]\n\tobjectformat = sha256\n");
    g_assert_cmpstr(text, ==,
            "[core]\n\tbare = false\n[Core \"x\"]\n\ta = b\n[extensions]\n\tobjectformat = sha256\n");
}

/* An entry of version 2 with a hash of 20 bytes. */
static void add_entry(GByteArray *index, guint32 mode, const char *path) {
    guint8 head[62] = {0};
    guint32 big = GUINT32_TO_BE(mode);
    gsize length = sizeof head + strlen(path) + 1, start = index->len;

    memcpy(head + 24, &big, sizeof big);
    g_byte_array_append(index, head, sizeof head);
    g_byte_array_append(index, (const guint8 *) path, strlen(path) + 1);
    while ((index->len - start) % 8)
        g_byte_array_append(index, (const guint8 *) "", 1);
    g_assert_cmpuint(index->len - start, ==, (length + 7) / 8 * 8);
}

static gboolean concerns(const GByteArray *index, const char *directory) {
    return reading_index_concerns(index->data, index->len, 20, directory);
}

static void test_index(void) {
    g_autoptr(GByteArray) index = g_byte_array_new();

    g_byte_array_append(index, (const guint8 *) "DIRC\0\0\0\2\0\0\0\3", 12);
    add_entry(index, 0100644, "a/mkosi.conf");
    add_entry(index, 0160000, "module");
    add_entry(index, 0100644, "zoo");
    g_assert_true(concerns(index, "a"));
    g_assert_true(concerns(index, "module"));
    g_assert_true(concerns(index, "module/image"));
    g_assert_false(concerns(index, "b"));
    g_assert_false(concerns(index, "a/b"));
    g_assert_false(concerns(index, "zoo/x"));
    g_assert_false(concerns(index, "mod"));

    /* What is cut off says nothing. */
    for (gsize length = 0; length < index->len; length++) {
        g_autofree guint8 *cut = g_memdup2(index->data, length);
        g_assert_false(reading_index_concerns(cut, length, 20, "b"));
    }
    index->data[7] = 4; /* the version: what follows are other lengths */
    g_assert_false(concerns(index, "b"));
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reading/environment", test_environment);
    g_test_add_func("/reading/git-config", test_git_config);
    g_test_add_func("/reading/index", test_index);
    return g_test_run();
}
