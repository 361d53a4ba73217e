/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "cli/verbs.h"
#include "events/events.h"
#include "format/efi/uki/uki-sections.h"
#include "pipeline/boot/boot-keys.h"
#include "pipeline/boot/boot.h"
#include "pipeline/keys/key-prompt.h"
#include "pipeline/keys/revocations.h"
#include "text/version.h"
#include "text/os-release.h"
#include "ui/ask.h"
#include "ui/terminal.h"

/* Where the build takes it from, and the device looks for it (without mkosi.extra). */
#define DEFAULT_PATH "mkosi.extra/usr/lib/particleos/revoked.auth"

static gboolean refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean refuse(GError **error, const char *format, ...) {
    va_list list;
    va_start(list, format);
    *error = g_error_new_valist(RECIPE_ERROR, RECIPE_ERROR_SYNTAX, format, list);
    va_end(list);
    return FALSE;
}

static char *find_path(const VerbCall *call, GError **error) {
    if (call->arguments->revocations)
        return g_strdup(call->arguments->revocations);
    if (call->recipe->config_directory)
        return g_build_filename(call->recipe->config_directory, DEFAULT_PATH, NULL);
    refuse(error, "There is no recipe here; say with --revocations=FILE where the revocations are");
    return NULL;
}

/* The os-release of a UKI, or NULL for other programs. */
static char *read_os_release(GBytes *image, GError **error) {
    g_autoptr(UkiView) view = uki_view_new(image, error);
    char *text = view ? uki_profile_view_get_text(view->profiles->pdata[0], UKI_SECTION_OSREL) : NULL;
    if (view && !text)
        refuse(error, "it does not say of which version it is (it has no .osrel section)");
    return text;
}

/* A version that would not start any more although it is the current one, or of something else. */
static gboolean check_version(
        const ImageConfig *config, const char *path, const char *id, const char *version, GError **error) {
    if (!config)
        return TRUE;
    if (id && config->image_id && !g_str_equal(id, config->image_id))
        return refuse(error, "%s is of the image %s, and this recipe makes %s; --force revokes it anyway", path, id,
                config->image_id);
    if (version && config->image_version && version_compare(version, config->image_version) >= 0)
        return refuse(error,
                "%s is version %s, and this recipe is at %s: revoking what is not older leaves devices with "
                "nothing to start. Increase ImageVersion= first; --force revokes it anyway",
                path, version, config->image_version);
    return TRUE;
}

static gboolean add_program(const VerbCall *call, GPtrArray *revocations, const char *path, GError **error) {
    g_autofree char *data = NULL;
    gsize size = 0;
    if (!g_file_get_contents(path, &data, &size, error))
        return FALSE;
    g_autoptr(GBytes) image = g_bytes_new_take(g_steal_pointer(&data), size);
    guint8 digest[SHA256_SIZE];
    if (!authenticode_digest(g_bytes_get_data(image, NULL), size, digest, error)) {
        g_prefix_error(error, "%s cannot be revoked: ", path);
        return FALSE;
    }
    g_autoptr(GError) problem = NULL;
    g_autofree char *os_release = read_os_release(image, &problem);
    gboolean forced = call->arguments->force > 0;
    if (!os_release && !forced)
        return refuse(error, "%s is not a UKI of an image: %s; --force revokes it anyway", path, problem->message);
    g_autofree char *version = os_release ? os_release_get(os_release, "IMAGE_VERSION") : NULL;
    g_autofree char *id = os_release ? os_release_get(os_release, "IMAGE_ID") : NULL;
    g_autofree char *name = g_path_get_basename(path);
    if (!check_version(call->recipe->main, path, id, version, &problem)) {
        if (!forced) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return FALSE;
        }
        events_warning("Revoking %s by force", path);
    }
    revocations_add(revocations, digest, version, name);
    return TRUE;
}

static void print_table(GPtrArray *revocations, const char *path) {
    int width = strlen("VERSION");
    for (guint i = 0; i < revocations->len; i++) {
        const Revocation *revocation = revocations->pdata[i];
        width = MAX(width, revocation->version ? (int) strlen(revocation->version) : 1);
    }
    if (revocations->len > 0)
        printf("%s%-*s  %-64s  FILE%s\n", ui_out_colour(UI_COLOUR_BOLD), width, "VERSION", "SHA-256",
                ui_out_colour(UI_COLOUR_RESET));
    for (guint i = 0; i < revocations->len; i++) {
        const Revocation *revocation = revocations->pdata[i];
        g_autofree char *digest = hex_encode(revocation->digest, SHA256_SIZE);
        printf("%-*s  %s  %s%s\n", width, revocation->version ?: "-", digest, revocation->name ?: "-",
                revocation->is_new ? " (new)" : "");
    }
    printf("%u revoked in %s\n", revocations->len, path);
}

static void add_string(JsonBuilder *builder, const char *name, const char *value) {
    json_builder_set_member_name(builder, name);
    if (value)
        json_builder_add_string_value(builder, value);
    else
        json_builder_add_null_value(builder);
}

static void print_json(GPtrArray *revocations, const char *path) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    add_string(builder, "file", path);
    json_builder_set_member_name(builder, "revoked");
    json_builder_begin_array(builder);
    for (guint i = 0; i < revocations->len; i++) {
        const Revocation *revocation = revocations->pdata[i];
        g_autofree char *digest = hex_encode(revocation->digest, SHA256_SIZE);
        json_builder_begin_object(builder);
        add_string(builder, "sha256", digest);
        add_string(builder, "version", revocation->version);
        add_string(builder, "name", revocation->name);
        json_builder_set_member_name(builder, "new");
        json_builder_add_boolean_value(builder, revocation->is_new);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    JsonNode *root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, TRUE);
    json_node_unref(root);
    puts(text);
}

static gboolean save(
        const VerbCall *call, GPtrArray *revocations, const char *path, const Certificate *former, GError **error) {
    const ImageConfig *config = call->recipe->main;
    g_autoptr(KeySource) key = NULL;
    g_autoptr(Certificate) certificate = NULL;
    if (!config)
        return refuse(error, "There is no recipe that says what to sign with");
    g_autoptr(KeyPrompt) prompt =
            key_prompt_new(call->arguments->key_pin_fd, call->arguments->key_pinentry, ui_ask_secret, error);
    g_autoptr(KeySession) session = key_prompt_session(prompt);
    if (!prompt || !boot_load_secure_boot_pair(session, config, &key, &certificate, error))
        return FALSE;
    if (former && !certificate_equal(former, certificate))
        events_warning("%s was signed by %s before, and is signed by %s now", path, certificate_get_subject(former),
                certificate_get_subject(certificate));
    gint64 time = config->source_date_epoch > 0 ? config->source_date_epoch : BOOT_DEFAULT_UPDATE_TIME;
    return revocations_save(revocations, path, time, key, certificate, error);
}

gboolean verb_revoke(const VerbCall *call, int *ret_exit_status, GError **error) {
    char **files = call->arguments->words;
    g_autofree char *path = find_path(call, error);
    if (!path)
        return FALSE;
    g_autoptr(Certificate) signer = NULL;
    g_autoptr(GPtrArray) revocations = revocations_load(path, &signer, error);
    if (!revocations)
        return FALSE;
    for (char **file = files; file && *file; file++)
        if (!add_program(call, revocations, *file, error))
            return FALSE;
    if (files && *files && !save(call, revocations, path, signer, error)) {
        g_prefix_error(error, "Cannot write revocations: ");
        return FALSE;
    }
    (call->arguments->json ? print_json : print_table)(revocations, path);
    *ret_exit_status = 0;
    return TRUE;
}
