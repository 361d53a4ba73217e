/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The build service, from the command line. */
#include "cli/verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/kitchen/kitchen-approve.h"
#include "cli/kitchen/kitchen-show.h"
#include "kitchen/client/client.h"
#include "kitchen/client/login.h"

/* Between two looks at a build, in microseconds; how often for one that is to begin. */
#define LOOK_AGAIN (G_USEC_PER_SEC * 3 / 2)
#define BEGIN_LOOKS 80

/* A command with its words. */
typedef struct {
    KitchenClient *client;
    char **words; /* behind the command */
    gboolean json, watch, follow;
    int *exit_status;
} Call;

static gboolean usage_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean usage_error(GError **error, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    *error = g_error_new_valist(RECIPE_ERROR, RECIPE_ERROR_USAGE, format, arguments);
    va_end(arguments);
    return FALSE;
}

/* "projects/NAMESPACE/NAME" for a word "NAMESPACE/NAME". NULL with ERROR: it is none. */
static char *project_path(const char *word, GError **error) {
    g_auto(GStrv) parts = g_strsplit(word ?: "", "/", -1);

    if (g_strv_length(parts) != 2 || !parts[0][0] || !parts[1][0] ||
            strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_-/") != strlen(word)) {
        usage_error(error, "Say which project, as NAMESPACE/NAME");
        return NULL;
    }
    return g_strdup_printf("projects/%s", word);
}

static gboolean ask_and_show(Call *call, const char *path, KitchenShow show, GError **error) {
    g_autoptr(JsonNode) answer = kitchen_client_ask(call->client, "GET", path, NULL, error);

    if (answer)
        kitchen_show(answer, call->json, show);
    return answer != NULL;
}

static char *json_of(const char *first, ...) G_GNUC_NULL_TERMINATED;
static char *json_of(const char *first, ...) {
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
    g_autoptr(JsonNode) root = NULL;
    va_list pairs;

    json_builder_begin_object(builder);
    va_start(pairs, first);
    for (const char *name = first; name; name = va_arg(pairs, const char *)) {
        const char *value = va_arg(pairs, const char *);

        if (!value)
            continue;
        json_builder_set_member_name(builder, name);
        json_builder_add_string_value(builder, value);
    }
    va_end(pairs);
    json_builder_end_object(builder);
    root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}

static gboolean change(Call *call, const char *path, const char *body, GError **error) {
    g_autoptr(JsonNode) answer = kitchen_client_ask(call->client, "POST", path, body, error);

    if (answer)
        kitchen_show(answer, call->json, kitchen_show_created);
    return answer != NULL;
}

/* Words "boot=yes" and "disk-limit=10G" as the body of a request; owned by the caller. NULL with ERROR set. */
static char *limits_of(char *const *words, GError **error) {
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
    g_autoptr(JsonNode) root = NULL;

    json_builder_begin_object(builder);
    for (; *words; words++) {
        gboolean boot = g_str_equal(*words, "boot=yes");

        if (boot || g_str_equal(*words, "boot=no")) {
            json_builder_set_member_name(builder, "boot");
            json_builder_add_boolean_value(builder, boot);
        } else if (g_str_has_prefix(*words, "disk-limit=")) {
            json_builder_set_member_name(builder, "diskLimit");
            json_builder_add_string_value(builder, *words + strlen("disk-limit="));
        } else {
            usage_error(error, "kitchen project set NAMESPACE/NAME [boot=yes|no] [disk-limit=SIZE|none]");
            return NULL;
        }
    }
    json_builder_end_object(builder);
    root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}

/* A change whose answer says nothing but that it happened. */
static gboolean change_quietly(Call *call, const char *project, const char *below, const char *body, GError **error) {
    g_autofree char *path = g_strdup_printf("%s/%s", project, below);
    g_autoptr(JsonNode) answer = kitchen_client_ask(call->client, "POST", path, body, error);

    return answer != NULL;
}

static gboolean run_set(Call *call, char *const *words, GError **error) {
    g_autofree char *project = project_path(words[0], error);
    g_autofree char *body = project ? limits_of(words + 1, error) : NULL;

    return body && change_quietly(call, project, "limits", body, error);
}

static gboolean add_source(Call *call, const char *project, char *const *words, GError **error) {
    g_autofree char *body = NULL;

    if (g_strv_length((char **) words) < 3 || g_strv_length((char **) words) > 4)
        return usage_error(error, "kitchen source NAMESPACE/NAME add NAME git URL [BRANCH] | add NAME url URL | "
                                  "add NAME base NAMESPACE/NAME/TARGET");
    body = json_of("name", words[0], "kind", words[1], "url", words[2], "branch", words[3], NULL);
    return change_quietly(call, project, "sources", body, error);
}

