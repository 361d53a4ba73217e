/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signing/request-directory.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "base/directory.h"
#include "base/errors.h"
#include "signing/request-archive.h"

#define JSON_NAME "signing.json"
#define VERSION 1
#define ARCHIVE "hashes.cpio.rsasign"
#define ANSWER_SUFFIX ".sig"
#define JSON_SIZE_MAX (16 * 1024 * 1024)
#define ANSWER_SIZE_MAX 65536

SigningDirectory *signing_directory_new(const char *path, const char *image) {
    SigningDirectory *directory = g_new0(SigningDirectory, 1);
    directory->path = g_strdup(path);
    directory->image = g_strdup(image);
    directory->round = 1;
    directory->new_things = TRUE;
    directory->certificates = g_ptr_array_new_with_free_func((GDestroyNotify) certificate_unref);
    directory->things = g_ptr_array_new_with_free_func((GDestroyNotify) signing_thing_free);
    directory->asked = g_ptr_array_new_with_free_func(g_free);
    return directory;
}

void signing_directory_free(SigningDirectory *directory) {
    if (!directory)
        return;
    g_free(directory->path);
    g_free(directory->image);
    g_strfreev(directory->files);
    g_ptr_array_unref(directory->certificates);
    g_ptr_array_unref(directory->things);
    g_ptr_array_unref(directory->asked);
    g_clear_pointer(&directory->obs, g_hash_table_unref);
    g_free(directory->finish.compression);
    g_strfreev(directory->finish.compressed);
    certificate_unref(directory->finish.manifest_certificate);
    g_free(directory);
}

/* ---- writing ---- */

static void put_strings(JsonBuilder *json, const char *name, char *const *strings) {
    json_builder_set_member_name(json, name);
    json_builder_begin_array(json);
    for (char *const *string = strings; string && *string; string++)
        json_builder_add_string_value(json, *string);
    json_builder_end_array(json);
}

static void put_string(JsonBuilder *json, const char *name, const char *value) {
    json_builder_set_member_name(json, name);
    json_builder_add_string_value(json, value);
}

static void put_number(JsonBuilder *json, const char *name, gint64 value) {
    json_builder_set_member_name(json, name);
    json_builder_add_int_value(json, value);
}

static void put_certificate(JsonBuilder *json, const Certificate *certificate) {
    g_autofree char *pem = certificate_to_pem(certificate);
    json_builder_begin_object(json);
    put_string(json, "fingerprint", certificate_get_fingerprint(certificate));
    put_string(json, "subject", certificate_get_subject(certificate));
    put_string(json, "pem", pem);
    json_builder_end_object(json);
}

static void put_request(JsonBuilder *json, const SigningRequest *request) {
    gsize size;
    const guint8 *data = g_bytes_get_data(request->bytes, &size);
    g_autofree char *hex = signing_digest(data, size);
    const char *type = certificate_get_key_type(request->certificate, NULL);

    json_builder_begin_object(json);
    put_string(json, "name", request->name);
    put_string(json, "type", signing_type_to_string(request->type));
    put_string(json, "what", request->what);
    put_string(json, "certificate", certificate_get_fingerprint(request->certificate));
    put_string(json, "key", type);
    put_string(json, "digest", g_str_equal(type, "ED25519") ? "none" : "sha256");
    put_string(json, "sha256", hex);
    put_number(json, "size", (gint64) size);
    if (request->obs)
        put_string(json, "obs", request->obs);
    json_builder_end_object(json);
}

static void put_finish(JsonBuilder *json, const SigningFinish *finish) {
    json_builder_set_member_name(json, "finish");
    json_builder_begin_object(json);
    if (finish->compression) {
        put_string(json, "compression", finish->compression);
        put_number(json, "level", finish->level);
        put_strings(json, "compressed", finish->compressed);
    }
    json_builder_set_member_name(json, "checksum");
    json_builder_add_boolean_value(json, finish->checksum);
    if (finish->manifest_certificate) {
        g_autofree char *pem = certificate_to_pem(finish->manifest_certificate);
        put_string(json, "manifestCertificate", pem);
        put_number(json, "manifestTime", finish->manifest_time);
    }
    json_builder_end_object(json);
}

