/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signing/attach.h"

#include <string.h>

#include "signing/finish.h"
#include "signing/manifest.h"
#include "signing/places.h"

typedef struct {
    SigningDirectory *directory;
    GHashTable *used; /* names of answers */
    GPtrArray *wrong; /* messages */
} Attachment;

static void attachment_clear(Attachment *attachment) {
    g_clear_pointer(&attachment->used, g_hash_table_unref);
    g_clear_pointer(&attachment->wrong, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Attachment, attachment_clear)

/* What is wrong is collected, so that all of it can be said at once. */
static GBytes *answer(gpointer user, const SigningRequest *request, GError **error) {
    Attachment *attachment = user;
    g_autoptr(GError) problem = NULL;
    g_autoptr(GBytes) signature = signing_directory_answer(attachment->directory, request, &problem);

    g_hash_table_add(attachment->used, g_strdup(request->name));
    if (problem)
        g_ptr_array_add(attachment->wrong, g_strdup(problem->message));
    /* The next archive of answers replaces the one that this came from. */
    if (signature && attachment->directory->obs &&
            !signing_directory_put(attachment->directory, request, signature, error))
        return NULL;
    return g_steal_pointer(&signature);
}

/* The finished contents of THINGS, in their order; NULL where something is missing, which REQUESTS receives. */
static GPtrArray *complete_all(
        Attachment *attachment, GPtrArray *things, GPtrArray *requests, GError **error) {
    g_autoptr(GPtrArray) contents = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);

    for (guint i = 0; i < things->len; i++) {
        g_autoptr(GError) problem = NULL;
        GBytes *content = signing_thing_complete(
                things->pdata[i], attachment->directory->certificates, answer, attachment, requests, &problem);
        g_ptr_array_add(contents, content);
        if (problem) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return NULL;
        }
    }
    return g_steal_pointer(&contents);
}

static gboolean is_asked(const SigningDirectory *directory, const char *name) {
    return g_ptr_array_find_with_equal_func(directory->asked, name, g_str_equal, NULL);
}

static gboolean refuse(GError **error, SigningError code, const char *what, GPtrArray *items) {
    g_autofree char *list = NULL;

    g_ptr_array_add(items, NULL);
    list = g_strjoinv("\n  ", (char **) items->pdata);
    g_set_error(error, SIGNING_ERROR, code, "%s; nothing was changed:\n  %s", what, list);
    return FALSE;
}

/* Answers that are wrong, that nobody asked for, or that are missing although they were asked for. */
static gboolean check_answers(Attachment *attachment, GPtrArray *requests, GError **error) {
    g_autoptr(GPtrArray) present = signing_directory_list_answers(attachment->directory);
    g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < present->len; i++) {
        const char *name = present->pdata[i];
        if (!g_hash_table_contains(attachment->used, name) && !is_asked(attachment->directory, name))
            g_ptr_array_add(attachment->wrong, g_strdup_printf("answers/%s.sig answers nothing that was asked", name));
    }
    if (attachment->wrong->len > 0)
        return refuse(error, SIGNING_ERROR_WRONG, "Answers are wrong", attachment->wrong);
    for (guint i = 0; i < requests->len; i++) {
        const SigningRequest *request = requests->pdata[i];
        if (is_asked(attachment->directory, request->name))
            g_ptr_array_add(missing, g_strdup_printf("answers/%s.sig: %s, by the key of %s", request->name,
                                             request->what, certificate_get_description(request->certificate)));
    }
    return missing->len == 0 || refuse(error, SIGNING_ERROR_MISSING, "Answers are missing", missing);
}

static gboolean next_round(
        SigningDirectory *directory, GPtrArray *requests, SigningResult *result, GError **error) {
    directory->round++;
    result->round = directory->round;
    result->n_requests = requests->len;
    return signing_directory_write(directory, requests, error);
}

/* Policies inside of /usr are signed before there is an image. */
static gboolean check_policies(Attachment *attachment, SigningResult *result, GError **error) {
    g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify) signing_request_free);
    g_autoptr(GPtrArray) contents = complete_all(attachment, attachment->directory->things, requests, error);

    result->answered = contents && check_answers(attachment, requests, error);
    return result->answered;
}

/* REQUESTS receives what is missing, which then is all that is asked. */
static gboolean sign_manifest(Attachment *attachment, const char *files, GPtrArray *requests, GError **error) {
    SigningDirectory *directory = attachment->directory;
    g_autoptr(GPtrArray) things = g_ptr_array_new_with_free_func((GDestroyNotify) signing_thing_free);

    if (!signing_manifest(directory, files, answer, attachment, things, requests, error) ||
            !check_answers(attachment, requests, error))
        return FALSE;
    g_ptr_array_unref(directory->things);
    directory->things = g_steal_pointer(&things);
    directory->new_things = TRUE;
    g_ptr_array_set_size(directory->certificates, 0);
    g_ptr_array_add(directory->certificates, certificate_ref(directory->finish.manifest_certificate));
    if (requests->len > 0)
        signing_directory_forget_answers(directory);
    return TRUE;
}

gboolean signing_attach(SigningDirectory *directory, SigningResult *ret_result, GError **error) {
    g_auto(Attachment) attachment = {directory, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
            g_ptr_array_new_with_free_func(g_free)};
    g_autofree char *beside = g_path_get_dirname(directory->path);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify) signing_request_free);

    *ret_result = (SigningResult){.round = directory->round};
    if (!directory->files[0])
        return check_policies(&attachment, ret_result, error);
    for (char **name = directory->files; *name; name++)
        g_ptr_array_add(names, *name);
    g_autoptr(GPtrArray) things = signing_scan(beside, names, directory->certificates, error);
    g_autoptr(GPtrArray) contents = things ? complete_all(&attachment, things, requests, error) : NULL;
    if (!contents || !check_answers(&attachment, requests, error))
        return FALSE;
    if (requests->len > 0)
        return next_round(directory, requests, ret_result, error);
    for (guint i = 0; i < things->len; i++) {
        SigningThing *thing = things->pdata[i];
        if (!signing_thing_write(thing, beside, contents->pdata[i], &ret_result->bytes_written, error))
            return FALSE;
        ret_result->n_places += thing->places->len;
    }
    if (!signing_finish(directory, beside, error) ||
            (directory->finish.manifest_certificate && !sign_manifest(&attachment, beside, requests, error)))
        return FALSE;
    if (requests->len > 0)
        return next_round(directory, requests, ret_result, error);
    signing_finish_remove(directory);
    ret_result->finished = TRUE;
    return TRUE;
}