static gboolean run_source(Call *call, GError **error) {
    char **words = call->words;
    guint n = g_strv_length(words);
    g_autofree char *project = project_path(words[0], error);
    g_autofree char *path = project ? g_strconcat(project, "/sources", NULL) : NULL;
    g_autofree char *below = NULL;

    if (!project)
        return FALSE;
    if (n == 1)
        return ask_and_show(call, path, kitchen_show_sources, error);
    if (g_str_equal(words[1], "add"))
        return add_source(call, project, words + 2, error);
    if (n != 3 || !g_str_equal(words[1], "remove") || strchr(words[2], '/'))
        return usage_error(error, "kitchen source NAMESPACE/NAME [add … | remove NAME]");
    below = g_strdup_printf("sources/%s/remove", words[2]);
    return change_quietly(call, project, below, "{}", error);
}

static gboolean run_project(Call *call, GError **error) {
    char **words = call->words;
    guint n = g_strv_length(words);
    g_autofree char *path = NULL;
    g_autofree char *body = NULL;
    g_auto(GStrv) parts = NULL;

    if (n == 0 || (n == 1 && strcmp(words[0], "list") == 0))
        return ask_and_show(call, "projects", kitchen_show_projects, error);
    if (n == 2 && strcmp(words[0], "fork") == 0) {
        g_autofree char *project = project_path(words[1], error);

        path = project ? g_strconcat(project, "/fork", NULL) : NULL;
        return path && change(call, path, "{}", error);
    }
    if (n >= 3 && strcmp(words[0], "set") == 0)
        return run_set(call, words + 1, error);
    if (n < 3 || n > 4 || strcmp(words[0], "create") != 0)
        return usage_error(error, "kitchen project list | create NAMESPACE/NAME URL [BRANCH] | fork NAMESPACE/NAME | "
                                  "set NAMESPACE/NAME SETTING=VALUE");
    path = project_path(words[1], error);
    if (!path)
        return FALSE;
    parts = g_strsplit(words[1], "/", 2);
    body = json_of("namespace", parts[0], "name", parts[1], "url", words[2], "branch", words[3], NULL);
    return change(call, "projects", body, error);
}

/* The build NUMBER of PATH; its object belongs to RET_NODE, which the caller frees. */
static JsonObject *get_build(Call *call, const char *path, gint64 number, JsonNode **ret_node, GError **error) {
    g_autofree char *build = g_strdup_printf("%s/builds/%" G_GINT64_FORMAT, path, number);

    *ret_node = kitchen_client_ask(call->client, "GET", build, NULL, error);
    return *ret_node && JSON_NODE_HOLDS_OBJECT(*ret_node) ? json_node_get_object(*ret_node) : NULL;
}

/* The number of the newest build of PATH; 0: none, -1: ERROR is set. */
static gint64 newest_build(Call *call, const char *path, GError **error) {
    g_autoptr(JsonNode) node = kitchen_client_ask(call->client, "GET", path, NULL, error);
    JsonObject *project = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonNode *last = project ? json_object_get_member(project, "lastBuild") : NULL;

    if (!node)
        return -1;
    return last && JSON_NODE_HOLDS_OBJECT(last)
                   ? json_object_get_int_member_with_default(json_node_get_object(last), "number", 0)
                   : 0;
}

/* Tells each change of the build's state until it is over. */
static gboolean watch_build(Call *call, const char *path, gint64 number, GError **error) {
    g_autofree char *told = NULL;

    for (;;) {
        g_autoptr(JsonNode) node = NULL;
        JsonObject *build = get_build(call, path, number, &node, error);
        g_autofree char *line = NULL;

        if (!build)
            return FALSE;
        line = kitchen_show_progress(build);
        if (g_strcmp0(line, told) != 0 && !call->json)
            puts(line);
        fflush(stdout);
        g_free(told);
        told = g_steal_pointer(&line);
        if (kitchen_build_is_over(build)) {
            if (call->json)
                kitchen_show(node, TRUE, NULL);
            *call->exit_status = kitchen_build_is_good(build) ? 0 : 1;
            return TRUE;
        }
        g_usleep(LOOK_AGAIN);
    }
}

