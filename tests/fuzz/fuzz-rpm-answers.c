/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What dnf, zypper and rpm print, lists of packages of repositories, and headers of the database. */
#include <stdint.h>
#include <string.h>

#include "distro/driver/types.h"
#include "distro/rpm/database/header.h"
#include "distro/rpm/managers/zypper-answer.h"
#include "distro/rpm/metadata/primary.h"
#include "distro/rpm/metadata/table.h"
#include "distro/rpm/run/output.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_choices(GPtrArray *choices) {
    for (guint i = 0; choices && i < choices->len; i++) {
        const RpmChoice *choice = choices->pdata[i];
        g_assert_true(choice->name && choice->evr && choice->architecture);
    }
}

static void check_primary(const char *text, size_t size) {
    g_autoptr(GHashTable) wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    DistroPackage *package = g_new0(DistroPackage, 1);

    g_hash_table_insert(wanted, rpm_primary_key("a", "1-1", "noarch"), package);
    if (rpm_primary_find_in_text(text, size, wanted, NULL) && package->digest) {
        /* They become names in the package cache, and paths in a directory of the session. */
        g_assert_true(*package->file && !strchr(package->file, '/') && package->file[0] != '.');
        g_assert_true(strlen(package->digest) == strlen("SHA256:") + 64);
        g_assert_true(!package->place || (package->place[0] != '/' && !g_str_has_prefix(package->place, "../") &&
                                                 !strstr(package->place, "/../")));
    }
    distro_package_free(package);
}

static void on_progress(guint done, guint total, const char *what, gpointer data) {
    g_assert_true(done <= total && what);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *text = g_strndup((const char *) data, size);
    g_autofree guint8 *header = g_memdup2(data, size);
    g_autoptr(RpmOutput) output = rpm_output_new(on_progress, NULL);
    g_autoptr(GPtrArray) table = dnf_table_parse(text);
    g_autoptr(GPtrArray) answer = zypper_answer_parse(text, NULL);

    check_choices(table);
    check_choices(answer);
    check_primary((const char *) data, size);
    (void) !rpm_header_set_number(header, size, RPM_TAG_INSTALLTIME, 1);
    rpm_output_text(output, text);
    g_assert_nonnull(rpm_output_reason(output));
    g_assert_nonnull(rpm_output_advice(rpm_output_reason(output), ""));
    return 0;
}
