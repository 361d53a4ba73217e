/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/kitchen/kitchen-show.h"

#include <stdio.h>

/* The text of the member NAME, "" when there is none; what a terminal would obey is left out. */
static char *text_of(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    char *text = g_strdup(node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
                                  ? json_node_get_string(node)
                                  : "");

    for (char *at = text; *at; at++)
        if ((guint8) *at < 0x20 || *at == 0x7f)
            *at = '?';
    return text;
}

void kitchen_show(JsonNode *answer, gboolean json, KitchenShow show) {
    if (json) {
        g_autofree char *text = json_to_string(answer, TRUE);
        puts(text);
    } else if (show)
        show(answer);
}

void kitchen_show_projects(JsonNode *answer) {
    JsonArray *projects = JSON_NODE_HOLDS_ARRAY(answer) ? json_node_get_array(answer) : NULL;

    for (guint i = 0; projects && i < json_array_get_length(projects); i++) {
        JsonObject *project = json_array_get_object_element(projects, i);
        JsonNode *last = json_object_get_member(project, "lastBuild");
        g_autofree char *space = text_of(project, "namespace");
        g_autofree char *name = text_of(project, "name");

        if (last && JSON_NODE_HOLDS_OBJECT(last)) {
            g_autofree char *line = kitchen_show_progress(json_node_get_object(last));
            printf("%s/%s  %s\n", space, name, line);
        } else
            printf("%s/%s  not built yet\n", space, name);
    }
}

void kitchen_show_queue(JsonNode *answer) {
    JsonObject *queue = JSON_NODE_HOLDS_OBJECT(answer) ? json_node_get_object(answer) : NULL;
    JsonArray *jobs = queue ? json_object_get_array_member(queue, "jobs") : NULL;

    for (guint i = 0; jobs && i < json_array_get_length(jobs); i++) {
        JsonObject *job = json_array_get_object_element(jobs, i);
        g_autofree char *space = text_of(job, "namespace");
        g_autofree char *project = text_of(job, "project");
        g_autofree char *target = text_of(job, "target");
        g_autofree char *state = text_of(job, "state");
        g_autofree char *waits = text_of(job, "waits");
        g_autofree char *step = text_of(job, "step");

        printf("%s/%s #%" G_GINT64_FORMAT " %s  %s  %s\n", space, project,
                json_object_get_int_member_with_default(job, "build", 0), target, state, waits[0] ? waits : step);
    }
    if (jobs && json_array_get_length(jobs) == 0)
        puts("Nothing is built, and nothing waits.");
}

void kitchen_show_channels(JsonNode *answer) {
    JsonArray *channels = JSON_NODE_HOLDS_ARRAY(answer) ? json_node_get_array(answer) : NULL;

    for (guint i = 0; channels && i < json_array_get_length(channels); i++) {
        JsonObject *channel = json_array_get_object_element(channels, i);
        g_autofree char *name = text_of(channel, "name");
        g_autofree char *version = text_of(channel, "version");

        printf("%s  %s\n", name, version[0] ? version : "nothing was published yet");
    }
}

void kitchen_show_channel(JsonNode *answer) {
    JsonObject *channel = JSON_NODE_HOLDS_OBJECT(answer) ? json_node_get_object(answer) : NULL;
    JsonArray *releases = channel ? json_object_get_array_member(channel, "releases") : NULL;

    for (guint i = 0; releases && i < json_array_get_length(releases); i++) {
        JsonObject *release = json_array_get_object_element(releases, i);
        g_autofree char *version = text_of(release, "version");
        g_autofree char *state = text_of(release, "state");
        g_autofree char *schedule = text_of(release, "schedule");
        g_autofree char *detail = text_of(release, "detail");

        printf("%s  #%" G_GINT64_FORMAT "  %s  %" G_GINT64_FORMAT " %%%s%s%s%s\n", version,
                json_object_get_int_member_with_default(release, "build", 0), state,
                json_object_get_int_member_with_default(release, "percent", 0), schedule[0] ? "  " : "", schedule,
                detail[0] ? "  " : "", detail);
    }
    if (releases && json_array_get_length(releases) == 0)
        puts("Nothing was published yet.");
}

