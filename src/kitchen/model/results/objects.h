/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which files (kitchen/store) are there, whose they are, and what a job made of them. */

#include "kitchen/model/database/model.h"

typedef struct {
    gint64 id;
    gint64 job_id;
    char *name;
    char *kind; /* "uki", "partition", "manifest", "checksums", "inputs", "other" */
    char *digest;
    gint64 size;
} Artifact;

void artifact_free(Artifact *artifact);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Artifact, artifact_free)

/* The store has DIGEST, and JOB (0: none) has sent all of it. Repeating is harmless. */
gboolean object_note(
        Model *model, const char *digest, gint64 size, gint64 job, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether JOB sent the object, or it was assigned to it. -1 with ERROR set. */
int object_is_of_job(Model *model, const char *digest, gint64 job, GError **error);

/* Size of the object, -1 when it is not known (ERROR unset) or it failed. */
gint64 object_size(Model *model, const char *digest, GError **error);

/* Bytes of all objects that JOB has sent. 0 with ERROR set. */
gint64 object_bytes_of_job(Model *model, gint64 job, GError **error);

/* Objects that nothing refers to and that are older than BEFORE: an array of strings. Objects of unpublished
 * builds that ended before BEFORE count as not referred to. */
GPtrArray *object_list_unused(Model *model, gint64 before, GError **error);
/* Forgets the object; the caller removes the file first. */
gboolean object_forget(Model *model, const char *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The input set of a job: an object of it. */
gboolean input_set_put(Model *model, gint64 job, const char *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* NULL without ERROR set: there is none. Owned by the caller. */
char *input_set_get(Model *model, gint64 job, GError **error);
/* The input set of the last published build of TARGET's project; RET_BUILD receives that build. */
char *input_set_published(Model *model, gint64 target, gint64 *ret_build, GError **error);

/* That of the last job of TARGET that failed, and would fail again: a network, a signer or a worker that was gone is no
 * reason to say so. RET_BUILD receives its build. NULL without ERROR set: there is none. */
char *input_set_failed(Model *model, gint64 target, gint64 *ret_build, GError **error);

/* Adds an artifact of JOB, whose bytes it has sent; the same again is harmless. */
gboolean artifact_add(Model *model, const Artifact *artifact, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Arrays of Artifact, by name: those of a job; of the jobs of a build that are done. */
GPtrArray *artifact_list(Model *model, gint64 job, GError **error);
GPtrArray *artifact_list_of_build(Model *model, gint64 build, GError **error);
/* Artifacts whose digest is DIGEST. */
GPtrArray *artifact_list_of_digest(Model *model, const char *digest, GError **error);

/* Notes that the signer has answered: for pages. JOB 0: none. LEAF -1: not known. */
gboolean signature_note(Model *model, gint64 project, gint64 job, const char *type, const char *title, gint64 leaf,
        GError **error) G_GNUC_WARN_UNUSED_RESULT;
