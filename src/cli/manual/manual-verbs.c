/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs and options of the command line, for the manual. */
#include "cli/manual/manual-verbs.h"

#include <string.h>

#include "cli/arguments/options.h"
#include "cli/arguments/verb-names.h"

/* What the one-line help leaves open. */
static const struct {
    const char *verb, *arguments, *text;
} explanations[] = {
        {"build", "[ARGUMENT...]",
                "Builds the images of the recipe. Does nothing when the output exists, unless `-f` is given. Arguments "
                "are handed to the build scripts."},
        {"summary", "",
                "Shows what the recipe amounts to: for each image the settings that differ from their defaults, by "
                "section. With `--all` every setting, with `--json` everything for programs, in the form that `mkosi "
                "--json summary` has."},
        {"cat-config", "",
                "Shows the files that make up the recipe, for each image in the order of reading: their text, the "
                "companions that were picked up by name, and for each file that was skipped the condition that did not "
                "hold."},
        {"inputs", "",
                "Names everything that shapes a build, before it starts: the commit of the recipe and the files of it "
                "that were read, the settings of each image, the exact packages that would be installed, content of "
                "trees and scripts, certificates, the program. With `--json` all of it, equal bytes for equal inputs. "
                "With `--since=FILE`, which is such JSON of an earlier time, it says in words what is different, one "
                "reason a line, the most important one first, or `nothing changed`; with `--json` too as data. "
                "See **INPUTS AND REASONS**."},
        {"kitchen", "COMMAND...",
                "Uses a build service. `login URL` reads a token from standard input and keeps both in "
                "`~/.config/particleos/kitchen`. `project list`, `project create NAMESPACE/NAME URL [BRANCH]` and "
                "`project fork NAMESPACE/NAME` are about projects, `project set NAMESPACE/NAME boot=yes disk-limit=20G` "
                "about what their builds may and have to do; `source NAMESPACE/NAME` lists what a project is built from "
                "besides its recipe, `source NAMESPACE/NAME add NAME git URL [BRANCH]`, `add NAME url URL`, `add NAME base "
                "NAMESPACE/NAME/TARGET` and `remove NAME` change that; `build NAMESPACE/NAME [--watch]` has one built, and "
                "with `--watch` tells how it goes and fails when the build does; `log NAMESPACE/NAME [NUMBER] [-f]` shows "
                "the log of a build, with `-f` as it grows; `why NAMESPACE/NAME [NUMBER]` says why there was one; "
                "`queue` what is built and what waits. `channel NAMESPACE/NAME` lists the channels of a project, `channel "
                "NAMESPACE/NAME CHANNEL` its releases, `channel NAMESPACE/NAME CHANNEL set follows=yes "
                "schedule=5@0h,25@24h,100@72h` makes or changes one; `release NAMESPACE/NAME BUILD CHANNEL` publishes a build "
                "there, with `percent=5` to a part of the devices, and again to raise that, or with `schedule=`; `promote "
                "NAMESPACE/NAME FROM CHANNEL` releases what all devices of another channel get; `approve NAMESPACE/NAME BUILD "
                "CHANNEL [key=FILE]` fetches and compares the files of a release, shows what changed, and has **ssh-keygen**(1) sign "
                "that (with `files=DIRECTORY` they stay there, for `particleos inspect`; with `instance=` the key for manifests has "
                "to have that fingerprint; `yes=yes` asks nobody); `halt NAMESPACE/NAME BUILD "
                "CHANNEL` offers it to no further device; `withdraw NAMESPACE/NAME BUILD` to none in any channel, for ever. "
                "`--json` prints the answers of the service. "
                "`$PARTICLEOS_KITCHEN_URL` and `$PARTICLEOS_KITCHEN_TOKEN` go before the file."},
        {"genkey", "",
                "Makes `mkosi.key` and `mkosi.crt`, a private key and a certificate for it, in the directory of the "
                "recipe. Existing ones are never replaced. With `--genkey-openpgp` it makes `mkosi.openpgp.key` and "
                "`mkosi.openpgp.crt` instead, which sign manifests of updates with `OpenPGPTool=builtin`, and "
                "`import-pubring.gpg`, the public key for devices. When key and certificate are there already, it "
                "makes the latter alone. `--genkey-source`, `--genkey-key`, `--genkey-request` and "
                "`--genkey-per-purpose` make other keys; see **KEYS IN TOKENS**."},
        {"inspect", "[IMAGE]",
                "Verifies every link of a disk image's chain of trust without booting it: signatures of boot files, "
                "the root hash in the signed command line, the hash tree, the expected measurements. Exits with 1 when "
                "a link is broken. `--certificate` names the signer to expect."},
        {"verify", "ADDRESS",
                "Checks that files are what a build service published. *ADDRESS* is that of a channel or of a file in it "
                "(`https://kitchen.example.com/pub/acme/phone/main/stable`), a directory, or a file with `SHA256SUMS` "
                "beside it. `--log-key` is the fingerprint of the key of the service's log, which has to come from "
                "somebody who knows it. With `--checkpoint=FILE` the log has to be the continuation of what *FILE* "
                "remembers of it. Exits with 1 when something is not as it has to be, and says what. See **VERIFYING "
                "RELEASES**."},
        {"revoke", "[UKI...]",
                "Has the firmware of devices refuse versions that were signed once: adds the Authenticode digests of "
                "the given UKIs to `mkosi.extra/usr/lib/particleos/revoked.auth` of the recipe (another file with "
                "`--revocations`), an addition to the firmware's database `dbx` that is signed with `SecureBootKey=`, "
                "and to `revoked.list` beside it, which says the same in text. The next image carries both to the "
                "devices. Without arguments it shows what is revoked; `--json` prints it for programs. Refuses a "
                "version that is not older than that of the recipe, a UKI of another image, and programs that are no "
                "UKI, unless `-f` is given."},
        {"sign", "OUTPUT.signing",
                "Answers the requests for signatures of a build with `--sign=offline`, on the machine that has the "
                "keys: those of `--key` (a file) and of the settings `SecureBootKey=`, `VerityKey=`, "
                "`SignExpectedPcrKey=` and `OpenPGPKey=`, in files or tokens. It shows what it signs, and makes the bytes "
                "to be signed itself from the programs and root hashes in the directory. See SIGNING ELSEWHERE."},
        {"attach", "OUTPUT.signing",
                "Puts the answers into the image beside the directory: checks each of them, writes what changes, "
                "compresses and sums up as the recipe says, and removes the directory. When something contains "
                "signatures that had to be made first, it writes the requests of the next round instead."},
        {"vm", "[ARGUMENT...]",
                "Boots the image in a virtual machine with UEFI firmware and a TPM. With `--until-login` it "
                "runs unattended until the login prompt, reports on the chain of trust and powers off."},
        {"shell", "[COMMAND...]", "Runs a shell, or a command, in the image with **systemd-nspawn**(1)."},
        {"boot", "[ARGUMENT...]", "Boots the image in a container with **systemd-nspawn**(1)."},
        {"serve", "",
                "Serves the output directory over HTTP on port 8081, for updates of running systems. Only programs of "
                "this machine reach it, unless `--listen` says otherwise: `all`, an address of this machine, or an "
                "address with a port (`192.0.2.1:8000`, `[2001:db8::1]:8000`, `all:8000`). Everybody who reaches it can read "
                "every file of that directory."},
        {"delta", "OLD NEW [TO]",
                "Makes what devices with the version OLD fetch instead of NEW: the difference of what is in `/usr` and in the "
                "UKI, before it was compressed. OLD and NEW are directories with the split artifacts of one version each; "
                "the differences get names that begin with those of the files of NEW and end with `.from-VERSION.delta`, "
                "and are put beside them, or into the directory TO. They count when they are in the signed `SHA256SUMS`, "
                "so make them before it. Both versions have to be built with one `Seed=`. "
                "With `--delta-no-xz`, kernel modules are not unpacked: that costs devices less time, and more bytes. "
                "See **particleos-update**(8)."},
        {"burn", "DEVICE",
                "Writes the disk image to a device: refuses one that is in use, asks, moves the backup "
                "partition table to its end, and reads everything back."},
        {"sysupdate", "[ARGUMENT...]",
                "Runs **systemd-sysupdate**(8) with the transfer definitions of `SysupdateDirectory=`."},
        {"ssh", "[COMMAND...]", "Logs in to the running virtual machine."},
        {"journalctl", "[ARGUMENT...]", "Reads the journal that `ForwardJournal=` stored."},
        {"coredumpctl", "[ARGUMENT...]", "Reads core dumps of that journal."},
        {"box", "[COMMAND...]", "Runs a command that sees the host, but with the programs of the tools tree."},
        {"clean", "",
                "Removes what builds have made. With `-f` cached trees and the build directory too, with "
                "`-ff` also downloaded packages."},
        {"bump", "", "Increases the version in `mkosi.version`."},
        {"dependencies", "", "Lists the programs that building needs, and which of them are missing."},
        {"latest-snapshot", "", "Prints the newest snapshot of the distribution, for `Snapshot=`."},
        {"documentation", "[TOPIC]",
                "Shows a page of this manual: `particleos`, `recipe`, `settings`, `sandbox`, or what there is to know "
                "about one setting, for instance `particleos documentation Packages`."},
        {"completion", "bash|zsh|fish", "Prints a completion script for the shell."},
        {"init", "", "Prepares the machine for building as the current user."},
        {"help", "", "Shows verbs, options and settings in short."},
};

