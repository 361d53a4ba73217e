/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/integrity/offline.h"

#include <openssl/x509.h>

#include "crypto/certificates/certificate.h"
#include "crypto/sources/key-source.h"
#include "events/events.h"
#include "events/step.h"
#include "pipeline/state/output-conflicts.h"
#include "pipeline/state/output-names.h"
#include "pipeline/state/staged-files.h"
#include "signing/places.h"
#include "signing/request-directory.h"
#include "signing/thing.h"

gboolean offline_is_wanted(const Build *build) {
    return build->recipe->main->sign == SIGN_OFFLINE;
}

gboolean offline_verity_is_wanted(const Build *build, const ImageConfig *config) {
    if (!config->verity_certificate)
        return FALSE;
    return config->verity == VERITY_DEFER || (offline_is_wanted(build) && config->verity != VERITY_DISABLED &&
                                                     config->verity != VERITY_HASH);
}

typedef struct {
    Build *build;
    Certificate *certificate; /* borrowed from the build's list */
} Elsewhere;

void offline_start(Build *build) {
    build->certificates_elsewhere = g_ptr_array_new_with_free_func((GDestroyNotify) certificate_unref);
    build->keys_elsewhere = g_ptr_array_new_with_free_func(g_free);
    build->signed_elsewhere = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    build->found_elsewhere = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void offline_stop(Build *build) {
    g_clear_pointer(&build->signed_elsewhere, g_hash_table_unref);
    g_clear_pointer(&build->found_elsewhere, g_hash_table_unref);
    g_clear_pointer(&build->keys_elsewhere, g_ptr_array_unref);
    g_clear_pointer(&build->certificates_elsewhere, g_ptr_array_unref);
    g_clear_pointer(&build->manifest_certificate_elsewhere, certificate_unref);
}

gboolean offline_is_pending(const Build *build, GBytes *program) {
    g_autoptr(SigningThing) thing = signing_thing_new(SIGNING_PE, "", g_bytes_ref(program), NULL);
    return build->certificates_elsewhere->len > 0 &&
           signing_thing_is_pending(thing, build->certificates_elsewhere);
}

void offline_note_found(Build *build, GPtrArray *things) {
    g_mutex_lock(&build->lock);
    for (guint i = 0; i < things->len; i++)
        signing_thing_add_pending(things->pdata[i], build->certificates_elsewhere, build->found_elsewhere);
    g_mutex_unlock(&build->lock);
}

gboolean offline_check_found(Build *build, GError **error) {
    GHashTableIter iter;
    gpointer digest;

    g_hash_table_iter_init(&iter, build->signed_elsewhere);
    while (g_hash_table_iter_next(&iter, &digest, NULL))
        if (!g_hash_table_contains(build->found_elsewhere, digest)) {
            g_set_error(error, BUILD_ERROR, BUILD_ERROR_FAILED,
                    "Sign=offline: something that is signed (SHA-256 %s) ended up where no signature can be put in later, "
                    "for instance inside of a compressed file; build with keys, or leave it unsigned",
                    (const char *) digest);
            return FALSE;
        }
    return TRUE;
}

static GBytes *leave_room(gpointer user, const void *data, gsize size, GError **error) {
    Elsewhere *elsewhere = user;

    g_mutex_lock(&elsewhere->build->lock);
    g_hash_table_add(elsewhere->build->signed_elsewhere, signing_digest(data, size));
    g_mutex_unlock(&elsewhere->build->lock);
    return public_key_make_pending(X509_get0_pubkey(certificate_peek(elsewhere->certificate)));
}

static KeySource *make_key(Build *build, const Certificate *certificate) {
    for (guint i = 0; i < build->keys_elsewhere->len; i++) {
        Elsewhere *elsewhere = build->keys_elsewhere->pdata[i];
        if (certificate_equal(elsewhere->certificate, certificate))
            return key_source_new_elsewhere(X509_get0_pubkey(certificate_peek(elsewhere->certificate)),
                    certificate_get_subject(elsewhere->certificate), leave_room, elsewhere);
    }
    return NULL;
}

static void add_key(Build *build, Certificate *certificate) {
    Elsewhere *elsewhere = g_new0(Elsewhere, 1);
    elsewhere->build = build;
    elsewhere->certificate = certificate;
    g_ptr_array_add(build->certificates_elsewhere, certificate_ref(certificate));
    g_ptr_array_add(build->keys_elsewhere, elsewhere);
}

gboolean offline_load_pair(Build *build, const char *setting, const char *path, KeySource **ret_key,
        Certificate **ret_certificate, GError **error) {
    const char *origin = recipe_setting_origin(build->recipe->main, setting);

    if (!path)
        return offline_refuse(build, error, "the certificate of the key is needed: set %s=", setting);
    g_autoptr(Certificate) certificate = certificate_load(path, error);
    if (!certificate)
        g_prefix_error(error, "%s=: ", setting);
    if (!certificate || !signing_check_certificate(certificate, setting, error)) {
        g_prefix_error(error, "%s%s", origin ? origin : "", origin ? ": " : "");
        return FALSE;
    }
    if (!(*ret_key = make_key(build, certificate))) {
        add_key(build, certificate);
        *ret_key = make_key(build, certificate);
    }
    *ret_certificate = g_steal_pointer(&certificate);
    return TRUE;
}

KeySource *offline_open_key(Build *build, const char *path, GError **error) {
    g_autoptr(Certificate) certificate = certificate_load(path, error);
    KeySource *key = certificate ? make_key(build, certificate) : NULL;

    if (certificate && !key)
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_FAILED, "%s was changed while the image was built", path);
    return key;
}

