/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Keys, certificates and other people's tools for tests of everything that signs. */

#include <glib.h>
#include <glib/gstdio.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "crypto/certificates/certificate.h"
#include "crypto/generate/genkey.h"
#include "crypto/keys/key-session.h"

typedef struct {
    char *directory;
    char *key_path;
    char *certificate_path;
    KeySource *key;
    Certificate *certificate;
} TestKeys;

static inline TestKeys *test_keys_new(const char *common_name) {
    g_autoptr(GError) error = NULL;
    TestKeys *keys = g_new0(TestKeys, 1);
    keys->directory = g_dir_make_tmp("particleos-keys-XXXXXX", &error);
    g_assert_no_error(error);
    keys->key_path = g_build_filename(keys->directory, "test.key", NULL);
    keys->certificate_path = g_build_filename(keys->directory, "test.crt", NULL);

    AUTO_FD fd = open(keys->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    GenkeyOptions options = {.common_name = common_name, .valid_days = 30};
    g_assert_true(genkey_create_at(fd, "test.key", "test.crt", &options, &error));
    g_assert_no_error(error);
    keys->key = key_source_new(KEY_SOURCE_KIND_FILE, NULL, keys->key_path, &error);
    g_assert_no_error(error);
    keys->certificate = certificate_load(keys->certificate_path, &error);
    g_assert_no_error(error);
    return keys;
}

static inline void test_keys_free(TestKeys *keys) {
    const char *name = NULL;
    g_autoptr(GDir) directory = g_dir_open(keys->directory, 0, NULL);
    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(keys->directory, name, NULL);
        g_unlink(path);
    }
    g_rmdir(keys->directory);
    key_source_unref(keys->key);
    certificate_unref(keys->certificate);
    g_free(keys->directory);
    g_free(keys->key_path);
    g_free(keys->certificate_path);
    g_free(keys);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestKeys, test_keys_free)

/* A file in the directory of KEYS, removed together with them; owned by the caller. */
static inline char *test_file(TestKeys *keys, const char *name, const void *data, gsize size) {
    g_autoptr(GError) error = NULL;
    char *path = g_build_filename(keys->directory, name, NULL);
    g_file_set_contents(path, data, size, &error);
    g_assert_no_error(error);
    return path;
}

static inline char *test_file_bytes(TestKeys *keys, const char *name, GBytes *bytes) {
    return test_file(keys, name, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

/* FALSE, with the test skipped, when the program TOOL is not installed. */
static inline gboolean test_have_tool(const char *tool) {
    g_autofree char *path = g_find_program_in_path(tool);
    if (path)
        return TRUE;
    g_autofree char *message = g_strdup_printf("%s is not installed", tool);
    g_test_skip(message);
    return FALSE;
}

/* Runs a shell command; whether it succeeded. RET_OUTPUT (may be NULL) receives what it printed. */
static inline gboolean test_shell(char **ret_output, const char *format, ...) G_GNUC_PRINTF(2, 3);
static inline gboolean test_shell(char **ret_output, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *command = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *merged = g_strdup_printf("exec 2>&1; %s", command);
    const char *argv[] = {"sh", "-c", merged, NULL};
    g_autofree char *output = NULL;
    int status = 0;
    g_assert_true(g_spawn_sync(
            NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL, &status, NULL));
    gboolean ok = g_spawn_check_wait_status(status, NULL);
    g_test_message("%s: %s\n%s", command, ok ? "success" : "failure", output);
    if (ret_output)
        *ret_output = g_steal_pointer(&output);
    return ok;
}
