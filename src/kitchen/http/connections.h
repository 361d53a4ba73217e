/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The connections of the server: how many, and how long each may take to say what it wants. */

#include <libsoup/soup.h>

/* In seconds: until a request is there with its head, and with its body; and how long a reader may stop reading. */
#define CONNECTION_HEAD_TIME 20
#define CONNECTION_BODY_TIME 60
#define CONNECTION_STALL_TIME 300
#define CONNECTIONS_MAX 512

typedef struct Connections Connections;

/* Accepts connections of LISTENER for SOUP. Times are divided by HASTE (1; more for tests). */
Connections *connections_new(SoupServer *soup, GSocketListener *listener, guint haste);
void connections_free(Connections *connections);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Connections, connections_free)

/* The head of MESSAGE is there: its body is to follow in time. LONG_BODY: it may take as long as it goes on. */
void connection_got_head(SoupServerMessage *message, gboolean long_body);

/* Answers MESSAGE, whose body must not be read, with STATUS and TEXT, and ends the connection. */
void connection_refuse(SoupServerMessage *message, guint status, const char *text);
