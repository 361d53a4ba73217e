/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What shapes a build, and what of it is different from an earlier time. */

#include <stdio.h>
#include <sys/stat.h>

#include "cli/look/inputs-text.h"
#include "cli/verbs.h"
#include "pipeline/check.h"
#include "pipeline/inputs/input-set.h"
#include "pipeline/keys/key-prompt.h"
#include "pipeline/scripts/script-configure.h"
#include "pipeline/state/build-options.h"
#include "pipeline/tools-tree.h"
#include "reasons/reasons.h"
#include "sandbox/sandbox.h"

/* As a build begins, so that the recipe means the same. */
static char *find_inputs(const VerbCall *call, GError **error) {
    const BuildOptions options = {.force = call->arguments->force};
    Recipe *recipe = call->recipe;
    g_autoptr(KeySession) session = key_prompt_session(NULL);

    if (!recipe_check_implemented(recipe, error) || !build_check(recipe, error) || !sandbox_become_root(error))
        return NULL;
    (void) umask(0022);
    if (!tools_tree_prepare(recipe, &options, session, error) || !build_configure(recipe, error) ||
            !recipe_check_implemented(recipe, error) || !build_check(recipe, error))
        return NULL;
    return input_set_text(recipe, &options, error);
}

static JsonNode *read_earlier(const char *path, GError **error) {
    g_autofree char *text = NULL;
    gsize length = 0;
    JsonNode *node = NULL;

    if (!g_file_get_contents(path, &text, &length, error) || !(node = reasons_parse(text, length, error)))
        g_prefix_error(error, "--since=%s: ", path);
    return node;
}

static void print_reasons(const GPtrArray *reasons, gboolean json) {
    if (json) {
        g_autoptr(JsonNode) node = reasons_to_json(reasons);
        g_autofree char *text = json_to_string(node, TRUE);
        puts(text);
        return;
    }
    for (guint i = 0; i < reasons->len; i++)
        puts(((const Reason *) reasons->pdata[i])->text);
    if (reasons->len == 0)
        puts("nothing changed");
}

gboolean verb_inputs(const VerbCall *call, int *ret_exit_status, GError **error) {
    const Arguments *arguments = call->arguments;
    g_autoptr(JsonNode) before = NULL, after = NULL;
    g_autoptr(GPtrArray) reasons = NULL;
    g_autofree char *text = NULL;

    if ((arguments->since && !(before = read_earlier(arguments->since, error))) || !(text = find_inputs(call, error)))
        return FALSE;
    if (!before && arguments->json) {
        fputs(text, stdout);
        return TRUE;
    }
    if (!(after = reasons_parse(text, -1, error)))
        return FALSE;
    if (!before)
        inputs_print_text(after);
    else if ((reasons = reasons_compare(before, after, error)))
        print_reasons(reasons, arguments->json);
    return !before || reasons;
}