static void append_verb(GString *out, const VerbName *verb) {
    const char *arguments = "", *text = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(explanations); i++)
        if (strcmp(explanations[i].verb, verb->name) == 0) {
            arguments = explanations[i].arguments;
            text = explanations[i].text;
        }
    g_string_append_printf(
            out, "`%s`%s%s%s\n:   ", verb->name, *arguments ? " *" : "", arguments, *arguments ? "*" : "");
    if (text)
        g_string_append(out, text);
    else /* the short help begins in lower case */
        g_string_append_printf(out, "%c%s.", g_ascii_toupper(verb->help[0]), verb->help + 1);
    g_string_append(out, "\n\n");
}

static void append_verbs(GString *out) {
    for (const VerbName *verb = verb_names; verb->name; verb++)
        if (!(verb->flags & VERB_MISSING))
            append_verb(out, verb);
}

static void append_options(GString *out) {
    for (const Option *option = options; option->name; option++) {
        if (option->letter)
            g_string_append_printf(out, "`-%c`, ", option->letter);
        g_string_append_printf(out, "`--%s`", option->name);
        if (option->value)
            g_string_append_printf(out, "=*%s*", option->value);
        g_string_append_printf(out, "\n:   %c%s.\n\n", g_ascii_toupper(option->help[0]), option->help + 1);
    }
}

char *manual_complete_verbs(const char *source) {
    static const struct {
        const char *mark;
        void (*append)(GString *out);
    } parts[] = {{"@VERBS@\n", append_verbs}, {"@OPTIONS@\n", append_options}};
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
        const char *mark = strstr(source, parts[i].mark);
        if (!mark)
            continue;
        g_string_append_len(out, source, mark - source);
        parts[i].append(out);
        source = mark + strlen(parts[i].mark);
    }
    g_string_append(out, source);
    return g_string_free(out, FALSE);
}
