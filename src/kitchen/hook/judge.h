/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a delivery comes from who knows the secret of the hook. Only the signature of the configured kind counts:
 * a delivery that offers a weaker one instead is refused. */

#include <glib.h>

typedef enum {
    HOOK_GITHUB,        /* X-Hub-Signature-256: HMAC-SHA256 of the body */
    HOOK_GITLAB,        /* X-Gitlab-Token: the secret itself */
    HOOK_GITLAB_SIGNED, /* webhook-signature: HMAC-SHA256 of ID, time and body */
    HOOK_GITEA,         /* X-Gitea-Signature: HMAC-SHA256 of the body */
    HOOK_FORGEJO,       /* X-Forgejo-Signature, or X-Gitea-Signature: the same */
    HOOK_N_KINDS,
} HookKind;

/* "github", "gitlab", "gitlab-signed", "gitea", "forgejo"; -1 when WORD is none. */
const char *hook_kind_name(HookKind kind);
int hook_kind_by_name(const char *word);

/* The value of the header NAME, NULL when there is none. */
typedef const char *(*HookHeader)(gpointer user, const char *name);

/* What a delivery says of itself. Texts are the sender's, and short. */
typedef struct {
    char *delivery; /* its identifier, or NULL */
    char *event;    /* what happened, in the words of the forge, or NULL */
    char *problem;  /* why it is not believed, in words; NULL when it is */
} HookVerdict;
void hook_verdict_clear(HookVerdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(HookVerdict, hook_verdict_clear)

/* How old a delivery of HOOK_GITLAB_SIGNED may be, or how far ahead, in seconds. */
#define HOOK_AGE_MAX 300

/* Judges the delivery with BODY. SECRET is that of the hook; of HOOK_GITLAB_SIGNED, "whsec_" and base64 as the
 * forge shows it. NOW: seconds since 1970. Returns TRUE when it is good. */
gboolean hook_judge(HookKind kind, const char *secret, GBytes *body, HookHeader header, gpointer user, gint64 now,
        HookVerdict *ret_verdict) G_GNUC_WARN_UNUSED_RESULT;
