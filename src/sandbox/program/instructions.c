/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char **next;
    char **end;
    const char *option;
} Arguments;

static void *grow(void *array, size_t count, size_t size) {
    /* Powers of two only. */
    if (count & (count - 1))
        return array;
    array = reallocarray(array, count ? 2 * count : 1, size);
    if (!array)
        fail("cannot keep the instructions");
    return array;
}

static char *take(Arguments *arguments) {
    if (arguments->next == arguments->end)
        fail_plain("%s wants an argument", arguments->option);
    return *arguments->next++;
}

static long take_number(Arguments *arguments) {
    char *end, *text = take(arguments);
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno || end == text || *end || number < 0 || number > 0x7fffffff)
        fail_plain("%s wants a number, not '%s'", arguments->option, text);
    return number;
}

static Operation *add_operation(Instructions *instructions, OperationType type) {
    instructions->operations =
            grow(instructions->operations, instructions->operation_count, sizeof *instructions->operations);
    Operation *operation = &instructions->operations[instructions->operation_count++];
    *operation = (Operation){.type = type, .tree_fd = -1};
    return operation;
}

static void add_environment(Instructions *instructions, char *assignment) {
    if (!strchr(assignment, '='))
        fail_plain("--setenv wants NAME=VALUE, not '%s'", assignment);
    instructions->environment = grow(
            instructions->environment, instructions->environment_count, sizeof *instructions->environment);
    instructions->environment[instructions->environment_count++] = assignment;
}

static void keep_environment(Instructions *instructions) {
    for (char **assignment = environ; *assignment; assignment++)
        if (strchr(*assignment, '='))
            add_environment(instructions, *assignment);
}

static void add_pass_fd(Instructions *instructions, int fd) {
    instructions->pass_fds =
            grow(instructions->pass_fds, instructions->pass_fd_count, sizeof *instructions->pass_fds);
    instructions->pass_fds[instructions->pass_fd_count++] = fd;
}

/* --bind, --ro-bind and both with -try. */
static bool parse_bind(Instructions *instructions, Arguments *arguments) {
    const char *name = arguments->option + 2;
    bool read_only = strncmp(name, "ro-", 3) == 0;
    if (read_only)
        name += 3;
    bool optional = strcmp(name, "bind-try") == 0;
    if (!optional && strcmp(name, "bind") != 0)
        return false;
    Operation *operation = add_operation(instructions, OPERATION_BIND);
    operation->read_only = read_only;
    operation->optional = optional;
    operation->source = take(arguments);
    operation->target = take(arguments);
    return true;
}

/* --overlay TARGET UPPER WORK COUNT LOWER...; UPPER and WORK may be empty. */
static void parse_overlay(Instructions *instructions, Arguments *arguments) {
    Operation *operation = add_operation(instructions, OPERATION_OVERLAY);
    operation->target = take(arguments);
    operation->upper = take(arguments);
    operation->work = take(arguments);
    if (!*operation->upper)
        operation->upper = operation->work = NULL;
    operation->lower_count = take_number(arguments);
    if (operation->lower_count > (size_t) (arguments->end - arguments->next))
        fail_plain("--overlay wants %zu lower directories", operation->lower_count);
    operation->lowers = (const char *const *) arguments->next;
    arguments->next += operation->lower_count;
}

static bool parse_operation(Instructions *instructions, Arguments *arguments) {
    const char *option = arguments->option;
    Operation *operation;
    if (strcmp(option, "--tmpfs") == 0) {
        add_operation(instructions, OPERATION_TMPFS)->target = take(arguments);
    } else if (strcmp(option, "--mask") == 0) {
        add_operation(instructions, OPERATION_MASK)->target = take(arguments);
    } else if (strcmp(option, "--api") == 0) {
        add_operation(instructions, OPERATION_API)->target = take(arguments);
    } else if (strcmp(option, "--symlink") == 0) {
        operation = add_operation(instructions, OPERATION_SYMLINK);
        operation->source = take(arguments);
        operation->target = take(arguments);
    } else if (strcmp(option, "--file") == 0 || strcmp(option, "--executable-file") == 0) {
        operation = add_operation(instructions, OPERATION_FILE);
        operation->mode = strcmp(option, "--file") == 0 ? 0644 : 0755;
        operation->source = take(arguments);
        operation->target = take(arguments);
    } else if (strcmp(option, "--overlay") == 0) {
        parse_overlay(instructions, arguments);
    } else {
        return parse_bind(instructions, arguments);
    }
    return true;
}

