/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What to do about a program that is missing, or too old for what we ask of it. */
#include "sandbox/program-packages.h"
#include "sandbox/sandbox-private.h"
#include "events/printable.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A program that is asked for its version and does not answer in this time has none. */
#define PATIENCE_MS 3000

/* The tree that programs of SANDBOX come from; NULL if it is put together by hand. */
static const char *program_tree(const Sandbox *sandbox) {
    if (sandbox->root)
        return sandbox->root;
    if (sandbox->tools)
        return sandbox->tools_tree ? sandbox->tools_tree : "/";
    return sandbox->host ? "/" : NULL;
}

static gboolean exists_in(const Sandbox *sandbox, const char *tree, const char *program) {
    const char *path = g_environ_getenv(sandbox->environment, "PATH");
    g_auto(GStrv) directories = g_strsplit(strchr(program, '/') ? "/" : path ? path : "", ":", -1);

    for (char **directory = directories; *directory; directory++) {
        g_autofree char *candidate = g_build_filename(tree, *directory, program, NULL);
        if (access(candidate, F_OK) == 0)
            return TRUE;
    }
    return FALSE;
}

void sandbox_explain_missing(const Sandbox *sandbox, const char *program, GError **error) {
    const char *tree = program_tree(sandbox);
    const ProgramPackages *packages = program_packages_find(program);
    g_autofree char *said = g_strdup_printf("cannot run %s: %s", program, g_strerror(ENOENT));

    if (!error || !tree || strcmp((*error)->message, said) != 0)
        return;
    g_clear_error(error);
    if (exists_in(sandbox, tree, program))
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START,
                "%s is there, but not the interpreter or the loader that it names", program);
    else if (!sandbox->root && !sandbox->tools_tree) {
        g_autofree char *advice = program_packages_advice(program);
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "%s is not installed: %s", program, advice);
    } else {
        const char *package = packages ? program_packages_in(packages, tree) : NULL;
        const char *setting = sandbox->root ? "Packages=" : "ToolsTreePackages=";
        g_set_error(error, SANDBOX_ERROR, SANDBOX_ERROR_START, "%s%s has no %s: add the package %s to %s",
                sandbox->root ? "the image" : "the tools tree ", sandbox->root ? "" : tree, program,
                package ? package : "that has it", setting);
    }
}

/* ---- too old ------------------------------------------------------------------------------------------- */

static gboolean says_any(const char *line, const char *const *phrases) {
    g_autofree char *lower = g_ascii_strdown(line, -1);

    for (; *phrases; phrases++)
        if (strstr(lower, *phrases))
            return TRUE;
    return FALSE;
}

/* Whether LINE is about an argument that the program does not know. */
static gboolean is_unknown_argument(const char *line) {
    static const char *const phrases[] = {"unrecognized option", "unrecognised option", "unknown option",
            "invalid option", "illegal option", "is an invalid option", "unsupported option",
            "unrecognized argument", "unexpected argument", "found argument '", "unknown argument",
            "unknown command", "no such option", "unknown force/refuse option", "command line option",
            "is not a valid device model", "unknown extended option", "unknown pbkdf", NULL};
    return says_any(line, phrases);
}

/* The words of a package manager are mixed with those of everything that it runs; of strangers we know
 * nothing but that they begin with their name. */
static gboolean is_own_line(const ProgramPackages *packages, const char *program, const char *line) {
    g_autofree char *name = g_path_get_basename(program);
    g_autofree char *prefix = g_strconcat(name, ":", NULL);

    if (strcmp(name, "apt-get") == 0)
        return g_str_has_prefix(line, "E: ") || g_str_has_prefix(line, "Command line option ");
    if (strcmp(name, "dpkg") == 0)
        return g_str_has_prefix(line, "dpkg: error");
    return packages || g_str_has_prefix(line, prefix);
}

static gboolean complains(const char *program, const char *words) {
    const ProgramPackages *packages = program_packages_find(program);
    g_auto(GStrv) lines = g_strsplit(words, "\n", -1);

    for (char **line = lines; *line; line++) {
        g_strstrip(*line);
        if (is_own_line(packages, program, *line) && is_unknown_argument(*line))
            return TRUE;
    }
    return FALSE;
}

/* A sandbox in which the program can say who it is, and do nothing. */
static Sandbox *asking_sandbox(const Sandbox *sandbox) {
    if (sandbox->host)
        return sandbox_new_for_host();
    return sandbox->root ? sandbox_new_for_tree(sandbox->root, TRUE)
                         : sandbox_new_for_tools(sandbox->tools_tree);
}

static gboolean wait_for_end(const SandboxProcess *process) {
    int fd = (int) syscall(SYS_pidfd_open, sandbox_process_pid(process), 0);
    struct pollfd waiting = {.fd = fd, .events = POLLIN};

    if (fd < 0)
        return FALSE;
    int n = poll(&waiting, 1, PATIENCE_MS);
    close(fd);
    return n > 0;
}

/* The first line with a number in it that the program prints when asked for its version; owned by the caller;
 * NULL if it says none. */
static char *ask_version(const Sandbox *sandbox, const char *program) {
    const ProgramPackages *packages = program_packages_find(program);
    const char *const argv[] = {
            program, packages && packages->version ? packages->version : "--version", NULL};

    if (task_is_cancelled(sandbox->task) || !program_tree(sandbox) || (packages && !packages->version))
        return NULL;
    g_autoptr(Sandbox) asking = asking_sandbox(sandbox);
    g_autoptr(SandboxProcess) process = sandbox_spawn(asking, argv, NULL);
    if (!process || !wait_for_end(process))
        return NULL;
    g_autofree char *log = sandbox_process_log(process);
    g_auto(GStrv) lines = g_strsplit(log, "\n", 20);
    for (char **line = lines; *line; line++)
        if (strpbrk(*line, "0123456789") && !is_unknown_argument(*line)) {
            g_autofree char *shown = printable_line(*line);
            return g_strdup(g_strstrip(shown));
        }
    return NULL;
}

static char *newer_one(const Sandbox *sandbox, const char *program) {
    const ProgramPackages *packages = program_packages_find(program);
    const char *tree = program_tree(sandbox);
    const char *package = packages && tree ? program_packages_in(packages, tree) : NULL;

    if (sandbox->root)
        return g_strdup_printf("A newer package %s in the image (Release=) may know it.",
                package ? package : "with it");
    if (sandbox->tools_tree)
        return g_strdup_printf("A newer package %s in the tools tree %s (ToolsTreeRelease=) may know it.",
                package ? package : "with it", sandbox->tools_tree);
    if (!packages)
        return g_strdup("A newer version may know it.");
    return g_strdup_printf("A newer package %s may know it%s.", package ? package : "with it",
            packages->place == PROGRAM_OF_HOST
                    ? ""
                    : ", which a tools tree brings (ToolsTree=default, ToolsTreeRelease=)");
}

char *sandbox_advice(const Sandbox *sandbox, const char *program, const char *words) {
    if (strchr(program, '/') && !program_packages_find(program))
        return NULL;
    if (!complains(program, words))
        return NULL;
    g_autofree char *version = ask_version(sandbox, program);
    g_autofree char *newer = newer_one(sandbox, program);
    g_autofree char *name = g_path_get_basename(program);
    return g_strdup_printf("This %s does not know an option that it is given; it says that it is %s. %s",
            name, version ? version : "of no version", newer);
}
