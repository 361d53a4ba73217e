/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/arguments/options.h"

#include <string.h>

#include "cli/arguments/arguments.h"

#define AT(field) G_STRUCT_OFFSET(Arguments, field)

const Option options[] = {
        {"directory", 'C', "DIR", 0, 0, "change to this directory first; empty: read no recipe"},
        {"force", 'f', NULL, AT(force), OPTION_COUNTER,
                "replace existing outputs; twice: caches too; thrice: packages too"},
        {"auto-bump", 'B', NULL, AT(auto_bump), 0, "increase the version, store it when the build succeeds"},
        {"wipe-build-dir", 'w', NULL, AT(wipe_build_dir), 0, "empty the build directory first"},
        {"rerun-build-scripts", 'R', NULL, AT(rerun_build_scripts), 0, "only run the build scripts again"},
        {"certificate", 0, "FILE", AT(certificate), OPTION_PATH | OPTION_FILE, "the signer that inspect shall expect"},
        {"pcr-certificate", 0, "FILE", AT(pcr_certificate), OPTION_PATH | OPTION_FILE,
                "whose key inspect shall expect in UKIs, if not the signer's"},
        {"root-hash-certificate", 0, "FILE", AT(root_hash_certificate), OPTION_PATH | OPTION_FILE,
                "whose signatures of root hashes inspect shall expect, if not the signer's"},
        {"other-certificate", 0, "PATH", AT(other_certificate), OPTION_PATH | OPTION_FILE,
                "another certificate, or a directory of them, that firmware may trust and PCR policies may be "
                "signed by, while keys change"},
        {"known-files", 0, "FILE", AT(known_files), OPTION_PATH | OPTION_FILE,
                "list, as sha256sum makes it, of other files that inspect shall accept on the ESP"},
        {"image", 0, "NAME", AT(image), 0, "the image of the recipe that inspect shall look at, if not the main one"},
        {"log-key", 0, "KEY", AT(log_key), 0,
                "fingerprint of the key of the build service's log, or the key, that verify goes by"},
        {"log", 0, "ADDRESS", AT(log), 0, "where verify finds the log, if not at the service of what it verifies"},
        {"checkpoint", 0, "FILE", AT(checkpoint), OPTION_PATH | OPTION_FILE,
                "what verify remembers of the log, which has to continue it; made or replaced when all is good"},
        {"whole-log", 0, NULL, AT(whole_log), 0, "verify reads all entries of the log, too"},
        {"revocations", 0, "FILE", AT(revocations), OPTION_FILE,
                "the file that revoke adds to, instead of the one in the recipe's mkosi.extra"},
        {"until-login", 0, NULL, AT(until_login), 0,
                "vm boots unattended, reports on the chain of trust and powers off"},
        {"listen", 0, "ADDRESS", AT(listen), 0,
                "where serve listens: localhost (the default), all, ADDRESS, ADDRESS:PORT"},
        {"since", 0, "FILE", AT(since), OPTION_FILE,
                "inputs says what is different from this file, which it wrote with --json before"},
        {"watch", 0, NULL, AT(watch), 0, "kitchen build tells how the build goes, and fails when it does"},
        {"delta-level", 0, "LEVEL", AT(delta_level), 0, "how hard delta compresses: 1 to 22; 19"},
        {"delta-no-xz", 0, NULL, AT(delta_no_xz), 0,
                "delta leaves files packed with xz as they are, such as kernel modules: larger, and less work for devices"},
        {"yes", 0, NULL, AT(yes), 0, "burn does not ask whether the content of the device may go"},
        {"genkey-valid-days", 0, "DAYS", AT(genkey_valid_days), 0, "lifetime of generated certificates"},
        {"genkey-common-name", 0, "NAME", AT(genkey_common_name), 0, "subject of generated certificates"},
        {"genkey-openpgp", 0, NULL, AT(genkey_openpgp), 0,
                "genkey makes the key that OpenPGPTool=builtin signs with, and its key ring"},
        {"genkey-source", 0, "SOURCE", AT(genkey_source), 0,
                "where genkey makes the key or finds it: file, engine:NAME, provider:NAME"},
        {"genkey-key", 0, "KEY", AT(genkey_key), OPTION_PATH | OPTION_URI | OPTION_FILE,
                "the key, a file or the URI of a token: genkey makes its certificate, and the key itself if a "
                "token has none"},
        {"genkey-request", 0, NULL, AT(genkey_request), 0,
                "genkey makes a request to a certificate authority instead of a certificate"},
        {"genkey-per-purpose", 0, NULL, AT(genkey_per_purpose), 0,
                "genkey makes separate keys for Secure Boot, verity, PCR policies and manifests"},
        {"key-pin-fd", 0, "N", AT(key_pin_fd), 0,
                "descriptor with the PIN or passphrase of the keys; read once, and closed"},
        {"key-pinentry", 0, "PROGRAM", AT(key_pinentry), 0,
                "program that asks for PINs and passphrases, such as pinentry"},
        {"doc-format", 0, "FORMAT", AT(doc_format), 0, "format of the manual: auto, man, text, markdown, roff, system"},
        {"json", 0, NULL, AT(json), 0, "print JSON; build: events, one a line"},
        {"events-fd", 0, "N", AT(events_fd), 0, "descriptor that gets what happens as JSON, one event a line"},
        {"timeline", 0, "FILE", AT(timeline), OPTION_FILE,
                "draw what took how long, and what the machine did meanwhile: an SVG"},
        {"all", 0, NULL, AT(all), 0, "show defaults too in the summary"},
        {"no-pager", 0, NULL, AT(no_pager), 0, "never start a pager"},
        {"debug", 0, NULL, AT(debug), 0, "say what is done in detail, and every command that is run, without secrets"},
        {"debug-timing", 0, NULL, AT(debug_timing), 0, "say how long each step took"},
        {"debug-shell", 0, NULL, AT(debug_shell), 0, "open a shell when a command in the image fails"},
        {"debug-workspace", 0, NULL, AT(debug_workspace), 0, "keep the workspace after a failure"},
        {"debug-sandbox", 0, NULL, AT(debug_sandbox), 0, "trace the sandbox helper"},
        {"weak-sandbox", 0, NULL, AT(weak_sandbox), 0,
                "go on where the kernel does not allow every part of the sandbox, as in some containers"},
        {"no-script-network", 0, NULL, AT(no_script_network), 0,
                "scripts have no network; a recipe with WithNetwork=yes is refused"},
        {"trust-recipe", 0, NULL, AT(trust_recipe), 0,
                "programs that the recipe brings for its reading (mkosi.version, mkosi.bump) run as you, without a "
                "sandbox"},
        {"version", 0, NULL, AT(version), 0, "print the version"},
        {"help", 'h', NULL, AT(help), 0, "show this help"},
        {NULL},
};

const Option *option_by_name(const char *name, gsize length) {
    for (const Option *option = options; option->name; option++)
        if (strlen(option->name) == length && strncmp(option->name, name, length) == 0)
            return option;
    return NULL;
}

const Option *option_by_letter(char letter) {
    for (const Option *option = options; option->name; option++)
        if (option->letter == letter)
            return option;
    return NULL;
}
