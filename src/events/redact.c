/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "events/redact.h"

#include <string.h>

#include "events/task.h"

static Secrets *current_secrets(void) {
    Task *task = task_current();
    return task ? task_get_secrets(task) : NULL;
}

void redact_secret(const char *secret) {
    if (current_secrets())
        secrets_add(current_secrets(), secret);
}

void redact_addresses(const char *text) {
    if (current_secrets())
        secrets_add_addresses(current_secrets(), text);
}

gboolean redact_is_secret_name(const char *name) {
    return secrets_is_name(name);
}

char *redact_text(const char *text) {
    return secrets_redact(current_secrets(), text);
}

char *redact_known(const char *text) {
    return secrets_redact_known(current_secrets(), text);
}

char *redact_argument(const char *argument) {
    const char *equals = strchr(argument, '=');
    g_autofree char *name = equals ? g_strndup(argument, equals - argument) : NULL;

    if (name && equals[1] && !strpbrk(name, "/\n \"") && secrets_is_name(name) && equals[1] != '/')
        return g_strconcat(name, "=***", NULL);
    return redact_text(argument);
}
