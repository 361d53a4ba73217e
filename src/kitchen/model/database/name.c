/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/database/name.h"

#include <string.h>

#include "kitchen/model/database/database.h"

#define NAME_MAX_LENGTH 39

/* Words that are pages, or may become some. */
static const char *const reserved[] = {"about", "account", "admin", "api", "assets", "badge", "docs", "events",
        "favicon", "health", "help", "hooks", "inputs", "link", "log", "login", "logout", "logs", "metrics", "new",
        "objects", "pub", "queue", "search", "settings", "sha256", "signer", "static", "tokens", "users", "well-known",
        "worker", NULL};

gboolean name_check(const char *what, const char *name, GError **error) {
    gsize length = strlen(name);

    if (length >= 1 && length <= NAME_MAX_LENGTH && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
            name[0] != '-' && name[length - 1] != '-')
        return TRUE;
    g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT,
            "\"%s\" is no name of a %s: choose 1 to %d characters of a-z, 0-9 and \"-\", without one at the "
            "beginning or the end",
            name, what, NAME_MAX_LENGTH);
    return FALSE;
}

gboolean name_check_namespace(const char *name, GError **error) {
    if (!name_check("namespace", name, error))
        return FALSE;
    if (!g_strv_contains(reserved, name))
        return TRUE;
    g_set_error(error, DATABASE_ERROR, DATABASE_ERROR_CONFLICT,
            "\"%s\" is the address of a page of the service: choose another name", name);
    return FALSE;
}
