/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verbs.h"

#include <stdio.h>

#include "base/compare.h"
#include "cli/arguments/parse.h"
#include "cli/load-recipe.h"
#include "sandbox/program-packages.h"
#include "ui/terminal.h"

/* A program of the host, and what it is for. */
typedef struct {
    const char *program;
    const char *purpose;
} Dependency;

static const Dependency build_dependencies[] = {
        {"apt-get", "installs packages into images of Debian and Ubuntu"},
        {"dpkg", "unpacks packages"},
        {"newuidmap", "builds as an ordinary user"},
        {"mkfs.vfat", "formats the EFI system partition"},
        {"mcopy", "fills the EFI system partition"},
        {"mke2fs", "formats ext4 partitions"},
        {"mkfs.btrfs", "formats btrfs partitions"},
        {"mkswap", "formats swap partitions"},
};

/* Without them Debian's images are built all the same. */
static const Dependency family_dependencies[] = {
        {"dnf", "installs packages into images of Fedora and what is made like it"},
        {"zypper", "installs packages into images of openSUSE"},
        {"rpm", "keeps their databases"},
        {"createrepo_c", "offers them the packages of PackageDirectories="},
        {"pacman", "installs packages into images of Arch"},
};

static const Dependency vm_dependencies[] = {
        {"qemu-system-x86_64", "runs virtual machines"},
        {"qemu-img", "makes throw-away copies of disks"},
        {"swtpm", "is the TPM of virtual machines"},
};

static gboolean list_dependencies(const char *title, const Dependency *dependencies, gsize n) {
    gboolean complete = TRUE;

    printf("%s%s%s\n", ui_out_colour(UI_COLOUR_BOLD), title, ui_out_colour(UI_COLOUR_RESET));
    for (gsize i = 0; i < n; i++) {
        const Dependency *dependency = &dependencies[i];
        g_autofree char *path = g_find_program_in_path(dependency->program);
        g_autofree char *sbin = path ? NULL : g_build_filename("/usr/sbin", dependency->program, NULL);
        const char *package = program_packages_in(program_packages_find(dependency->program), "/");
        gboolean found = path || g_file_test(sbin, G_FILE_TEST_IS_EXECUTABLE);

        printf("  %s%-7s%s  %-20s %-18s %s\n", ui_out_colour(found ? UI_COLOUR_GREEN : UI_COLOUR_RED),
                found ? "found" : "missing", ui_out_colour(UI_COLOUR_RESET), dependency->program,
                package ? package : "", dependency->purpose);
        complete = complete && found;
    }
    return complete;
}

/* What OPTIONS make of the builtin configuration of the tools tree. */
static Recipe *load_tools(char **options, GError **error) {
    g_autofree char *directory = g_get_current_dir();
    g_autoptr(Arguments) arguments = arguments_parse(options, directory, error);
    if (!arguments)
        return NULL;
    g_ptr_array_insert(
            arguments->assignments, 0, recipe_assignment_new("Repositories", "", "--repositories", directory));
    g_ptr_array_add(arguments->assignments, recipe_assignment_new("Include", "mkosi-tools", "--include", directory));
    return load_recipe_of_nothing(arguments, error);
}

/* As mkosi: the packages of the tools tree, one a line. */
static gboolean print_tools_packages(char **options, GError **error) {
    g_autoptr(Recipe) recipe = load_tools(options, error);
    if (!recipe)
        return FALSE;
    if (!recipe->main) {
        g_set_error_literal(
                error, RECIPE_ERROR, RECIPE_ERROR_USAGE, "dependencies takes options of the tools tree, and no verb");
        return FALSE;
    }
    g_autoptr(GPtrArray) packages = g_ptr_array_new();
    for (char **package = recipe->main->packages; *package; package++)
        g_ptr_array_add(packages, *package);
    g_ptr_array_sort(packages, compare_strings);
    for (guint i = 0; i < packages->len; i++)
        puts(packages->pdata[i]);
    return TRUE;
}

gboolean verb_dependencies(const VerbCall *call, int *ret_exit_status, GError **error) {
    if (called_as_mkosi() || call->arguments->words[0])
        return print_tools_packages(call->arguments->words, error);
    gboolean complete = list_dependencies("For building", build_dependencies, G_N_ELEMENTS(build_dependencies));

    (void) list_dependencies("For other distributions", family_dependencies, G_N_ELEMENTS(family_dependencies));
    complete = list_dependencies("For virtual machines", vm_dependencies, G_N_ELEMENTS(vm_dependencies)) && complete;
    *ret_exit_status = complete ? 0 : 1;
    return TRUE;
}
