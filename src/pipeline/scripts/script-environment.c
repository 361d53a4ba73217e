/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/scripts/script-environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "distro/distro.h"
#include "events/events.h"
#include "events/redact.h"
#include "pipeline/state/image-build.h"
#include "sandbox/sandbox.h"
#include "text/environment-file.h"
#include "text/recipe-values.h"

static void set_number(Sandbox *sandbox, const char *name, gint64 number) {
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
    sandbox_setenv(sandbox, name, text);
}

/* Scripts that see all of it print some of it. Paths are none: sockets of agents, directories. */
static void set_caller_environment(Sandbox *sandbox) {
    g_auto(GStrv) environment = g_get_environ();

    for (char **variable = environment; *variable; variable++) {
        g_auto(GStrv) pair = g_strsplit(*variable, "=", 2);
        if (!pair[1] || !*pair[0])
            continue;
        sandbox_setenv(sandbox, pair[0], pair[1]);
        if (*pair[1] != '/' && redact_is_secret_name(pair[0]))
            redact_secret(pair[1]);
    }
}

static void set_image_environment(Sandbox *sandbox, const ImageConfig *config) {
    g_autofree char *profiles = g_strjoinv(" ", config->profiles);

    sandbox_setenv(sandbox, "DISTRIBUTION", distribution_to_string(config->distribution));
    sandbox_setenv(sandbox, "RELEASE", config->release);
    sandbox_setenv(sandbox, "ARCHITECTURE", architecture_to_string(config->architecture));
    sandbox_setenv(
            sandbox, "DISTRIBUTION_ARCHITECTURE", distro_architecture(config->distribution, config->architecture));
    sandbox_setenv(sandbox, "EFI_ARCHITECTURE", architecture_to_efi(config->architecture));
    sandbox_setenv(sandbox, "PROFILES", *profiles ? profiles : NULL);
    sandbox_setenv(sandbox, "SUBIMAGE", g_str_equal(config->image, "main") ? NULL : config->image);
    sandbox_setenv(sandbox, "IMAGE_ID", config->image_id);
    sandbox_setenv(sandbox, "IMAGE_VERSION", config->image_version);
    if (config->source_date_epoch >= 0)
        set_number(sandbox, "SOURCE_DATE_EPOCH", config->source_date_epoch);
}

static void set_tree_environment(Sandbox *sandbox, const ScriptRun *run) {
    const ScriptKind *kind = run->kind;

    sandbox_setenv(sandbox, "BUILDROOT", SCRIPT_BUILDROOT);
    sandbox_setenv(sandbox, "CHROOT_SRCDIR", "/work/src");
    sandbox_setenv(sandbox, "SCRIPT", kind->path);
    sandbox_setenv(sandbox, "CHROOT_SCRIPT", kind->path);
    sandbox_setenv(sandbox, "PACKAGEDIR", "/work/packages");
    sandbox_setenv(sandbox, "ARTIFACTDIR", "/work/artifacts");
    set_number(sandbox, "WITH_NETWORK", run->config->with_network);
    if (kind->flags & SCRIPT_OUTPUTS)
        sandbox_setenv(sandbox, "CHROOT_OUTPUTDIR", "/work/out");
    if (kind->flags & SCRIPT_COMPILES) {
        set_number(sandbox, "WITH_DOCS", run->config->with_docs);
        set_number(sandbox, "WITH_TESTS", run->config->with_tests);
    }
    if (kind->flags & SCRIPT_DEST) {
        sandbox_setenv(sandbox, "DESTDIR", "/work/dest");
        sandbox_setenv(sandbox, "CHROOT_DESTDIR", "/work/dest");
    }
    if (!run->config->build_directory)
        return;
    if (kind->flags & (SCRIPT_BUILD_DIRECTORY | SCRIPT_BUILD_RESULTS))
        sandbox_setenv(sandbox, "BUILDDIR", "/work/build");
    if (kind->flags & SCRIPT_BUILD_DIRECTORY)
        sandbox_setenv(sandbox, "CHROOT_BUILDDIR", "/work/build");
}

