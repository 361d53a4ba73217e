/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Partition definitions: every setting, and what follows from their combination. */
#include "image/plan/partition-plan.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const Specifiers specifiers = {
            .architecture = "x86-64", .image_id = "ParticleOS", .image_version = "20260101120000"};
    static const Uuid seed = {{1}};
    g_autoptr(GError) error = NULL;
    PartitionDefinition *definition = partition_definition_new("fuzz.conf");
    g_autoptr(GPtrArray) definitions =
            g_ptr_array_new_with_free_func((GDestroyNotify) partition_definition_free);

    g_ptr_array_add(definitions, definition);
    gboolean good = partition_definition_parse(
            definition, "fuzz.conf", (const char *) data, size, "x86-64", &specifiers, &error) &&
            partition_definition_complete(definition, &specifiers, &error);
    g_assert_true(good == !error);
    if (!good)
        return 0;
    g_autoptr(Plan) plan = plan_new(definitions, &seed, 512, 0, DISK_VERITY_AUTO, TRUE, &error);
    g_assert_true(!plan == !!error);
    if (plan)
        g_assert_true(plan_layout(plan, &error) == !error);
    return 0;
}
