/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "work.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/directory.h"
#include "base/io.h"
#include "kitchen/worker/bases.h"
#include "kitchen/worker/boot.h"
#include "kitchen/worker/builder.h"
#include "kitchen/worker/fetch.h"
#include "kitchen/worker/keys.h"
#include "kitchen/worker/rounds.h"

/* What is signed inside of /usr needs a build more; it happens when it changes. */
#define BUILDS_MAX 4
/* Characters of a reason; the log has the rest. */
#define DETAIL_MAX 600

/* What a builder that failed failed at, by its words. */
static const char *classify(const char *lines, gboolean built) {
    static const char *const packages[] = {"apt-get", "dpkg", "dnf", "pacman", "zypper", "Unable to locate package",
            "metadata of", "repository", "mirror"};

    if (strstr(lines, "mkosi.conf:") || strstr(lines, ".conf:"))
        return "recipe";
    for (guint i = 0; i < G_N_ELEMENTS(packages); i++)
        if (strstr(lines, packages[i]))
            return "packages";
    return built ? "script" : "recipe";
}

/* What a builder ended with, in one line: its error with what it quotes and advises, or else the last line; NULL: nothing.
 * Owned by the caller. */
static char *find_error(char **lines) {
    guint n = g_strv_length(lines), start = n;
    g_autofree char *text = NULL;

    for (guint i = 0; i < n; i++)
        if (g_str_has_prefix(lines[i], "error: "))
            start = i;
    if (start == n)
        return n > 0 && *lines[n - 1] ? g_strdup(lines[n - 1]) : NULL;
    for (guint i = start; i < n; i++)
        g_strstrip(lines[i]);
    text = g_strjoinv(" ", lines + start);
    return g_utf8_strlen(text, -1) > DETAIL_MAX ? g_utf8_substring(text, 0, DETAIL_MAX) : g_steal_pointer(&text);
}

static void fail_builder(WorkerJob *job, WorkResult *result, gint64 start, int status, gboolean built) {
    g_autofree char *lines = builder_last_lines(job, start);
    g_auto(GStrv) all = g_strsplit(lines, "\n", -1);

    result->state = "failed";
    result->failure = classify(lines, built);
    result->detail = find_error(all) ?: g_strdup_printf("The builder ended with status %d", status);
    if (strstr(lines, "--no-script-network"))
        worker_job_say(job, "This project has no right to network in scripts; an administrator of the build service "
                            "gives it in the settings of the project");
    result->failing_lines = g_steal_pointer(&lines);
}

/* The bytes of FD. */
static GBytes *read_all(int fd) {
    struct stat about;
    g_autofree char *data = NULL;

    if (fstat(fd, &about) < 0)
        return g_bytes_new(NULL, 0);
    data = g_malloc((gsize) about.st_size + 1);
    if (!pread_all(fd, data, (gsize) about.st_size, 0, NULL))
        return g_bytes_new(NULL, 0);
    return g_bytes_new_take(g_steal_pointer(&data), (gsize) about.st_size);
}

/* Builders of before have no such verb: then nothing is known of the inputs. */
static gboolean knows_no_inputs(const WorkerJob *job, gint64 start) {
    g_autofree char *lines = builder_last_lines(job, start);

    return strstr(lines, "inputs") != NULL && strstr(lines, "verb") != NULL;
}

