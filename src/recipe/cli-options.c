/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/cli-options.h"

#include <string.h>

#include "events/events.h"
#include "recipe/language/enum-words.h"
#include "recipe/reading/includes.h"
#include "recipe/values/paths.h"
#include "recipe/values/split.h"
#include "recipe/language/suggest.h"
#include "recipe/verb-names.h"

#define AT(field) .offset = G_STRUCT_OFFSET(RecipeArguments, field)

const CliOption cli_options[] = {
        {"directory", 'C', "DIR", .help = "change to this directory first; empty: read no recipe"},
        {"force", 'f', NULL, AT(force), TRUE,
                "replace existing outputs; twice: caches too; thrice: packages too"},
        {"auto-bump", 'B', NULL, AT(auto_bump),
                .help = "increase the version, store it when the build succeeds"},
        {"wipe-build-dir", 'w', NULL, AT(wipe_build_dir), .help = "empty the build directory first"},
        {"rerun-build-scripts", 'R', NULL, AT(rerun_build_scripts),
                .help = "only run the build scripts again"},
        {"certificate", 0, "FILE", AT(certificate), .help = "the signer that inspect shall expect"},
        {"pcr-certificate", 0, "FILE", AT(pcr_certificate),
                .help = "whose key inspect shall expect in UKIs, if not the signer's"},
        {"root-hash-certificate", 0, "FILE", AT(root_hash_certificate),
                .help = "whose signatures of root hashes inspect shall expect, if not the signer's"},
        {"other-certificate", 0, "PATH", AT(other_certificate),
                .help = "another certificate, or a directory of them, that firmware may trust and PCR policies may be "
                        "signed by, while keys change"},
        {"known-files", 0, "FILE", AT(known_files),
                .help = "list, as sha256sum makes it, of other files that inspect shall accept on the ESP"},
        {"image", 0, "NAME", AT(image),
                .help = "the image of the recipe that inspect shall look at, if not the main one"},
        {"revocations", 0, "FILE", AT(revocations),
                .help = "the file that revoke adds to, instead of the one in the recipe's mkosi.extra"},
        {"until-login", 0, NULL, AT(until_login),
                .help = "vm boots unattended, reports on the chain of trust and powers off"},
        {"listen", 0, "ADDRESS", AT(listen),
                .help = "where serve listens: localhost (the default), all, ADDRESS, ADDRESS:PORT"},
        {"since", 0, "FILE", AT(since),
                .help = "inputs says what is different from this file, which it wrote with --json before"},
        {"watch", 0, NULL, AT(watch), .help = "kitchen build tells how the build goes, and fails when it does"},
        {"yes", 0, NULL, AT(yes), .help = "burn does not ask whether the content of the device may go"},
        {"genkey-valid-days", 0, "DAYS", AT(genkey_valid_days),
                .help = "lifetime of generated certificates"},
        {"genkey-common-name", 0, "NAME", AT(genkey_common_name),
                .help = "subject of generated certificates"},
        {"genkey-openpgp", 0, NULL, AT(genkey_openpgp),
                .help = "genkey makes the key that OpenPGPTool=builtin signs with, and its key ring"},
        {"genkey-source", 0, "SOURCE", AT(genkey_source),
                .help = "where genkey makes the key or finds it: file, engine:NAME, provider:NAME"},
        {"genkey-key", 0, "KEY", AT(genkey_key),
                .help = "the key, a file or the URI of a token: genkey makes its certificate, and the key itself if a "
                        "token has none"},
        {"genkey-request", 0, NULL, AT(genkey_request),
                .help = "genkey makes a request to a certificate authority instead of a certificate"},
        {"genkey-per-purpose", 0, NULL, AT(genkey_per_purpose),
                .help = "genkey makes separate keys for Secure Boot, verity, PCR policies and manifests"},
        {"key-pin-fd", 0, "N", AT(key_pin_fd),
                .help = "descriptor with the PIN or passphrase of the keys; read once, and closed"},
        {"key-pinentry", 0, "PROGRAM", AT(key_pinentry),
                .help = "program that asks for PINs and passphrases, such as pinentry"},
        {"doc-format", 0, "FORMAT", AT(doc_format),
                .help = "format of the manual: auto, man, text, markdown, roff, system"},
        {"json", 0, NULL, AT(json), .help = "print JSON; build: events, one a line"},
        {"events-fd", 0, "N", AT(events_fd), .help = "descriptor that gets what happens as JSON, one event a line"},
        {"all", 0, NULL, AT(all), .help = "show defaults too in the summary"},
        {"no-pager", 0, NULL, AT(no_pager), .help = "never start a pager"},
        {"debug", 0, NULL, AT(debug),
                .help = "say what is done in detail, and every command that is run, without secrets"},
        {"debug-timing", 0, NULL, AT(debug_timing), .help = "say how long each step took"},
        {"debug-shell", 0, NULL, AT(debug_shell), .help = "open a shell when a command in the image fails"},
        {"debug-workspace", 0, NULL, AT(debug_workspace), .help = "keep the workspace after a failure"},
        {"debug-sandbox", 0, NULL, AT(debug_sandbox), .help = "trace the sandbox helper"},
        {"weak-sandbox", 0, NULL, AT(weak_sandbox),
                .help = "go on where the kernel does not allow every part of the sandbox, as in some "
                        "containers"},
        {"trust-recipe", 0, NULL, AT(trust_recipe),
                .help = "programs that the recipe brings for its reading (mkosi.version, mkosi.bump) run as "
                        "you, without a sandbox"},
        {"version", 0, NULL, AT(version), .help = "print the version"},
        {"help", 'h', NULL, AT(help), .help = "show this help"},
        {NULL},
};