static void put_things(JsonBuilder *json, GPtrArray *things) {
    json_builder_set_member_name(json, "things");
    json_builder_begin_array(json);
    for (guint i = 0; i < things->len; i++) {
        const SigningThing *thing = things->pdata[i];
        json_builder_begin_object(json);
        put_string(json, "type", signing_type_to_string(thing->type));
        put_string(json, "title", thing->title);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static char *make_json(const SigningDirectory *directory, GPtrArray *requests) {
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autoptr(JsonGenerator) generator = json_generator_new();

    json_builder_begin_object(json);
    put_number(json, "version", VERSION);
    put_string(json, "image", directory->image);
    put_number(json, "round", directory->round);
    put_strings(json, "files", directory->files);
    json_builder_set_member_name(json, "certificates");
    json_builder_begin_array(json);
    for (guint i = 0; i < directory->certificates->len; i++)
        put_certificate(json, directory->certificates->pdata[i]);
    json_builder_end_array(json);
    put_things(json, directory->things);
    json_builder_set_member_name(json, "requests");
    json_builder_begin_array(json);
    for (guint i = 0; i < requests->len; i++)
        put_request(json, requests->pdata[i]);
    json_builder_end_array(json);
    put_finish(json, &directory->finish);
    json_builder_end_object(json);

    g_autoptr(JsonNode) root = json_builder_get_root(json);
    json_generator_set_root(generator, root);
    json_generator_set_pretty(generator, TRUE);
    g_autofree char *text = json_generator_to_data(generator, NULL);
    return g_strconcat(text, "\n", NULL);
}

static gboolean write_file(const char *directory, const char *name, GBytes *content, GError **error) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    gsize size;
    const char *data = g_bytes_get_data(content, &size);
    return g_file_set_contents_full(path, data, (gssize) size, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);
}

/* Makes the directory NAME below PATH, empty. */
static char *make_directory(const char *path, const char *name, gboolean empty, GError **error) {
    g_autofree char *made = g_build_filename(path, name, NULL);
    g_autoptr(GPtrArray) present = empty ? list_directory_if_any(made) : NULL;

    if (g_mkdir_with_parents(made, 0755) < 0) {
        set_errno_error(error, errno, "Cannot make %s", made);
        return NULL;
    }
    for (guint i = 0; present && i < present->len; i++) {
        g_autofree char *old = g_build_filename(made, present->pdata[i], NULL);
        if (g_unlink(old) < 0) {
            set_errno_error(error, errno, "Cannot remove %s", old);
            return NULL;
        }
    }
    return g_steal_pointer(&made);
}

static char *thing_name(guint number) {
    return g_strdup_printf("%u", number + 1);
}

static gboolean write_things(const SigningDirectory *directory, GError **error) {
    g_autofree char *things = make_directory(directory->path, "things", TRUE, error);

    for (guint i = 0; things && i < directory->things->len; i++) {
        g_autofree char *name = thing_name(i);
        if (!write_file(things, name, ((SigningThing *) directory->things->pdata[i])->content, error))
            return FALSE;
    }
    return things != NULL;
}

gboolean signing_directory_write(SigningDirectory *directory, GPtrArray *requests, GError **error) {
    g_autofree char *files = make_directory(directory->path, "requests", TRUE, error);
    g_autofree char *answers = files ? make_directory(directory->path, "answers", FALSE, error) : NULL;
    g_autofree char *json = make_json(directory, requests);
    g_autoptr(GBytes) text = g_bytes_new(json, strlen(json));
    g_autoptr(GBytes) archive = request_archive_build(requests, error);

    if (!answers || !archive || (directory->new_things && !write_things(directory, error)))
        return FALSE;
    for (guint i = 0; i < requests->len; i++) {
        const SigningRequest *request = requests->pdata[i];
        if (!write_file(files, request->name, request->bytes, error))
            return FALSE;
    }
    return write_file(directory->path, ARCHIVE, archive, error) &&
           write_file(directory->path, JSON_NAME, text, error);
}

/* ---- reading ---- */

static gboolean set_malformed(GError **error, const char *what) {
    g_set_error(error, SIGNING_ERROR, SIGNING_ERROR_MALFORMED, JSON_NAME ": %s", what);
    return FALSE;
}

static const char *get_string(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
}

static gint64 get_number(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    return node && json_node_get_value_type(node) == G_TYPE_INT64 ? json_node_get_int(node) : -1;
}

static JsonArray *get_array(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

/* What may be the name of a file beside the directory, or in it. */
static gboolean is_name(const char *name) {
    return name && *name && *name != '.' && !strchr(name, '/') && strlen(name) < 256;
}

static char **get_names(JsonObject *object, const char *name, GError **error) {
    JsonArray *array = get_array(object, name);
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        const char *text = json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
        if (!is_name(text)) {
            set_malformed(error, "the name of a file that is none");
            return NULL;
        }
        g_strv_builder_add(names, text);
    }
    return g_strv_builder_end(names);
}

static gboolean read_certificates(SigningDirectory *directory, JsonObject *root, GError **error) {
    JsonArray *array = get_array(root, "certificates");

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        const char *pem = JSON_NODE_HOLDS_OBJECT(node) ? get_string(json_node_get_object(node), "pem") : NULL;
        Certificate *certificate = pem ? certificate_new(pem, strlen(pem), error) : NULL;
        if (!certificate)
            return pem ? FALSE : set_malformed(error, "a certificate without text");
        g_ptr_array_add(directory->certificates, certificate);
    }
    return TRUE;
}

