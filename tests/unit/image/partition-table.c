/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* partition-table OUTPUT DIRECTORY...: what this program makes of each directory of partition definitions, as an
 * empty disk OUTPUT/NAME.raw (NAME: base name of the directory), for tests/integration/test-repart to compare. A
 * directory that is refused gets OUTPUT/NAME.error with the message instead. */

#include "image/disk/gpt.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const Specifiers specifiers = {.architecture = "x86-64",
        .image_version = "7",
        .build_id = "b1",
        .image_id = "image",
        .os_id = "debian",
        .version_id = "13",
        .variant_id = "server"};

static gboolean make_table(const char *directory, const char *disk, GError **error) {
    const char *const directories[] = {directory, NULL};
    Uuid seed = {{[15] = 1}};
    g_autoptr(GPtrArray) definitions =
            partition_definitions_load(directories, "x86-64", &specifiers, error);

    if (!definitions)
        return FALSE;
    g_autoptr(Plan) plan = plan_new(definitions, &seed, 512, 0, DISK_VERITY_AUTO, TRUE, error);
    if (!plan || !plan_layout(plan, error))
        return FALSE;
    int fd = open(disk, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    g_assert_no_errno(fd);
    g_assert_no_errno(ftruncate(fd, plan->size));
    g_assert_no_errno(close(fd));
    return gpt_write(plan, disk, error);
}

int main(int argc, char **argv) {
    for (int i = 2; i < argc; i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *name = g_path_get_basename(argv[i]);
        g_autofree char *stem = g_build_filename(argv[1], name, NULL);
        g_autofree char *disk = g_strconcat(stem, ".raw", NULL), *failure = g_strconcat(stem, ".error", NULL);
        if (!make_table(argv[i], disk, &error))
            g_assert_true(g_file_set_contents(failure, error->message, -1, NULL));
    }
    return 0;
}
