/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What mirrors of Arch, packages and pacman say: databases and the descriptions in them, the messages, in which
 * scriptlets have a say too, and configuration that a recipe brings. */
#include <gio/gio.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "distro/pacman/configuration.h"
#include "distro/pacman/database.h"
#include "distro/pacman/desc.h"
#include "distro/pacman/output.h"
#include "distro/pacman/resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* They become arguments, and names in the package cache. */
static void check_desc(const PacmanDesc *desc) {
    g_assert_true(*desc->name && *desc->name != '-' && *desc->version && *desc->version != '-');
    g_assert_false(strpbrk(desc->name, " /\n") || strpbrk(desc->version, " /\n"));
    g_assert_true(!desc->file || (*desc->file != '.' && *desc->file != '-' && !strchr(desc->file, '/')));
    g_assert_true(!desc->sha256 || strlen(desc->sha256) == 64);
    g_assert_true(desc->base && desc->architecture && desc->built >= -1);
}

static void check_database(const uint8_t *data, size_t size) {
    AUTO_FD fd = memfd_create("database", MFD_CLOEXEC);
    g_autoptr(GError) error = NULL;

    g_assert_true(write_all(fd, data, size) && lseek(fd, 0, SEEK_SET) == 0);
    g_autoptr(GHashTable) packages = pacman_database_read(fd, &error);
    g_assert_true(!packages == !!error);
    GHashTableIter iter;
    gpointer name, desc;
    if (!packages)
        return;
    g_hash_table_iter_init(&iter, packages);
    while (g_hash_table_iter_next(&iter, &name, &desc)) {
        check_desc(desc);
        g_assert_cmpstr(name, ==, ((PacmanDesc *) desc)->name);
    }
}

static void on_progress(guint done, guint total, const char *what, gpointer data) {
    g_assert_true(done <= total && what);
}

static void check_output(const char *text) {
    g_autoptr(PacmanOutput) output = pacman_output_new(on_progress, NULL, 4);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++)
        pacman_output_line(*line, output);
    g_assert_true(!pacman_output_failed(output) || *pacman_output_reason(output));
    g_assert_nonnull(pacman_output_advice(output, ""));
}

static void check_texts(const char *text) {
    g_autoptr(PacmanDesc) desc = pacman_desc_parse(text, NULL);
    g_autoptr(GPtrArray) choices = pacman_choices_parse(text);
    g_autoptr(GPtrArray) repositories = g_ptr_array_new_with_free_func((GDestroyNotify) distro_repository_free);
    g_autofree char *dated = pacman_desc_set_install_date(text, 1);
    g_autofree char *again = pacman_desc_set_install_date(dated, 1);
    g_autofree char *adopted = pacman_configuration_adopt(text);

    if (desc)
        check_desc(desc);
    g_assert_cmpstr(dated, ==, again);
    g_assert_cmpuint(strlen(adopted), <=, strlen(text));
    for (guint i = 0; choices && i < choices->len; i++)
        g_assert_null(strchr(((PacmanChoice *) choices->pdata[i])->package->file, '/'));
    pacman_configuration_list(text, "x86_64", repositories);
    for (guint i = 0; i < repositories->len; i++) {
        const DistroRepository *repository = repositories->pdata[i];
        g_autoptr(GUri) uri = g_uri_parse(repository->url, G_URI_FLAGS_ENCODED, NULL);
        g_assert_true(uri && !g_uri_get_userinfo(uri));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *text = g_strndup((const char *) data, size);

    check_database(data, size);
    check_output(text);
    check_texts(text);
    return 0;
}
