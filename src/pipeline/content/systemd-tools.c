/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/content/systemd-tools.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "events/events.h"
#include "events/step.h"
#include "pipeline/content/password.h"
#include "pipeline/state/own-programs.h"
#include "sandbox/sandbox.h"
#include "tree/tree.h"

gboolean systemd_tools_hwdb(ImageBuild *image, GError **error) {
    const char *const argv[] = {"systemd-hwdb", "--usr", "--strict", "update", NULL};

    if (!own_program_exists(image, "usr/bin/systemd-hwdb"))
        return TRUE;
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Compiling the hardware database");
    if (!own_program_run(image, argv, error))
        return FALSE;
    /* The one in /usr counts from now on. */
    if (!tree_remove_glob(image->root_fd, "/etc/udev/hwdb.bin", error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}

static gboolean has_settings(const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        g_strstrip(*line);
        if (**line && **line != '#')
            return TRUE;
    }
    return FALSE;
}

gboolean step_locale_gen(ImageBuild *image, GError **error) {
    const char *const argv[] = {"locale-gen", NULL};

    if (!tree_exists(image->root_fd, "etc/locale.gen"))
        return TRUE;
    g_autofree char *text = tree_read_file(image->root_fd, "etc/locale.gen", NULL, error);
    if (!text)
        return FALSE;
    if (!has_settings(text) || !own_program_exists(image, "usr/sbin/locale-gen"))
        return TRUE;
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Generating locales");
    if (!own_program_run(image, argv, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}

gboolean step_sysusers(ImageBuild *image, GError **error) {
    const char *const argv[] = {"systemd-sysusers", NULL};

    if (!own_program_exists(image, "usr/bin/systemd-sysusers"))
        return TRUE;
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Creating system users");
    if (!own_program_run(image, argv, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}

gboolean step_tmpfiles(ImageBuild *image, GError **error) {
    const char *const argv[] = {"systemd-tmpfiles", "--boot", "--create", "--remove",
            "--exclude-prefix=/tmp", "--exclude-prefix=/var/tmp", "--exclude-prefix=/run",
            "--exclude-prefix=/proc", "--exclude-prefix=/sys", "--exclude-prefix=/dev", NULL};
    g_autoptr(Sandbox) sandbox = NULL;

    if (!own_program_exists(image, "usr/bin/systemd-tmpfiles"))
        return TRUE;
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Creating volatile files");
    sandbox = own_program_sandbox(image);
    /* EX_DATAERR and EX_CANTCREAT: some lines could not be applied, which the service at boot takes as
     * success too. */
    sandbox_accept_status(sandbox, EX_DATAERR);
    sandbox_accept_status(sandbox, EX_CANTCREAT);
    if (!sandbox_run(sandbox, argv, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}

gboolean step_presets(ImageBuild *image, GError **error) {
    const char *const system[] = {"systemctl", "preset-all", NULL};
    const char *const user[] = {"systemctl", "--global", "preset-all", NULL};

    if (!own_program_exists(image, "usr/bin/systemctl"))
        return TRUE;
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Applying presets");
    if (!own_program_run(image, system, error) || !own_program_run(image, user, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}

static gboolean write_credential(ImageBuild *image, const char *name, const char *value, GError **error) {
    g_autofree char *path = g_build_filename("usr/lib/credstore", name, NULL);
    mode_t mode = strstr(name, "password") ? 0600 : 0644;

    /* An initrd is no place from which a system starts for the first time. */
    if (image->config->make_initrd)
        return TRUE;
    return tree_mkdir_p(image->root_fd, "usr/lib/credstore", 0755, error) &&
           tree_write_file(image->root_fd, path, value, -1, mode, error);
}

/* Where systemd-firstboot finds the tree. Of the root directory it runs in, it would ask that keymap and
 * locale are installed; an image may well bring those later. */
#define FIRSTBOOT_ROOT "/run/root"

/* With the image's own systemd-firstboot, or with that of the tools for an image that has none. */
static Sandbox *firstboot_sandbox(const ImageBuild *image) {
    Sandbox *sandbox = own_program_exists(image, "usr/bin/systemd-firstboot")
                               ? own_program_sandbox(image)
                               : sandbox_new_for_tools(image->config->tools_tree);
    sandbox_bind(sandbox, image->root, FIRSTBOOT_ROOT, 0);
    return sandbox;
}

/* Each "?" becomes a hexadecimal digit of the machine (hostname(5), from systemd 258 on; older ones leave them
 * out). systemd-firstboot of those older ones refuses such a name, so it is written here. */
static gboolean is_host_name_pattern(const char *name) {
    return name && strchr(name, '?');
}

static gboolean write_host_name_pattern(ImageBuild *image, GError **error) {
    const char *name = image->config->hostname;
    g_autofree char *line = g_strconcat(name, "\n", NULL);

    if (name[strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-.?")] || strlen(name) > HOST_NAME_MAX) {
        g_set_error(error, BUILD_ERROR, BUILD_ERROR_INPUT,
                "Hostname=: \"%s\" is no name of a host: use at most %d letters, digits, hyphens and dots, and ? for a "
                "digit of the machine",
                name, HOST_NAME_MAX);
        return FALSE;
    }
    return tree_mkdir_p(image->root_fd, "etc", 0755, error) &&
           tree_write_file(image->root_fd, "etc/hostname", line, -1, 0644, error);
}

gboolean step_firstboot(ImageBuild *image, GError **error) {
    const ImageConfig *config = image->config;
    gboolean pattern = is_host_name_pattern(config->hostname);
    g_autofree char *password = NULL;
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

    if (config->root_password.text && !(password = password_hash(config, error)))
        return FALSE;
    const struct {
        const char *option, *credential, *value;
    } settings[] = {
            {"locale", "firstboot.locale", config->locale},
            {"locale-messages", "firstboot.locale-messages", config->locale_messages},
            {"keymap", "firstboot.keymap", config->keymap},
            {"timezone", "firstboot.timezone", config->timezone},
            {"hostname", NULL, pattern ? NULL : config->hostname},
            {"root-password-hashed", "passwd.hashed-password.root", password},
            {"root-shell", "passwd.shell.root", config->root_shell},
    };

    g_ptr_array_add(argv, g_strdup("systemd-firstboot"));
    g_ptr_array_add(argv, g_strdup("--root=" FIRSTBOOT_ROOT));
    g_ptr_array_add(argv, g_strdup("--force"));
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        if (!settings[i].value)
            continue;
        g_ptr_array_add(argv, g_strdup_printf("--%s=%s", settings[i].option, settings[i].value));
        if (settings[i].credential &&
                !write_credential(image, settings[i].credential, settings[i].value, error))
            return FALSE;
    }
    if (pattern && !write_host_name_pattern(image, error))
        return FALSE;
    if (argv->len == 3)
        return TRUE;
    g_ptr_array_add(argv, NULL);
    g_autoptr(EventsStep) step = events_step_begin(image->name, "Applying first boot settings");
    g_autoptr(Sandbox) sandbox = firstboot_sandbox(image);
    if (!sandbox_run(sandbox, (const char *const *) argv->pdata, error))
        return FALSE;
    events_step_done(g_steal_pointer(&step), NULL);
    return TRUE;
}
