/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first byte chooses the forge; then four headers, each ended by a newline, and the body. */
#include <string.h>

#include "kitchen/hook/payload.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

#define N_HEADERS 4

typedef struct {
    HookKind kind;
    char **lines;
} Delivery;

static const char *find(gpointer user, const char *name) {
    const Delivery *delivery = user;
    guint at = strstr(name, "ignature") || strstr(name, "Token") ? 0
               : strstr(name, "vent") && !strstr(name, "UUID")   ? 1
               : strstr(name, "timestamp")                       ? 2
                                                                 : 3;

    return at < g_strv_length(delivery->lines) && delivery->lines[at][0] ? delivery->lines[at] : NULL;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
    g_autofree char *text = size > 0 ? g_strndup((const char *) data + 1, size - 1) : NULL;
    g_auto(GStrv) lines = NULL;
    g_autofree char *words = NULL;
    g_autoptr(GBytes) body = NULL;
    g_auto(HookVerdict) verdict = {NULL};
    Delivery delivery = {HOOK_GITHUB, NULL};

    if (size == 0)
        return 0;
    lines = g_strsplit(text, "\n", N_HEADERS + 1);
    delivery.kind = data[0] % HOOK_N_KINDS;
    delivery.lines = lines;
    body = g_bytes_new(lines[0] && g_strv_length(lines) > N_HEADERS ? lines[N_HEADERS] : "",
            g_strv_length(lines) > N_HEADERS ? strlen(lines[N_HEADERS]) : 0);
    /* Nobody guesses the secret. */
    g_assert_false(hook_judge(delivery.kind, "whsec_c2VjcmV0IG9mIHRoZSBmdXp6ZXI=", body, find, &delivery, 0, &verdict));
    g_assert_nonnull(verdict.problem);
    (void) hook_read_payload(delivery.kind, find(&delivery, "event"), body, "main", &words);
    g_assert_nonnull(words);
    return 0;
}
