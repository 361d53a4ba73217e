/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "particleos --help", from the tables of verbs, options and settings. */
#include "cli/manual/help.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/arguments/options.h"
#include "recipe/language/settings.h"
#include "cli/arguments/verb-names.h"
#include "ui/terminal.h"

#define COLUMN 38 /* where the explanations begin */

static void print_heading(const char *text) {
    printf("\n%s%s%s\n", ui_out_colour(UI_COLOUR_BOLD), text, ui_out_colour(UI_COLOUR_RESET));
}

/* Columns that help may use: those of the terminal within reason, 100 elsewhere. */
static int page_width(void) {
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return 100;
    return CLAMP(size.ws_col, 72, 110);
}

/* TEXT broken at blanks so that no line is wider than the page; begins at, and is indented to, INDENT. */
static void print_wrapped(const char *text, int indent) {
    const int page = page_width();
    int at = indent;
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    for (char **word = words; *word; word++) {
        int length = g_utf8_strlen(*word, -1);
        if (at > indent && at + 1 + length > page) {
            printf("\n%*s", indent, "");
            at = indent;
        }
        printf("%s%s", at > indent ? " " : "", *word);
        at += length + (at > indent);
    }
    printf("\n");
}

static void print_explained(const char *left, const char *text) {
    int width = strlen(left);

    printf("  %s%s%s", ui_out_colour(UI_COLOUR_GREEN), left, ui_out_colour(UI_COLOUR_RESET));
    if (width + 2 >= COLUMN) {
        printf("\n");
        width = -2;
    }
    printf("%*s", COLUMN - width - 2, "");
    print_wrapped(text, COLUMN);
}

/* What stands for the value of a setting's option. */
static const char *placeholder(const Setting *setting) {
    switch (setting->type) {
    case TYPE_BOOL:
        return "BOOL";
    case TYPE_SIGN:
        return "BOOL|offline";
    case TYPE_FEATURE:
        return "FEATURE";
    case TYPE_INT:
    case TYPE_UNSIGNED:
    case TYPE_SECTOR_SIZE:
    case TYPE_VSOCK_CID:
        return "NUMBER";
    case TYPE_OCTAL:
        return "MODE";
    case TYPE_BYTES:
        return "BYTES";
    case TYPE_UUID:
        return "UUID";
    case TYPE_PATH:
    case TYPE_INCLUDE:
    case TYPE_SCRIPT:
    case TYPE_KEY:
    case TYPE_CERTIFICATE:
    case TYPE_UKI_PROFILE:
        return "PATH";
    case TYPE_TREE:
        return "PATH[:TARGET]";
    case TYPE_KEY_SOURCE:
    case TYPE_CERTIFICATE_SOURCE:
        return "SOURCE";
    case TYPE_PASSWORD:
        return "PASSWORD";
    case TYPE_KEY_VALUE:
    case TYPE_ENVIRONMENT:
    case TYPE_CREDENTIAL:
        return "NAME=VALUE";
    case TYPE_MINIMUM_VERSION:
        return "VERSION";
    case TYPE_DRIVE:
        return "ID:SIZE";
    case TYPE_ENUM:
    case TYPE_ARTIFACT:
        return "WORD";
    default:
        return setting->shape == SHAPE_LIST ? "NAME" : "TEXT";
    }
}

/* The explanation with the words that are accepted. */
static char *explanation(const Setting *setting) {
    GString *text = g_string_new(setting->help);
    const char *const *words = setting->words ?: setting->cli_words;
    if (words && setting->type != TYPE_NAME) {
        g_autofree char *list = g_strjoinv(", ", (char **) words);
        g_string_append_printf(text, " (%s)", list);
    } else if (setting->default_text && setting->shape == SHAPE_SCALAR)
        g_string_append_printf(text, " [%s]", setting->default_text);
    if (setting->flags & SETTING_NOT_IMPLEMENTED)
        g_string_append(text, " (not implemented yet)");
    return g_string_free(text, FALSE);
}

static void print_setting(const Setting *setting) {
    g_autofree char *left =
            setting->letter && setting->type != TYPE_BOOL && !setting->yes
                    ? g_strdup_printf("-%c --%s=%s", setting->letter, setting->option, placeholder(setting))
            : setting->letter ? g_strdup_printf("-%c --%s=%s", setting->letter, setting->option, "BOOL")
                              : g_strdup_printf("   --%s=%s", setting->option, placeholder(setting));
    g_autofree char *right = explanation(setting);
    print_explained(left, right);
}

void print_help(void) {
    printf("%sparticleos%s [OPTIONS...] [VERB] [ARGUMENTS...]\n\n", ui_out_colour(UI_COLOUR_BOLD),
            ui_out_colour(UI_COLOUR_RESET));
    print_wrapped("Builds, proves and boots immutable Linux images whose chain of trust reaches from the "
                  "firmware to every file below /usr. Reads the recipe (mkosi.conf) in the current directory.",
            0);

    print_heading("Verbs");
    for (const VerbName *verb = verb_names; verb->name; verb++)
        if (!(verb->flags & VERB_MISSING))
            print_explained(verb->name, verb->help);

    print_heading("Options");
    for (const Option *option = options; option->name; option++) {
        g_autofree char *left = option->letter ? g_strdup_printf("-%c --%s", option->letter, option->name)
                                               : g_strdup_printf("   --%s", option->name);
        g_autofree char *full = option->value ? g_strconcat(left, "=", option->value, NULL) : g_strdup(left);
        print_explained(full, option->help);
    }

    const char *section = NULL;
    for (int id = 0; id < _SETTING_MAX; id++) {
        if (g_strcmp0(section, settings[id].section) != 0) {
            section = settings[id].section;
            g_autofree char *heading = g_strdup_printf("Settings of [%s]", section);
            print_heading(heading);
        }
        print_setting(&settings[id]);
    }
    printf("\n");
    print_wrapped("Every option of a setting does what the setting does in the recipe, and outranks it. An option "
                  "of a list adds to the recipe's list; without a value (--package=) it empties the list first.",
            0);
}
