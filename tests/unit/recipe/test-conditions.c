/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe-fixture.h"

#include <string.h>

/* Whether a drop-in with these conditions is read: "yes", "no" or "error". */
static const char *judge(const char *conditions) {
    fixture_new();
    fixture_write("mkosi.conf",
            "[Distribution]\nDistribution=debian\nArchitecture=x86-64\n[Config]\nProfiles=one two\n"
            "[Output]\nImageId=os-1\nImageVersion=1.5~rc1\n[Build]\nEnvironment=A=1 "
            "B=\nBuildSources=.:src\n");
    g_autofree char *text = g_strconcat(conditions, "\n[Content]\nHostname=read\n", NULL);
    fixture_write("mkosi.conf.d/x.conf", text);
    g_autoptr(GError) error = NULL;
    g_autoptr(Recipe) recipe = fixture_load(NULL, &error);
    if (!recipe)
        return "error";
    return recipe->main->hostname ? "yes" : "no";
}

static void test_conditions(void) {
    static const struct {
        const char *conditions, *expected;
    } cases[] = {
            {"[Match]", "yes"},
            {"[Match]\nDistribution=debian", "yes"},
            {"[Match]\nDistribution=fedora", "no"},
            {"[Match]\nDistribution=!fedora", "yes"},
            {"[Match]\nDistribution=suse", "error"},
            {"[Match]\nRelease=trixie", "yes"},
            {"[Match]\nArchitecture=uefi", "yes"},
            {"[Match]\nArchitecture=uefi\nImageId=os-2", "no"},
            {"[Match]\nImageId=os-?", "yes"},
            {"[Match]\nImageVersion=<1.5", "yes"},
            {"[Match]\nImageVersion=>=1.5", "no"},
            {"[Match]\nImageVersion=!=2", "yes"},
            {"[Match]\nProfiles=two", "yes"},
            {"[Match]\nProfiles=", "no"},
            {"[Match]\nRepositories=", "yes"},
            {"[Match]\nEnvironment=A", "yes"},
            {"[Match]\nEnvironment=A=1", "yes"},
            {"[Match]\nEnvironment=A=", "no"},
            {"[Match]\nEnvironment=B=", "yes"},
            {"[Match]\nBuildSources=/src", "yes"},
            {"[Match]\nPathExists=mkosi.conf", "yes"},
            {"[Match]\nPathExists=%D/nothing", "no"},
            {"[Match]\nPathExists=", "no"},
            {"[Match]\nImage=main", "yes"},
            {"[Match]\nImage=%I", "yes"},
            {"[Match]\nHostArchitecture=pdp11", "error"},
            {"[Match]\nBootable=auto", "yes"},
            {"[Match]\nHostname=read", "error"},
            {"[Match]\nNoSuchThing=1", "error"},
            {"[Match]\nImageId=|x\nImageId=|os-1", "yes"},
            {"[Match]\nImageId=|x\nImageId=|y", "no"},
            {"[Match]\nImageId=|!x", "yes"},
            {"[Match]\nImageId=!|x", "yes"},
            {"[Match]\nImageId=|os-1\n[Match]\nImageId=|x", "no"},
            {"[TriggerMatch]\nImageId=x\n[TriggerMatch]\nImageId=os-1", "yes"},
            {"[TriggerMatch]\nImageId=x\nImageId=|os-1\n[TriggerMatch]\nImageId=y", "no"},
            {"[TriggerMatch]\nImageId=os-1\n[Match]\nDistribution=arch", "no"},
            {"[Assert]\nImageId=os-1", "yes"},
            {"[Assert]\nImageId=x", "error"},
            {"[Assert]\nImageId=|x\nImageId=|y", "error"},
            {"[TriggerAssert]\nImageId=x\n[TriggerAssert]\nImageId=os-1", "yes"},
            {"[TriggerAssert]\nImageId=x", "error"},
            {"[Assert]\nImageId=x\n[Match]\nImageId=y", "no"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *result = judge(cases[i].conditions);
        if (strcmp(result, cases[i].expected) != 0)
            g_test_message("%s", cases[i].conditions);
        g_assert_cmpstr(result, ==, cases[i].expected);
    }
    fixture_remove();
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/conditions/table", test_conditions);
    return g_test_run();
}