static gboolean run_build(Call *call, GError **error) {
    gboolean watch = call->watch;
    g_autofree char *path = project_path(call->words[0], error);
    g_autofree char *builds = path ? g_strconcat(path, "/builds", NULL) : NULL;
    gint64 before = path ? newest_build(call, path, error) : -1;
    g_autoptr(JsonNode) answer = NULL;

    if (before < 0 || !(answer = kitchen_client_ask(call->client, "POST", builds, "{}", error)))
        return FALSE;
    if (!watch) {
        if (!call->json)
            puts("The branch is looked at, and built.");
        else
            kitchen_show(answer, TRUE, NULL);
        return TRUE;
    }
    for (guint i = 0; i < BEGIN_LOOKS; i++) {
        gint64 now = newest_build(call, path, error);

        if (now < 0)
            return FALSE;
        if (now > before)
            return watch_build(call, path, now, error);
        g_usleep(LOOK_AGAIN);
    }
    g_set_error(error, KITCHEN_CLIENT_ERROR, KITCHEN_CLIENT_ERROR_FAILED,
            "No build has begun within two minutes: \"particleos kitchen project list\" shows what the service found");
    return FALSE;
}

/* What a terminal would obey is shown to files and pipes as it is, to people as a question mark. */
static gboolean print_line(gpointer user, const char *line) {
    g_autofree char *text = g_strdup(line);

    for (char *at = text; *at && isatty(STDOUT_FILENO); at++)
        if (((guint8) *at < 0x20 && *at != '\t') || *at == 0x7f)
            *at = '?';
    puts(text);
    return fflush(stdout) == 0;
}

/* The number in the second word, or the newest build. 0: ERROR is set. */
static gint64 wanted_build(Call *call, const char *path, GError **error) {
    guint64 number = 0;
    gint64 newest = 0;

    if (call->words[0] && call->words[1]) {
        if (g_ascii_string_to_unsigned(call->words[1], 10, 1, G_MAXINT32, &number, NULL))
            return (gint64) number;
        usage_error(error, "\"%s\" is no number of a build", call->words[1]);
        return 0;
    }
    newest = newest_build(call, path, error);
    if (newest == 0)
        usage_error(error, "Nothing was built yet");
    return MAX(newest, 0);
}

