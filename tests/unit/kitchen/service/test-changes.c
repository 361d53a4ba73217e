/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "kitchen/model/builds/builds.h"
#include "kitchen/service/changes.h"

static GBytes *bytes(const char *text) {
    return g_bytes_new(text, strlen(text));
}

/* What reasons there are is tested in src/reasons; here only what becomes of wrong input sets. */
static void test_wrong(void) {
    g_autoptr(GBytes) wrong = bytes("{");
    g_autoptr(GBytes) deep = bytes("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[");
    g_autoptr(GPtrArray) reasons = g_ptr_array_new_with_free_func((GDestroyNotify) build_reason_free);
    g_autoptr(GError) error = NULL;

    g_assert_false(changes_compare(NULL, wrong, wrong, reasons, &error));
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_false(changes_compare(NULL, wrong, deep, reasons, &error));
    g_assert_error(error, MODEL_ERROR, MODEL_ERROR_INVALID);
    g_assert_cmpuint(reasons->len, ==, 0);
}

/* A new program alone is no reason to build, but is told beside others. */
static void test_program(void) {
    g_autoptr(GBytes) before =
            bytes("{\"version\":1,\"program\":{\"version\":\"0.1\",\"build\":\"ab\"},\"images\":{}}");
    g_autoptr(GBytes) program =
            bytes("{\"version\":1,\"program\":{\"version\":\"0.2\",\"build\":\"cd\"},\"images\":{}}");
    g_autoptr(GBytes) both =
            bytes("{\"version\":1,\"program\":{\"version\":\"0.2\",\"build\":\"cd\"},\"images\":{\"main\":{}}}");
    g_autoptr(GPtrArray) reasons = g_ptr_array_new_with_free_func((GDestroyNotify) build_reason_free);

    g_assert_true(changes_compare(NULL, before, program, reasons, NULL));
    g_assert_cmpuint(reasons->len, ==, 0);
    g_assert_true(changes_compare(NULL, before, both, reasons, NULL));
    g_assert_cmpuint(reasons->len, ==, 2);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kitchen/service/wrong-inputs", test_wrong);
    g_test_add_func("/kitchen/service/program", test_program);
    return g_test_run();
}
