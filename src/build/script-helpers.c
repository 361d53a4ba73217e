/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs in the PATH of scripts that act on the image: mkosi-chroot, the package manager's, useradd. */

#include <fcntl.h>

#include "build/script-private.h"
#include "tree/tree.h"
#include "ui/cleanup.h"

#define HELPERS "/scripts"

static const char chroot_script[] =
        "#!/bin/sh\n"
        "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
        "export container=mkosi BUILDROOT=/ HOME=/\n"
        "exec chroot " SCRIPT_BUILDROOT " /bin/sh -c 'cd /work/src && exec \"$@\"' mkosi-chroot \"$@\"\n";

static void add_helper(Sandbox *sandbox, const char *name, const char *script) {
    g_autofree char *target = g_build_filename(HELPERS, name, NULL);
    sandbox_file(sandbox, target, script, TRUE);
}

/* Tools that know the option --root. */
static void add_user_helper(Sandbox *sandbox, const ImageConfig *config, const char *name) {
    AUTO_FD tools = open(config->tools_tree ? config->tools_tree : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    g_autofree char *program = g_build_filename("usr/sbin", name, NULL);
    g_autofree char *script =
            g_strdup_printf("#!/bin/sh\nexec /%s --root " SCRIPT_BUILDROOT " \"$@\"\n", program);

    if (tools >= 0 && tree_exists(tools, program))
        add_helper(sandbox, name, script);
}

void script_helpers(Sandbox *sandbox, const ScriptRun *run) {
    g_auto(GStrv) scripts = run->image->distro ? distro_script_helpers(run->image->distro) : NULL;

    for (char **script = scripts; script && *script; script += 2)
        add_helper(sandbox, script[0], script[1]);
    add_helper(sandbox, "mkosi-chroot", chroot_script);
    add_user_helper(sandbox, run->config, "useradd");
    add_user_helper(sandbox, run->config, "groupadd");
}