void kitchen_show_sources(JsonNode *answer) {
    JsonArray *sources = JSON_NODE_HOLDS_ARRAY(answer) ? json_node_get_array(answer) : NULL;

    for (guint i = 0; sources && i < json_array_get_length(sources); i++) {
        JsonObject *source = json_array_get_object_element(sources, i);
        g_autofree char *name = text_of(source, "name");
        g_autofree char *kind = text_of(source, "kind");
        g_autofree char *url = text_of(source, "url");
        g_autofree char *branch = text_of(source, "branch");
        g_autofree char *revision = text_of(source, "revision");
        g_autofree char *problem = text_of(source, "error");

        printf("%s  %s  %s%s%s  %s\n", name, kind, url, branch[0] ? " " : "", branch,
                problem[0]    ? problem
                : revision[0] ? revision
                              : "not looked at yet");
    }
    if (sources && json_array_get_length(sources) == 0)
        puts("The project is built from its recipe alone.");
}

void kitchen_show_why(JsonNode *answer) {
    JsonObject *build = JSON_NODE_HOLDS_OBJECT(answer) ? json_node_get_object(answer) : NULL;
    JsonArray *reasons = build ? json_object_get_array_member(build, "reasons") : NULL;
    g_autofree char *cause = build ? text_of(build, "cause") : NULL;
    g_autofree char *by = build ? text_of(build, "causedBy") : NULL;
    g_autofree char *line = build ? kitchen_show_progress(build) : NULL;

    if (!build)
        return;
    printf("%s\n%s%s%s\n", line, cause, by[0] ? " by " : "", by);
    for (guint i = 0; reasons && i < json_array_get_length(reasons); i++) {
        g_autofree char *text = g_strdup(json_array_get_string_element(reasons, i));

        printf("  %s\n", g_strdelimit(text, "\033\r\n", '?'));
    }
}

void kitchen_show_user(JsonNode *answer) {
    g_autofree char *name = text_of(json_node_get_object(answer), "name");
    g_autofree char *scope = text_of(json_node_get_object(answer), "scope");
    g_autofree char *expires = text_of(json_node_get_object(answer), "expires");

    printf("Logged in as %s; the token is for \"%s\" until %s.\n", name, scope, expires);
}

void kitchen_show_created(JsonNode *answer) {
    g_autofree char *space = text_of(json_node_get_object(answer), "namespace");
    g_autofree char *name = text_of(json_node_get_object(answer), "name");

    printf("%s/%s is there; its first build begins.\n", space, name);
}

char *kitchen_show_progress(JsonObject *build) {
    g_autofree char *state = text_of(build, "state");
    g_autofree char *failure = text_of(build, "failure");
    g_autofree char *detail = text_of(build, "detail");
    g_autofree char *waits = text_of(build, "waits");
    g_autofree char *step = NULL;
    JsonNode *node = json_object_get_member(build, "jobs");
    JsonArray *jobs = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    for (guint i = 0; jobs && i < json_array_get_length(jobs) && g_str_equal(state, "running"); i++) {
        g_free(step);
        step = text_of(json_array_get_object_element(jobs, i), "step");
    }
    return g_strdup_printf("#%" G_GINT64_FORMAT " %s%s%s%s%s%s%s", json_object_get_int_member_with_default(build, "number", 0),
            state, failure[0] ? " " : "", failure, detail[0] ? ": " : "", detail, waits[0] || (step && step[0]) ? ": " : "",
            waits[0] ? waits : step ?: "");
}

static gboolean is_one_of(JsonObject *build, const char *const *words) {
    g_autofree char *state = text_of(build, "state");

    return g_strv_contains(words, state);
}

gboolean kitchen_build_is_over(JsonObject *build) {
    static const char *const words[] = {"published", "skipped", "superseded", "cancelled", "failed", NULL};

    return is_one_of(build, words);
}

gboolean kitchen_build_is_good(JsonObject *build) {
    static const char *const words[] = {"published", "skipped", NULL};

    return is_one_of(build, words);
}
