/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a delivery is about. It is a hint: the service looks at the branch itself. */

#include "kitchen/hook/judge.h"

typedef enum {
    HOOK_LOOK,    /* something was pushed to the branch: look at it */
    HOOK_NOTHING, /* a ping, a tag, another branch, a deleted one */
    HOOK_WRONG,   /* no payload of this forge */
} HookMeaning;

/* Reads the payload BODY of an event that the forge calls EVENT (may be NULL), for a project that follows BRANCH.
 * RET_WORDS receives what that means, in words for the forge's page of deliveries; owned by the caller. */
HookMeaning hook_read_payload(HookKind kind, const char *event, GBytes *body, const char *branch, char **ret_words);
