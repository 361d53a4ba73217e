/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "cli/completion/completion.h"

static const struct {
    const char *name;
    char *(*print)(void);
} shells[] = {{"bash", completion_for_bash}, {"zsh", completion_for_zsh}, {"fish", completion_for_fish}};

gboolean verb_completion(const VerbCall *call, int *ret_exit_status, GError **error) {
    char **arguments = call->arguments->words;
    for (gsize i = 0; i < G_N_ELEMENTS(shells); i++)
        if (arguments[0] && !arguments[1] && strcmp(shells[i].name, arguments[0]) == 0) {
            g_autofree char *script = shells[i].print();
            fputs(script, stdout);
            return TRUE;
        }
    g_set_error_literal(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
            "Name the shell to complete for: particleos completion bash, zsh or fish");
    return FALSE;
}