static Privileges take_privileges(Arguments *arguments) {
    static const char *const names[] = {"tool", "packages", "script", "host"};
    const char *text = take(arguments);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0)
            return (Privileges) i;
    fail_plain("%s is tool, packages, script or host, not '%s'", arguments->option, text);
}

static bool parse_option(Instructions *instructions, Arguments *arguments) {
    const char *option = arguments->option;
    if (strcmp(option, "--root") == 0)
        instructions->root = take(arguments);
    else if (strcmp(option, "--read-only") == 0)
        instructions->root_read_only = true;
    else if (strcmp(option, "--setenv") == 0)
        add_environment(instructions, take(arguments));
    else if (strcmp(option, "--keep-environment") == 0)
        keep_environment(instructions);
    else if (strcmp(option, "--chdir") == 0)
        instructions->directory = take(arguments);
    else if (strcmp(option, "--privileges") == 0)
        instructions->privileges = take_privileges(arguments);
    else if (strcmp(option, "--weak-sandbox") == 0)
        instructions->weak = true;
    else if (strcmp(option, "--network") == 0)
        instructions->network = true;
    else if (strcmp(option, "--host") == 0)
        instructions->host = true;
    else if (strcmp(option, "--suppress-sync") == 0)
        instructions->suppress_sync = true;
    else if (strcmp(option, "--suppress-chown") == 0)
        instructions->suppress_chown = true;
    else if (strcmp(option, "--user-xattr") == 0)
        instructions->user_xattr = true;
    else if (strcmp(option, "--interactive") == 0)
        instructions->interactive = true;
    else if (strcmp(option, "--pass-fd") == 0)
        add_pass_fd(instructions, take_number(arguments));
    else if (strcmp(option, "--listen-fd") == 0)
        instructions->listen_fd = take_number(arguments);
    else if (strcmp(option, "--parent") == 0)
        instructions->parent = take_number(arguments);
    else if (strcmp(option, "--status-fd") == 0)
        instructions->status_fd = take_number(arguments);
    else
        return parse_operation(instructions, arguments);
    return true;
}

/* The NUL-terminated strings in FD. They live as long as the process. */
static Arguments read_arguments(Instructions *instructions, int fd) {
    struct stat st;
    if (fstat(fd, &st) < 0)
        fail("cannot read the instructions");
    Arguments arguments = {.option = "--args"};
    if (st.st_size == 0)
        return arguments;
    char *text = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (text == MAP_FAILED)
        fail("cannot read the instructions");
    close(fd);
    instructions->text = text;
    instructions->text_size = st.st_size;
    if (text[st.st_size - 1] != '\0')
        fail_plain("the instructions do not end with a NUL byte");

    size_t count = 0;
    for (char *c = text; c < text + st.st_size; c += strlen(c) + 1) {
        arguments.next = grow(arguments.next, count, sizeof *arguments.next);
        arguments.next[count++] = c;
    }
    /* A NULL at the end, because the command of exec starts in this array. */
    arguments.next = reallocarray(arguments.next, count + 1, sizeof *arguments.next);
    if (!arguments.next)
        fail("cannot keep the instructions");
    arguments.next[count] = NULL;
    arguments.end = arguments.next + count;
    return arguments;
}

void instructions_parse(Instructions *instructions, int argc, char **argv) {
    *instructions = (Instructions){.directory = "/", .listen_fd = -1, .status_fd = -1};
    Arguments arguments = {.next = argv + 1, .end = argv + argc, .option = argv[0]};

    while (arguments.next < arguments.end) {
        arguments.option = take(&arguments);
        if (strcmp(arguments.option, "--") == 0)
            break;
        if (strcmp(arguments.option, "--args") == 0)
            arguments = read_arguments(instructions, take_number(&arguments));
        else if (!parse_option(instructions, &arguments))
            fail_plain("unknown option '%s'", arguments.option);
    }
    if (arguments.next == arguments.end)
        fail_plain("no program to run: %s [OPTION...] -- PROGRAM [ARGUMENT...]", argv[0]);
    instructions->argv = arguments.next;

    /* Room for LISTEN_PID and the NULL at the end. */
    instructions->environment = reallocarray(instructions->environment, instructions->environment_count + 2,
            sizeof *instructions->environment);
    if (!instructions->environment)
        fail("cannot keep the instructions");
    instructions->environment[instructions->environment_count] = NULL;
    instructions->environment[instructions->environment_count + 1] = NULL;
}
