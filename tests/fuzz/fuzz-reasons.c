/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two input sets, one after the other, with a zero byte between them. Whatever they say, reasons are lines
 * of text. */
#include <stdint.h>
#include <string.h>

#include "reasons/reasons.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *text) {
    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_assert_null(strpbrk(text, "\n\r\033"));
}

static void compare(JsonNode *before, JsonNode *after) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) reasons = reasons_compare(before, after, &error);

    g_assert_true(!reasons == !!error);
    if (!reasons)
        return;
    for (guint i = 0; i < reasons->len; i++)
        check_line(((const Reason *) reasons->pdata[i])->text);
    g_autofree char *summary = reasons_summary(reasons);
    g_autoptr(JsonNode) json = reasons_to_json(reasons);
    check_line(summary);
    g_assert_true(JSON_NODE_HOLDS_OBJECT(json));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *) data;
    const char *middle = memchr(text, 0, size);
    gsize first = middle ? (gsize) (middle - text) : size;
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) before = reasons_parse(text, first, &error);
    g_autoptr(JsonNode) after = middle ? reasons_parse(middle + 1, size - first - 1, NULL) : NULL;

    g_assert_true(!before == !!error);
    if (before)
        compare(before, before);
    if (before && after) {
        compare(before, after);
        compare(after, before);
    }
    return 0;
}