static JsonObject *member(JsonObject *object, const char *name) {
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

/* Format= of the main image, by its INPUTS; NULL: they do not say. Owned by the caller. */
static char *format_of(GBytes *inputs) {
    gsize size = 0;
    const char *text = g_bytes_get_data(inputs, &size);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root = size > 0 && json_parser_load_from_data(parser, text, (gssize) size, NULL)
                             ? json_parser_get_root(parser)
                             : NULL;
    JsonObject *images = root && JSON_NODE_HOLDS_OBJECT(root) ? member(json_node_get_object(root), "images") : NULL;
    JsonObject *settings = member(member(images, "main"), "settings");
    JsonNode *format = settings ? json_object_get_member(settings, "Format") : NULL;

    return format && JSON_NODE_HOLDS_VALUE(format) ? g_strdup(json_node_get_string(format)) : NULL;
}

/* Says what shapes the build, and hears whether it is wanted. FALSE: RESULT is complete. */
static gboolean settle_inputs(WorkerJob *job, GPtrArray *common, WorkResult *result) {
    static const char *const verb[] = {"--json", "inputs", NULL};
    g_autoptr(GPtrArray) arguments = builder_arguments_with(common, verb);
    AUTO_FD out = open(job->path, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    g_autofree char *url = worker_job_url(job, "inputs");
    g_autoptr(GError) failure = NULL;
    g_autoptr(GBytes) inputs = NULL;
    g_autoptr(JsonObject) answer = NULL;
    gint64 start = builder_log_size(job);
    int status = 0;

    if (!builder_run(job, (const char *const *) arguments->pdata, out, -1, &status, &failure)) {
        work_fail(job, result, "recipe", failure);
        return FALSE;
    }
    if (status != 0 && !knows_no_inputs(job, start)) {
        fail_builder(job, result, start, status, FALSE);
        return FALSE;
    }
    inputs = status == 0 ? read_all(out) : g_bytes_new(NULL, 0);
    job->format = format_of(inputs);
    answer = http_ask(job->http, "POST", url, inputs, &failure);
    if (!answer) {
        work_fail(job, result, "recipe", failure);
        return FALSE;
    }
    if (g_strcmp0(json_object_get_string_member_with_default(answer, "decision", ""), "skip") != 0)
        return TRUE;
    worker_job_say(job, "%s", json_object_get_string_member_with_default(answer, "reason", "Nothing changed"));
    result->state = "skipped";
    return FALSE;
}

/* One build. Signatures that it waits for are a success, too. FALSE: RESULT is complete. */
static gboolean build_once(WorkerJob *job, GPtrArray *common, WorkResult *result) {
    static const char *const verb[] = {"--force", "--events-fd=3", "build", NULL};
    g_autoptr(GPtrArray) arguments = builder_arguments_with(common, verb);
    g_autoptr(GError) failure = NULL;
    gint64 start = builder_log_size(job);
    int status = 0;

    if (!builder_run(job, (const char *const *) arguments->pdata, -1, job->events, &status, &failure)) {
        work_fail(job, result, "script", failure);
        return FALSE;
    }
    if (status == 0 || rounds_wait(job))
        return TRUE;
    fail_builder(job, result, start, status, TRUE);
    return FALSE;
}

static gboolean build(WorkerJob *job, GPtrArray *common, WorkResult *result) {
    for (guint i = 0; i < BUILDS_MAX; i++) {
        g_autoptr(GError) failure = NULL;
        gboolean again = FALSE;

        if (!build_once(job, common, result))
            return FALSE;
        if (!rounds_run(job, common, &again, &failure)) {
            work_fail(job, result, "refused", failure);
            return FALSE;
        }
        if (!again)
            return TRUE;
    }
    result->state = "failed";
    result->failure = "refused";
    result->detail = g_strdup("Each build asks for other signatures inside of /usr");
    return FALSE;
}

/* Judges what was made. Trees and archives have no chain of trust; their digests are in the manifest. */
static gboolean inspect(WorkerJob *job, GPtrArray *common, WorkResult *result) {
    static const char *const verb[] = {"inspect", NULL};
    static const char *const plain[] = {"cpio", "directory", "none", "oci", "tar", NULL};
    g_autoptr(GPtrArray) with_keys = g_ptr_array_copy(common, (GCopyFunc) (gpointer) g_strdup, NULL);
    g_autoptr(GPtrArray) arguments = NULL;
    g_autoptr(GError) failure = NULL;
    gint64 start = builder_log_size(job);
    int status = 0;

    if (job->format && g_strv_contains(plain, job->format)) {
        worker_job_say(job, "Format=%s has no chain of trust to inspect", job->format);
        return TRUE;
    }
    keys_add_inspect_arguments(job, with_keys);
    arguments = builder_arguments_with(with_keys, verb);
    if (!builder_run(job, (const char *const *) arguments->pdata, -1, -1, &status, &failure)) {
        work_fail(job, result, "check", failure);
        return FALSE;
    }
    if (status == 0)
        return TRUE;
    fail_builder(job, result, start, status, TRUE);
    result->failure = "check";
    return FALSE;
}

static const char *kind_of(const char *name) {
    static const struct {
        const char *mark, *kind;
    } kinds[] = {{".SHA256SUMS", "checksums"}, {".manifest", "manifest"}, {".usr-", "partition"},
            {".root-", "partition"}, {".efi", "uki"}, {".roothash", "roothash"}, {".usrhash", "roothash"},
            {".pcrs", "pcrs"}, {".raw", "disk"}};

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strstr(name, kinds[i].mark))
            return kinds[i].kind;
    return strcmp(name, "SHA256SUMS") == 0 ? "checksums" : "other";
}

/* Sends the files of the output directory, and lists them. */
static gboolean send(WorkerJob *job, WorkResult *result) {
    g_autoptr(GPtrArray) names = list_directory_if_any(job->output);
    g_autoptr(GError) failure = NULL;

    result->artifacts = json_array_new();
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_build_filename(job->output, name, NULL);
        g_autofree char *digest = NULL;
        struct stat about;
        JsonObject *artifact = NULL;

        if (*name == '.' || lstat(path, &about) < 0 || !S_ISREG(about.st_mode))
            continue;
        if (!worker_job_send_file(job, path, &digest, &failure)) {
            work_fail(job, result, "publish", failure);
            return FALSE;
        }
        artifact = json_object_new();
        json_object_set_string_member(artifact, "name", name);
        json_object_set_string_member(artifact, "kind", kind_of(name));
        json_object_set_string_member(artifact, "digest", digest);
        json_array_add_object_element(result->artifacts, artifact);
    }
    result->state = "done";
    return TRUE;
}

void work_run(WorkerJob *job, WorkResult *result) {
    g_autoptr(GError) failure = NULL;
    g_autoptr(GPtrArray) common = NULL;

    if (!fetch_recipe(job, &failure) || !bases_fetch(job, &failure) || !keys_write(job, &failure)) {
        work_fail(job, result, "recipe", failure);
        return;
    }
    common = builder_arguments(job);
    if (settle_inputs(job, common, result) && build(job, common, result) && inspect(job, common, result) &&
            boot_check(job, common, result))
        /* A failure is in RESULT already. */
        (void) !send(job, result);
}

gboolean work_report(WorkerJob *job, const WorkResult *result, GError **error) {
    g_autoptr(JsonObject) body = json_object_new();
    g_autoptr(JsonObject) answer = NULL;
    g_autofree char *url = worker_job_url(job, "finish");
    g_autoptr(Http) http = http_new(job->url, job->token, NULL);

    if (strcmp(result->state, "skipped") == 0)
        return TRUE;
    json_object_set_string_member(body, "state", result->state);
    if (result->failure)
        json_object_set_string_member(body, "failure", result->failure);
    if (result->detail)
        json_object_set_string_member(body, "detail", result->detail);
    if (result->failing_lines)
        json_object_set_string_member(body, "failingLines", result->failing_lines);
    if (result->artifacts)
        json_object_set_array_member(body, "artifacts", json_array_ref(result->artifacts));
    answer = http_ask_json(http, url, body, error);
    return answer != NULL;
}
