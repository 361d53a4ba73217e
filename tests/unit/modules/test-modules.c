/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is loaded at its first use is there, and says so when it is not. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/module.h"
#include "modules/curl.h"
#include "modules/file-server.h"

static size_t on_data(char *data, size_t size, size_t count, void *text) {
    g_string_append_len(text, data, size * count);
    return size * count;
}

static void test_curl(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("particleos-module-XXXXXX", &path, NULL);
    g_assert_cmpint(fd, >=, 0);
    g_assert_true(g_close(fd, NULL));
    g_assert_true(g_file_set_contents(path, "content", -1, NULL));
    g_autofree char *url = g_strconcat("file://", path, NULL);

    const CurlFunctions *lib = curl_functions(&error);
    g_assert_no_error(error);
    CURL *curl = lib->easy_init();
    lib->easy_setopt(curl, CURLOPT_URL, url);
    lib->easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    lib->easy_setopt(curl, CURLOPT_WRITEDATA, text);
    g_assert_cmpint(lib->easy_perform(curl), ==, CURLE_OK);
    lib->easy_cleanup(curl);
    g_assert_cmpstr(text->str, ==, "content");
    g_assert_true(curl_functions(NULL) == lib);
    (void) g_unlink(path);
}

static void on_line(const char *line) {
}

static void test_file_server(void) {
    g_autoptr(GError) error = NULL;
    const FileServerFunctions *files = file_server_functions(&error);
    g_assert_no_error(error);
    g_assert_null(files->start("/", "localhost:0", 80, on_line, &error));
    g_assert_true(g_str_has_prefix(error->message, "--listen: "));
    g_clear_error(&error);
    g_assert_null(files->start("/nonexistent", "localhost", 80, on_line, &error));
    g_assert_nonnull(strstr(error->message, "/nonexistent"));
}

static void test_missing(void) {
    g_autoptr(GError) error = NULL;
    g_assert_null(module_load("nothing", "nothing", &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "nothing.so"));
    g_clear_error(&error);
    g_assert_null(module_load("curl", "nothing", &error));
    g_assert_nonnull(error);
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/modules/curl", test_curl);
    g_test_add_func("/modules/file-server", test_file_server);
    g_test_add_func("/modules/missing", test_missing);
    return g_test_run();
}
