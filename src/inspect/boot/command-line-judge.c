/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/boot/command-line-judge.h"

#include <string.h>

#include "inspect/boot/command-line.h"

typedef enum {
    ALWAYS,  /* whatever its value */
    OFF,     /* when it is switched off */
    ON,      /* when it is switched on, or has no value */
    NOT_IN,  /* when its value is none of VALUES */
    ANY_OF,  /* when its value is one of VALUES */
    MENTIONS /* when one of VALUES is in its value */
} Condition;

/* VALUES are separated by spaces. "rd." in front of a name is left out. */
typedef struct {
    const char *name;
    Condition condition;
    const char *values;
    gboolean weak;
} Rule;

static const Rule rules[] = {
        /* another root, /usr, initrd, init */
        {"root", NOT_IN, "dissect dissect-force gpt-auto gpt-auto-force tmpfs", FALSE},
        {"mount.usr", NOT_IN, "dissect dissect-force gpt-auto gpt-auto-force", FALSE},
        {"mount.usrfstype", ALWAYS, NULL, FALSE},
        {"mount.usrflags", ALWAYS, NULL, FALSE},
        {"rootfstype", ALWAYS, NULL, FALSE},
        {"rootflags", MENTIONS, "dir= loop overlay subvol upper lower offset", FALSE},
        {"nfsroot", ALWAYS, NULL, FALSE},
        {"initrd", ALWAYS, NULL, FALSE},
        {"init", ALWAYS, NULL, FALSE},
        {"rdinit", ALWAYS, NULL, FALSE},
        {"resume", ALWAYS, NULL, FALSE},
        {"resume_offset", ALWAYS, NULL, FALSE},
        {"dm_mod.create", ALWAYS, NULL, FALSE},
        {"systemd.mount_extra", ALWAYS, NULL, FALSE},
        {"systemd.swap_extra", ALWAYS, NULL, FALSE},
        {"systemd.pull", NOT_IN, "", FALSE},
        {"systemd.run", ALWAYS, NULL, FALSE},
        {"systemd.set_credential", ALWAYS, NULL, FALSE},
        {"systemd.set_credential_binary", ALWAYS, NULL, FALSE},
        /* verification */
        {"systemd.verity", OFF, NULL, FALSE},
        {"systemd.verity_usr_data", ALWAYS, NULL, FALSE},
        {"systemd.verity_usr_hash", ALWAYS, NULL, FALSE},
        {"systemd.verity_root_data", ALWAYS, NULL, FALSE},
        {"systemd.verity_root_hash", ALWAYS, NULL, FALSE},
        {"systemd.verity_usr_options", MENTIONS, "ignore-corruption ignore-zero-blocks check-at-most-once", FALSE},
        {"systemd.verity_root_options", MENTIONS, "ignore-corruption ignore-zero-blocks check-at-most-once", FALSE},
        {"ima_appraise", ANY_OF, "off fix log", FALSE},
        {"module.sig_enforce", OFF, NULL, FALSE},
        {"lockdown", ANY_OF, "none", FALSE},
        {"efi", MENTIONS, "disable_early_pci_dma", TRUE},
        /* weaker than a running system */
        {"systemd.unit", MENTIONS, "emergency rescue debug sysinit basic initrd kexec", TRUE},
        {"systemd.debug_shell", ON, NULL, TRUE},
        {"systemd.debug-shell", ON, NULL, TRUE},
        {"systemd.crash_shell", ON, NULL, TRUE},
        {"systemd.wants", ALWAYS, NULL, TRUE},
        {"systemd.setenv", ALWAYS, NULL, TRUE},
        {"systemd.volatile", ON, NULL, TRUE},
        {"emergency", ALWAYS, NULL, TRUE},
        {"rescue", ALWAYS, NULL, TRUE},
        {"single", ALWAYS, NULL, TRUE},
        {"break", ALWAYS, NULL, TRUE},
        {"shell", ALWAYS, NULL, TRUE},
        {"ipe.enforce", OFF, NULL, TRUE},
        {"selinux", OFF, NULL, TRUE},
        {"enforcing", OFF, NULL, TRUE},
        {"apparmor", OFF, NULL, TRUE},
        {"mitigations", OFF, NULL, TRUE},
        {"iommu", OFF, NULL, TRUE},
        {"iomem", ANY_OF, "relaxed", TRUE},
        {"nokaslr", ALWAYS, NULL, TRUE},
        {"nopti", ALWAYS, NULL, TRUE},
};

