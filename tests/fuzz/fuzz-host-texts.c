/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a tree or the host says of itself: os-release, and where apt gets packages from. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "distro/apt/repositories.h"
#include "distro/apt/sources.h"
#include "recipe/language/distributions.h"
#include "tree/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *directory;
static int directory_fd = -1;

static void at_exit(void) {
    ignore_failure(tree_remove(AT_FDCWD, directory, NULL));
}

static void set_up(void) {
    const char *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir();

    directory = g_build_filename(memory, "fuzz-texts-XXXXXX", NULL);
    g_assert_nonnull(g_mkdtemp(directory));
    atexit(at_exit);
    directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void check_os_release(const uint8_t *data, size_t size) {
    g_autofree char *release = NULL, *id = NULL;
    Distribution distribution;

    g_assert_true(tree_write_file(directory_fd, "etc/os-release", (const char *) data, size, 0644, NULL));
    if (distribution_detect(directory, &distribution, &release, &id))
        g_assert_true(release && id);
}

static void check_sources(const char *text) {
    for (int deb822 = 0; deb822 < 2; deb822++) {
        g_auto(AptHostMirrors) mirrors = {};
        apt_host_mirrors_parse(text, deb822, "debian", &mirrors);
        g_assert_true(!mirrors.archive || g_str_has_suffix(mirrors.archive, "/debian"));
        g_assert_true(!mirrors.security || g_str_has_suffix(mirrors.security, "/debian-security"));

        g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify) distro_repository_free);
        apt_repositories_parse(text, deb822, "amd64", found);
        for (guint i = 0; i < found->len; i++) {
            const DistroRepository *repository = found->pdata[i];
            g_autofree char *name = apt_repositories_list_name(repository->metadata);
            g_assert_true(g_str_has_prefix(repository->metadata, repository->url));
            g_assert_true(g_str_has_suffix(repository->metadata, "InRelease") && !strchr(name, '/'));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static gsize done;
    g_autofree char *text = g_strndup((const char *) data, size);

    if (g_once_init_enter(&done)) {
        set_up();
        g_once_init_leave(&done, 1);
    }
    check_os_release(data, size);
    check_sources(text);
    return 0;
}
