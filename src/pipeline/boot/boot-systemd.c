/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/boot/boot-systemd.h"

#include <string.h>

#include "events/events.h"
#include "format/efi/uki/uki.h"
#include "pipeline/boot/boot-entry.h"
#include "pipeline/kernel/kernel-tree.h"
#include "pipeline/state/boot-rules.h"
#include "text/version.h"
#include "recipe/values/paths.h"
#include "tree/tree.h"

#define DEFINITIONS "usr/lib/repart.d"

/* Until then systemd-repart read no definition at all when one was for a signature and it had no key. */
#define REPART_WITHOUT_KEY "258~"

#define WAITS_FOR_DEVICE "takes it for the name of a device, which never appears"
#define LEAVE_OUT_ROOT "leave it out: the root partition is found without it"
#define LEAVE_OUT_USR "leave it out: /usr is found by its root hash"

/* Words of the command line by the first release of systemd that knows them; "=" at the end: any value. */
static const struct {
    const char *word;
    const char *since;
    const char *effect;
    const char *advice;
} words[] = {
        {"root=dissect", "258", WAITS_FOR_DEVICE, LEAVE_OUT_ROOT},
        {"root=dissect-force", "258", WAITS_FOR_DEVICE, LEAVE_OUT_ROOT},
        {"root=gpt-auto-force", "258", WAITS_FOR_DEVICE, LEAVE_OUT_ROOT},
        {"root=off", "258", WAITS_FOR_DEVICE, "boot into a target that stays in the initrd instead"},
        {"mount.usr=dissect", "258", WAITS_FOR_DEVICE, LEAVE_OUT_USR},
        {"systemd.image_filter=", "258", "ignores it", "do not rely on it"},
        {"systemd.image_policy=", "254", "ignores it", "do not rely on what it forbids"},
};

gboolean wants_boot_systemd(const ImageBuild *image) {
    return image->boot.kernels->len > 0 && image->boot.stub && boot_wants_ukis(image);
}

char *boot_systemd_judge_word(const char *word, const char *version) {
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *candidate = g_strconcat(words[i].since, "~", NULL);
        gboolean same = g_str_has_suffix(words[i].word, "=") ? g_str_has_prefix(word, words[i].word)
                                                             : g_str_equal(word, words[i].word);

        if (same && version_compare(version, candidate) < 0)
            return g_strdup_printf("systemd %s of this image %s (systemd %s knows %s): %s", version,
                    words[i].effect, words[i].since, words[i].word, words[i].advice);
    }
    return NULL;
}

const char *boot_systemd_judge_definition(const char *text, const char *version) {
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *verity = NULL;

    /* What cannot be read is not for us to judge. */
    if (!g_key_file_load_from_data(file, text, -1, G_KEY_FILE_NONE, NULL))
        return NULL;
    verity = g_key_file_get_string(file, "Partition", "Verity", NULL);
    if (g_strcmp0(verity, "signature") != 0 || version_compare(version, REPART_WITHOUT_KEY) >= 0)
        return NULL;
    return "wants a key for Verity=signature when the machine boots and makes no partition at all without "
           "one (systemd 258 does not): leave Verity= out here, the build has its own definitions";
}

static void warn_of_words(const ImageBuild *image, const char *setting, const char *command_line,
        const char *version, GHashTable *said) {
    const char *origin = recipe_setting_origin(image->config, setting);
    g_auto(GStrv) split = g_strsplit_set(command_line, " \t\n", -1);

    for (char **word = split; *word; word++) {
        g_autofree char *judgement = boot_systemd_judge_word(*word, version);
        if (judgement && g_hash_table_add(said, g_strdup(*word)))
            events_warning("%s%s%s=: %.*s: %s", origin ? origin : "", origin ? ": " : "", setting,
                    (int) MIN(strlen(*word), 40), *word, judgement);
    }
}

static void warn_of_command_lines(ImageBuild *image, const char *version) {
    g_autoptr(GHashTable) said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *base = boot_command_line(image);

    warn_of_words(image, "KernelCommandLine", base, version, said);
    for (RecipeUkiProfile **profile = image->config->unified_kernel_image_profiles; *profile; profile++) {
        g_autofree char *extra = g_strjoinv(" ", (*profile)->cmdline);
        warn_of_words(image, "UnifiedKernelImageProfiles", extra, version, said);
    }
}

/* Where TREE has the file that becomes PATH (absolute) of the image; NULL: it is not in there. */
static char *find_in_tree(const RecipeTree *tree, const char *path) {
    const char *target = tree->target ? tree->target : "/";
    gsize length = strlen(target);

    while (length > 0 && target[length - 1] == '/')
        length--;
    if (strncmp(path, target, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return NULL;
    return g_build_filename(tree->source, path + length, NULL);
}

/* The file of the recipe that brought PATH of the image, for people; NULL when it has another origin, or
 * when somebody changed it on its way. */
static char *find_origin(RecipeTree *const *trees, const char *path, const char *text) {
    char *origin = NULL;

    for (; *trees; trees++) {
        g_autofree char *file = find_in_tree(*trees, path);
        g_autofree char *content = NULL;
        if (!file || !g_file_test(file, G_FILE_TEST_IS_REGULAR) ||
                !g_file_get_contents(file, &content, NULL, NULL) || !g_str_equal(content, text))
            continue;
        g_free(origin);
        origin = path_for_people(file); /* the last one counts */
    }
    return origin;
}

/* What the definition PATH of the image is called: the file of the recipe, and the one in the image. */
static char *describe_definition(const ImageBuild *image, const char *path, const char *text) {
    g_autofree char *absolute = g_strconcat("/", path, NULL);
    g_autofree char *origin = find_origin(image->config->extra_trees, absolute, text);

    if (!origin)
        origin = find_origin(image->config->skeleton_trees, absolute, text);
    return origin ? g_strdup_printf("%s (%s in the image)", origin, absolute)
                  : g_strdup_printf("%s: %s", image->name, absolute);
}

static gboolean warn_of_definitions(const ImageBuild *image, const char *version, GError **error) {
    g_autoptr(GPtrArray) names = NULL;

    if (!tree_exists(image->root_fd, DEFINITIONS))
        return TRUE;
    if (!(names = kernel_tree_list(image->root_fd, DEFINITIONS, error)))
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(DEFINITIONS, names->pdata[i], NULL);
        g_autofree char *text = NULL;
        const char *judgement;

        if (!g_str_has_suffix(path, ".conf") || !(text = tree_read_file(image->root_fd, path, NULL, NULL)))
            continue;
        if (!(judgement = boot_systemd_judge_definition(text, version)))
            continue;
        g_autofree char *name = describe_definition(image, path, text);
        events_warning("%s: systemd-repart %s of this image %s", name, version, judgement);
    }
    return TRUE;
}

gboolean step_boot_systemd(ImageBuild *image, GError **error) {
    g_autofree char *version = uki_stub_version(image->boot.stub);

    if (!version)
        return TRUE;
    warn_of_command_lines(image, version);
    return warn_of_definitions(image, version, error);
}
