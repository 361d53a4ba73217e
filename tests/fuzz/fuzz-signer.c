/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the signer of the build service reads: requests, policies, lines of its log. */
#include <stdint.h>
#include <string.h>

#include "signer/client/packet.h"
#include "signer/log/index.h"
#include "signer/log/journal.h"
#include "signer/policy/policy.h"
#include "signer/request/request.h"
#include "signer/text/error.h"
#include "signer/text/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read and written again is the same. */
static void check_text(const char *text, gsize size) {
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) object = signer_packet_parse(text, size, &error);

    g_assert_true(!object == !!error);
    if (!object)
        return;
    g_autofree char *first = signer_packet_to_text(object);
    g_autoptr(JsonObject) again = signer_packet_parse(first, strlen(first), NULL);
    g_autofree char *second = again ? signer_packet_to_text(again) : NULL;
    g_assert_cmpstr(first, ==, second);
}

static void check_request(const char *text, gsize size) {
    g_autoptr(GError) error = NULL;
    g_autoptr(SignerRequest) request = signer_request_new(text, size, &error);

    g_assert_true(!request == !!error);
    if (!request)
        return;
    g_assert_true(!request->owner || (signer_is_name(request->namespace) && signer_is_name(request->project)));
    g_assert_true(request->type == SIGNER_STATUS || request->type == SIGNER_LOG || request->owner);
    g_assert_true(!request->version || signer_is_version(request->version, NULL));
}

static void check_policy(const char *text, gsize size) {
    g_autoptr(GError) error = NULL;
    g_autoptr(SignerPolicy) policy = signer_policy_parse("policy", text, size, &error);

    g_assert_true(!policy == !!error);
    g_assert_true(policy || g_error_matches(error, SIGNER_ERROR, SIGNER_ERROR_POLICY));
    for (guint i = 0; policy && i < policy->targets->len; i++)
        g_assert_true(signer_is_name(((SignerTarget *) policy->targets->pdata[i])->name));
}

static void check_leaf(const char *text, gsize size) {
    g_autoptr(GError) error = NULL, problem = NULL;
    g_autofree char *zeros = g_strnfill(64, '0');
    g_autoptr(JsonObject) leaf = signer_journal_parse_line(text, size, 0, zeros, &error);
    g_autoptr(SignerIndex) index = signer_index_new();

    g_assert_true(!leaf == !!error);
    if (leaf)
        g_assert_true(signer_index_add(index, leaf, &problem) || problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *) data;

    check_text(text, size);
    check_request(text, size);
    check_policy(text, size);
    check_leaf(text, size);
    return 0;
}
