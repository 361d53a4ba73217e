/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is read, what is skipped and why; what an earlier build was told. */
#include "recipe-fixture.h"

#include <string.h>

static Recipe *load(const char *const *options) {
    g_autoptr(GError) error = NULL;
    Recipe *recipe = fixture_load(options, &error);
    g_assert_no_error(error);
    return recipe;
}

static const RecipeRead *find_read(const Recipe *recipe, const char *suffix) {
    for (guint i = 0; i < recipe->trace->len; i++) {
        const RecipeRead *read = recipe->trace->pdata[i];
        if (g_str_has_suffix(read->path, suffix))
            return read;
    }
    g_assert_not_reached();
}

/* A skipped file says which condition failed, where it stands, and what it was compared with. */
static void test_skipped(void) {
    static const struct {
        const char *conditions, *expected;
    } cases[] = {
            {"[Match]\nDistribution=debian\nFormat=tar\n", "a.conf:3: [Match] Format=tar does not hold: Format "
                                                           "is disk"},
            {"[Match]\nImageId=x*\n", "a.conf:2: [Match] ImageId=x* does not hold: ImageId is (not set)"},
            {"[Match]\nImage=i1\n", "a.conf:2: [Match] Image=i1 does not hold: this is the image main"},
            {"\n[Match]\nFormat=|tar\nFormat=|cpio\n", "a.conf:2: none of the conditions with \"|\" in [Match] holds"},
            {"[TriggerMatch]\nFormat=tar\n[TriggerMatch]\nFormat=!disk\n",
                    "a.conf:4: [TriggerMatch] Format=!disk does not hold"},
            {"[Match]\nProfiles=p\n", "a.conf:2: [Match] Profiles=p does not hold: Profiles is (none)"},
            {"[Match]\nPathExists=nowhere\n", "a.conf:2: [Match] PathExists=nowhere does not hold"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        fixture_new();
        fixture_write("mkosi.conf", "[Output]\nFormat=disk\n");
        fixture_write("mkosi.conf.d/a.conf", cases[i].conditions);
        g_autoptr(Recipe) recipe = load(NULL);
        const RecipeRead *read = find_read(recipe, "a.conf");
        g_assert_cmpint(read->kind, ==, RECIPE_READ_SKIPPED);
        g_assert_nonnull(strstr(read->note, cases[i].expected));
    }
}

static void test_trace(void) {
    fixture_new();
    fixture_write("mkosi.conf", "[Output]\nFormat=directory\n");
    fixture_write("mkosi.version", "3\n");
    fixture_write("mkosi.images/i.conf", "[Match]\nDistribution=fedora\n");
    g_autoptr(Recipe) recipe = load(NULL);
    g_assert_cmpint(find_read(recipe, "/mkosi.conf")->kind, ==, RECIPE_READ_FILE);
    g_assert_cmpint(find_read(recipe, "/mkosi.version")->kind, ==, RECIPE_READ_COMPANION);
    g_assert_cmpstr(find_read(recipe, "/mkosi.version")->note, ==, "ImageVersion");
    g_assert_cmpint(find_read(recipe, "/i.conf")->kind, ==, RECIPE_READ_SKIPPED);
    g_assert_cmpstr(find_read(recipe, "/i.conf")->image, ==, "i");
}

#define HISTORY ".mkosi-private/history/latest.json"

static void test_history(void) {
    fixture_new();
    fixture_write("mkosi.conf", "[Output]\nFormat=directory\nImageId=recipe\n");
    fixture_write(HISTORY, "{\"ImageId\": \"told\", \"VerityKeySource\": {\"type\": \"engine\", \"source\": \"x\"},"
                           " \"BuildSources\": [{\"Source\": \"/a\", \"Target\": null}], \"Packages\": [\"p\"],"
                           " \"SectorSize\": null, \"RAM\": \"wrong, but never taken\"}");
    g_autoptr(Recipe) recipe = load(NULL);
    g_assert_cmpstr(recipe->main->image_id, ==, "told");
    g_assert_cmpstr(recipe->main->packages[0], ==, "p");
    g_autofree char *source = image_config_setting_to_json(recipe->main, "VerityKeySource");
    g_assert_cmpstr(source, ==, "{\"Source\":\"x\",\"Type\":\"engine\"}");
    g_autofree char *trees = image_config_setting_to_json(recipe->main, "BuildSources");
    g_assert_cmpstr(trees, ==, "[{\"Source\":\"/a\",\"Target\":null}]");
}

/* A history file of the wrong shape is an error that names the file and the setting, never a crash. */
static void test_bad_history(void) {
    static const struct {
        const char *json, *setting;
    } cases[] = {
            {"[]", "not a JSON object"},
            {"{", "latest.json"},
            {"{\"Bogus\": 1}", "Bogus"},
            {"{\"Packages\": \"p\"}", "Packages"},
            {"{\"Packages\": [[]]}", "Packages"},
            {"{\"Environment\": {\"a\": 1}}", "Environment"},
            {"{\"Format\": \"floppy\"}", "Format"},
            {"{\"Format\": 7}", "Format"},
            {"{\"WithDocs\": \"yes\"}", "WithDocs"},
            {"{\"SectorSize\": \"512\"}", "SectorSize"},
            {"{\"CompressLevel\": -1}", "CompressLevel"},
            {"{\"VerityKeySource\": {\"Source\": \"x\"}}", "VerityKeySource"},
            {"{\"VerityKeySource\": {\"Type\": \"tape\"}}", "VerityKeySource"},
            {"{\"BuildSources\": [{\"Target\": \"/\"}]}", "BuildSources"},
            {"{\"RootPassword\": [\"x\"]}", "RootPassword"},
            {"{\"UnifiedKernelImageProfiles\": [{\"Profile\": {}}]}", "UnifiedKernelImageProfiles"},
            {"{\"Seed\": \"zzz\"}", "Seed"},
            {"{\"Profiles\": [\"a/b\"]}", "Profiles"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        fixture_new();
        fixture_write("mkosi.conf", "[Output]\nFormat=directory\n");
        fixture_write(HISTORY, cases[i].json);
        g_autoptr(Recipe) recipe = fixture_load(NULL, &error);
        g_assert_null(recipe);
        g_assert_nonnull(strstr(error->message, "latest.json"));
        g_assert_nonnull(strstr(error->message, cases[i].setting));
    }
}

/* Include= of the request takes a list too, and builtin names in it. */
static void test_include_list(void) {
    g_autofree char *option = NULL;
    fixture_new();
    fixture_write("mkosi.conf", "[Output]\nFormat=directory\n");
    fixture_write("one.conf", "[Content]\nHostname=one\n");
    option = g_strdup_printf("Include=mkosi-vm,%s/one.conf", fixture_directory());
    const char *options[] = {option, NULL};
    g_autoptr(Recipe) recipe = load(options);
    g_assert_cmpstr(recipe->main->hostname, ==, "one");
}

/* A file mkosi.initrd.conf brings no profiles of the main image with it, a directory its own. */
static void test_initrd_profiles(void) {
    static const char *const options[] = {"Profiles=p", NULL};
    fixture_new();
    fixture_write("mkosi.conf", "[Distribution]\nArchitecture=x86-64\n[Content]\nPackages=linux-image-amd64\n");
    fixture_write("mkosi.profiles/p.conf", "[Content]\nHostname=main\n[Validation]\nSecureBootKey=k\n");
    fixture_write("mkosi.initrd.conf", "[Content]\nTimezone=UTC\n");
    g_autoptr(Recipe) recipe = load(options);
    g_assert_cmpstr(recipe->images[0]->image, ==, "default-initrd");
    g_assert_cmpstr(recipe->images[0]->timezone, ==, "UTC");
    g_assert_null(recipe->images[0]->files[0] ? strstr(recipe->images[0]->files[0], "profiles") : NULL);
}

int main(int argc, char *argv[]) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recipe/reading/skipped", test_skipped);
    g_test_add_func("/recipe/reading/trace", test_trace);
    g_test_add_func("/recipe/reading/history", test_history);
    g_test_add_func("/recipe/reading/bad-history", test_bad_history);
    g_test_add_func("/recipe/reading/include-list", test_include_list);
    g_test_add_func("/recipe/reading/initrd-profiles", test_initrd_profiles);
    int status = g_test_run();
    fixture_remove();
    return status;
}
