/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rounds.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/sha256.h"
#include "kitchen/worker/builder.h"

#define SUFFIX ".signing"
/* A disk takes two, its manifest one more, what is inside of /usr another. */
#define ROUNDS_MAX 8

/* One OUTPUT.signing. */
typedef struct {
    WorkerJob *job;
    char *path;
    JsonObject *description; /* signing.json */
} Waiting;

static void waiting_clear(Waiting *waiting) {
    g_clear_pointer(&waiting->path, g_free);
    g_clear_pointer(&waiting->description, json_object_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Waiting, waiting_clear)

static char *find_directory(const WorkerJob *job) {
    g_autoptr(GPtrArray) names = list_directory_if_any(job->output);

    for (guint i = 0; i < names->len; i++)
        if (g_str_has_suffix(names->pdata[i], SUFFIX))
            return g_build_filename(job->output, names->pdata[i], NULL);
    return NULL;
}

gboolean rounds_wait(const WorkerJob *job) {
    g_autofree char *found = find_directory(job);

    return found != NULL;
}

static gboolean load(Waiting *waiting, GError **error) {
    g_autofree char *path = g_build_filename(waiting->path, "signing.json", NULL);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root = NULL;

    if (!json_parser_load_from_file(parser, path, error))
        return FALSE;
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s is no JSON object", path);
        return FALSE;
    }
    waiting->description = json_object_ref(json_node_get_object(root));
    return TRUE;
}

static void add_object(JsonArray *objects, const char *name, const char *digest) {
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "name", name);
    json_object_set_string_member(object, "digest", digest);
    json_array_add_object_element(objects, object);
}

/* The root hash that the signature partition at PATH names; NULL when it names none. Owned by the caller. */
static char *root_hash_of(const char *path) {
    g_autofree char *text = NULL;
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root = NULL;

    /* JSON, then zeros. */
    if (!g_file_get_contents(path, &text, NULL, NULL) || !json_parser_load_from_data(parser, text, -1, NULL))
        return NULL;
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return NULL;
    return g_strdup(json_object_get_string_member_with_default(json_node_get_object(root), "rootHash", NULL));
}

/* The file of NAMES with UUID and MARK in its name; the UUIDs of partitions with verity are the
 * halves of the root hash. */
static const char *find_file(GPtrArray *names, const char *uuid, const char *mark, gboolean marked) {
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];

        if (strstr(name, uuid) && g_str_has_suffix(name, ".raw") && (strstr(name, mark) != NULL) == marked)
            return name;
    }
    return NULL;
}

/* The volume and its hash tree, sent, for a root hash. */
static gboolean add_volume(const Waiting *waiting, const char *thing, JsonArray *objects, GError **error) {
    g_autofree char *hash = root_hash_of(thing);
    g_autoptr(GPtrArray) names = list_directory_if_any(waiting->job->output);
    g_autofree char *first = hash && strlen(hash) == SHA256_HEX_SIZE ? g_strndup(hash, 32) : NULL;
    g_autofree char *second = first ? g_strndup(hash + 32, 32) : NULL;
    const char *data = first ? find_file(names, first, "-verity.", FALSE) : NULL;
    const char *tree = first ? find_file(names, second, "-verity.", TRUE) : NULL;
    g_autofree char *data_path = g_build_filename(waiting->job->output, data ?: "", NULL);
    g_autofree char *tree_path = g_build_filename(waiting->job->output, tree ?: "", NULL);
    g_autofree char *data_digest = NULL;
    g_autofree char *tree_digest = NULL;

    if (!data || !tree) {
        g_set_error(error, HTTP_ERROR, HTTP_ERROR_REFUSED,
                "The volume with the root hash %s is not among the outputs: set SplitArtifacts=partitions", hash ?: "");
        return FALSE;
    }
    if (!worker_job_send_file(waiting->job, data_path, &data_digest, error) ||
            !worker_job_send_file(waiting->job, tree_path, &tree_digest, error))
        return FALSE;
    add_object(objects, "data", data_digest);
    add_object(objects, "hash", tree_digest);
    return TRUE;
}

/* How the signer calls what signing.json calls TYPE; NULL: it comes with something else, or not from here. */
static const char *signer_type(const char *type) {
    static const char *const types[][2] = {
            {"verity", "verity"}, {"pe", "pe"}, {"ipe", "ipe"}, {"variable", "enrolment"}};

    for (guint i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_strcmp0(type, types[i][0]) == 0)
            return types[i][1];
    return NULL;
}

static gboolean write_answer(const char *directory, const char *name, const char *text, GError **error) {
    g_autofree char *file = g_strconcat(name, ".sig", NULL);
    g_autofree char *path = g_build_filename(directory, "answers", file, NULL);
    gsize size = 0;
    g_autofree guchar *data = text ? g_base64_decode(text, &size) : NULL;

    if (!data || strchr(name, '/') || *name == '.') {
        g_set_error(error, HTTP_ERROR, HTTP_ERROR_REFUSED, "The signer's answer %s makes no sense", name);
        return FALSE;
    }
    return g_file_set_contents(path, (const char *) data, (gssize) size, error);
}

static gboolean write_answers(const Waiting *waiting, JsonObject *answer, GError **error) {
    JsonNode *node = json_object_get_member(answer, "answers");
    g_autoptr(GList) names = NULL;

    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        g_set_error(error, HTTP_ERROR, HTTP_ERROR_REFUSED, "The signer answered nothing");
        return FALSE;
    }
    names = json_object_get_members(json_node_get_object(node));
    for (GList *name = names; name; name = name->next)
        if (!write_answer(waiting->path, name->data,
                    json_object_get_string_member_with_default(json_node_get_object(node), name->data, NULL), error))
            return FALSE;
    return TRUE;
}