/* What is inside of archives and directories is not looked for. */
static gboolean can_be_completed(const ImageConfig *config) {
    return outputs_are_disks(config) || config->format == OUTPUT_FORMAT_ESP ||
           config->format == OUTPUT_FORMAT_UKI || config->format == OUTPUT_FORMAT_ADDON;
}

gboolean offline_refuse(const Build *build, GError **error, const char *format, ...) {
    const char *origin = recipe_setting_origin(build->recipe->main, "Sign");
    va_list list;
    va_start(list, format);
    g_autofree char *reason = g_strdup_vprintf(format, list);
    va_end(list);

    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "%s%sSign=offline: %s", origin ? origin : "", origin ? ": " : "",
            reason);
    return FALSE;
}

gboolean offline_check_format(const ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;

    return !offline_is_wanted(image->build) || can_be_completed(config) ||
           offline_refuse(image->build, error,
                   "what is inside of an output with Format=%s cannot be signed later; take a disk, or build with keys",
                   output_format_to_string(config->format));
}

gboolean wants_offline(const ImageBuild *image) {
    return image->build->certificates_elsewhere->len > 0 && can_be_completed(image->config);
}

gboolean step_offline_scan(ImageBuild *image, GError **error) {
    g_autoptr(GPtrArray) files = staged_files_list(image, error);

    if (!files || !(image->elsewhere.waiting = signing_scan(
                            image->places.staging, files, image->build->certificates_elsewhere, error)))
        return FALSE;
    offline_note_found(image->build, image->elsewhere.waiting);
    if (image->elsewhere.waiting->len == 0)
        g_clear_pointer(&image->elsewhere.waiting, g_ptr_array_unref);
    return TRUE;
}

gboolean offline_is_waiting(const ImageBuild *image) {
    return image->elsewhere.waiting != NULL;
}

/* What step_compress() and step_checksums() leave to the end. */
static void set_finish(const ImageBuild *image, SigningFinish *finish) {
    const ImageConfig *config = image->config;
    const char *suffix = outputs_compression_suffix(config);
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();

    finish->checksum = config->checksum;
    finish->manifest_time = config->source_date_epoch;
    if (image->build->manifest_certificate_elsewhere && config->sign == SIGN_OFFLINE && config->checksum)
        finish->manifest_certificate = certificate_ref(image->build->manifest_certificate_elsewhere);
    if (!outputs_are_disks(config) || !*suffix)
        return;
    g_autofree char *main = g_path_get_basename(image->output);
    g_strv_builder_add(names, main);
    for (guint i = 0; image->disk.split && i < image->disk.split->len; i++) {
        g_autofree char *name = g_path_get_basename(image->disk.split->pdata[i]);
        g_strv_builder_add(names, name);
    }
    finish->compression = g_strdup(suffix + 1);
    finish->level = MAX(config->compress_level, 0);
    finish->compressed = g_strv_builder_end(names);
}

static void say_what_to_do(const ImageBuild *image, guint n) {
    const char *output = image->config->output;

    events_info("%s: %u signatures are wanted before the image is finished. Where the keys are: \"particleos sign "
            "%s" SIGNING_SUFFIX "\", or sign each file in requests/ and put NAME.sig into answers/. Then: \"particleos "
            "attach %s" SIGNING_SUFFIX "\"",
            image->name, n, output, output);
}

gboolean step_offline_requests(ImageBuild *image, GError **error) {
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Asking for signatures");
    g_autofree char *name = g_strconcat(image->config->output, SIGNING_SUFFIX, NULL);
    g_autofree char *path = g_build_filename(image->places.staging, name, NULL);
    g_autoptr(GPtrArray) files = staged_files_list(image, error);
    g_autoptr(GPtrArray) requests = g_ptr_array_new_with_free_func((GDestroyNotify) signing_request_free);
    g_autoptr(SigningDirectory) directory = signing_directory_new(path, image->config->output);

    if (!files || !outputs_check_free(image, name, error))
        return FALSE;
    g_ptr_array_add(files, NULL);
    directory->files = g_strdupv((char **) files->pdata);
    set_finish(image, &directory->finish);
    for (guint i = 0; i < image->build->certificates_elsewhere->len; i++)
        g_ptr_array_add(directory->certificates, certificate_ref(image->build->certificates_elsewhere->pdata[i]));
    for (guint i = 0; i < image->elsewhere.waiting->len; i++) {
        const SigningThing *thing = image->elsewhere.waiting->pdata[i];
        g_autoptr(GError) problem = NULL;
        g_autoptr(GBytes) done =
                signing_thing_complete(thing, directory->certificates, NULL, NULL, requests, &problem);
        if (problem) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
        g_ptr_array_add(directory->things,
                signing_thing_new(thing->type, thing->title, g_bytes_ref(thing->content), NULL));
    }
    if (!signing_directory_write(directory, requests, error))
        return FALSE;
    say_what_to_do(image, requests->len);
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}
