/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* HTTP requests to addresses that users of the build service named. Every address that is connected to is judged, also after a
 * redirect and whatever the DNS says. */

#include <gio/gio.h>

#include "kitchen/net/address.h"

#define OUTBOUND_ERROR outbound_error_quark()
GQuark outbound_error_quark(void);

typedef enum {
    OUTBOUND_ERROR_FAILED,  /* the network, or the server; trying later may help */
    OUTBOUND_ERROR_REFUSED, /* an address or a URL that is not allowed */
    OUTBOUND_ERROR_LIMIT,   /* too large, too slow, too many redirects */
} OutboundError;

typedef struct {
    const AddressPolicy *policy; /* borrowed */
    gboolean plain_http;         /* http:// besides https:// */
    gsize size_max;              /* bytes of an answer; 0: 64 MiB */
    guint timeout;               /* seconds for the whole request; 0: 60 */
} OutboundLimits;

typedef struct {
    const char *method; /* NULL: GET */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const char *body;           /* of POST; may be NULL */
    gboolean follow; /* redirects, three at most; their address is judged, headers that carry secrets do not go along */
} OutboundRequest;

typedef struct {
    guint status;
    GBytes *body;
    char *etag;          /* may be NULL */
    char *last_modified; /* may be NULL */
} OutboundAnswer;

void outbound_answer_free(OutboundAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OutboundAnswer, outbound_answer_free)

/* Whether URL may be asked: https, or http where LIMITS allow it; no user and password inside; a host; no characters that end a
 * line. */
gboolean outbound_check_url(const OutboundLimits *limits, const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Asks, and waits for the answer. An answer with a status of an error is an answer. Safe for several threads. */
OutboundAnswer *outbound_request(const OutboundLimits *limits, const OutboundRequest *request, GError **error);
