/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The parts of particleos-kitchen-fetch. git runs in a sandbox, without configuration, hooks and filters; of the credentials it
 * sees those of the one host that it asks. */

#include "kitchen/fetch/secrets.h"
#include "kitchen/git/git-url.h"

#define FETCH_BYTES_MAX (1024 * G_GINT64_CONSTANT(1048576))
#define FETCH_FILES_MAX 200000

typedef struct {
    GitRules rules;
    GPtrArray *secrets;      /* of FetchSecret */
    const char *authorities; /* file with certificates; NULL: the system's */
    char *work;              /* host directory that git sees as /fetched; NULL: none */
    gint64 end;              /* when nobody waits any longer, monotonic */
} Fetch;

/* ---- run.c ---- */

/* A run of git. */
typedef struct {
    const GitUrl *from; /* the repository that it asks; NULL: none, and it has no network */
    int in;             /* its standard input; 0: nothing */
    gboolean merges;    /* puts a tree into another, which git does beside a directory of files only */
    const char *date;   /* of commits that it makes: "SECONDS +0000"; NULL: it makes none */
} GitRun;

/* How git calls FROM. */
const char *fetch_address(const GitUrl *from);

/* What git prints with WORDS (NULL-terminated) as arguments; NUL-terminated, owned by the caller. RET_SIZE may be NULL. */
char *fetch_git_output(
        const Fetch *fetch, const GitRun *how, const char *const *words, gsize *ret_size, GError **error);
gboolean fetch_git(
        const Fetch *fetch, const GitRun *how, const char *const *words, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes the directory FETCH->work with all that git made in it. */
void fetch_remove_work(const Fetch *fetch);

/* ---- tree.c ---- */

/* A submodule: a directory that is a commit of another repository. */
typedef struct {
    char *path, *commit;
} FetchModule;

/* What was fetched so far. */
typedef struct {
    guint files;
    gint64 bytes;
} FetchSize;

/* Fetches COMMIT of FROM into /fetched/repository. */
gboolean fetch_commit(
        const Fetch *fetch, const GitUrl *from, const char *commit, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The submodules (FetchModule) of COMMIT. Refuses a tree with which SIZE becomes too large, and one whose .gitmodules is no
 * file. */
GPtrArray *fetch_check_tree(const Fetch *fetch, const char *commit, FetchSize *size, GError **error);

/* ---- modules.c ---- */

/* A commit with the files of all submodules (of submodules) of COMMIT, the same each time; owned by the caller. MODULES are
 * those of COMMIT. */
char *fetch_with_modules(const Fetch *fetch, const GitUrl *from, const char *commit, GPtrArray *modules,
        FetchSize *size, GError **error);
