/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "kitchen/model/builds.h"
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

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kitchen/service/wrong-inputs", test_wrong);
    return g_test_run();
}