/* Short flags of settings whose long form takes a value. */
static const struct {
    char letter;
    const char *value;
} fixed_values[] = {{'a', "yes"}, {'i', "yes"}, {'T', "no"}};

typedef struct {
    char **next; /* the words that are left */
    char *directory;
    RecipeArguments *arguments;
    ImageParser *parser;
    GPtrArray *verb_arguments;
} Cli;

static gboolean usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean usage(GError **error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (error)
        *error = g_error_new_valist(RECIPE_ERROR, RECIPE_ERROR_USAGE, format, arguments);
    va_end(arguments);
    return FALSE;
}

static gboolean looks_like_option(const char *word) {
    if (word[0] != '-' || !word[1] || strchr(word, ' '))
        return FALSE;
    return strspn(word + 1, "0123456789.") != strlen(word + 1); /* a negative number is a value */
}

static gboolean assign(
        Cli *cli, const Setting *setting, const char *option, const char *text, GError **error) {
    ParseContext context = {cli->directory, TRUE};
    if (setting->type == TYPE_INCLUDE)
        return includes_add(cli->parser->includes, text, option, &context, error);
    Slot *slot = &cli->parser->cli.slots[setting_slot(setting)];
    if (!slot_assign(slot, setting, text, &context, error)) {
        if (error && setting->type == TYPE_ENUM)
            (*error)->code = RECIPE_ERROR_USAGE;
        g_prefix_error(error, "%s: ", option);
        return FALSE;
    }
    g_autofree char *origin = g_strdup_printf("--%s", setting->option);
    slot->origin = g_intern_string(origin);
    return TRUE;
}

static gboolean change_directory(Cli *cli, const char *path, GError **error) {
    if (!*path) {
        g_clear_pointer(&cli->arguments->directory, g_free);
        return TRUE;
    }
    g_autofree char *target = path_resolve(cli->directory, path);
    if (!g_file_test(target, G_FILE_TEST_IS_DIR))
        return usage(error, "--directory: \"%s\" is not a directory", path);
    g_free(cli->directory);
    cli->directory = g_steal_pointer(&target);
    g_free(cli->arguments->directory);
    cli->arguments->directory = g_strdup(cli->directory);
    return TRUE;
}

static gboolean apply_option(Cli *cli, const CliOption *option, const char *value, GError **error) {
    if (strcmp(option->name, "directory") == 0)
        return change_directory(cli, value, error);
    gpointer field = G_STRUCT_MEMBER_P(cli->arguments, option->offset);
    if (option->value) {
        g_free(*(char **) field);
        gboolean path = strcmp(option->name, "certificate") == 0 ||
                        g_str_has_suffix(option->name, "-certificate") ||
                        strcmp(option->name, "known-files") == 0 ||
                        (strcmp(option->name, "genkey-key") == 0 && strcspn(value, "/") <= strcspn(value, ":"));
        *(char **) field = path ? path_absolute(cli->directory, value) : g_strdup(value);
    } else if (option->counter)
        (*(int *) field)++;
    else
        *(gboolean *) field = TRUE;
    return TRUE;
}

/* The value of OPTION: what stands behind '=', or the next word. */
static const char *take_value(Cli *cli, const char *option, const char *attached, GError **error) {
    if (attached)
        return attached;
    if (!*cli->next || looks_like_option(*cli->next)) {
        usage(error, "%s: The option needs a value", option);
        return NULL;
    }
    return *cli->next++;
}

static const CliOption *option_by_name(const char *name, gsize length) {
    for (const CliOption *option = cli_options; option->name; option++)
        if (strlen(option->name) == length && strncmp(option->name, name, length) == 0)
            return option;
    return NULL;
}

/* Options that mkosi dropped long ago and still accepts. */
static gboolean ignore_old(
        Cli *cli, const char *name, const char *attached, gboolean *ret_known, GError **error) {
    static const char *const with_value[] = {"default", "cache", "runtime-scratch", NULL};
    gboolean flag = strcmp(name, "nspawn-keep-unit") == 0;
    *ret_known = flag || word_index(with_value, name) >= 0;
    if (!*ret_known)
        return TRUE;
    events_warning("--%s is no longer supported, ignoring it", name);
    g_autofree char *option = g_strconcat("--", name, NULL);
    return flag || take_value(cli, option, attached, error);
}

