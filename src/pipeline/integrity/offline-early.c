/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/integrity/offline-early.h"

#include "base/directory.h"
#include "base/errors.h"
#include "crypto/certificates/certificate.h"
#include "events/events.h"
#include "pipeline/integrity/offline.h"
#include "pipeline/state/cache-places.h"
#include "signing/request-directory.h"

#define RECIPE_SIGNATURES "mkosi.signatures"

/* Where answers may be, best first; where they are remembered is the last. */
static GPtrArray *list_places(const ImageBuild *image) {
    GPtrArray *places = g_ptr_array_new_with_free_func(g_free);
    const char *recipe = image->build->recipe->config_directory;
    const char *output = image_config_output_directory(image->config);
    g_autoptr(GPtrArray) names = list_directory_if_any(output);
    g_autofree char *cache = build_user_cache_directory();

    if (recipe)
        g_ptr_array_add(places, g_build_filename(recipe, RECIPE_SIGNATURES, NULL));
    for (guint i = 0; i < names->len; i++)
        if (g_str_has_suffix(names->pdata[i], SIGNING_SUFFIX))
            g_ptr_array_add(places, g_build_filename(output, names->pdata[i], "answers", NULL));
    g_ptr_array_add(places, g_build_filename(cache, "signatures", NULL));
    return places;
}

/* What is wrong there is as good as missing. */
static GBytes *find_answer(gpointer user, const SigningRequest *request, GError **error) {
    GPtrArray *places = user;
    const char *memory = places->pdata[places->len - 1];

    for (guint i = 0; i < places->len; i++) {
        GBytes *found = signing_answer_read(places->pdata[i], request, NULL);
        if (!found)
            continue;
        events_debug("%s: found in %s", request->name, (const char *) places->pdata[i]);
        if (i + 1 < places->len)
            ignore_failure(signing_answer_write(memory, request, found, NULL));
        return found;
    }
    return NULL;
}

GBytes *offline_sign_early(ImageBuild *image, SigningType type, const char *title, GBytes *content,
        Certificate *certificate, GError **error) {
    g_autoptr(GPtrArray) places = list_places(image);
    g_autoptr(GPtrArray) certificates = g_ptr_array_new();
    g_autoptr(GError) problem = NULL;

    if (!image->elsewhere.early_things) {
        image->elsewhere.early_things = g_ptr_array_new_with_free_func((GDestroyNotify) signing_thing_free);
        image->elsewhere.early_requests = g_ptr_array_new_with_free_func((GDestroyNotify) signing_request_free);
    }
    SigningThing *thing = signing_thing_new(type, title, g_bytes_ref(content), NULL);
    g_ptr_array_add(image->elsewhere.early_things, thing);
    g_ptr_array_add(certificates, certificate);
    offline_note_found(image->build, image->elsewhere.early_things);
    GBytes *done =
            signing_thing_complete(thing, certificates, find_answer, places, image->elsewhere.early_requests, &problem);
    if (problem) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    return done ? done : g_bytes_ref(content);
}

gboolean wants_offline_early(const ImageBuild *image) {
    return image->elsewhere.early_requests && image->elsewhere.early_requests->len > 0;
}

gboolean offline_check_early(ImageBuild *image, GError **error) {
    g_autofree char *name = g_strconcat(image->config->output, SIGNING_SUFFIX, NULL);
    g_autofree char *path = g_build_filename(image_config_output_directory(image->config), name, NULL);
    g_autoptr(SigningDirectory) directory = signing_directory_new(path, image->config->output);

    for (guint i = 0; i < image->elsewhere.early_things->len; i++)
        g_ptr_array_add(directory->things, g_ptr_array_index(image->elsewhere.early_things, i));
    g_ptr_array_set_free_func(image->elsewhere.early_things, NULL);
    for (guint i = 0; i < image->build->certificates_elsewhere->len; i++)
        g_ptr_array_add(directory->certificates, certificate_ref(image->build->certificates_elsewhere->pdata[i]));
    if (!signing_directory_write(directory, image->elsewhere.early_requests, error))
        return FALSE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            "%u signatures are inside of /usr (integrity policies, the boot loader), so they come first. Answer %s "
            "(\"particleos sign\" where the key is, or any program that signs files), and build again. Later builds find "
            "the answers as long as these files stay as they are; " RECIPE_SIGNATURES
            "/ in the recipe is a place to keep answers for others",
            image->elsewhere.early_requests->len, path);
    return FALSE;
}
