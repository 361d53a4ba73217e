/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "signer/client/client.h"

typedef struct {
    const char *text, *canonical; /* NULL: refused */
} Case;

static const Case cases[] = {
        {"{}", "{}"},
        {" { \"b\" : 1 , \"a\" : [ true, null, \"x\" ] } ", "{\"a\":[true,null,\"x\"],\"b\":1}"},
        {"{\"a\":\"\\u000a\\\"\\\\é\"}", "{\"a\":\"\\u000a\\\"\\\\é\"}"},
        {"{\"a\":\"\\u0061:/'{\"}", "{\"a\":\"a:/'{\"}"},
        {"{\"a\":{\"z\":-5,\"y\":{}}}", "{\"a\":{\"y\":{},\"z\":-5}}"},
        {"{\"a\":[{\"b\":[]},{\"b\":[]},{\"b\":[]},{\"b\":[]},{\"b\":[]}]}",
                "{\"a\":[{\"b\":[]},{\"b\":[]},{\"b\":[]},{\"b\":[]},{\"b\":[]}]}"},
        {"", NULL},
        {"[]", NULL},
        {"1", NULL},
        {"{", NULL},
        {"{}{}", NULL},
        {"{\"a\":1,\"a\":2}", NULL},
        {"{\"a\":1,\"\\u0061\":2}", NULL},
        {"{\"x\":{\"a\":1,\"a\":1}}", NULL},
        {"{\"x\":[{\"a\":1,\"a\":1}]}", NULL},
        {"{\"a\":1} // comment", NULL},
        {"{/* comment */\"a\":1}", NULL},
        {"{'a':1}", NULL},
        {"{\"a\":\"\\377\"}", NULL},
        {"{\"a\":\"\\x41\"}", NULL},
        {"{\"a\":1.5}", NULL},
        {"{\"a\":18446744073709551617}", NULL},
        {"{\"a\":[1e3]}", NULL},
        {"{\"a\":\"\\/\\u00e9\\ud83d\\ude00\"}", "{\"a\":\"/é😀\"}"},
        {"{\"a\":\"\xff\"}", NULL},
        {"[[[[[[[[[[[[1]]]]]]]]]]]]", NULL},
        {"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}", NULL},
};

static void test_text(void) {
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonObject) object = signer_packet_parse(cases[i].text, strlen(cases[i].text), &error);
        g_autofree char *text = object ? signer_packet_to_text(object) : NULL;
        g_test_message("%s: %s", cases[i].text, text ?: error->message);
        g_assert_cmpstr(text, ==, cases[i].canonical);
        g_assert_true(!object == !!error);
    }
}

/* What is sent comes out at the other end, descriptors too, which are then of both. */
static void test_packets(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) descriptors = g_array_new(FALSE, FALSE, sizeof(int));
    int ends[2], sent[] = {STDIN_FILENO, STDERR_FILENO};
    gsize size;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    g_assert_true(signer_packet_send(ends[0], "hello", 5, sent, 2, 1000, &error));
    g_autoptr(GBytes) got = signer_packet_receive(ends[1], 5, 1000, descriptors, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(g_bytes_get_data(got, &size), g_bytes_get_size(got), "hello", 5);
    g_assert_cmpuint(descriptors->len, ==, 2);
    for (guint i = 0; i < descriptors->len; i++) {
        g_assert_true(fcntl(g_array_index(descriptors, int, i), F_GETFD) & FD_CLOEXEC);
        close(g_array_index(descriptors, int, i));
    }
    g_assert_true(signer_packet_send(ends[0], "too long", 8, NULL, 0, 1000, &error));
    g_assert_null(signer_packet_receive(ends[1], 5, 1000, NULL, &error));
    g_assert_error(error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_MALFORMED);
    g_clear_error(&error);
    g_assert_null(signer_packet_receive(ends[1], 5, 20, NULL, &error));
    g_assert_error(error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_TIMEOUT);
    g_clear_error(&error);
    close(ends[0]);
    g_assert_null(signer_packet_receive(ends[1], 5, 20, NULL, &error));
    g_assert_no_error(error);
    close(ends[1]);
}

static void test_nobody(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(SignerClient) client = signer_client_new("/nonexistent/signer.sock");
    g_autoptr(JsonObject) request = json_object_new();

    g_assert_null(signer_client_request(client, request, NULL, 0, &error));
    g_assert_error(error, SIGNER_CLIENT_ERROR, SIGNER_CLIENT_ERROR_UNREACHABLE);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/signer-client/text", test_text);
    g_test_add_func("/signer-client/packets", test_packets);
    g_test_add_func("/signer-client/nobody", test_nobody);
    return g_test_run();
}
