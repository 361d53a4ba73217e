/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/keys/signing-argument.h"
#include "cli/verbs.h"
#include "events/events.h"
#include "pipeline/scripts/scripts.h"
#include "pipeline/state/output-names.h"
#include "sandbox/sandbox.h"
#include "signing/attach.h"

/* Scripts that look at finished outputs could not run in the build. */
static gboolean run_scripts(
        const Recipe *recipe, const SigningDirectory *directory, const ImageConfig *config, GError **error) {
    if (!config)
        events_info(
                "No recipe here makes %s, so that no postoutput scripts were run; they run with \"particleos -C RECIPE "
                "attach\" and the options of the build",
                directory->image);
    return !config || !config->post_output_scripts[0] || scripts_run_postoutput(recipe, config, error);
}

static void print_result(const SigningDirectory *directory, const SigningResult *result) {
    if (result->answered)
        printf("%s: the signatures are right; build the image again, with the same options\n", directory->image);
    else if (!result->finished)
        printf("%s: the signatures are right; round %u has %u requests, which contain them\n", directory->image,
                result->round, result->n_requests);
    else
        printf("%s is finished: signatures in %u places, %" G_GUINT64_FORMAT " bytes written\n", directory->image,
                result->n_places, result->bytes_written);
}

gboolean verb_attach(const VerbCall *call, int *ret_exit_status, GError **error) {
    g_autoptr(SigningDirectory) directory = load_signing_directory(call->arguments, error);
    const Recipe *recipe = call->recipe;
    SigningResult result;

    if (!directory)
        return FALSE;
    g_autofree char *beside = g_path_get_dirname(directory->path);
    const ImageConfig *config = outputs_find(recipe, beside, directory->image);
    /* Before there are threads. */
    if (config && config->post_output_scripts[0] && !sandbox_become_root(error))
        return FALSE;
    if (!signing_attach(directory, &result, error)) {
        g_prefix_error(error, "%s: ", directory->path);
        return FALSE;
    }
    if (result.finished && !run_scripts(recipe, directory, config, error))
        return FALSE;
    print_result(directory, &result);
    return TRUE;
}
