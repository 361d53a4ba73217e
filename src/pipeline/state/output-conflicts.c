/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/state/output-conflicts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/directory.h"
#include "pipeline/state/boot-rules.h"
#include "pipeline/state/output-names.h"

typedef struct {
    const ImageConfig *config;
    const char *setting; /* why there is such a file */
} Owner;

typedef struct {
    GHashTable *owners; /* path → Owner */
    GError *error;
} Names;

static void names_clear(Names *names) {
    g_clear_pointer(&names->owners, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Names, names_clear)

/* "Output= of image x (mkosi.conf:3)". */
static char *describe(const Owner *owner) {
    const char *origin = recipe_setting_origin(owner->config, owner->setting);

    return g_strdup_printf("%s= of image %s%s%s%s", owner->setting, owner->config->image, origin ? " (" : "",
            origin ? origin : "", origin ? ")" : "");
}

static void claim(Names *names, const ImageConfig *config, const char *name, const char *setting) {
    g_autofree char *directory = g_canonicalize_filename(image_config_output_directory(config), NULL);
    char *path = g_build_filename(directory, name, NULL);
    const Owner *other = g_hash_table_lookup(names->owners, path);
    Owner owner = {.config = config, .setting = setting};

    if (!other) {
        g_hash_table_insert(names->owners, path, g_memdup2(&owner, sizeof owner));
        return;
    }
    g_autofree char *first = describe(other), *second = describe(&owner);
    if (!names->error)
        names->error = g_error_new(BUILD_ERROR, BUILD_ERROR_INPUT,
                "%s and %s both make the file %s, and one would be lost: give them different names with "
                "Output=, ImageId= or OutputExtension=, or different places with OutputDirectory=",
                first, second, path);
    g_free(path);
}

static void claim_suffix(Names *names, const ImageConfig *config, gboolean wanted, const char *suffix,
        const char *setting) {
    g_autofree char *name = g_strconcat(config->output, suffix, NULL);

    if (wanted)
        claim(names, config, name, setting);
}

static void claim_split(Names *names, const ImageConfig *config) {
    gboolean kernels = boot_wants_kernels(config), disk = outputs_are_disks(config);
    const struct {
        int artifact;
        const char *suffix;
        gboolean possible;
    } artifacts[] = {
            {ARTIFACT_UKI, ".efi", kernels},
            {ARTIFACT_KERNEL, ".vmlinuz", kernels},
            {ARTIFACT_INITRD, ".initrd", kernels},
            {ARTIFACT_KERNEL_MODULES_INITRD, ".kernel-modules-initrd", kernels},
            {ARTIFACT_PCRS, ".pcrs", kernels},
            {ARTIFACT_ROOTHASH, ".roothash", disk},
            {ARTIFACT_REPART_DEFINITIONS, ".repart.d", disk},
            {ARTIFACT_OS_RELEASE, ".osrelease", TRUE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(artifacts); i++)
        claim_suffix(names, config, (config->split_artifacts & artifacts[i].artifact) && artifacts[i].possible,
                artifacts[i].suffix, "SplitArtifacts");
    if ((config->split_artifacts & ARTIFACT_TAR) && config->format != OUTPUT_FORMAT_TAR) {
        g_autofree char *tar = outputs_tar_name(config);
        claim(names, config, tar, "SplitArtifacts");
    }
}

static void claim_all(Names *names, const ImageConfig *config) {
    g_autofree char *main = outputs_main_name(config), *plain = outputs_plain_name(config);

    if (config->format == OUTPUT_FORMAT_NONE)
        return;
    claim(names, config, main, "Output");
    if (!g_str_equal(plain, main)) /* for a while, before it is compressed */
        claim(names, config, plain, "Output");
    if (!g_str_equal(main, config->output) && !g_str_equal(plain, config->output))
        claim(names, config, config->output, "Output");
    claim_split(names, config);
    claim_suffix(names, config, config->manifest_format & MANIFEST_FORMAT_JSON, ".manifest", "ManifestFormat");
    claim_suffix(names, config, config->manifest_format & MANIFEST_FORMAT_CHANGELOG, ".changelog",
            "ManifestFormat");
    claim_suffix(names, config, config->nspawn_settings != NULL, ".nspawn", "NSpawnSettings");
    claim_suffix(names, config, config->checksum, ".SHA256SUMS", "Checksum");
    claim_suffix(names, config, config->checksum && config->sign == SIGN_YES, ".SHA256SUMS.gpg", "Sign");
    claim_suffix(names, config, outputs_have_keyring(config), ".import-pubring.gpg", "OpenPGPTool");
}

gboolean outputs_check_names(const Recipe *recipe, GError **error) {
    g_auto(Names) names = {.owners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free)};

    for (ImageConfig **config = recipe->images; *config; config++)
        claim_all(&names, *config);
    if (!names.error)
        return TRUE;
    g_propagate_error(error, names.error);
    return FALSE;
}

gboolean outputs_check_free(const ImageBuild *image, const char *name, GError **error) {
    g_autofree char *path = g_build_filename(image->places.staging, name, NULL);
    struct stat info;

    if (lstat(path, &info) < 0 && errno == ENOENT)
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            "The build makes the file %s, but there is one already: a script wrote it to $OUTPUTDIR, or a "
            "partition that is split off has this name (SplitName=); give it another name",
            name);
    return FALSE;
}

/* What stands for the files of an image: names are those of its staging directory. */
static gboolean claim_made(GHashTable *owners, const ImageBuild *image, GError **error) {
    g_autofree char *directory =
            g_canonicalize_filename(image_config_output_directory(image->config), NULL);
    g_autoptr(GPtrArray) names = list_directory(image->places.staging, error);

    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        char *path = g_build_filename(directory, name, NULL);
        const ImageBuild *other = g_hash_table_lookup(owners, path);
        if (other) {
            g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                    "The images %s and %s have both made the file %s, and one would be lost: give them "
                    "different names with Output= or SplitName=, or different places with OutputDirectory=",
                    other->name, image->name, path);
            g_free(path);
            return FALSE;
        }
        g_hash_table_insert(owners, path, (gpointer) image);
    }
    return TRUE;
}

gboolean outputs_check_made(const Build *build, GError **error) {
    g_autoptr(GHashTable) owners = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < build->images->len; i++)
        if (!claim_made(owners, build->images->pdata[i], error))
            return FALSE;
    return TRUE;
}