static gboolean read_things(SigningDirectory *directory, JsonObject *root, GError **error) {
    JsonArray *array = get_array(root, "things");

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        JsonObject *object = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        int type = object ? signing_type_from_string(get_string(object, "type")) : -1;
        const char *title = object ? get_string(object, "title") : NULL;
        g_autofree char *name = thing_name(i);
        g_autofree char *path = g_build_filename(directory->path, "things", name, NULL);
        g_autofree char *content = NULL;
        gsize size = 0;

        if (type < 0 || !title)
            return set_malformed(error, "a thing of a type that nobody knows");
        /* attach does not need them. */
        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            continue;
        if (!g_file_get_contents(path, &content, &size, error))
            return FALSE;
        g_ptr_array_add(directory->things,
                signing_thing_new(type, title, g_bytes_new_take(g_steal_pointer(&content), size), NULL));
    }
    return TRUE;
}

static gboolean read_finish(SigningDirectory *directory, JsonObject *root, GError **error) {
    JsonNode *node = json_object_get_member(root, "finish");
    JsonObject *object = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    SigningFinish *finish = &directory->finish;

    if (!object)
        return set_malformed(error, "it does not say how the image is finished");
    finish->compression = g_strdup(get_string(object, "compression"));
    finish->level = get_number(object, "level");
    if (!(finish->compressed = get_names(object, "compressed", error)))
        return FALSE;
    JsonNode *checksum = json_object_get_member(object, "checksum");
    finish->checksum = checksum && json_node_get_value_type(checksum) == G_TYPE_BOOLEAN &&
                       json_node_get_boolean(checksum);
    const char *pem = get_string(object, "manifestCertificate");
    finish->manifest_time = get_number(object, "manifestTime");
    return !pem || (finish->manifest_certificate = certificate_new(pem, strlen(pem), error));
}

static gboolean read_asked(SigningDirectory *directory, JsonObject *root, GError **error) {
    JsonArray *array = get_array(root, "requests");

    for (guint i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        const char *name = JSON_NODE_HOLDS_OBJECT(node) ? get_string(json_node_get_object(node), "name") : NULL;
        if (!is_name(name))
            return set_malformed(error, "a request without name");
        g_ptr_array_add(directory->asked, g_strdup(name));
    }
    return TRUE;
}

static gboolean read_root(SigningDirectory *directory, JsonObject *root, GError **error) {
    gint64 round = get_number(root, "round");

    if (get_number(root, "version") != VERSION)
        return set_malformed(error, "it is of another version of particleos");
    if (!is_name(get_string(root, "image")) || round < 1 || round > 100)
        return set_malformed(error, "it names no image");
    directory->image = g_strdup(get_string(root, "image"));
    directory->round = (guint) round;
    directory->new_things = FALSE;
    return (directory->files = get_names(root, "files", error)) && read_certificates(directory, root, error) &&
           read_things(directory, root, error) && read_asked(directory, root, error) &&
           read_finish(directory, root, error);
}

SigningDirectory *signing_directory_parse(const char *path, const char *text, gsize size, GError **error) {
    g_autoptr(SigningDirectory) directory = signing_directory_new(path, NULL);
    g_autoptr(JsonParser) parser = json_parser_new_immutable();

    if (size > JSON_SIZE_MAX) {
        set_malformed(error, "it is too large");
        return NULL;
    }
    if (!json_parser_load_from_data(parser, text, (gssize) size, error))
        return NULL;
    JsonNode *root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        set_malformed(error, "not what we write");
        return NULL;
    }
    return read_root(directory, json_node_get_object(root), error) ? g_steal_pointer(&directory) : NULL;
}

