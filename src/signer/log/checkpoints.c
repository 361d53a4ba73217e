/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/log/checkpoints.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/io.h"
#include "format/tlog/tlog-proof.h"
#include "signer/text/error.h"

struct SignerCheckpoints {
    char *path;
    SignerJournal *journal;
    const SignerInstance *instance;
    char *note;   /* the last one, or NULL */
    guint64 size; /* of the log, of which NOTE speaks */
};

void signer_checkpoints_free(SignerCheckpoints *checkpoints) {
    if (!checkpoints)
        return;
    g_free(checkpoints->path);
    g_free(checkpoints->note);
    g_free(checkpoints);
}

static gboolean refuse(const SignerCheckpoints *checkpoints, GError **error, const char *what) {
    return signer_refuse(error, SIGNER_ERROR_FAILED,
            "The signer does not start, so that it signs nothing twice and no lower version. %s: %s. Bring back the log from "
            "a copy that is newer than the last answer",
            checkpoints->path, what);
}

/* The log has to begin with what was said of it. */
static gboolean check_former(SignerCheckpoints *checkpoints, GError **error) {
    g_autofree char *text = NULL;
    g_auto(TlogCheckpoint) former = {NULL};
    g_autoptr(GError) problem = NULL;
    TlogReader reader = signer_journal_reader(checkpoints->journal);
    TlogHash root;
    gsize size;

    if (!g_file_get_contents(checkpoints->path, &text, &size, &problem))
        return g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
               refuse(checkpoints, error, problem->message);
    if (!tlog_checkpoint_open(text, size, &checkpoints->instance->verifier, &former, &problem))
        return refuse(checkpoints, error, problem->message);
    g_autofree char *sizes = g_strdup_printf("%" G_GUINT64_FORMAT " leaves were given out, and the log has %" G_GUINT64_FORMAT,
            former.size, signer_journal_get_size(checkpoints->journal));
    if (former.size > signer_journal_get_size(checkpoints->journal))
        return refuse(checkpoints, error, sizes);
    if (!tlog_root(&reader, former.size, &root, error))
        return FALSE;
    return tlog_hash_equal(&root, &former.root) || refuse(checkpoints, error, "it is of another log");
}

SignerCheckpoints *signer_checkpoints_new(
        const char *path, SignerJournal *journal, const SignerInstance *instance, GError **error) {
    g_autoptr(SignerCheckpoints) checkpoints = g_new0(SignerCheckpoints, 1);

    checkpoints->path = g_strdup(path);
    checkpoints->journal = journal;
    checkpoints->instance = instance;
    return check_former(checkpoints, error) ? g_steal_pointer(&checkpoints) : NULL;
}

static gboolean save(const SignerCheckpoints *checkpoints, const char *note, GError **error) {
    g_autofree char *fresh = g_strconcat(checkpoints->path, ".new", NULL);
    AUTO_FD fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    return (fd >= 0 && write_all(fd, note, strlen(note)) && fsync(fd) == 0 && rename(fresh, checkpoints->path) == 0) ||
           set_errno_error(error, errno, "Cannot write %s", checkpoints->path);
}

const char *signer_checkpoints_get(SignerCheckpoints *checkpoints, GError **error) {
    TlogReader reader = signer_journal_reader(checkpoints->journal);
    TlogCheckpoint checkpoint = {
            .origin = checkpoints->instance->verifier.name, .size = signer_journal_get_size(checkpoints->journal)};

    if (checkpoints->note && checkpoints->size == checkpoint.size)
        return checkpoints->note;
    if (!tlog_root(&reader, checkpoint.size, &checkpoint.root, error))
        return NULL;
    g_autofree char *note = signer_instance_sign_checkpoint(checkpoints->instance, &checkpoint, error);
    if (!note || !save(checkpoints, note, error))
        return NULL;
    g_free(checkpoints->note);
    checkpoints->note = g_steal_pointer(&note);
    checkpoints->size = checkpoint.size;
    return checkpoints->note;
}

char *signer_checkpoints_prove(SignerCheckpoints *checkpoints, guint64 n, GError **error) {
    TlogReader reader = signer_journal_reader(checkpoints->journal);
    const char *note = signer_checkpoints_get(checkpoints, error);
    g_auto(TlogProof) proof = {.index = n, .checkpoint = g_strdup(note)};

    if (!note || !(proof.extra = signer_journal_read_line(checkpoints->journal, n, error)) ||
            !(proof.path = tlog_prove_inclusion(&reader, n, checkpoints->size, error)))
        return NULL;
    return tlog_proof_to_text(&proof);
}
