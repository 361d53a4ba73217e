/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/answer/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/errors.h"
#include "signer/answer/create.h"
#include "signer/client/packet.h"
#include "signer/judges/judges.h"
#include "signer/log/checkpoints.h"
#include "signer/log/journal.h"
#include "signer/text/error.h"
#include "signer/text/text.h"

/* Bytes of objects that are in memory at one time. */
#define MEMORY_MAX (1536ull * 1024 * 1024)
/* Bytes of entries that one answer has. */
#define ENTRIES_MAX (96 * 1024)

struct Signer {
    char *state, *policies;
    gboolean development;
    int lock_fd;
    SignerKeys *keys;
    SignerInstance instance;
    SignerJournal *journal;
    SignerCheckpoints *checkpoints;
    SignerIndex *index;
    SignerSay say;
    gpointer user;
    GMutex lock; /* guards journal and index, and keeps signatures in the order of the log */
    GMutex memory_lock;
    guint64 memory;
};

static gboolean sign_thing(SignerCase *this, GError **error) {
    g_autoptr(GBytes) done = signer_case_sign_thing(this, error);

    if (done && this->request->type == SIGNER_PE) {
        g_autofree char *digest = signing_digest(g_bytes_get_data(done, NULL), g_bytes_get_size(done));
        json_object_set_string_member(this->facts, "file", digest);
    }
    return done != NULL;
}

/* What is done with each type of request that is logged: judged by its bytes, by what was signed before,
 * signed, logged, finished. */
static const struct {
    gboolean (*judge)(SignerCase *this, GError **error);
    gboolean (*compare)(SignerCase *this, const SignerIndex *index, GError **error);
    gboolean (*sign)(SignerCase *this, GError **error);
    gboolean (*finish)(SignerCase *this, GError **error);
} operations[SIGNER_N_TYPES] = {
        [SIGNER_VERITY] = {signer_judge_verity, NULL, sign_thing, NULL},
        [SIGNER_PE] = {signer_judge_pe, signer_compare_pe, sign_thing, NULL},
        [SIGNER_IPE] = {signer_judge_ipe, signer_compare_ipe, sign_thing, NULL},
        [SIGNER_ENROLMENT] = {signer_judge_enrolment, NULL, sign_thing, NULL},
        [SIGNER_ADDITION] = {signer_judge_addition, NULL, signer_sign_update, NULL},
        [SIGNER_REVOCATION] = {signer_judge_revocation, signer_compare_revocation, signer_sign_update, NULL},
        [SIGNER_MANIFEST] = {signer_judge_manifest, signer_compare_manifest, signer_sign_manifest, NULL},
        [SIGNER_CREATE] = {NULL, NULL, signer_create_prepare, signer_create_finish},
        [SIGNER_TARGET] = {signer_judge_targets, NULL, NULL, signer_finish_targets},
        [SIGNER_WITHDRAW] = {NULL, NULL, NULL, NULL},
};

/* ---- start and end ---- */

static gboolean check_directory(const char *path, GError **error) {
    struct stat st;

    if (g_mkdir_with_parents(path, 0700) < 0 || stat(path, &st) < 0)
        return set_errno_error(error, errno, "Cannot use %s", path);
    return !(st.st_mode & (S_IRWXO | S_IWGRP)) ||
           signer_refuse(
                   error, SIGNER_ERROR_FAILED, "%s is open to others, and keys are in it: chmod 0700 %s", path, path);
}

static gboolean check_policy(Signer *signer, const char *namespace, const char *file, GError **error) {
    g_autofree char *name = g_strndup(file, strlen(file) - strlen(".conf"));
    g_autofree char *project = g_strdup_printf("%s/%s", namespace, name);

    if (!signer_is_name(namespace) || !signer_is_name(name))
        return signer_refuse(
                error, SIGNER_ERROR_POLICY, "%s/%s.conf: no project is called so", signer->policies, project);
    g_autoptr(GError) problem = NULL;
    g_autoptr(SignerPolicy) policy = signer_policy_load(signer->policies, project, &problem);
    if (policy)
        return signer_keys_check_files(signer->keys, policy, project, error);
    signer->say(signer->user, problem->message);
    return TRUE;
}