static gboolean parse_long(Cli *cli, const char *word, GError **error) {
    const char *equals = strchr(word, '=');
    const char *attached = equals ? equals + 1 : NULL;
    gsize length = equals ? (gsize) (equals - word) - 2 : strlen(word) - 2;
    g_autofree char *name = g_strndup(word + 2, length);
    g_autofree char *shown = g_strconcat("--", name, NULL);

    const CliOption *option = option_by_name(name, length);
    if (option && !option->value && attached)
        return usage(error, "%s: The option takes no value", shown);
    if (option) {
        const char *value = option->value ? take_value(cli, shown, attached, error) : "";
        return value && apply_option(cli, option, value, error);
    }

    const Setting *setting = setting_by_option(name);
    if (!setting) {
        gboolean known;
        if (!ignore_old(cli, name, attached, &known, error))
            return FALSE;
        g_autofree char *suggestion = suggest_option(name);
        return known || usage(error, "%s: There is no such option%s%s", shown, suggestion,
                                *suggestion ? "" : "; see --help");
    }
    gboolean alone = setting_id(setting) == SETTING_CHECKSUM && !attached &&
                     (!*cli->next || looks_like_option(*cli->next));
    const char *value = alone ? "yes" : take_value(cli, shown, attached, error);
    return value && assign(cli, setting, shown, value, error);
}

/* A word of short options, like -fi or -tcpio. */
static gboolean parse_short(Cli *cli, const char *word, GError **error) {
    for (const char *p = word + 1; *p; p++) {
        char shown[] = {'-', *p, 0};
        const CliOption *option = cli_options;
        while (option->name && option->letter != *p)
            option++;
        const Setting *setting = setting_by_letter(*p);
        if (!option->name && !setting)
            return usage(error, "%s: There is no such option; see --help", shown);
        if (option->name && !option->value) {
            if (!apply_option(cli, option, "", error))
                return FALSE;
            continue;
        }
        const char *fixed = NULL;
        for (gsize i = 0; i < G_N_ELEMENTS(fixed_values); i++)
            if (fixed_values[i].letter == *p)
                fixed = fixed_values[i].value;
        if (fixed) {
            if (!assign(cli, setting, shown, fixed, error))
                return FALSE;
            continue;
        }
        const char *attached = p[1] ? p + 1 + (p[1] == '=') : NULL;
        const char *value = take_value(cli, shown, attached, error);
        if (!value)
            return FALSE;
        return option->name ? apply_option(cli, option, value, error)
                            : assign(cli, setting, shown, value, error);
    }
    return TRUE;
}

static gboolean unknown_verb(const char *word, GError **error) {
    g_autofree char *suggestion = suggest_verb(word);
    return usage(error, "There is no verb \"%s\"%s%s", word, suggestion, *suggestion ? "" : "; see --help");
}

static gboolean parse_word(Cli *cli, GError **error) {
    const char *word = *cli->next++;
    if (g_str_has_prefix(word, "--"))
        return parse_long(cli, word, error);
    if (looks_like_option(word))
        return parse_short(cli, word, error);
    if (cli->arguments->verb) {
        g_ptr_array_add(cli->verb_arguments, g_strdup(word));
        return TRUE;
    }
    const VerbName *verb = verb_by_name(word);
    if (!verb)
        return unknown_verb(word, error);
    cli->arguments->verb = g_strdup(verb->name);
    return TRUE;
}

static gboolean check_usage(const RecipeArguments *arguments, GError **error) {
    const VerbName *verb = verb_by_name(arguments->verb);
    if (arguments->arguments[0] && !(verb->flags & VERB_TAKES_ARGUMENTS))
        return usage(error, "The verb %s takes no arguments, but got \"%s\"", verb->name,
                arguments->arguments[0]);
    if (arguments->rerun_build_scripts && !(verb->flags & VERB_NEEDS_BUILD))
        return usage(error, "--rerun-build-scripts: It has no meaning for the verb %s", verb->name);
    if (arguments->rerun_build_scripts && arguments->force > 0)
        return usage(error, "--rerun-build-scripts: It excludes --force");
    return TRUE;
}

gboolean cli_parse(char **argv, const char *directory, RecipeArguments *arguments, ImageParser *parser,
        GError **error) {
    Cli cli = {argv, path_resolve(directory, "."), arguments, parser, g_ptr_array_new()};
    arguments->directory = g_strdup(cli.directory);
    gboolean good = TRUE;
    while (good && *cli.next && strcmp(*cli.next, "--") != 0)
        good = parse_word(&cli, error);
    if (good && *cli.next)
        for (char **word = cli.next + 1; *word; word++)
            g_ptr_array_add(cli.verb_arguments, g_strdup(*word));

    g_ptr_array_add(cli.verb_arguments, NULL);
    arguments->arguments = (char **) g_ptr_array_free(cli.verb_arguments, FALSE);
    if (!arguments->verb)
        arguments->verb = g_strdup("build");
    g_free(cli.directory);
    return good && (arguments->help || arguments->version || check_usage(arguments, error));
}
