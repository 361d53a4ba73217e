/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tree-tool.h"

#define LIBRARIES "usr/lib/x86_64-linux-gnu"
#define LOADER "usr/lib64/ld-linux-x86-64.so.2"

const char *tree_tool_root(void) {
    const char *tree = g_getenv("PARTICLEOS_TEST_TREE");
    if (!tree || !*tree) {
        g_test_skip("PARTICLEOS_TEST_TREE does not name a tree with systemd and ukify");
        return NULL;
    }
    return tree;
}

char *tree_tool_path(const char *path) {
    return g_build_filename(g_getenv("PARTICLEOS_TEST_TREE"), path, NULL);
}

gboolean tree_tool_need(const char *program) {
    if (!tree_tool_root())
        return FALSE;
    g_autofree char *path = tree_tool_path(program);
    g_autofree char *loader = tree_tool_path(LOADER);
    if (g_file_test(path, G_FILE_TEST_EXISTS) && g_file_test(loader, G_FILE_TEST_EXISTS))
        return TRUE;
    g_autofree char *message = g_strdup_printf("the test tree has no %s for this machine", program);
    g_test_skip(message);
    return FALSE;
}

char *tree_tool_run(const char *program, const char *const *arguments, gboolean python) {
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *libraries = tree_tool_path(LIBRARIES);
    g_ptr_array_add(argv, tree_tool_path(LOADER));
    g_ptr_array_add(argv, g_strdup("--library-path"));
    g_ptr_array_add(argv, g_strdup_printf("%s:%s/systemd", libraries, libraries));
    if (python)
        g_ptr_array_add(argv, tree_tool_path("usr/bin/python3"));
    g_ptr_array_add(argv, tree_tool_path(program));
    for (const char *const *argument = arguments; *argument; argument++)
        g_ptr_array_add(argv, g_strdup(*argument));
    g_ptr_array_add(argv, NULL);

    g_auto(GStrv) environment = g_get_environ();
    if (python) {
        g_autofree char *home = tree_tool_path("usr");
        environment = g_environ_setenv(environment, "PYTHONHOME", home, TRUE);
        environment = g_environ_setenv(environment, "PYTHONDONTWRITEBYTECODE", "1", TRUE);
    }
    char *output = NULL;
    g_autofree char *errors = NULL;
    int status;
    g_autoptr(GError) error = NULL;
    g_assert_true(g_spawn_sync(NULL, (char **) argv->pdata, environment, G_SPAWN_DEFAULT, NULL, NULL,
            &output, &errors, &status, &error));
    if (!g_spawn_check_wait_status(status, &error))
        g_error("%s: %s\n%s", program, error->message, errors);
    return output;
}