static gboolean run_log(Call *call, GError **error) {
    gboolean follow = call->follow;
    g_autofree char *path = project_path(call->words[0], error);
    gint64 number = path ? wanted_build(call, path, error) : 0;
    g_autoptr(JsonNode) node = NULL;
    JsonObject *build = number > 0 ? get_build(call, path, number, &node, error) : NULL;
    JsonArray *jobs = build ? json_object_get_array_member(build, "jobs") : NULL;

    if (!build)
        return FALSE;
    for (guint i = 0; jobs && i < json_array_get_length(jobs); i++) {
        JsonObject *job = json_array_get_object_element(jobs, i);
        g_autofree char *state = NULL;

        if (!follow && json_object_get_null_member(job, "finished"))
            return usage_error(error, "The job goes on: \"log -f\" follows it");
        if (json_array_get_length(jobs) > 1)
            printf("== %s ==\n", json_object_get_string_member_with_default(job, "target", ""));
        if (!kitchen_client_follow_log(
                    call->client, json_object_get_int_member(job, "id"), print_line, NULL, &state, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean run_why(Call *call, GError **error) {
    g_autofree char *path = project_path(call->words[0], error);
    gint64 number = path ? wanted_build(call, path, error) : 0;
    g_autofree char *build = number > 0 ? g_strdup_printf("%s/builds/%" G_GINT64_FORMAT, path, number) : NULL;

    return build && ask_and_show(call, build, kitchen_show_why, error);
}

/* ---- channels ---- */

/* A body from pairs of a name and a word; builds and percentages are numbers. NULL words are left out. Owned by the caller. */
static char *wish_of(const char *const *pairs) {
    static const char *const numbers[] = {"build", "percent", NULL};
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
    g_autoptr(JsonNode) root = NULL;

    json_builder_begin_object(builder);
    for (; *pairs; pairs += 2) {
        guint64 number = 0;

        if (!pairs[1])
            continue;
        json_builder_set_member_name(builder, pairs[0]);
        if (g_strv_contains(numbers, pairs[0]) &&
                g_ascii_string_to_unsigned(pairs[1], 10, 0, G_MAXINT, &number, NULL))
            json_builder_add_int_value(builder, (gint64) number);
        else
            json_builder_add_string_value(builder, pairs[1]);
    }
    json_builder_end_object(builder);
    root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}

/* "PROJECT/channels/CHANNEL/END". NULL with ERROR: one of the words is none. Owned by the caller. */
static char *channel_path(const char *project_word, const char *channel, const char *end, GError **error) {
    g_autofree char *project = project_path(project_word, error);

    if (!project)
        return NULL;
    if (channel && channel[0] && strspn(channel, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(channel))
        return g_strdup_printf("%s/channels/%s%s", project, channel, end);
    usage_error(error, "\"%s\" is no name of a channel", channel ?: "");
    return NULL;
}

static gboolean post_quietly(Call *call, const char *path, const char *body, GError **error) {
    g_autoptr(JsonNode) answer = kitchen_client_ask(call->client, "POST", path, body, error);

    return answer != NULL;
}

/* The word behind OPTION= among WORDS, NULL when there is none. */
static const char *setting(char *const *words, const char *option) {
    g_autofree char *start = g_strconcat(option, "=", NULL);

    for (; *words; words++)
        if (g_str_has_prefix(*words, start))
            return *words + strlen(start);
    return NULL;
}

/* Whether WORDS are settings of the names OPTIONS and nothing else. */
static gboolean are_settings(char *const *words, const char *const *options) {
    for (; *words; words++) {
        g_auto(GStrv) parts = g_strsplit(*words, "=", 2);

        if (!parts[0] || !parts[1] || !g_strv_contains(options, parts[0]))
            return FALSE;
    }
    return TRUE;
}

#define COURSE_USAGE "[percent=N | schedule=PERCENT@TIME,…]"

/* "release PROJECT BUILD CHANNEL", and "promote PROJECT FROM CHANNEL". */
static gboolean release_to(Call *call, const char *name, const char *usage, GError **error) {
    static const char *const options[] = {"percent", "schedule", NULL};
    char **words = call->words;
    g_autofree char *path = NULL;
    g_autofree char *body = NULL;

    if (g_strv_length(words) < 3 || !are_settings(words + 3, options))
        return usage_error(error, "%s", usage);
    path = channel_path(words[0], words[2], "/release", error);
    body = wish_of((const char *const[]){name, words[1], "percent", setting(words + 3, "percent"), "schedule",
            setting(words + 3, "schedule"), NULL});
    return path && post_quietly(call, path, body, error);
}

static gboolean run_release(Call *call, GError **error) {
    return release_to(call, "build", "kitchen release NAMESPACE/NAME BUILD CHANNEL " COURSE_USAGE, error);
}

static gboolean run_promote(Call *call, GError **error) {
    return release_to(call, "from", "kitchen promote NAMESPACE/NAME FROM CHANNEL " COURSE_USAGE, error);
}

static gboolean run_halt(Call *call, GError **error) {
    char **words = call->words;
    g_autofree char *path = NULL;
    g_autofree char *body = NULL;

    if (g_strv_length(words) != 3)
        return usage_error(error, "kitchen halt NAMESPACE/NAME BUILD CHANNEL");
    path = channel_path(words[0], words[2], "/halt", error);
    body = wish_of((const char *const[]){"build", words[1], NULL});
    return path && post_quietly(call, path, body, error);
}

static gboolean run_withdraw(Call *call, GError **error) {
    char **words = call->words;
    guint64 number = 0;
    g_autofree char *project = NULL;
    g_autofree char *path = NULL;

    if (g_strv_length(words) != 2 || !g_ascii_string_to_unsigned(words[1], 10, 1, G_MAXINT64, &number, NULL))
        return usage_error(error, "kitchen withdraw NAMESPACE/NAME BUILD");
    project = project_path(words[0], error);
    path = project ? g_strdup_printf("%s/builds/%" G_GUINT64_FORMAT "/withdraw", project, number) : NULL;
    return path && post_quietly(call, path, "{}", error);
}

static gboolean run_approve(Call *call, GError **error) {
    static const char *const options[] = {"key", "files", "instance", "yes", NULL};
    char **words = call->words;
    guint64 number = 0;
    g_autofree char *path = NULL;

    if (g_strv_length(words) < 3 || !are_settings(words + 3, options) ||
            !g_ascii_string_to_unsigned(words[1], 10, 1, G_MAXINT64, &number, NULL))
        return usage_error(error, "kitchen approve NAMESPACE/NAME BUILD CHANNEL [key=FILE] [files=DIRECTORY] "
                                  "[instance=FINGERPRINT] [yes=yes]");
    path = channel_path(words[0], words[2], "", error);
    return path && kitchen_approve(call->client,
                           &(KitchenApproval){.project = words[0],
                                   .channel = words[2],
                                   .build = (gint64) number,
                                   .key = setting(words + 3, "key"),
                                   .files = setting(words + 3, "files"),
                                   .instance = setting(words + 3, "instance"),
                                   .yes = g_strcmp0(setting(words + 3, "yes"), "yes") == 0},
                           error);
}

/* "channel PROJECT [CHANNEL [set SETTING=VALUE …]]". */
static gboolean run_channel(Call *call, GError **error) {
    static const char *const options[] = {"follows", "schedule", NULL};
    char **words = call->words;
    guint n = g_strv_length(words);
    g_autofree char *project = n > 0 ? project_path(words[0], error) : NULL;
    g_autofree char *all = project ? g_strconcat(project, "/channels", NULL) : NULL;
    g_autofree char *path = NULL;
    g_autofree char *body = NULL;

    if (n > 0 && !project)
        return FALSE;
    if (n == 1)
        return ask_and_show(call, all, kitchen_show_channels, error);
    if (n == 0 || (n > 2 && (!g_str_equal(words[2], "set") || !are_settings(words + 3, options))))
        return usage_error(error, "kitchen channel NAMESPACE/NAME [CHANNEL [set [follows=yes|no] "
                                  "[schedule=PERCENT@TIME,…]]]");
    path = channel_path(words[0], words[1], "", error);
    if (!path)
        return FALSE;
    if (n == 2)
        return ask_and_show(call, path, kitchen_show_channel, error);
    body = json_of("name", words[1], "follows", setting(words + 3, "follows") ?: "no", "schedule",
            setting(words + 3, "schedule"), NULL);
    return post_quietly(call, all, body, error);
}

static gboolean run_queue(Call *call, GError **error) {
    return ask_and_show(call, "queue", kitchen_show_queue, error);
}

/* Not on the command line, where other users of the machine see it. */
static char *read_token(GError **error) {
    char line[256] = "";

    if (isatty(STDIN_FILENO))
        fputs("Token (made on the page /account): ", stderr);
    if (!fgets(line, sizeof(line), stdin) || !g_strstrip(line)[0]) {
        usage_error(error, "The token is read from standard input, and there is none");
        return NULL;
    }
    return g_strdup(line);
}

static gboolean run_login(Call *call, GError **error) {
    const char *url = call->words[0];
    g_autofree char *token = NULL;
    g_autoptr(KitchenClient) client = NULL;
    g_autoptr(JsonNode) user = NULL;

    if (!url || call->words[1])
        return usage_error(error, "kitchen login URL");
    if (!login_check_url(url, error) || !(token = read_token(error)))
        return FALSE;
    client = kitchen_client_new(url, token, error);
    user = client ? kitchen_client_ask(client, "GET", "user", NULL, error) : NULL;
    if (!user || !login_write(url, token, error))
        return FALSE;
    kitchen_show(user, call->json, kitchen_show_user);
    return TRUE;
}

static const struct {
    const char *name;
    gboolean (*run)(Call *call, GError **error);
    gboolean alone; /* needs no login */
} commands[] = {
        {"login", run_login, TRUE},
        {"project", run_project},
        {"source", run_source},
        {"build", run_build},
        {"log", run_log},
        {"why", run_why},
        {"queue", run_queue},
        {"channel", run_channel},
        {"release", run_release},
        {"promote", run_promote},
        {"approve", run_approve},
        {"halt", run_halt},
        {"withdraw", run_withdraw},
};

gboolean verb_kitchen(const VerbCall *verb, int *ret_exit_status, GError **error) {
    char **arguments = verb->arguments->words;
    g_auto(GStrv) words = arguments[0] ? g_strdupv(arguments + 1) : NULL;
    Call call = {.words = words,
            .json = verb->arguments->json,
            .watch = verb->arguments->watch,
            .follow = verb->arguments->force > 0,
            .exit_status = ret_exit_status};
    g_autoptr(KitchenClient) client = NULL;
    g_autofree char *url = NULL;
    g_autofree char *token = NULL;

    if (!words)
        return usage_error(error, "kitchen login | project | source | build | log | why | queue | channel | release | promote | approve | halt | withdraw");
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, arguments[0]) != 0)
            continue;
        if (!commands[i].alone) {
            if (!login_read(&url, &token, error) || !(client = kitchen_client_new(url, token, error)))
                return FALSE;
            call.client = client;
        }
        return commands[i].run(&call, error);
    }
    return usage_error(
            error, "There is no \"kitchen %s\"; there are: login project source build log why queue channel release promote approve halt withdraw", arguments[0]);
}
