/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the last build was told: JSON, as a value for each setting. */
#include <stdint.h>

#include "recipe/values/checked-json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_setting(const Setting *setting, const Value *json) {
    g_autoptr(Value) value = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(value_checked_from_json(setting, json, &value, &error) == !error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) history = value_from_json((const char *) data, size, &error);

    g_assert_true(!history || !error);
    if (!history)
        return 0;
    g_autoptr(GString) again = g_string_new(NULL);
    value_to_json(history, again, 0);
    g_autoptr(Value) same = value_from_json(again->str, again->len, &error);
    g_assert_no_error(error);
    g_assert_true(value_equal(history, same));

    for (guint i = 0; value_kind(history) == VALUE_MAP && i < value_length(history); i++) {
        const Setting *setting = setting_by_name(value_key(history, i));
        if (setting && !setting->stored_in)
            try_setting(setting, value_element(history, i));
    }
    return 0;
}