static void set_script_environment(Sandbox *sandbox, const ScriptRun *run) {
    const ScriptKind *kind = run->kind;

    sandbox_setenv(sandbox, "SRCDIR", "/work/src");
    sandbox_setenv(sandbox, "MKOSI_UID", "0");
    sandbox_setenv(sandbox, "MKOSI_GID", "0");
    sandbox_setenv(sandbox, "MKOSI_DEBUG", events_debug_enabled() ? "1" : "0");
    if (kind->flags & SCRIPT_FILTER)
        sandbox_setenv(sandbox, "QEMU_ARCHITECTURE", architecture_to_qemu(run->config->architecture));
    else
        sandbox_setenv(sandbox, "MKOSI_CONFIG", "/work/config.json");
    if (kind->flags & SCRIPT_CALLER)
        set_number(sandbox, "CACHED", run->cached);
    if (kind->flags & SCRIPT_OUTPUTS)
        sandbox_setenv(sandbox, "OUTPUTDIR", "/work/out");
    if (kind->flags & SCRIPT_TREE)
        set_tree_environment(sandbox, run);
}

static void set_systemd_environment(Sandbox *sandbox) {
    static const char *const passed[] = {"SYSTEMD_LOG_LEVEL", "SYSTEMD_LOG_LOCATION"};

    for (size_t i = 0; i < G_N_ELEMENTS(passed); i++)
        if (g_getenv(passed[i]))
            sandbox_setenv(sandbox, passed[i], g_getenv(passed[i]));
    sandbox_setenv(sandbox, "SYSTEMD_TMPFILES_FORCE_SUBVOL", "0");
    sandbox_setenv(sandbox, "SYSTEMD_ASK_PASSWORD_KEYRING_TIMEOUT_SEC", "infinity");
    sandbox_setenv(sandbox, "SYSTEMD_ASK_PASSWORD_KEYRING_TYPE", "session");
}

/* What programs that draw on a terminal are told about it. */
static void set_terminal(Sandbox *sandbox) {
    const char *term = g_getenv("TERM");

    if (!isatty(STDERR_FILENO))
        term = "dumb";
    else if (!term || g_str_equal(term, "unknown"))
        term = "vt220";
    sandbox_setenv(sandbox, "TERM", term);
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
    if (config->proxy_peer_certificate)
        sandbox_setenv(sandbox, "GIT_PROXY_SSL_CAINFO", "/proxy.cacert");
    if (config->proxy_client_certificate)
        sandbox_setenv(sandbox, "GIT_PROXY_SSL_CERT", "/proxy.clientcert");
    if (config->proxy_client_key)
        sandbox_setenv(sandbox, "GIT_PROXY_SSL_KEY", "/proxy.clientkey");
}

/* Variables that programs of the caller's set-up read. */
static void set_passed_environment(Sandbox *sandbox, const ImageConfig *config) {
    const char *gnupg_home = g_getenv("GNUPGHOME"), *dnf = g_getenv("MKOSI_DNF");

    if (gnupg_home) {
        g_autofree char *absolute = g_canonicalize_filename(gnupg_home, NULL);
        sandbox_setenv(sandbox, "GNUPGHOME", absolute);
    }
    if (dnf && *dnf && !config->tools_tree)
        sandbox_setenv(sandbox, "MKOSI_DNF", dnf);
}

/* Appends the NAME=VALUE lines of PATH to VARIABLES. */
static gboolean read_environment_file(GPtrArray *variables, const char *path, GError **error) {
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, error)) {
        g_prefix_error(error, "EnvironmentFiles=: ");
        return FALSE;
    }
    g_auto(GStrv) inherited = g_get_environ(), read = environment_file_parse(text, inherited);
    for (char **variable = read; *variable; variable++)
        g_ptr_array_add(variables, g_strconcat(*variable, strchr(*variable, '=') ? "" : "=", NULL));
    return TRUE;
}

/* What the recipe says, in the order in which it counts. */
static GPtrArray *recipe_variables(const ImageConfig *config, GError **error) {
    g_autoptr(GPtrArray) variables = g_ptr_array_new_with_free_func(g_free);

    for (char **file = config->environment_files; *file; file++)
        if (!read_environment_file(variables, *file, error))
            return NULL;
    for (char **variable = config->environment; *variable; variable++)
        g_ptr_array_add(variables, g_strdup(*variable));
    return g_steal_pointer(&variables);
}

static const char *find_variable(const GPtrArray *variables, const char *name) {
    gsize length = strlen(name);

    for (guint i = variables->len; i > 0; i--) {
        const char *variable = variables->pdata[i - 1];
        if (strncmp(variable, name, length) == 0 && variable[length] == '=')
            return variable + length + 1;
    }
    return NULL;
}

