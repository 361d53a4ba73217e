/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "build/scripts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree/tree.h"
#include "ui/cleanup.h"
#include "ui/log.h"
#include "ui/step.h"

#define BUILDROOT "/buildroot"
#define HELPERS "/scripts"

/* One kind of script. */
typedef struct {
    const char *name;     /* for messages */
    const char *path;     /* of the script in its sandbox */
    const char *argument; /* or NULL */
    gboolean network;     /* always, not just with WithNetwork= */
    gboolean tree;        /* the image's tree is there, scripts may be .chroot */
    gboolean outputs;     /* /work/out is there */
    gboolean sources_writable;
} ScriptKind;

static const ScriptKind script_sync = {"sync", "/work/sync", "final", TRUE, FALSE, FALSE, TRUE};
static const ScriptKind script_prepare = {"prepare", "/work/prepare", "final", TRUE, TRUE, FALSE, FALSE};
static const ScriptKind script_postinst = {"postinst", "/work/postinst", "final", FALSE, TRUE, TRUE, FALSE};
static const ScriptKind script_finalize = {"finalize", "/work/finalize", NULL, FALSE, TRUE, TRUE, FALSE};
static const ScriptKind script_postoutput = {
        "postoutput", "/work/postoutput", NULL, FALSE, FALSE, TRUE, FALSE};
static const ScriptKind script_clean = {"clean", "/work/clean", NULL, FALSE, FALSE, TRUE, TRUE};

static void set_number(Sandbox *sandbox, const char *name, gint64 number) {
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
    sandbox_setenv(sandbox, name, text);
}

static void set_image_environment(Sandbox *sandbox, const ImageConfig *config) {
    g_autofree char *profiles = g_strjoinv(" ", config->profiles);

    sandbox_setenv(sandbox, "DISTRIBUTION", distribution_to_string(config->distribution));
    sandbox_setenv(sandbox, "RELEASE", config->release);
    sandbox_setenv(sandbox, "ARCHITECTURE", architecture_to_string(config->architecture));
    sandbox_setenv(sandbox, "DISTRIBUTION_ARCHITECTURE",
            distro_architecture(config->distribution, config->architecture));
    sandbox_setenv(sandbox, "EFI_ARCHITECTURE", architecture_to_efi(config->architecture));
    sandbox_setenv(sandbox, "PROFILES", *profiles ? profiles : NULL);
    sandbox_setenv(sandbox, "SUBIMAGE", g_str_equal(config->image, "main") ? NULL : config->image);
    sandbox_setenv(sandbox, "IMAGE_ID", config->image_id);
    sandbox_setenv(sandbox, "IMAGE_VERSION", config->image_version);
    if (config->source_date_epoch >= 0)
        set_number(sandbox, "SOURCE_DATE_EPOCH", config->source_date_epoch);
}

static void set_proxy_environment(Sandbox *sandbox, const ImageConfig *config) {
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"};
    g_autofree char *exclude = config->proxy_exclude ? g_strjoinv(",", config->proxy_exclude) : NULL;

    for (size_t i = 0; config->proxy_url && i < G_N_ELEMENTS(names); i++)
        sandbox_setenv(sandbox, names[i], config->proxy_url);
    if (exclude && *exclude) {
        sandbox_setenv(sandbox, "no_proxy", exclude);
        sandbox_setenv(sandbox, "NO_PROXY", exclude);
    }
}

static gboolean set_environment_file(Sandbox *sandbox, const char *path, GError **error) {
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, error)) {
        g_prefix_error(error, "EnvironmentFiles=: ");
        return FALSE;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_strstrip(*line);
        if (!**line || **line == '#')
            continue;
        g_auto(GStrv) pair = g_strsplit(*line, "=", 2);
        g_strstrip(pair[0]);
        sandbox_setenv(sandbox, pair[0], pair[1] ? g_strstrip(pair[1]) : g_getenv(pair[0]));
    }
    return TRUE;
}

static gboolean set_user_environment(Sandbox *sandbox, const ImageConfig *config, GError **error) {
    for (char **file = config->environment_files; *file; file++)
        if (!set_environment_file(sandbox, *file, error))
            return FALSE;
    for (char **variable = config->environment; *variable; variable++) {
        g_auto(GStrv) pair = g_strsplit(*variable, "=", 2);
        sandbox_setenv(sandbox, pair[0], pair[1] ? pair[1] : "");
    }
    return TRUE;
}