SigningDirectory *signing_directory_load(const char *path, GError **error) {
    g_autofree char *json = g_build_filename(path, JSON_NAME, NULL);
    g_autofree char *archive = g_build_filename(path, ARCHIVE ANSWER_SUFFIX, NULL);
    g_autofree char *text = NULL;
    g_autoptr(SigningDirectory) directory = NULL;
    g_autoptr(GError) problem = NULL;
    gsize size;

    if (!g_file_get_contents(json, &text, &size, error)) {
        g_prefix_error(error, "%s holds no requests for signatures: ", path);
        return NULL;
    }
    if (!(directory = signing_directory_parse(path, text, size, error))) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    directory->obs = request_archive_read_answers(archive, &problem);
    if (problem) {
        g_propagate_prefixed_error(error, g_steal_pointer(&problem), "%s: ", archive);
        return NULL;
    }
    return g_steal_pointer(&directory);
}

/* ---- answers ---- */

/* Whether ANSWER is what REQUEST asks for. */
static gboolean check_answer(const SigningRequest *request, GBytes *answer, GError **error) {
    g_autoptr(GBytes) public_key = certificate_get_public_key_pem(request->certificate, error);
    gsize size;
    const void *data = g_bytes_get_data(request->bytes, &size);

    if (public_key && public_key_verify(public_key, data, size, answer, NULL))
        return TRUE;
    g_clear_error(error);
    g_set_error(error, SIGNING_ERROR, SIGNING_ERROR_WRONG,
            "answers/%s" ANSWER_SUFFIX " is no signature of requests/%s (%s) by the key of %s", request->name,
            request->name, request->what, certificate_get_description(request->certificate));
    return FALSE;
}

GBytes *signing_answer_read(const char *path, const SigningRequest *request, GError **error) {
    g_autofree char *name = g_strconcat(request->name, ANSWER_SUFFIX, NULL);
    g_autofree char *file = g_build_filename(path, name, NULL);
    g_autofree char *content = NULL;
    gsize size = 0;

    if (!g_file_test(file, G_FILE_TEST_EXISTS) || !g_file_get_contents(file, &content, &size, error))
        return NULL;
    g_autoptr(GBytes) answer = g_bytes_new_take(g_steal_pointer(&content), MIN(size, ANSWER_SIZE_MAX));
    return check_answer(request, answer, error) ? g_steal_pointer(&answer) : NULL;
}

gboolean signing_answer_write(const char *path, const SigningRequest *request, GBytes *signature, GError **error) {
    g_autofree char *name = g_strconcat(request->name, ANSWER_SUFFIX, NULL);
    g_autofree char *made = make_directory(path, "", FALSE, error);
    return made && write_file(path, name, signature, error);
}

GBytes *signing_directory_answer(const SigningDirectory *directory, const SigningRequest *request, GError **error) {
    GBytes *packed = directory->obs ? g_hash_table_lookup(directory->obs, request->obs) : NULL;
    g_autofree char *path = g_build_filename(directory->path, "answers", NULL);

    /* The archive of one round has the same paths as that of another one. */
    if (packed && check_answer(request, packed, NULL))
        return g_bytes_ref(packed);
    g_autoptr(GBytes) answer = signing_answer_read(path, request, error);
    if (!answer && packed && error && !*error)
        (void) check_answer(request, packed, error);
    return g_steal_pointer(&answer);
}

gboolean signing_directory_put(
        const SigningDirectory *directory, const SigningRequest *request, GBytes *signature, GError **error) {
    g_autofree char *path = g_build_filename(directory->path, "answers", NULL);
    return signing_answer_write(path, request, signature, error);
}

GPtrArray *signing_directory_list_answers(const SigningDirectory *directory) {
    g_autofree char *path = g_build_filename(directory->path, "answers", NULL);
    g_autoptr(GPtrArray) names = list_directory_if_any(path);
    GPtrArray *answers = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        if (g_str_has_suffix(name, ANSWER_SUFFIX))
            g_ptr_array_add(answers, g_strndup(name, strlen(name) - strlen(ANSWER_SUFFIX)));
    }
    return answers;
}

void signing_directory_forget_answers(const SigningDirectory *directory) {
    g_autoptr(GPtrArray) names = signing_directory_list_answers(directory);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *name = g_strconcat(names->pdata[i], ANSWER_SUFFIX, NULL);
        g_autofree char *path = g_build_filename(directory->path, "answers", name, NULL);
        (void) g_unlink(path);
    }
}