/* The same question has the same name: one that is repeated is not counted twice. */
static char *question_id(const char *type, const char *title, const char *digest) {
    g_autoptr(Sha256) sha = sha256_new();
    g_autofree char *hex = NULL;
    guint8 bytes[SHA256_SIZE];

    sha256_update(sha, title, strlen(title) + 1);
    sha256_update(sha, digest, strlen(digest));
    sha256_finish(sha, bytes);
    hex = hex_encode(bytes, 20);
    return g_strdup_printf("%s:%s", type, hex);
}

/* Asks for the signatures that the thing NUMBER (from 1) waits for. */
static gboolean ask(const Waiting *waiting, guint number, JsonObject *about, GError **error) {
    const char *type = signer_type(json_object_get_string_member_with_default(about, "type", NULL));
    const char *title = json_object_get_string_member_with_default(about, "title", "");
    g_autofree char *name = g_strdup_printf("%u", number);
    g_autofree char *path = g_build_filename(waiting->path, "things", name, NULL);
    g_autofree char *digest = NULL;
    g_autofree char *id = NULL;
    g_autofree char *url = worker_job_url(waiting->job, "sign");
    g_autoptr(JsonObject) request = json_object_new();
    g_autoptr(JsonObject) answer = NULL;
    JsonArray *objects = json_array_new();

    json_object_set_array_member(request, "objects", objects);
    if (!type)
        return TRUE;
    if (!worker_job_send_file(waiting->job, path, &digest, error))
        return FALSE;
    add_object(objects, "thing", digest);
    if (strcmp(type, "verity") == 0 && !add_volume(waiting, path, objects, error))
        return FALSE;
    id = question_id(type, title, digest);
    json_object_set_string_member(request, "id", id);
    json_object_set_string_member(request, "type", type);
    json_object_set_string_member(request, "title", title);
    worker_job_say(waiting->job, "Asks the signer: %s, %s", type, title);
    answer = http_ask_json(waiting->job->http, url, request, error);
    if (answer)
        return write_answers(waiting, answer, error);
    g_prefix_error(error, "%s (%s): ", title, type);
    return FALSE;
}

/* A kernel image names the root hash that it starts, so that is signed first, and integrity policies are inside of the volume. */
static gboolean comes_first(JsonObject *thing) {
    const char *type = json_object_get_string_member_with_default(thing, "type", "");

    return strcmp(type, "verity") == 0 || strcmp(type, "ipe") == 0;
}

static gboolean ask_some(const Waiting *waiting, JsonArray *things, gboolean first, GError **error) {
    for (guint i = 0; i < json_array_get_length(things); i++) {
        JsonNode *thing = json_array_get_element(things, i);

        if (JSON_NODE_HOLDS_OBJECT(thing) && comes_first(json_node_get_object(thing)) == first &&
                !ask(waiting, i + 1, json_node_get_object(thing), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean ask_all(const Waiting *waiting, GError **error) {
    JsonNode *node = json_object_get_member(waiting->description, "things");
    JsonArray *things = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    return !things || (ask_some(waiting, things, TRUE, error) && ask_some(waiting, things, FALSE, error));
}

/* What `particleos attach` says. */
static gboolean attach(const Waiting *waiting, GPtrArray *common, char **ret_said, GError **error) {
    g_autoptr(GPtrArray) arguments = g_ptr_array_copy(common, (GCopyFunc) (gpointer) g_strdup, NULL);
    AUTO_FD out = memfd_create("attach", MFD_CLOEXEC);
    g_autofree char *said = g_malloc0(4097);
    gint64 start = builder_log_size(waiting->job);
    int status = 0;

    g_ptr_array_add(arguments, g_strdup("attach"));
    g_ptr_array_add(arguments, g_strdup(waiting->path));
    g_ptr_array_add(arguments, NULL);
    if (!builder_run(waiting->job, (const char *const *) arguments->pdata, out, -1, &status, error))
        return FALSE;
    if (pread_up_to(out, said, 4096, 0) > 0)
        worker_job_say(waiting->job, "%s", g_strchomp(said));
    if (status != 0) {
        g_autofree char *lines = builder_last_lines(waiting->job, start);
        g_set_error(error, HTTP_ERROR, HTTP_ERROR_REFUSED, "The signatures do not fit: %s", lines);
        return FALSE;
    }
    *ret_said = g_steal_pointer(&said);
    return TRUE;
}

gboolean rounds_run(WorkerJob *job, GPtrArray *common, gboolean *ret_again, GError **error) {
    *ret_again = FALSE;
    for (guint i = 0; i < ROUNDS_MAX; i++) {
        g_auto(Waiting) waiting = {.job = job, .path = find_directory(job)};
        g_autofree char *said = NULL;

        if (!waiting.path)
            return TRUE;
        if (!load(&waiting, error) || !ask_all(&waiting, error) || !attach(&waiting, common, &said, error))
            return FALSE;
        if (strstr(said, "build the image again")) {
            *ret_again = TRUE;
            return TRUE;
        }
    }
    g_set_error(error, HTTP_ERROR, HTTP_ERROR_REFUSED, "The image asks for signatures without end");
    return FALSE;
}
