/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/builds/states.h"

#define BIT(state) (1u << (state))

static const struct {
    const char *word;
    guint next; /* bits of the states that may follow */
} builds[BUILD_N_STATES] = {
        [BUILD_WAITING] = {"waiting",
                BIT(BUILD_RUNNING) | BIT(BUILD_SUPERSEDED) | BIT(BUILD_CANCELLED) | BIT(BUILD_FAILED)},
        [BUILD_RUNNING] = {"running",
                BIT(BUILD_CHECKING) | BIT(BUILD_SKIPPED) | BIT(BUILD_CANCELLED) | BIT(BUILD_FAILED)},
        [BUILD_CHECKING] = {"checking",
                BIT(BUILD_APPROVAL) | BIT(BUILD_PUBLISHING) | BIT(BUILD_CANCELLED) | BIT(BUILD_FAILED)},
        [BUILD_APPROVAL] = {"approval", BIT(BUILD_PUBLISHING) | BIT(BUILD_CANCELLED) | BIT(BUILD_FAILED)},
        /* What is half published is finished, never taken back. */
        [BUILD_PUBLISHING] = {"publishing", BIT(BUILD_PUBLISHED) | BIT(BUILD_FAILED)},
        [BUILD_PUBLISHED] = {"published", 0},
        [BUILD_SKIPPED] = {"skipped", 0},
        [BUILD_SUPERSEDED] = {"superseded", 0},
        [BUILD_CANCELLED] = {"cancelled", 0},
        [BUILD_FAILED] = {"failed", 0},
};

#define JOB_ENDS (BIT(JOB_FAILED) | BIT(JOB_LOST) | BIT(JOB_CANCELLED))

static const struct {
    const char *word;
    guint next;
} jobs[JOB_N_STATES] = {
        /* An executor that refuses a job, with no hope, fails it. */
        [JOB_QUEUED] = {"queued", BIT(JOB_SUBMITTED) | BIT(JOB_FAILED) | BIT(JOB_CANCELLED)},
        /* Queued again: the executor never had it, and its ticket becomes void. */
        [JOB_SUBMITTED] = {"submitted", BIT(JOB_QUEUED) | BIT(JOB_CLAIMED) | JOB_ENDS},
        [JOB_CLAIMED] = {"claimed", BIT(JOB_RUNNING) | BIT(JOB_DONE) | JOB_ENDS},
        [JOB_RUNNING] = {"running", BIT(JOB_UPLOADED) | JOB_ENDS},
        [JOB_UPLOADED] = {"uploaded", BIT(JOB_DONE) | BIT(JOB_FAILED) | BIT(JOB_CANCELLED)},
        [JOB_DONE] = {"done", 0},
        [JOB_FAILED] = {"failed", 0},
        [JOB_LOST] = {"lost", 0},
        [JOB_CANCELLED] = {"cancelled", 0},
};

static const char *const failures[FAILURE_N_KINDS] = {
        [FAILURE_RECIPE] = "recipe",
        [FAILURE_PACKAGES] = "packages",
        [FAILURE_SCRIPT] = "script",
        [FAILURE_REFUSED] = "refused",
        [FAILURE_TIMEOUT] = "timeout",
        [FAILURE_LOST] = "lost",
        [FAILURE_CHECK] = "check",
        [FAILURE_PUBLISH] = "publish",
};

const char *build_state_to_string(BuildState state) {
    g_assert(state >= 0 && state < BUILD_N_STATES);
    return builds[state].word;
}

int build_state_from_string(const char *word) {
    for (int i = 0; i < BUILD_N_STATES; i++)
        if (g_strcmp0(word, builds[i].word) == 0)
            return i;
    return -1;
}

const char *job_state_to_string(JobState state) {
    g_assert(state >= 0 && state < JOB_N_STATES);
    return jobs[state].word;
}

int job_state_from_string(const char *word) {
    for (int i = 0; i < JOB_N_STATES; i++)
        if (g_strcmp0(word, jobs[i].word) == 0)
            return i;
    return -1;
}

const char *failure_to_string(FailureKind kind) {
    g_assert(kind >= 0 && kind < FAILURE_N_KINDS);
    return failures[kind];
}

int failure_from_string(const char *word) {
    for (int i = 0; i < FAILURE_N_KINDS; i++)
        if (g_strcmp0(word, failures[i]) == 0)
            return i;
    return -1;
}

gboolean build_state_may_follow(BuildState from, BuildState to) {
    return (builds[from].next & BIT(to)) != 0;
}

gboolean job_state_may_follow(JobState from, JobState to) {
    return (jobs[from].next & BIT(to)) != 0;
}

gboolean build_state_is_final(BuildState state) {
    return builds[state].next == 0;
}

gboolean job_state_is_final(JobState state) {
    return jobs[state].next == 0;
}

gboolean job_state_is_active(JobState state) {
    return state >= JOB_SUBMITTED && state <= JOB_UPLOADED;
}
