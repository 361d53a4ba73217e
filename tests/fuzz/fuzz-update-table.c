/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A partition table that is read, changed and written. */
#include "update/device/gpt-table.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define DISK (64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    AUTO_FD fd = memfd_create("disk", MFD_CLOEXEC);
    g_autoptr(GError) error = NULL;

    if (fd < 0 || size > DISK || ftruncate(fd, DISK) < 0 || !pwrite_all(fd, data, size, 0, NULL))
        return 0;
    g_autoptr(GptTable) table = gpt_table_read(fd, &error);
    g_assert_true((table != NULL) == (error == NULL));
    if (!table)
        return 0;
    const GPtrArray *partitions = gpt_table_get_partitions(table);
    for (guint i = 0; i < partitions->len; i++) {
        const GptPartition *partition = partitions->pdata[i];
        g_assert_true(partition->offset + partition->size <= DISK && partition->size > 0);
        g_assert_true(g_utf8_validate(partition->label, -1, NULL));
    }
    if (partitions->len > 0) {
        const GptPartition *first = partitions->pdata[0];
        g_assert_true(gpt_table_set(table, first->number, &first->type, &first->uuid, 1, "changed", NULL));
        if (gpt_table_write(table, fd, NULL)) {
            g_autoptr(GptTable) again = gpt_table_read(fd, NULL);
            g_assert_nonnull(again);
            g_assert_cmpstr(((GptPartition *) gpt_table_get_partitions(again)->pdata[0])->label, ==, "changed");
        }
    }
    return 0;
}
