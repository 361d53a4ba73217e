/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tlog-tool DIRECTORY SIZE…: lets a log grow to each of SIZE, keeping each checkpoint as checkpoint.SIZE and a proof of the last
 * entry as proof.SIZE; prints the key. For judges that others wrote. */
#include "tlog-tool.h"

#include <stdio.h>
#include <stdlib.h>

#include "format/tlog/tlog-proof.h"

static void save(const char *directory, const char *name, guint64 size, const char *text) {
    g_autofree char *path = g_strdup_printf("%s/%s.%" G_GUINT64_FORMAT, directory, name, size);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void save_proof(const char *directory, const TlogReader *reader, guint64 size, const char *checkpoint) {
    g_auto(TlogProof) proof = {.index = size - 1, .checkpoint = g_strdup(checkpoint)};

    proof.path = tlog_prove_inclusion(reader, size - 1, size, NULL);
    g_autofree char *text = tlog_proof_to_text(&proof);
    save(directory, "proof", size, text);
}

int main(int argc, char **argv) {
    g_autoptr(GError) error = NULL;
    g_auto(TlogVerifier) verifier = {NULL};

    tlog_tool_verifier(&verifier);
    g_autoptr(TlogStore) store = argc > 1 ? tlog_store_open(argv[1], &verifier, &error) : NULL;
    for (int i = 2; store && !error && i < argc; i++) {
        guint64 size = g_ascii_strtoull(argv[i], NULL, 10);
        TlogReader reader = tlog_store_reader(store);
        tlog_tool_grow(store, size);
        g_autofree char *checkpoint = tlog_tool_checkpoint(&reader, size);
        if (!tlog_store_publish(store, checkpoint, &error))
            break;
        save(argv[1], "checkpoint", size, checkpoint);
        save_proof(argv[1], &reader, size, checkpoint);
    }
    if (!store || error) {
        fprintf(stderr, "tlog-tool: %s\n", error ? error->message : "DIRECTORY SIZE…");
        return EXIT_FAILURE;
    }
    g_autofree char *text = tlog_verifier_to_text(&verifier);
    puts(text);
    return EXIT_SUCCESS;
}
