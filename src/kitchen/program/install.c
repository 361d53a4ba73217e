/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/program/install.h"

#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

#include "kitchen/install/install.h"
#include "kitchen/program/nginx.h"
#include "kitchen/program/settings.h"
#include "kitchen/program/token.h"
#include "units-resources.h"

#define CONFIG "/etc/particleos/kitchen.conf"
#define SITE "/etc/nginx/sites-available/particleos-kitchen"
#define HOST_MAX 253

/* What packages have in /usr/lib, and who installs by hand gets in /etc. */
static const struct {
    const char *file, *packaged, *own;
} units[] = {
        {"particleos-kitchen.sysusers.conf", "/usr/lib/sysusers.d/particleos-kitchen.conf",
                "/etc/sysusers.d/particleos-kitchen.conf"},
        {"particleos-signer.sysusers.conf", "/usr/lib/sysusers.d/particleos-signer.conf",
                "/etc/sysusers.d/particleos-signer.conf"},
        {"particleos-kitchen.tmpfiles.conf", "/usr/lib/tmpfiles.d/particleos-kitchen.conf",
                "/etc/tmpfiles.d/particleos-kitchen.conf"},
#define UNIT(name)                                                                                                     \
    { name, "/usr/lib/systemd/system/" name, "/etc/systemd/system/" name }
        UNIT("particleos-kitchen.service"),
        UNIT("particleos-kitchen.socket"),
        UNIT("particleos-kitchen-worker.socket"),
        UNIT("particleos-kitchen-worker@.service"),
        UNIT("particleos-signer.service"),
        UNIT("particleos-signer.socket"),
};

static void say(gpointer user, const char *line) {
    puts(line);
}

static char *read_resource(const char *name) {
    g_autofree char *path = g_strconcat("/units/", name, NULL);
    g_autoptr(GBytes) text = g_resource_lookup_data(units_get_resource(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

    g_assert(text);
    return g_strndup(g_bytes_get_data(text, NULL), g_bytes_get_size(text));
}

static gboolean install_unit(Install *install, guint i, GError **error) {
    g_autofree char *text = read_resource(units[i].file);
    g_autoptr(GError) failure = NULL;
    g_autofree char *packaged = install_read(install, units[i].packaged, &failure);

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!packaged)
        return install_file(install, units[i].own, 0644, text, error);
    install_say(install, "has       %s, of a package", units[i].packaged);
    return TRUE;
}

/* A name of DNS: it stands in configurations of other programs. */
static gboolean check_name(const char *name, GError **error) {
    gsize length = strlen(name);

    if (length > 0 && length <= HOST_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == length &&
            g_ascii_isalnum(name[0]) && g_ascii_isalnum(name[length - 1]) && !strstr(name, ".."))
        return TRUE;
    g_set_error(error, INSTALL_ERROR, 0,
            "--name=%s: a host name has a-z 0-9 . - and begins and ends with a letter or digit", name);
    return FALSE;
}

/* The configuration: the one that is there, or one for NAME. RET_TEXT is owned by the caller. */
static gboolean install_configuration(Install *install, const InstallWishes *wishes, char **ret_text, GError **error) {
    g_autoptr(GError) failure = NULL;
    g_autofree char *there = install_read(install, CONFIG, &failure);
    g_autofree char *text = NULL;

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (!wishes->name && !there) {
        g_set_error(error, INSTALL_ERROR, 0, "Say what people call the service: --name=kitchen.example.com");
        return FALSE;
    }
    if (!wishes->name) {
        install_say(install, "has       %s", CONFIG);
        *ret_text = g_steal_pointer(&there);
        return TRUE;
    }
    if (!check_name(wishes->name, error))
        return FALSE;
    text = g_strdup_printf("# The build service of a team; particleos-kitchen(1) has all settings.\n"
                           "[Web]\nListen=127.0.0.1:8090\nBaseURL=https://%s\n\n"
                           "[Store]\nDirectory=/var/lib/particleos-kitchen\n\n"
                           "# Each job runs as the user kitchen-build.\n"
                           "[Executor]\nKind=socket\nWorkers=/run/particleos/worker.sock\nSlots=2\n\n"
                           "[Publish]\nSigner=/run/particleos/signer.sock\n",
            wishes->name);
    if (!install_file(install, CONFIG, 0644, text, error))
        return FALSE;
    *ret_text = there && !wishes->replace ? g_steal_pointer(&there) : g_steal_pointer(&text);
    return TRUE;
}

static gboolean install_site(Install *install, const char *configuration, GError **error) {
    g_autoptr(KitchenConfig) config = kitchen_config_parse(CONFIG, configuration, error);
    g_autofree char *text = NULL;

    if (!config)
        return FALSE;
    if (!config->publish)
        config->publish = g_build_filename(config->store, "pub", NULL);
    text = nginx_configuration(config, error);
    return text && install_file(install, SITE, 0644, text, error);
}

/* Runs a program of systemd on the root that is meant. */
static gboolean run_there(Install *install, const InstallWishes *wishes, const char *const *words, GError **error) {
    g_autofree char *root = wishes->root ? g_strconcat("--root=", wishes->root, NULL) : NULL;
    g_autoptr(GPtrArray) argv = g_ptr_array_new();

    g_ptr_array_add(argv, (char *) words[0]);
    if (root)
        g_ptr_array_add(argv, root);
    for (guint i = 1; words[i]; i++)
        g_ptr_array_add(argv, (char *) words[i]);
    g_ptr_array_add(argv, NULL);
    return install_run(install, (const char *const *) argv->pdata, NULL, error);
}

static gboolean apply(Install *install, const InstallWishes *wishes, GError **error) {
    static const char *const users[] = {"systemd-sysusers", "particleos-signer.conf", "particleos-kitchen.conf", NULL};
    static const char *const directories[] = {"systemd-tmpfiles", "--create", "particleos-kitchen.conf", NULL};
    static const char *const enable[] = {"systemctl", "enable", "--quiet", "particleos-signer.socket",
            "particleos-kitchen-worker.socket", "particleos-kitchen.socket", "particleos-kitchen.service", NULL};

    return run_there(install, wishes, users, error) && install_range(install, "/etc/subuid", "kitchen-build", error) &&
           install_range(install, "/etc/subgid", "kitchen-build", error) &&
           run_there(install, wishes, directories, error) && run_there(install, wishes, enable, error);
}

/* What a person decides. */
static void say_rest(Install *install) {
    install_say(install, "Nothing is started. What is left:");
    install_say(install, "  the certificate that %s names; then: ln -s %s /etc/nginx/sites-enabled/", SITE, SITE);
    install_say(install, "  systemctl daemon-reload");
    install_say(install,
            "  systemctl start particleos-signer.socket particleos-kitchen-worker.socket particleos-kitchen.service");
    install_say(install, "  journalctl -u particleos-kitchen    # has the link of the first administrator");
}

gboolean install_kitchen(const InstallWishes *wishes, GError **error) {
    const InstallOptions options = {
            .root = wishes->root, .dry_run = wishes->dry_run, .replace = wishes->replace, .say = say};
    g_autoptr(Install) install = install_new(&options, error);
    g_autofree char *configuration = NULL;

    if (!install)
        return FALSE;
    /* First what can be wrong about the wishes. */
    if (!token_check(wishes->token, error) || !install_configuration(install, wishes, &configuration, error) ||
            !install_site(install, configuration, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (!install_unit(install, i, error))
            return FALSE;
    if (!apply(install, wishes, error) || !token_install(install, wishes->root != NULL, wishes->token, error))
        return FALSE;
    say_rest(install);
    return TRUE;
}
