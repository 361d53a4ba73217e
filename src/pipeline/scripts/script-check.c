/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/scripts/script-check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "events/events.h"
#include "pipeline/state/image-build.h"
#include "tree/tree.h"

static gboolean check_mode(const ScriptRun *run, const char *script, GError **error) {
    const char *kind = run->kind->name;
    struct stat info;

    if (stat(script, &info) < 0) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "Cannot read the %s script %s: %s", kind, script,
                g_strerror(errno));
        return FALSE;
    }
    if (!S_ISREG(info.st_mode)) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "The %s script %s is not a file", kind, script);
        return FALSE;
    }
    if (info.st_mode & 0111)
        return TRUE;
    if (!run->config->make_scripts_executable) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "The %s script %s is not executable; run \"chmod +x %s\" or set MakeScriptsExecutable=yes",
                kind, script, script);
        return FALSE;
    }
    events_warning("Making %s executable (MakeScriptsExecutable=)", script);
    if (chmod(script, (info.st_mode | S_IXUSR) & 07777) == 0)
        return TRUE;
    return set_errno_error(error, errno, "Cannot make %s executable", script);
}

/* The program that the first line names ("#!PROGRAM ARGUMENT"); NULL when it names none. */
static char *read_interpreter(const char *script) {
    char line[256];
    AUTO_FILE file = fopen(script, "re");

    if (!file || !fgets(line, sizeof(line), file) || strncmp(line, "#!", 2) != 0)
        return NULL;
    line[strcspn(line, "\n")] = '\0';
    char *start = line + 2 + strspn(line + 2, " \t");
    start[strcspn(start, " \t")] = '\0';
    return *start ? g_strdup(start) : NULL;
}

static gboolean check_interpreter(
        const ScriptRun *run, const char *script, gboolean chroot, GError **error) {
    g_autofree char *interpreter = read_interpreter(script);
    const char *tools = run->kind->flags & SCRIPT_WITHOUT_TOOLS_TREE ? NULL : run->config->tools_tree;
    const char *root = chroot ? run->root : tools ? tools : "/";

    if (!interpreter)
        return TRUE;
    if (g_str_has_suffix(interpreter, "\r")) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "The %s script %s has lines that end as on Windows (CR LF), so its interpreter cannot be "
                "found; save it with line ends of Unix",
                run->kind->name, script);
        return FALSE;
    }
    AUTO_FD fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    /* SandboxTrees= could bring it, or be mounted over it. */
    if (*interpreter != '/' || (!chroot && run->image && run->image->places.sandbox_tree) || fd < 0 ||
            tree_exists(fd, interpreter + 1))
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            "The %s script %s wants to be run by %s, which %s does not have; install it there, or change "
            "the first line of the script",
            run->kind->name, script, interpreter,
            chroot  ? "the image"
            : tools ? "the tools tree"
                    : "this machine");
    return FALSE;
}

gboolean script_check(const ScriptRun *run, const char *script, gboolean chroot, GError **error) {
    return check_mode(run, script, error) && check_interpreter(run, script, chroot, error);
}
