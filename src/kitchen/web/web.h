/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The web side of the build service: pages, hooks and API on one listener. */

#include <gio/gio.h>
#include <libsoup/soup.h>

#include "kitchen/site/site.h"

typedef struct {
    Database *database;
    SecretBox *box; /* for credentials */
    const SiteEngine *engine;
    const char *base_url;          /* "https://kitchen.example": what links that leave the service begin with */
    const char *publish_url;       /* where devices find published files */
    const char *publish_directory; /* served below /pub/; NULL: by somebody else */
    const char *const *hosts;      /* further names of the server; NULL: none */
    gboolean development;
    guint haste; /* divides the times of connections, for tests; 1 */
} WebConfig;

typedef struct Web Web;

/* Serves the connections of LISTENER in the main loop. What CONFIG points to is used, not taken over. NULL with ERROR:
 * an address in CONFIG is none. */
Web *web_new(GSocketListener *listener, const WebConfig *config, GError **error);
void web_free(Web *web);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Web, web_free)

/* Requests below PREFIX ("/worker/") go to HANDLER; EARLY (may be NULL) is called when the head of one is there, and
 * may take care of the body. Hosts have been checked; sizes and who asks are their business. */
void web_mount(Web *web, const char *prefix, SoupServerCallback early, SoupServerCallback handler, gpointer user);