static gboolean set_environment(Sandbox *sandbox, const ScriptKind *kind, const ImageConfig *config,
        gboolean chroot, GError **error) {
    set_image_environment(sandbox, config);
    set_proxy_environment(sandbox, config);
    sandbox_setenv(sandbox, "SRCDIR", "/work/src");
    sandbox_setenv(sandbox, "MKOSI_CONFIG", "/work/config.json");
    sandbox_setenv(sandbox, "MKOSI_UID", "0");
    sandbox_setenv(sandbox, "MKOSI_GID", "0");
    sandbox_setenv(sandbox, "MKOSI_DEBUG", ui_debug_enabled() ? "1" : "0");
    sandbox_setenv(sandbox, "SYSTEMD_TMPFILES_FORCE_SUBVOL", "0");
    if (kind->outputs)
        sandbox_setenv(sandbox, "OUTPUTDIR", "/work/out");
    if (kind->tree) {
        sandbox_setenv(sandbox, "CHROOT_SRCDIR", "/work/src");
        sandbox_setenv(sandbox, "BUILDROOT", chroot ? "/" : BUILDROOT);
        sandbox_setenv(sandbox, "SCRIPT", kind->path);
        sandbox_setenv(sandbox, "CHROOT_SCRIPT", kind->path);
        sandbox_setenv(sandbox, "PACKAGEDIR", "/work/packages");
        sandbox_setenv(sandbox, "ARTIFACTDIR", "/work/artifacts");
        if (kind->outputs)
            sandbox_setenv(sandbox, "CHROOT_OUTPUTDIR", "/work/out");
        set_number(sandbox, "WITH_DOCS", config->with_docs);
        set_number(sandbox, "WITH_TESTS", config->with_tests);
        set_number(sandbox, "WITH_NETWORK", config->with_network);
    }
    if (chroot)
        sandbox_setenv(sandbox, "container", "mkosi");
    return set_user_environment(sandbox, config, error);
}

static void bind_sources(
        Sandbox *sandbox, const ScriptKind *kind, const ImageConfig *config, const char *prefix) {
    gboolean writable =
            kind->sources_writable || config->build_sources_ephemeral == BUILD_SOURCES_EPHEMERAL_NO;

    for (RecipeTree **tree = config->build_sources; *tree; tree++) {
        g_autofree char *target =
                g_build_filename(prefix, "/work/src", (*tree)->target ? (*tree)->target : "", NULL);
        sandbox_bind(sandbox, (*tree)->source, target, writable ? 0 : SANDBOX_READ_ONLY);
    }
}

/* /work as the script sees it; PREFIX is the root below which it appears. */
static void bind_work(Sandbox *sandbox, const ScriptKind *kind, const ImageBuild *image,
        const ImageConfig *config, const char *script, const char *json, const char *out,
        const char *prefix) {
    g_autofree char *work = g_build_filename(prefix, "/work", NULL);
    g_autofree char *script_target = g_build_filename(prefix, kind->path, NULL);
    g_autofree char *json_target = g_build_filename(prefix, "/work/config.json", NULL);
    g_autofree char *out_target = g_build_filename(prefix, "/work/out", NULL);
    g_autofree char *packages = g_build_filename(prefix, "/work/packages", NULL);
    g_autofree char *artifacts = g_build_filename(prefix, "/work/artifacts", NULL);

    sandbox_tmpfs(sandbox, work);
    bind_sources(sandbox, kind, config, prefix);
    sandbox_bind(sandbox, script, script_target, SANDBOX_READ_ONLY);
    sandbox_file(sandbox, json_target, json, FALSE);
    if (kind->outputs)
        sandbox_bind(sandbox, out, out_target, 0);
    if (kind->tree) {
        sandbox_bind(sandbox, image->packages, packages, 0);
        sandbox_bind(sandbox, image->artifacts, artifacts, 0);
    }
}

static void add_helpers(Sandbox *sandbox, const ImageBuild *image) {
    g_auto(GStrv) scripts = distro_script_helpers(image->distro);

    for (char **script = scripts; *script; script += 2) {
        g_autofree char *target = g_build_filename(HELPERS, script[0], NULL);
        sandbox_file(sandbox, target, script[1], TRUE);
    }
    sandbox_file(sandbox, HELPERS "/mkosi-chroot",
            "#!/bin/sh\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=mkosi "
            "BUILDROOT=/ exec chroot " BUILDROOT " \"$@\"\n",
            TRUE);
    sandbox_file(sandbox, HELPERS "/useradd",
            "#!/bin/sh\nexec /usr/sbin/useradd --root=" BUILDROOT " \"$@\"\n", TRUE);
    sandbox_file(sandbox, HELPERS "/groupadd",
            "#!/bin/sh\nexec /usr/sbin/groupadd --root=" BUILDROOT " \"$@\"\n", TRUE);
    sandbox_setenv(sandbox, "PATH", HELPERS ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

static gboolean check_script(
        const ImageConfig *config, const ScriptKind *kind, const char *script, GError **error) {
    struct stat info;

    if (stat(script, &info) < 0) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT, "Cannot read the %s script %s: %s", kind->name,
                script, g_strerror(errno));
        return FALSE;
    }
    if (info.st_mode & 0111)
        return TRUE;
    if (config->make_scripts_executable && chmod(script, (info.st_mode | 0111) & 07777) == 0)
        return TRUE;
    g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
            "The %s script %s is not executable; run \"chmod +x %s\" or set MakeScriptsExecutable=yes",
            kind->name, script, script);
    return FALSE;
}