/* A mistake in a policy is better seen now than by the first who needs it. It is of this project alone. */
static gboolean check_policies(Signer *signer, GError **error) {
    g_autoptr(GPtrArray) namespaces = list_directory_if_any(signer->policies);

    for (guint i = 0; i < namespaces->len; i++) {
        g_autofree char *directory = g_build_filename(signer->policies, namespaces->pdata[i], NULL);
        g_autoptr(GPtrArray) files = list_directory_if_any(directory);
        for (guint k = 0; k < files->len; k++) {
            const char *file = files->pdata[k];
            if (*file != '.' && g_str_has_suffix(file, ".conf") &&
                    !check_policy(signer, namespaces->pdata[i], file, error))
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean visit_leaf(gpointer user, JsonObject *leaf, GError **error) {
    return signer_index_add(user, leaf, error);
}

static gboolean take_lock(Signer *signer, GError **error) {
    g_autofree char *path = g_build_filename(signer->state, "lock", NULL);

    signer->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (signer->lock_fd >= 0 && flock(signer->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    if (errno == EWOULDBLOCK)
        return signer_refuse(error, SIGNER_ERROR_FAILED, "Another particleos-signer has %s", signer->state);
    return set_errno_error(error, errno, "Cannot lock %s", path);
}

static gboolean start(Signer *signer, const SignerOptions *options, GError **error) {
    g_autofree char *keys = g_build_filename(options->state, "keys", NULL);
    g_autofree char *log = g_build_filename(options->state, "log", NULL);
    g_autofree char *instance = g_build_filename(options->state, "instance", NULL);
    g_autofree char *checkpoint = g_build_filename(options->state, "checkpoint", NULL);
    g_autofree char *repaired = NULL;

    if (!check_directory(options->state, error) || !take_lock(signer, error) || !check_directory(keys, error))
        return FALSE;
    signer->keys = signer_keys_new(keys, options->session);
    if (!check_policies(signer, error) ||
            !(signer->journal = signer_journal_open(log, visit_leaf, signer->index, &repaired, error)))
        return FALSE;
    if (repaired)
        signer->say(signer->user, repaired);
    return signer_instance_open(instance, options->name, options->session, &signer->instance, error) &&
           (signer->checkpoints = signer_checkpoints_new(checkpoint, signer->journal, &signer->instance, error));
}

Signer *signer_new(const SignerOptions *options, GError **error) {
    g_autoptr(Signer) signer = g_new0(Signer, 1);

    signer->lock_fd = -1;
    g_mutex_init(&signer->lock);
    g_mutex_init(&signer->memory_lock);
    signer->state = g_strdup(options->state);
    signer->policies = g_strdup(options->policies);
    signer->development = options->development;
    signer->index = signer_index_new();
    signer->say = options->say;
    signer->user = options->user;
    return start(signer, options, error) ? g_steal_pointer(&signer) : NULL;
}

void signer_free(Signer *signer) {
    if (!signer)
        return;
    signer_checkpoints_free(signer->checkpoints);
    signer_journal_free(signer->journal);
    signer_instance_clear(&signer->instance);
    signer_index_free(signer->index);
    signer_keys_free(signer->keys);
    cleanup_fd(&signer->lock_fd);
    g_mutex_clear(&signer->lock);
    g_mutex_clear(&signer->memory_lock);
    g_free(signer->state);
    g_free(signer->policies);
    g_free(signer);
}

/* ---- answers ---- */

static JsonObject *answer_new(void) {
    JsonObject *answer = json_object_new();
    json_object_set_int_member(answer, "version", SIGNER_PROTOCOL_VERSION);
    return answer;
}

char *signer_make_refusal(const GError *error) {
    g_autoptr(JsonObject) answer = answer_new();
    g_autofree char *detail = g_utf8_make_valid(error->message, -1);

    json_object_set_string_member(answer, "error", signer_error_to_word(error));
    json_object_set_string_member(answer, "detail", detail);
    return signer_packet_to_text(answer);
}

static void add_log(Signer *signer, JsonObject *answer) {
    JsonObject *log = json_object_new();

    json_object_set_int_member(log, "size", (gint64) signer_journal_get_size(signer->journal));
    json_object_set_string_member(log, "head", signer_journal_get_head(signer->journal));
    json_object_set_object_member(answer, "log", log);
}

/* Where in the log the request is, and the proof of it. */
static gboolean add_proof(Signer *signer, JsonObject *answer, gint64 n, GError **error) {
    g_autofree char *proof = signer_checkpoints_prove(signer->checkpoints, (guint64) n, error);

    if (!proof)
        return FALSE;
    g_autofree char *key = tlog_verifier_to_text(&signer->instance.verifier);
    json_object_set_int_member(answer, "leaf", n);
    json_object_set_string_member(answer, "logKey", key);
    json_object_set_string_member(answer, "proof", proof);
    return TRUE;
}

/* N: the leaf of the request; -1: it has none. */
static char *make_answer(Signer *signer, const SignerCase *this, gint64 n, gboolean replayed, GError **error) {
    g_autoptr(JsonObject) answer = answer_new();
    g_autoptr(GList) names = json_object_get_members(this->extra);

    json_object_set_object_member(answer, "answers", json_object_ref(this->answers));
    for (const GList *name = names; name; name = name->next)
        json_object_set_member(answer, name->data, json_object_dup_member(this->extra, name->data));
    if (replayed)
        json_object_set_boolean_member(answer, "replayed", TRUE);
    if (this->policy && this->policy->development)
        json_object_set_boolean_member(answer, "development", TRUE);
    add_log(signer, answer);
    return n < 0 || add_proof(signer, answer, n, error) ? signer_packet_to_text(answer) : NULL;
}

/* ---- one request ---- */

static gboolean check_version(const SignerCase *this, GError **error) {
    const char *version = this->request->version;
    return !version || !signer_is_far_ahead(version, this->time) ||
           signer_refuse(error, SIGNER_ERROR_VERSION, "The version %s is more than a day ahead", version);
}

/* What the request is about, and whether it is well-formed. */
static gboolean prepare(Signer *signer, SignerCase *this, GError **error) {
    const SignerRequest *request = this->request;

    if (request->type == SIGNER_CREATE)
        return TRUE;
    if (!check_version(this, error) || !(this->policy = signer_policy_load(signer->policies, request->owner, error)))
        return FALSE;
    if (request->target && !(this->target = signer_policy_find_target(this->policy, request->target)))
        return signer_refuse(
                error, SIGNER_ERROR_UNKNOWN, "The policy of %s has no target %s", request->owner, request->target);
    return TRUE;
}

/* New projects are only for those that are not there, and were not: whoever took a policy away meant it. */
static gboolean check_absent(const Signer *signer, const SignerCase *this, GError **error) {
    g_autofree char *path = signer_policy_path(signer->policies, this->request->owner);

    return this->request->type != SIGNER_CREATE ||
           (!g_file_test(path, G_FILE_TEST_EXISTS) && !signer_index_was_created(signer->index, this->request->owner)) ||
           signer_refuse(error, SIGNER_ERROR_CONTENT, "%s is there already, or was, and its keys are never replaced",
                   this->request->owner);
}

/* N signatures more. */
static gboolean check_limit(const Signer *signer, const SignerCase *this, guint n, GError **error) {
    guint64 limit = this->request->type == SIGNER_CREATE ? G_MAXUINT64 : this->policy->signatures_per_hour;
    guint64 made = signer_index_count_signatures(signer->index, this->request->owner, this->time);

    return made + n <= limit ||
           signer_refuse(error, SIGNER_ERROR_LIMIT,
                   "%s has %" G_GUINT64_FORMAT " signatures of the last hour and wants %u more, and its "
                   "policy allows %" G_GUINT64_FORMAT,
                   this->request->owner, made, n, limit);
}

static gboolean sign(SignerCase *this, GError **error) {
    SignerType type = this->request->type;
    return !operations[type].sign || operations[type].sign(this, error);
}

/* The request was answered, and so is answered again: the same, since signatures are always the same. */
static gboolean repeat(Signer *signer, SignerCase *this, const SignerAnswered *answered, GError **error) {
    g_autofree char *digest = signer_case_digest(this);

    if (!g_str_equal(digest, answered->digest))
        return signer_refuse(error, SIGNER_ERROR_REPLAYED, "The request %s was another one before", this->request->id);
    this->time = answered->time;
    this->repeated = TRUE;
    if (answered->trusted)
        json_object_set_string_member(this->extra, "trusted", answered->trusted);
    return sign(this, error);
}

static gboolean append(Signer *signer, SignerCase *this, GError **error) {
    g_autoptr(JsonObject) leaf = signer_case_make_leaf(this, error);

    return leaf && signer_journal_append(signer->journal, leaf, error) && signer_index_add(signer->index, leaf, error);
}

static gboolean make(Signer *signer, SignerCase *this, GError **error) {
    SignerType type = this->request->type;

    return check_absent(signer, this, error) &&
           (!operations[type].compare || operations[type].compare(this, signer->index, error)) &&
           check_limit(signer, this, 1, error) && sign(this, error) &&
           check_limit(signer, this, json_array_get_length(this->signatures), error) && append(signer, this, error);
}

/* Everything that depends on the log. */
static char *settle(Signer *signer, SignerCase *this, GError **error) {
    SignerType type = this->request->type;
    const SignerAnswered *answered = signer_index_find_request(signer->index, this->request->owner, this->request->id);
    gint64 n = answered ? answered->n : (gint64) signer_journal_get_size(signer->journal);

    if (!signer_check_withdrawn(this, signer->index, error) ||
            (answered ? !repeat(signer, this, answered, error) : !make(signer, this, error)))
        return NULL;
    if (operations[type].finish && !operations[type].finish(this, error))
        return NULL;
    return make_answer(signer, this, n, answered != NULL, error);
}

/* What others need to check what this signer says. */
static gboolean add_instance(Signer *signer, JsonObject *answer, GError **error) {
    g_autofree char *key = tlog_verifier_to_text(&signer->instance.verifier);
    g_autofree char *certificate = certificate_to_pem(signer->instance.provenance_certificate);
    const char *checkpoint = signer_checkpoints_get(signer->checkpoints, error);

    if (!checkpoint)
        return FALSE;
    json_object_set_string_member(answer, "logKey", key);
    json_object_set_string_member(answer, "provenance", certificate);
    json_object_set_string_member(answer, "checkpoint", checkpoint);
    return TRUE;
}

/* Entries of the published log from FIRST on, as many as fit. */
static gboolean add_entries(Signer *signer, JsonObject *answer, guint64 first, GError **error) {
    JsonArray *entries = json_array_new();
    gsize bytes = 0;

    json_object_set_array_member(answer, "entries", entries);
    for (guint64 n = first; n < signer_journal_get_size(signer->journal); n++) {
        g_autoptr(GBytes) line = signer_journal_read_line(signer->journal, n, error);
        gsize size;
        const char *text = line ? g_bytes_get_data(line, &size) : NULL;
        g_autoptr(GBytes) entry = text ? signer_leaf_entry(text, size, NULL, error) : NULL;
        if (!entry)
            return FALSE;
        bytes += g_bytes_get_size(entry);
        if (bytes > ENTRIES_MAX && n > first)
            return TRUE;
        g_autofree char *encoded = g_base64_encode(g_bytes_get_data(entry, NULL), g_bytes_get_size(entry));
        json_array_add_string_element(entries, encoded);
    }
    return TRUE;
}

/* What changes nothing. */
static char *answer_log(Signer *signer, const SignerRequest *request, GError **error) {
    g_autoptr(JsonObject) answer = answer_new();
    gint64 first = signer_json_get_number(request->json, "first");

    json_object_set_object_member(answer, "answers", json_object_new());
    g_mutex_lock(&signer->lock);
    add_log(signer, answer);
    gboolean good = add_instance(signer, answer, error) &&
                    (request->type != SIGNER_LOG || add_entries(signer, answer, (guint64) first, error));
    g_mutex_unlock(&signer->lock);
    return good ? signer_packet_to_text(answer) : NULL;
}

static char *answer_case(Signer *signer, SignerCase *this, GError **error) {
    SignerType type = this->request->type;
    char *answer = NULL;

    if (!prepare(signer, this, error) || (operations[type].judge && !operations[type].judge(this, error)))
        return NULL;
    g_mutex_lock(&signer->lock);
    if (type == SIGNER_CERTIFICATES)
        answer = signer_add_certificates(this, error) ? make_answer(signer, this, -1, FALSE, error) : NULL;
    else
        answer = settle(signer, this, error);
    const char *note = answer && json_object_has_member(this->extra, "note")
                               ? json_object_get_string_member(this->extra, "note")
                               : NULL;
    if (note) {
        g_autofree char *text = g_strdup_printf("%s: %s", this->request->owner, note);
        signer->say(signer->user, text);
    }
    g_mutex_unlock(&signer->lock);
    return answer;
}

/* So that many at once cannot take all memory. */
static gboolean take_memory(Signer *signer, guint64 size, GError **error) {
    gboolean good;

    g_mutex_lock(&signer->memory_lock);
    good = size <= MEMORY_MAX - signer->memory;
    if (good)
        signer->memory += size;
    g_mutex_unlock(&signer->memory_lock);
    return good || signer_refuse(error, SIGNER_ERROR_BUSY, "Too much is being signed at once; ask again later");
}

static void give_memory(Signer *signer, guint64 size) {
    g_mutex_lock(&signer->memory_lock);
    signer->memory -= size;
    g_mutex_unlock(&signer->memory_lock);
}

/* Data of volumes stay where they are. */
static guint64 count_bytes(GPtrArray *objects) {
    guint64 sum = 0;
    for (guint i = 0; i < objects->len; i++) {
        const SignerObject *object = objects->pdata[i];
        if (!g_str_equal(object->name, "data"))
            sum += MIN(object->size, MEMORY_MAX);
    }
    return sum;
}

/* The objects of each type are known. */
static gboolean check_objects(const SignerRequest *request, GPtrArray *objects, GError **error) {
    guint wanted = request->type == SIGNER_VERITY ? 3 : signer_request_get_array(request, "objects") ? 1 : 0;

    return objects->len == wanted ||
           signer_refuse(error, SIGNER_ERROR_MALFORMED, "A request of the type %s has %u objects, not %u",
                   signer_type_to_string(request->type), wanted, objects->len);
}

static char *answer_request(Signer *signer, const SignerRequest *request, GArray *descriptors, GError **error) {
    g_autoptr(GPtrArray) objects = signer_objects_new(signer_request_get_array(request, "objects"), descriptors, error);

    if (!objects || !check_objects(request, objects, error))
        return NULL;
    if (request->type == SIGNER_STATUS || request->type == SIGNER_LOG)
        return answer_log(signer, request, error);
    guint64 bytes = count_bytes(objects);
    if (!take_memory(signer, bytes, error))
        return NULL;
    g_autoptr(SignerCase) this = signer_case_new(signer->keys, signer->policies, request, objects);
    this->development = signer->development;
    char *answer = answer_case(signer, this, error);
    give_memory(signer, bytes);
    return answer;
}

char *signer_answer(Signer *signer, const char *text, gsize size, GArray *descriptors) {
    g_autoptr(GError) error = NULL;
    g_autoptr(SignerRequest) request = signer_request_new(text, size, &error);
    char *answer = request ? answer_request(signer, request, descriptors, &error) : NULL;

    if (answer)
        return answer;
    if (request && request->owner) {
        g_autofree char *said = g_strdup_printf(
                "%s: refused %s: %s", request->owner, signer_type_to_string(request->type), error->message);
        signer->say(signer->user, said);
    }
    return signer_make_refusal(error);
}
