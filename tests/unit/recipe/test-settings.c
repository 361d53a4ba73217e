/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table agrees with itself. */
#include "recipe/language/enum-words.h"
#include "recipe/language/enums.h"
#include "recipe/language/settings.h"
#include "recipe/values/value-parse.h"

static void test_rows(void) {
    for (int id = 0; id < _SETTING_MAX; id++) {
        const Setting *setting = &settings[id];
        g_assert_nonnull(setting->name);
        g_assert_nonnull(setting->section);
        g_assert_nonnull(setting->option);
        g_assert_nonnull(setting->help);
        g_assert_true(setting_by_name(setting->name) == setting);
        g_assert_true(setting_by_option(setting->option) == setting);
        if (setting->old_name)
            g_assert_true(setting_by_name(setting->old_name) == setting);
        if (setting->letter)
            g_assert_true(setting_by_letter(setting->letter) == setting);
        if (setting->type == TYPE_ENUM)
            g_assert_nonnull(setting->words);
        if (setting->yes)
            g_assert_cmpint(word_index(setting->words, setting->yes), >=, 0);
    }
    g_assert_null(setting_by_name("hostname"));
    g_assert_null(setting_by_option("host"));
}

/* A setting that shares the list of another one is taken to be like that. */
static void test_aliases(void) {
    for (int id = 0; id < _SETTING_MAX; id++) {
        const Setting *setting = &settings[id];
        if (!setting->stored_in)
            continue;
        g_assert_cmpint(settings[setting->stored_in].stored_in, ==, 0);
        g_assert_cmpint(setting->shape, ==, settings[setting->stored_in].shape);
    }
}

static void test_defaults_parse(void) {
    ParseContext context = {"/", FALSE};
    for (int id = 0; id < _SETTING_MAX; id++) {
        g_autoptr(GError) error = NULL;
        Slot slot = {0};
        if (!settings[id].default_text)
            continue;
        g_assert_true(slot_assign(&slot, &settings[id], settings[id].default_text, &context, &error));
        g_assert_no_error(error);
        g_assert_nonnull(slot.value);
        slot_clear(&slot);
    }
}

static void test_special_images(void) {
    for (int id = 0; id < _SETTING_MAX; id++)
        if (settings[id].scope == SCOPE_TOOLS || settings[id].scope == SCOPE_INITRD)
            g_assert_nonnull(setting_for_special_image(&settings[id]));
    g_assert_true(setting_for_special_image(&settings[SETTING_INITRD_PACKAGES]) == &settings[SETTING_PACKAGES]);
}

static void test_enumerations(void) {
    Compression compression;
    Distribution distribution;
    g_assert_true(compression_from_string("zst", &compression));
    g_assert_cmpint(compression, ==, COMPRESSION_ZSTD);
    g_assert_true(distribution_from_string("rhel-ubi", &distribution));
    g_assert_cmpint(distribution, ==, DISTRIBUTION_RHEL_UBI);
    g_assert_false(distribution_from_string("Debian", &distribution));
    g_assert_cmpstr(architecture_to_debian(ARCHITECTURE_X86_64), ==, "amd64");
    g_assert_cmpstr(architecture_to_efi(ARCHITECTURE_ARM64), ==, "aa64");
    g_assert_null(architecture_to_efi(ARCHITECTURE_S390X));
    /* The flags have the bits of the words. */
    g_assert_cmpint(1 << word_index(artifact_words, "pcrs"), ==, ARTIFACT_PCRS);
    g_assert_cmpint(1 << word_index(artifact_words, "repart-definitions"), ==, ARTIFACT_REPART_DEFINITIONS);
    g_assert_cmpint(1 << word_index(manifest_format_words, "changelog"), ==, MANIFEST_FORMAT_CHANGELOG);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/settings/rows", test_rows);
    g_test_add_func("/settings/aliases", test_aliases);
    g_test_add_func("/settings/defaults", test_defaults_parse);
    g_test_add_func("/settings/special-images", test_special_images);
    g_test_add_func("/settings/enumerations", test_enumerations);
    return g_test_run();
}