gboolean script_environment_flag(const ImageConfig *config, const char *name) {
    g_autoptr(GPtrArray) variables = recipe_variables(config, NULL);
    const char *value = variables ? find_variable(variables, name) : NULL;

    gboolean on;

    return value && recipe_boolean_parse(value, &on) && on;
}

/* Git takes its proxy from here even if ~/.gitconfig names another one. */
static gboolean set_git_environment(
        Sandbox *sandbox, const ImageConfig *config, const GPtrArray *variables, GError **error) {
    static const char *const keys[] = {"http.proxy", "https.proxy"};
    const char *text = find_variable(variables, "GIT_CONFIG_COUNT");
    guint64 count = 0;

    if (!config->proxy_url)
        return TRUE;
    if (text && !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT32, &count, NULL)) {
        g_set_error(
                error, BUILD_ERROR, BUILD_ERROR_INPUT, "Environment=: GIT_CONFIG_COUNT=%s should be a number", text);
        return FALSE;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *key = g_strdup_printf("GIT_CONFIG_KEY_%u", (guint) (count + i));
        g_autofree char *value = g_strdup_printf("GIT_CONFIG_VALUE_%u", (guint) (count + i));
        sandbox_setenv(sandbox, key, keys[i]);
        sandbox_setenv(sandbox, value, config->proxy_url);
    }
    set_number(sandbox, "GIT_CONFIG_COUNT", (gint64) count + 2);
    return TRUE;
}

static gboolean set_recipe_environment(Sandbox *sandbox, const ImageConfig *config, GError **error) {
    g_autoptr(GPtrArray) variables = recipe_variables(config, error);

    if (!variables)
        return FALSE;
    for (guint i = 0; i < variables->len; i++) {
        g_auto(GStrv) pair = g_strsplit(variables->pdata[i], "=", 2);
        if (*pair[0])
            sandbox_setenv(sandbox, pair[0], pair[1] ? pair[1] : "");
    }
    return set_git_environment(sandbox, config, variables, error);
}

/* Results must not depend on the language of whoever builds. */
static void set_locale(Sandbox *sandbox) {
    static const char *const names[] = {"LC_ALL", "LC_ADDRESS", "LC_COLLATE", "LC_CTYPE", "LC_IDENTIFICATION",
            "LC_MEASUREMENT", "LC_MESSAGES", "LC_MONETARY", "LC_NAME", "LC_NUMERIC", "LC_PAPER", "LC_TELEPHONE",
            "LC_TIME"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        sandbox_setenv(sandbox, names[i], NULL);
    sandbox_setenv(sandbox, "LANG", "C.UTF-8");
}

static char *search_path(const ImageConfig *config, const ScriptRun *run) {
    g_autoptr(GString) path = g_string_new(NULL);

    if (run->kind->flags & SCRIPT_TREE)
        g_string_append(path, "/scripts:");
    for (char **directory = config->extra_search_paths; directory && *directory; directory++)
        g_string_append_printf(path, "%s:", *directory);
    g_string_append(path, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    return g_string_free(g_steal_pointer(&path), FALSE);
}

gboolean script_environment(Sandbox *sandbox, const ScriptRun *run, gboolean chroot, GError **error) {
    const ImageConfig *config = run->config;
    gboolean network = script_has_network(run);
    g_autofree char *path = search_path(config, run);

    if (run->kind->flags & SCRIPT_CALLER)
        set_caller_environment(sandbox);
    set_image_environment(sandbox, config);
    set_script_environment(sandbox, run);
    set_systemd_environment(sandbox);
    set_terminal(sandbox);
    set_proxy_environment(sandbox, config);
    set_passed_environment(sandbox, config);
    if (!set_recipe_environment(sandbox, config, error))
        return FALSE;
    set_locale(sandbox);
    sandbox_setenv(sandbox, "TMPDIR", NULL);
    sandbox_setenv(sandbox, "SYSTEMD_OFFLINE", network ? "1" : "0");
    sandbox_setenv(sandbox, "PATH", path);
    if (chroot) {
        sandbox_setenv(sandbox, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        sandbox_setenv(sandbox, "HOME", "/");
        sandbox_setenv(sandbox, "BUILDROOT", "/");
        sandbox_setenv(sandbox, "container", "mkosi");
    }
    return TRUE;
}
