/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "distro/pacman/configuration.h"

#include <string.h>

#include "distro/driver/session.h"
#include "events/events.h"
#include "recipe/result/recipe.h"

/* The order decides which repository a package comes from: those for testing go before the ones that they test. */
static const char *const optional_repositories[] = {"core-testing", "core-testing-debug", "extra-testing",
        "extra-testing-debug", "core-debug", "extra-debug", "multilib-testing", "multilib", NULL};
static const char *const standard_repositories[] = {"core", "extra", NULL};

/* What WithDocs=no leaves out. */
static const char documentation[] = "NoExtract = usr/share/doc/*\n"
                                    "NoExtract = usr/share/man/*\n"
                                    "NoExtract = usr/share/groff/*\n"
                                    "NoExtract = usr/share/gtk-doc/*\n"
                                    "NoExtract = usr/share/info/*\n";

const char *pacman_architecture(Architecture architecture) {
    switch (architecture) {
    case ARCHITECTURE_X86_64:
        return "x86_64";
    case ARCHITECTURE_ARM64:
        return "aarch64";
    case ARCHITECTURE_ARM:
        return "armv7h";
    default:
        return NULL;
    }
}

/* Arch Linux itself is for x86-64 alone; Arch Linux ARM is another archive. */
static gboolean is_arm(const ImageConfig *config) {
    return config->architecture != ARCHITECTURE_X86_64;
}

static gboolean unsupported(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean unsupported(GError **error, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, DISTRO_ERROR, DISTRO_ERROR_UNSUPPORTED, text);
    return FALSE;
}

static gboolean check_repositories(const ImageConfig *config, GError **error) {
    for (char **name = config->repositories; *name; name++)
        if (!g_strv_contains(optional_repositories, *name) && !g_strv_contains(standard_repositories, *name)) {
            g_autofree char *known = g_strjoinv(", ", (char **) optional_repositories);
            return unsupported(error,
                    "Repositories=%s: Arch has %s beside core and extra; others come by a file of "
                    "pacman.conf(5) in SandboxTrees=FILE:/etc/pacman.d/NAME.conf",
                    *name, known);
        }
    return TRUE;
}

gboolean pacman_configuration_check(const ImageConfig *config, GError **error) {
    if (!g_str_equal(config->release, "rolling"))
        return unsupported(error,
                "Release=%s: Arch has no releases; remove it, or say rolling (Snapshot=2026/01/31 is how Arch was "
                "on a day)",
                config->release);
    /* Without a word of the recipe it is the certificates of the host, which pacman takes itself. */
    if (config->proxy_client_certificate || config->proxy_client_key ||
            (config->proxy_peer_certificate && recipe_setting_origin(config, "ProxyPeerCertificate")))
        return unsupported(error,
                "ProxyPeerCertificate=, ProxyClientCertificate= and ProxyClientKey= cannot be handed to pacman; use "
                "a proxy without them, or a Mirror= that needs no proxy");
    if (config->with_recommends)
        events_warning("WithRecommends=yes changes nothing: packages of Arch recommend none; name the optional "
                       "dependencies that are wanted in Packages=");
    return check_repositories(config, error);
}

/* MIRROR/PATH; owned by the caller. */
static char *join(const char *mirror, const char *path) {
    gsize length = strlen(mirror);

    while (length > 0 && mirror[length - 1] == '/')
        length--;
    return g_strdup_printf("%.*s/%s", (int) length, mirror, path);
}

/* The address of a repository, with pacman's own words for its name and the architecture. */
static char *find_server(const ImageConfig *config) {
    if (config->snapshot) {
        g_autofree char *path = g_strdup_printf("repos/%s/$repo/os/$arch", config->snapshot);
        return join(config->mirror, path);
    }
    return join(config->mirror, is_arm(config) ? "$arch/$repo" : "$repo/os/$arch");
}

static void append_repository(GString *text, const char *name, const char *server) {
    g_string_append_printf(text, "\n[%s]\nServer = %s\n", name, server);
}

static void append_repositories(GString *text, const ImageConfig *config) {
    g_autofree char *server = find_server(config);

    if (config->local_mirror) {
        append_repository(text, "core", config->local_mirror);
        return;
    }
    for (const char *const *name = optional_repositories; *name; name++)
        if (g_strv_contains((const char *const *) config->repositories, *name))
            append_repository(text, *name, server);
    for (const char *const *name = standard_repositories; *name; name++)
        append_repository(text, *name, server);
    if (is_arm(config))
        append_repository(text, "alarm", server);
}