static gboolean is_off(const char *value) {
    static const char *const words[] = {"0", "no", "n", "off", "false", "f", "none"};
    for (gsize i = 0; value && i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(value, words[i]) == 0)
            return TRUE;
    return FALSE;
}

static gboolean is_one_of(const char *value, const char *values) {
    g_auto(GStrv) words = g_strsplit(values, " ", -1);
    return value && *value && g_strv_contains((const char *const *) words, value);
}

static gboolean mentions(const char *value, const char *values) {
    g_auto(GStrv) words = g_strsplit(values, " ", -1);
    for (char **word = words; *word; word++)
        if (value && strstr(value, *word))
            return TRUE;
    return FALSE;
}

static gboolean rule_applies(const Rule *rule, const char *value) {
    switch (rule->condition) {
    case OFF:
        return is_off(value);
    case ON:
        return !is_off(value);
    case NOT_IN:
        return !is_one_of(value, rule->values);
    case ANY_OF:
        return is_one_of(value, rule->values);
    case MENTIONS:
        return mentions(value, rule->values);
    case ALWAYS:
        break;
    }
    return TRUE;
}

static gboolean is_name(const char *word, gsize length, const char *name) {
    if (length > 3 && strncmp(word, "rd.", 3) == 0) {
        word += 3;
        length -= 3;
    }
    if (strlen(name) != length)
        return FALSE;
    for (gsize i = 0; i < length; i++) {
        char a = word[i] == '-' ? '_' : word[i], b = name[i] == '-' ? '_' : name[i];
        if (a != b)
            return FALSE;
    }
    return TRUE;
}

static gboolean has_flag(char **flags, const char *flag) {
    return g_strv_contains((const char *const *) flags, flag);
}

/* What is mounted without a signature and without encryption is whatever somebody left there; firmware's own
 * partitions cannot be protected. */
static void judge_policy(const char *policy, CommandLineVerdict *ret) {
    g_auto(GStrv) items = g_strsplit(policy, ":", -1);
    if (strcmp(policy, "*") == 0)
        g_ptr_array_add(ret->broken, g_strdup("the image policy accepts everything"));
    for (char **item = items; *item; item++) {
        g_auto(GStrv) parts = g_strsplit(*item, "=", 2);
        if (!parts[0] || !parts[1] || strcmp(parts[0], "esp") == 0 || strcmp(parts[0], "xbootldr") == 0)
            continue;
        g_auto(GStrv) flags = g_strsplit(parts[1], "+", -1);
        gboolean is_usr = strcmp(parts[0], "usr") == 0;
        if (has_flag(flags, "unprotected") || has_flag(flags, "verity") || has_flag(flags, "open") ||
                (is_usr && has_flag(flags, "signed") && has_flag(flags, "absent")))
            g_ptr_array_add(ret->broken,
                    g_strdup_printf("the image policy also accepts what nobody signed or encrypted (%s)", *item));
    }
}

static void judge_word(const char *word, CommandLineVerdict *ret) {
    const char *equals = strchr(word, '=');
    gsize length = equals ? (gsize) (equals - word) : strlen(word);
    const char *value = equals ? equals + 1 : NULL;
    if (is_name(word, length, "systemd.image_policy")) {
        judge_policy(value ? value : "*", ret);
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
        if (is_name(word, length, rules[i].name) && rule_applies(&rules[i], value)) {
            g_ptr_array_add(rules[i].weak ? ret->weak : ret->broken, g_strdup(word));
            return;
        }
    if (strcmp(word, "1") == 0 || strcmp(word, "s") == 0 || strcmp(word, "S") == 0 || strcmp(word, "-b") == 0)
        g_ptr_array_add(ret->weak, g_strdup(word));
}

void command_line_judge(const char *command_line, CommandLineVerdict *ret) {
    g_autoptr(GPtrArray) words = command_line_split(command_line);
    ret->broken = g_ptr_array_new_with_free_func(g_free);
    ret->weak = g_ptr_array_new_with_free_func(g_free);
    if (command_line_ambiguity(command_line))
        g_ptr_array_add(ret->broken, g_strdup_printf("it %s", command_line_ambiguity(command_line)));
    for (guint i = 0; i < words->len; i++)
        judge_word(words->pdata[i], ret);
}

void command_line_verdict_clear(CommandLineVerdict *verdict) {
    g_clear_pointer(&verdict->broken, g_ptr_array_unref);
    g_clear_pointer(&verdict->weak, g_ptr_array_unref);
}
