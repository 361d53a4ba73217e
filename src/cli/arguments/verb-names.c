/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/arguments/verb-names.h"

#include <string.h>

#define BUILDS (VERB_READS_RECIPE | VERB_NEEDS_BUILD)
#define TOOLS (VERB_READS_RECIPE | VERB_NEEDS_TOOLS | VERB_TAKES_ARGUMENTS)

const VerbName verb_names[] = {
        {"build", BUILDS | VERB_TAKES_ARGUMENTS, "build the images of the recipe (the default)"},
        {"summary", VERB_READS_RECIPE, "show what the recipe says"},
        {"cat-config", VERB_READS_RECIPE, "show the files that make up the recipe"},
        {"inputs", VERB_READS_RECIPE, "name what shapes a build, or what changed since an earlier one"},
        {"genkey", 0, "make the key and certificate that images are signed with"},
        {"inspect", VERB_TAKES_ARGUMENTS | VERB_READS_RECIPE | VERB_RECIPE_OR_ARGUMENT,
                "verify every link of an image's chain of trust"},
        {"verify", VERB_TAKES_ARGUMENTS, "check that a release is what a build service logged and published"},
        {"revoke", VERB_TAKES_ARGUMENTS | VERB_READS_RECIPE, "have the firmware refuse versions that are out already"},
        {"sign", VERB_TAKES_ARGUMENTS | VERB_READS_RECIPE,
                "answer the requests for signatures of a build with --sign=offline"},
        {"attach", VERB_TAKES_ARGUMENTS | VERB_READS_RECIPE,
                "finish an image with signatures that were made elsewhere"},
        {"kitchen", VERB_TAKES_ARGUMENTS, "use a build service: its projects, builds, logs and reasons"},
        {"vm", BUILDS | VERB_TAKES_ARGUMENTS, "boot the image in a virtual machine"},
        {"clean", VERB_READS_RECIPE | VERB_NO_HISTORY, "remove what earlier builds left (-f: caches too)"},
        {"dependencies", VERB_READS_RECIPE | VERB_TAKES_ARGUMENTS, "list the programs that the recipe needs"},
        {"bump", VERB_READS_RECIPE, "increase the version in mkosi.version"},
        {"help", 0, "show this help"},
        {"shell", BUILDS | VERB_TAKES_ARGUMENTS, "run a shell in the image"},
        {"boot", BUILDS | VERB_TAKES_ARGUMENTS, "boot the image in a container"},
        {"serve", BUILDS, "serve the output directory over HTTP"},
        {"delta", VERB_TAKES_ARGUMENTS, "make the differences between two versions, for updates"},
        {"burn", BUILDS | VERB_TAKES_ARGUMENTS, "write the image to a device"},
        {"sysupdate", BUILDS | VERB_TAKES_ARGUMENTS, "run systemd-sysupdate"},
        {"ssh", TOOLS, "log in to the running virtual machine"},
        {"journalctl", TOOLS, "read the journal in the image"},
        {"coredumpctl", TOOLS, "show the core dumps in the image"},
        {"box", TOOLS | VERB_NO_HISTORY, "run a command in the build sandbox"},
        {"latest-snapshot", VERB_READS_RECIPE | VERB_NO_HISTORY, "print the newest snapshot"},
        {"documentation", VERB_TAKES_ARGUMENTS, "show the manual, or what there is to know about one setting"},
        {"completion", VERB_TAKES_ARGUMENTS, "print a shell completion script"},
        {"init", 0, "prepare the current user for building"},
        {NULL, 0, NULL},
};

const VerbName *verb_by_name(const char *name) {
    if (strcmp(name, "qemu") == 0)
        name = "vm";
    else if (strcmp(name, "sandbox") == 0)
        name = "box";
    for (const VerbName *verb = verb_names; verb->name; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}