/* A line more would be another option of pacman's. */
static gboolean is_one_line(const char *text) {
    return !text || !strpbrk(text, "\n\r");
}

char *pacman_configuration(const ImageConfig *config, gboolean includes, GError **error) {
    g_autoptr(GString) text = g_string_new("[options]\n");

    if (!is_one_line(config->mirror) || !is_one_line(config->snapshot) || !is_one_line(config->local_mirror)) {
        unsupported(error, "Mirror=, LocalMirror= and Snapshot= are one line each");
        return NULL;
    }
    if (!session_require_mirror(config, error))
        return NULL;
    /* As Arch has it: packages are signed, databases are not. */
    g_string_append_printf(
            text, "SigLevel = %s\n", config->repository_key_check ? "Required DatabaseOptional" : "Never");
    g_string_append_printf(text, "LocalFileSigLevel = Optional\nParallelDownloads = 5\nArchitecture = %s\n",
            pacman_architecture(config->architecture));
    if (!config->with_docs)
        g_string_append(text, documentation);
    g_string_append(text, "\nInclude = /etc/mkosi-local.conf\n");
    if (includes)
        g_string_append(text, "Include = /etc/pacman.d/*.conf\n");
    append_repositories(text, config);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *pacman_configuration_adopt(const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GString) kept = g_string_new(NULL);

    for (char **line = lines; *line; line++) {
        g_autofree char *word = g_strstrip(g_strdup(*line));
        if (!g_str_has_prefix(word, "DownloadUser") && !g_str_has_prefix(word, "CheckSpace"))
            g_string_append_printf(kept, "%s%s", *line, line[1] ? "\n" : "");
    }
    return g_string_free(g_steal_pointer(&kept), FALSE);
}

char *pacman_configuration_without_keys(const char *text) {
    return g_strconcat(text, "\n[options]\nSigLevel = Never\n", NULL);
}

/* The rest of LINE when it assigns to NAME; borrowed. */
static char *value_of(char *line, const char *name) {
    if (!g_str_has_prefix(line, name))
        return NULL;
    char *rest = g_strchug(line + strlen(name));
    return *rest == '=' ? g_strchug(rest + 1) : NULL;
}

/* An address that says who asks says so to everybody who sees it. NULL: it is none, or of several "@" nobody knows which
 * one ends the password. */
static char *without_password(const char *url) {
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_ENCODED, NULL);
    g_autofree char *shown = uri ? g_uri_to_string_partial(uri, G_URI_HIDE_USERINFO) : NULL;
    g_autoptr(GUri) again = shown ? g_uri_parse(shown, G_URI_FLAGS_ENCODED, NULL) : NULL;

    return again && !g_uri_get_userinfo(again) ? g_steal_pointer(&shown) : NULL;
}

static void add_repository(GPtrArray *repositories, const char *name, const char *server, const char *architecture) {
    g_autoptr(GString) text = g_string_new(server);

    if (!g_str_has_prefix(server, "http://") && !g_str_has_prefix(server, "https://"))
        return;
    g_string_replace(text, "$repo", name, 0);
    g_string_replace(text, "$arch", architecture, 0);
    g_autofree char *url = without_password(text->str);
    if (!url)
        return;
    DistroRepository *repository = g_new0(DistroRepository, 1);
    g_autofree char *database = g_strconcat(name, ".db", NULL);
    repository->metadata = join(url, database);
    repository->url = g_steal_pointer(&url);
    repository->suite = g_strdup(name);
    repository->components = g_strdup("");
    g_ptr_array_add(repositories, repository);
}

void pacman_configuration_list(const char *text, const char *architecture, GPtrArray *repositories) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *section = NULL;

    for (char **line = lines; *line; line++) {
        g_strstrip(*line);
        const char *server = value_of(*line, "Server");
        if (**line == '[' && g_str_has_suffix(*line, "]")) {
            g_free(section);
            section = g_strndup(*line + 1, strlen(*line) - 2);
        } else if (server && section && !g_str_equal(section, "options")) {
            add_repository(repositories, section, server, architecture);
            g_clear_pointer(&section, g_free);
        }
    }
}
