/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transfer files of updates, and names that their patterns meet. */
#include "update/transfer/transfer.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a pattern makes of a name makes that name again. */
static void check_patterns(const GPtrArray *patterns) {
    static const char *const names[] = {"OS_1.raw", "OS_0.2_x86-64.usr-x86-64.e5aab4d98c964ba591bd0ee3d0ce9ef1.raw",
            "OS_2+3-0.efi", "OS_2+1.efi", "1", "v_v_v"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        for (guint j = 0; j < patterns->len; j++) {
            g_auto(PatternFields) fields, again;
            pattern_fields_init(&fields);
            pattern_fields_init(&again);
            if (!pattern_match(patterns->pdata[j], names[i], &fields))
                continue;
            g_assert_true(pattern_is_version(fields.version));
            g_autofree char *name = pattern_format(patterns->pdata[j], &fields, NULL);
            g_assert_true(pattern_match(patterns->pdata[j], name, &again));
            g_assert_cmpstr(again.version, ==, fields.version);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const TransferSpecifiers specifiers = {
            .architecture = "x86-64", .image_id = "OS", .image_version = "1", .machine_id = "%m"};
    g_autofree char *text = g_strndup((const char *) data, size);
    const TransferText one = {"x.transfer", text, size};
    g_autoptr(GError) error = NULL;
    g_autoptr(Transfer) transfer = memchr(data, 0, size) ? NULL : transfer_parse("x", &one, 1, &specifiers, &error);

    if (!transfer)
        return 0;
    g_assert_no_error(error);
    g_assert_true(transfer->source_patterns->len > 0 && transfer->target_patterns->len > 0);
    g_assert_cmpuint(transfer->instances_max, >=, 2);
    check_patterns(transfer->source_patterns);
    check_patterns(transfer->target_patterns);
    return 0;
}
