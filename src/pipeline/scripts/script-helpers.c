/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pipeline/scripts/script-helpers.h"

#include <fcntl.h>

#include "base/cleanup.h"
#include "distro/distro.h"
#include "pipeline/scripts/script-environment.h"
#include "sandbox/sandbox.h"
#include "tree/tree.h"

#define HELPERS "/scripts"
#define INSIDE_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Runs a command with the mounts that programs expect in the tree. Scripts themselves see the tree without
 * them, so that what they write to its /run or /tmp stays there. */
static const char mounted_script[] = "#!/bin/sh\n"
                                     "export PWD_BEFORE=\"$PWD\"\n"
                                     "exec /usr/bin/unshare --mount -- /bin/sh -c '\n"
                                     "set -e\n"
                                     "cd " SCRIPT_BUILDROOT "\n"
                                     "mkdir -p proc dev run tmp var/tmp\n"
                                     "mount --rbind /proc proc\n"
                                     "mount --rbind /dev dev\n"
                                     "mount -t tmpfs -o mode=755 tmpfs run\n"
                                     "mount -t tmpfs -o mode=1777 tmpfs tmp\n"
                                     "mount -t tmpfs -o mode=1777 tmpfs var/tmp\n"
                                     "mkdir -p run/user/0 run/host\n"
                                     "echo mkosi >run/host/container-manager\n"
                                     "cd \"$PWD_BEFORE\"\n"
                                     "unset PWD_BEFORE OLDPWD\n"
                                     "exec \"$@\"' sh \"$@\"\n";

/* Programs in the tree find the name servers. A link must not lead out of the tree. */
static const char resolv_script[] = "target=" SCRIPT_BUILDROOT "/etc/resolv.conf\n"
                                    "if [ -h \"$target\" ]; then\n"
                                    "    link=$(readlink \"$target\")\n"
                                    "    case $link in\n"
                                    "    /*) target=" SCRIPT_BUILDROOT "$link ;;\n"
                                    "    *) target=" SCRIPT_BUILDROOT "/etc/$link ;;\n"
                                    "    esac\n"
                                    "    mkdir -p \"$(dirname \"$target\")\"\n"
                                    "fi\n"
                                    "if [ -e /etc/resolv.conf ] && [ -d " SCRIPT_BUILDROOT "/etc ]; then\n"
                                    "    [ -e \"$target\" ] || : >\"$target\"\n"
                                    "    mount --bind /etc/resolv.conf \"$target\"\n"
                                    "fi\n";

/* mkosi-chroot runs itself a second time, behind the mounts. */
static char *chroot_script(const ScriptRun *run) {
    gboolean network = script_has_network(run);
    gboolean suppress = script_environment_flag(run->config, "MKOSI_CHROOT_SUPPRESS_CHOWN");

    return g_strdup_printf("#!/bin/sh\n"
                           "set -e\n"
                           "if [ -z \"$MKOSI_CHROOT_MOUNTED\" ]; then\n"
                           "    export MKOSI_CHROOT_MOUNTED=1\n"
                           "    exec " DISTRO_HELPER_WRAPPER " \"$0\" \"$@\"\n"
                           "fi\n"
                           "unset MKOSI_CHROOT_MOUNTED\n"
                           "mkdir -p " SCRIPT_BUILDROOT "/work\n"
                           "mount --rbind /work " SCRIPT_BUILDROOT "/work\n"
                           "%s"
                           "export container=mkosi BUILDROOT=/ HOME=/\n"
                           "%s -- \"$@\"\n",
            network ? resolv_script : "",
            suppress ? "exec env PATH=" INSIDE_PATH " " HELPERS "/.sandbox --root " SCRIPT_BUILDROOT
                       " --privileges script --weak-sandbox --api / --network --suppress-chown --keep-environment"
                       " --chdir /work/src"
                     : "exec env PATH=" INSIDE_PATH " /usr/bin/unshare --root " SCRIPT_BUILDROOT
                       " --wd /work/src");
}

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
    g_autofree char *chroot = chroot_script(run);

    add_helper(sandbox, ".mounted", mounted_script);
    sandbox_bind(sandbox, sandbox_program(), HELPERS "/.sandbox", SANDBOX_READ_ONLY);
    for (char **script = scripts; script && *script; script += 2)
        add_helper(sandbox, script[0], script[1]);
    add_helper(sandbox, "mkosi-chroot", chroot);
    add_user_helper(sandbox, run->config, "useradd");
    add_user_helper(sandbox, run->config, "groupadd");
}