static Sandbox *script_sandbox(const ScriptKind *kind, const ImageBuild *image, const ImageConfig *config,
        const char *script, const char *json, const char *out, gboolean chroot) {
    Sandbox *sandbox;

    if (chroot) {
        sandbox = sandbox_new_for_tree(image->root, FALSE);
        bind_work(sandbox, kind, image, config, script, json, out, "");
        return sandbox;
    }
    sandbox = sandbox_new_for_tools(config->tools_tree);
    bind_work(sandbox, kind, image, config, script, json, out, "");
    if (kind->tree) {
        sandbox_bind(sandbox, image->root, BUILDROOT, 0);
        sandbox_api_mounts(sandbox, BUILDROOT);
        bind_work(sandbox, kind, image, config, script, json, out, BUILDROOT);
        distro_sandbox_mounts(image->distro, sandbox);
        add_helpers(sandbox, image);
    }
    return sandbox;
}

static gboolean run_script(const ScriptKind *kind, const ImageBuild *image, const ImageConfig *config,
        const char *script, const char *out, GError **error) {
    gboolean chroot = kind->tree && g_str_has_suffix(script, ".chroot");
    g_autofree char *json = image_config_to_json(config);
    g_autoptr(Sandbox) sandbox = NULL;
    const char *const argv[] = {kind->path, kind->argument, NULL};

    if (!check_script(config, kind, script, error))
        return FALSE;
    sandbox = script_sandbox(kind, image, config, script, json, out, chroot);
    sandbox_chdir(sandbox, "/work/src");
    sandbox_network(sandbox, kind->network || (kind->tree && config->with_network));
    sandbox_suppress_sync(sandbox);
    if (!set_environment(sandbox, kind, config, chroot, error))
        return FALSE;
    if (sandbox_run(sandbox, argv, error))
        return TRUE;
    g_prefix_error(error, "The %s script %s failed: ", kind->name, script);
    return FALSE;
}

static gboolean run_scripts(
        ImageBuild *image, const ScriptKind *kind, char *const *scripts, GError **error) {
    for (char *const *script = scripts; *script; script++) {
        g_autofree char *base = g_path_get_basename(*script);
        g_autoptr(UiStep) step = ui_step_begin(image->name, "Running %s", base);
        if (!run_script(kind, image, image->config, *script, image->staging, error))
            return FALSE;
        ui_step_done(g_steal_pointer(&step), NULL);
    }
    /* The mount point for /work. */
    if (kind->tree && scripts[0] && unlinkat(image->root_fd, "work", AT_REMOVEDIR) < 0 && errno != ENOENT &&
            errno != ENOTEMPTY) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                "Cannot remove /work from the tree: %s", g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

gboolean scripts_run_sync(Build *build, GError **error) {
    for (guint i = 0; i < build->images->len; i++) {
        ImageBuild *image = build->images->pdata[i];
        if (!run_scripts(image, &script_sync, image->config->sync_scripts, error))
            return FALSE;
    }
    return TRUE;
}

gboolean scripts_run_prepare(ImageBuild *image, GError **error) {
    return run_scripts(image, &script_prepare, image->config->prepare_scripts, error);
}

gboolean wants_postinst(const ImageBuild *image) {
    return image->config->post_installation_scripts[0] != NULL;
}

gboolean step_postinst(ImageBuild *image, GError **error) {
    return run_scripts(image, &script_postinst, image->config->post_installation_scripts, error);
}

gboolean wants_finalize(const ImageBuild *image) {
    return image->config->finalize_scripts[0] != NULL;
}

gboolean step_finalize(ImageBuild *image, GError **error) {
    return run_scripts(image, &script_finalize, image->config->finalize_scripts, error);
}

gboolean wants_postoutput(const ImageBuild *image) {
    return image->config->post_output_scripts[0] != NULL;
}

gboolean step_postoutput(ImageBuild *image, GError **error) {
    return run_scripts(image, &script_postoutput, image->config->post_output_scripts, error);
}

gboolean scripts_run_clean(const ImageConfig *config, const char *output_directory, GError **error) {
    for (char **script = config->clean_scripts; *script; script++)
        if (!run_script(&script_clean, NULL, config, *script, output_directory, error))
            return FALSE;
    return TRUE;
}
