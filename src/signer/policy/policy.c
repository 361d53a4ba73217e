/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/policy/policy.h"

#include <string.h>

#include "base/hex.h"
#include "format/sshsig/sshsig.h"
#include "signer/text/error.h"
#include "signer/text/ini.h"
#include "signer/text/text.h"
#include "text/recipe-values.h"

#define SIGNATURES_PER_HOUR_DEFAULT 2000
#define POLICY_SIZE_MAX (1024 * 1024)
#define IMAGE_ID_MAX 64
#define APPROVALS_MAX 16

static const char *const purposes[SIGNER_N_PURPOSES] = {"secure-boot", "enrolment", "verity", "pcr", "ipe", "manifest"};

const char *signer_purpose_to_string(SignerPurpose purpose) {
    return purposes[purpose];
}

int signer_purpose_from_string(const char *name) {
    for (int i = 0; i < SIGNER_N_PURPOSES; i++)
        if (g_strcmp0(name, purposes[i]) == 0)
            return i;
    return -1;
}

static void target_free(gpointer data) {
    SignerTarget *target = data;
    g_free(target->name);
    g_free(target->image_id);
    g_strfreev(target->initrd);
    g_free(target);
}

static void person_free(gpointer data) {
    g_free(((SignerPerson *) data)->name);
    g_bytes_unref(((SignerPerson *) data)->key);
    g_free(data);
}

static void channel_free(gpointer data) {
    SignerChannel *channel = data;
    g_free(channel->name);
    g_ptr_array_unref(channel->people);
    g_free(channel);
}

static void floor_free(gpointer data) {
    g_free(((SignerFloor *) data)->component);
    g_free(data);
}

void signer_policy_free(SignerPolicy *policy) {
    if (!policy)
        return;
    g_free(policy->path);
    g_free(policy->digest);
    for (guint i = 0; i < SIGNER_N_PURPOSES; i++) {
        g_free(policy->keys[i].engine);
        g_free(policy->keys[i].key);
        g_free(policy->keys[i].certificate);
    }
    g_ptr_array_unref(policy->targets);
    g_ptr_array_unref(policy->channels);
    g_ptr_array_unref(policy->allowed);
    g_ptr_array_unref(policy->forbidden);
    g_hash_table_unref(policy->trusted);
    g_ptr_array_unref(policy->vendors_db);
    g_ptr_array_unref(policy->vendors_kek);
    g_ptr_array_unref(policy->floors);
    g_free(policy);
}

static SignerPolicy *policy_new(const char *path) {
    SignerPolicy *policy = g_new0(SignerPolicy, 1);

    policy->path = g_strdup(path);
    policy->signatures_per_hour = SIGNATURES_PER_HOUR_DEFAULT;
    for (guint i = 0; i < SIGNER_N_PURPOSES; i++)
        policy->keys[i].same_as = -1;
    policy->targets = g_ptr_array_new_with_free_func(target_free);
    policy->channels = g_ptr_array_new_with_free_func(channel_free);
    policy->allowed = g_ptr_array_new_with_free_func(g_free);
    policy->forbidden = g_ptr_array_new_with_free_func(g_free);
    policy->trusted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    policy->vendors_db = g_ptr_array_new_with_free_func(g_free);
    policy->vendors_kek = g_ptr_array_new_with_free_func(g_free);
    policy->floors = g_ptr_array_new_with_free_func(floor_free);
    return policy;
}

static gboolean bad_value(GError **error, const IniEntry *entry, const char *wanted) {
    return signer_refuse(error, SIGNER_ERROR_POLICY, "%s=%s: expected %s", entry->key, entry->value, wanted);
}

static void add_words(GPtrArray *words, const char *text) {
    g_auto(GStrv) parts = g_strsplit_set(text, " \t", -1);
    for (char **part = parts; *part; part++)
        if (**part)
            g_ptr_array_add(words, g_strdup(*part));
}

static gboolean read_floor(SignerPolicy *policy, const IniEntry *entry, GError **error) {
    g_auto(GStrv) words = g_strsplit(entry->value, " ", -1);
    guint64 generation = 0;

    if (g_strv_length(words) != 2 || !*words[0] ||
            !g_ascii_string_to_unsigned(words[1], 10, 1, G_MAXUINT32, &generation, NULL))
        return bad_value(error, entry, "a component of .sbat and its lowest generation, like 'systemd 1'");
    SignerFloor *lowest = g_new0(SignerFloor, 1);
    lowest->component = g_strdup(words[0]);
    lowest->generation = generation;
    g_ptr_array_add(policy->floors, lowest);
    return TRUE;
}

static gboolean read_project(SignerPolicy *policy, const IniEntry *entry, GError **error) {
    if (g_str_equal(entry->key, "Development"))
        return recipe_boolean_parse(entry->value, &policy->development) || bad_value(error, entry, "yes or no");
    if (g_str_equal(entry->key, "Private"))
        return recipe_boolean_parse(entry->value, &policy->is_private) || bad_value(error, entry, "yes or no");
    if (g_str_equal(entry->key, "SignaturesPerHour"))
        return g_ascii_string_to_unsigned(entry->value, 10, 0, G_MAXUINT32, &policy->signatures_per_hour, NULL) ||
               bad_value(error, entry, "a number");
    if (g_str_equal(entry->key, "CommandLineAllow"))
        add_words(policy->allowed, entry->value);
    else if (g_str_equal(entry->key, "CommandLineForbid"))
        add_words(policy->forbidden, entry->value);
    else if (g_str_equal(entry->key, "SBATFloor"))
        return read_floor(policy, entry, error);
    else if (g_str_equal(entry->key, "Trust"))
        return signer_is_digest(entry->value) ? g_hash_table_add(policy->trusted, g_strdup(entry->value)),
               TRUE                           : bad_value(error, entry, "SHA-256 in lower-case hexadecimal");
    else if (g_str_equal(entry->key, "VendorCertificate"))
        g_ptr_array_add(policy->vendors_db, g_strdup(entry->value));
    else if (g_str_equal(entry->key, "VendorKEKCertificate"))
        g_ptr_array_add(policy->vendors_kek, g_strdup(entry->value));
    else
        return signer_refuse(error, SIGNER_ERROR_POLICY, "%s=: [Project] has no such setting", entry->key);
    return TRUE;
}

static gboolean read_source(SignerKey *key, const IniEntry *entry, GError **error) {
    g_auto(GStrv) parts = g_strsplit(entry->value, ":", 2);

    g_clear_pointer(&key->engine, g_free);
    if (g_strcmp0(parts[0], "file") == 0 && !parts[1])
        key->kind = KEY_SOURCE_KIND_FILE;
    else if (g_strcmp0(parts[0], "engine") == 0)
        key->kind = KEY_SOURCE_KIND_ENGINE;
    else if (g_strcmp0(parts[0], "provider") == 0)
        key->kind = KEY_SOURCE_KIND_PROVIDER;
    else
        return bad_value(error, entry, "file, engine, engine:NAME, provider or provider:NAME");
    if (key->kind != KEY_SOURCE_KIND_FILE)
        key->engine = g_strdup(parts[1] && *parts[1] ? parts[1] : "pkcs11");
    return TRUE;
}

static gboolean read_key(SignerPolicy *policy, const IniEntry *entry, GError **error) {
    int purpose = signer_purpose_from_string(entry->name);

    if (purpose < 0)
        return signer_refuse(error, SIGNER_ERROR_POLICY,
                "[Key %s]: expected one of secure-boot, enrolment, verity, pcr, ipe, manifest", entry->name ?: "");
    SignerKey *key = &policy->keys[purpose];
    if (!entry->key)
        return TRUE;
    if (g_str_equal(entry->key, "Source"))
        return read_source(key, entry, error);
    if (!*entry->value)
        return bad_value(error, entry, "something");
    if (g_str_equal(entry->key, "Key")) {
        g_free(key->key);
        key->key = g_strdup(entry->value);
    } else if (g_str_equal(entry->key, "Certificate")) {
        g_free(key->certificate);
        key->certificate = g_strdup(entry->value);
    } else if (g_str_equal(entry->key, "SameAs")) {
        key->same_as = signer_purpose_from_string(entry->value);
        return (key->same_as >= 0 && key->same_as != purpose) || bad_value(error, entry, "another purpose");
    } else
        return signer_refuse(error, SIGNER_ERROR_POLICY, "%s=: [Key] has no such setting", entry->key);
    return TRUE;
}

static SignerTarget *find_target(const SignerPolicy *policy, const char *name) {
    for (guint i = 0; i < policy->targets->len; i++)
        if (g_str_equal(((SignerTarget *) policy->targets->pdata[i])->name, name))
            return policy->targets->pdata[i];
    return NULL;
}

static gboolean is_image_id(const char *text) {
    gsize length = strlen(text);
    return length > 0 && length <= IMAGE_ID_MAX && signer_is_file_name(text);
}

static gboolean read_target(SignerPolicy *policy, const IniEntry *entry, GError **error) {
    if (!signer_is_name(entry->name))
        return signer_refuse(
                error, SIGNER_ERROR_POLICY, "[Target %s]: a target is named with a-z 0-9 _ -", entry->name ?: "");
    SignerTarget *target = find_target(policy, entry->name);
    if (!entry->key) {
        if (target)
            return signer_refuse(error, SIGNER_ERROR_POLICY, "[Target %s]: it is there twice", entry->name);
        target = g_new0(SignerTarget, 1);
        target->name = g_strdup(entry->name);
        target->initrd = g_new0(char *, 1);
        g_ptr_array_add(policy->targets, target);
        return TRUE;
    }
    if (g_str_equal(entry->key, "ImageID")) {
        if (!is_image_id(entry->value))
            return bad_value(error, entry, "the IMAGE_ID of its os-release");
        g_free(target->image_id);
        target->image_id = g_strdup(entry->value);
    } else if (g_str_equal(entry->key, "Initrd")) {
        g_strfreev(target->initrd);
        target->initrd = g_strsplit_set(entry->value, " \t", -1);
    } else
        return signer_refuse(error, SIGNER_ERROR_POLICY, "%s=: [Target] has no such setting", entry->key);
    return TRUE;
}

static SignerChannel *find_channel(const SignerPolicy *policy, const char *name) {
    for (guint i = 0; i < policy->channels->len; i++)
        if (g_str_equal(((SignerChannel *) policy->channels->pdata[i])->name, name))
            return policy->channels->pdata[i];
    return NULL;
}

/* "NAME TYPE BASE64". */
static gboolean read_person(SignerChannel *channel, const IniEntry *entry, GError **error) {
    g_auto(GStrv) words = g_strsplit(entry->value, " ", 2);
    g_autoptr(GBytes) key = words[0] && words[1] && signer_is_name(words[0]) ? sshsig_key_parse(words[1], NULL) : NULL;

    if (!key)
        return bad_value(error, entry,
                "a name (a-z 0-9 _ -) and a public key of SSH without a comment, like 'ada ssh-ed25519 AAAA…'");
    for (guint i = 0; i < channel->people->len; i++)
        if (g_bytes_equal(((SignerPerson *) channel->people->pdata[i])->key, key))
            return signer_refuse(error, SIGNER_ERROR_POLICY, "AllowedSigner=%s: the key is there twice", entry->value);
    SignerPerson *person = g_new0(SignerPerson, 1);
    person->name = g_strdup(words[0]);
    person->key = g_steal_pointer(&key);
    g_ptr_array_add(channel->people, person);
    return TRUE;
}

static gboolean read_channel(SignerPolicy *policy, const IniEntry *entry, GError **error) {
    if (!signer_is_name(entry->name))
        return signer_refuse(
                error, SIGNER_ERROR_POLICY, "[Channel %s]: a channel is named with a-z 0-9 _ -", entry->name ?: "");
    SignerChannel *channel = find_channel(policy, entry->name);
    if (!entry->key) {
        if (channel)
            return signer_refuse(error, SIGNER_ERROR_POLICY, "[Channel %s]: it is there twice", entry->name);
        channel = g_new0(SignerChannel, 1);
        channel->name = g_strdup(entry->name);
        channel->people = g_ptr_array_new_with_free_func(person_free);
        g_ptr_array_add(policy->channels, channel);
        return TRUE;
    }
    if (g_str_equal(entry->key, "Approvals"))
        return g_ascii_string_to_unsigned(entry->value, 10, 0, APPROVALS_MAX, &channel->approvals, NULL) ||
               bad_value(error, entry, "a number up to 16");
    if (g_str_equal(entry->key, "AllowedSigner"))
        return read_person(channel, entry, error);
    return signer_refuse(error, SIGNER_ERROR_POLICY, "%s=: [Channel] has no such setting", entry->key);
}

static gboolean visit(gpointer user, const IniEntry *entry, GError **error) {
    SignerPolicy *policy = user;

    if (g_str_equal(entry->section, "Project") && !entry->name)
        return !entry->key || read_project(policy, entry, error);
    if (g_str_equal(entry->section, "Key"))
        return read_key(policy, entry, error);
    if (g_str_equal(entry->section, "Target"))
        return read_target(policy, entry, error);
    if (g_str_equal(entry->section, "Channel"))
        return read_channel(policy, entry, error);
    return signer_refuse(error, SIGNER_ERROR_POLICY,
            "[%s]: expected [Project], [Key PURPOSE], [Target NAME] or [Channel NAME]", entry->section);
}

/* A channel that nobody could approve a release for would never have one. */
static gboolean check_channels(const SignerPolicy *policy, GError **error) {
    for (guint i = 0; i < policy->channels->len; i++) {
        const SignerChannel *channel = policy->channels->pdata[i];
        g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
        for (guint k = 0; k < channel->people->len; k++)
            g_hash_table_add(names, ((SignerPerson *) channel->people->pdata[k])->name);
        if (g_hash_table_size(names) < channel->approvals)
            return signer_refuse(error, SIGNER_ERROR_POLICY,
                    "%s: [Channel %s]: Approvals=%" G_GUINT64_FORMAT " needs as many people in AllowedSigner=, not %u",
                    policy->path, channel->name, channel->approvals, g_hash_table_size(names));
    }
    return TRUE;
}

/* What no line alone can be wrong about. */
static gboolean check_whole(const SignerPolicy *policy, GError **error) {
    for (guint i = 0; i < SIGNER_N_PURPOSES; i++) {
        const SignerKey *key = &policy->keys[i];
        if (key->same_as >= 0 && (key->key || policy->keys[key->same_as].same_as >= 0))
            return signer_refuse(error, SIGNER_ERROR_POLICY,
                    "%s: [Key %s]: SameAs= stands alone, and names a purpose with a key of its own", policy->path,
                    purposes[i]);
        if (key->same_as < 0 && !key->key != !key->certificate)
            return signer_refuse(error, SIGNER_ERROR_POLICY, "%s: [Key %s]: Key= and Certificate= belong together",
                    policy->path, purposes[i]);
    }
    for (guint i = 0; i < policy->targets->len; i++) {
        const SignerTarget *target = policy->targets->pdata[i];
        if (!target->image_id)
            return signer_refuse(
                    error, SIGNER_ERROR_POLICY, "%s: [Target %s]: ImageID= is missing", policy->path, target->name);
    }
    return check_channels(policy, error);
}

SignerPolicy *signer_policy_parse(const char *path, const char *text, gsize size, GError **error) {
    g_autoptr(SignerPolicy) policy = policy_new(path);
    guint8 digest[SHA256_SIZE];

    sha256_buffer(text, size, digest);
    policy->digest = hex_encode(digest, sizeof digest);
    if (size > POLICY_SIZE_MAX) {
        signer_refuse(error, SIGNER_ERROR_POLICY, "%s: it is too large for a policy", path);
        return NULL;
    }
    return ini_read(path, text, size, visit, policy, error) && check_whole(policy, error) ? g_steal_pointer(&policy)
                                                                                          : NULL;
}

char *signer_policy_path(const char *directory, const char *project) {
    return g_strdup_printf("%s/%s.conf", directory, project);
}

SignerPolicy *signer_policy_load(const char *directory, const char *project, GError **error) {
    g_autofree char *path = signer_policy_path(directory, project);
    g_autofree char *text = NULL;
    g_autoptr(GError) problem = NULL;
    gsize size;

    if (g_file_get_contents(path, &text, &size, &problem))
        return signer_policy_parse(path, text, size, error);
    if (g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        signer_refuse(error, SIGNER_ERROR_UNKNOWN, "The signer has no keys of %s", project);
    else
        signer_refuse_because(error, g_steal_pointer(&problem), SIGNER_ERROR_POLICY, "The policy of %s", project);
    return NULL;
}

const SignerTarget *signer_policy_find_target(const SignerPolicy *policy, const char *name) {
    return find_target(policy, name);
}

const SignerChannel *signer_policy_find_channel(const SignerPolicy *policy, const char *name) {
    return find_channel(policy, name);
}

gboolean signer_target_is_initrd(const SignerTarget *target, const char *id) {
    return g_strv_contains((const char *const *) target->initrd, "*") ||
           (*id && g_strv_contains((const char *const *) target->initrd, id));
}

const SignerKey *signer_policy_get_key(const SignerPolicy *policy, SignerPurpose purpose, GError **error) {
    const SignerKey *key = &policy->keys[purpose];

    if (key->same_as >= 0)
        key = &policy->keys[key->same_as];
    if (key->key)
        return key;
    signer_refuse(error, SIGNER_ERROR_POLICY, "%s has no [Key %s]", policy->path, purposes[purpose]);
    return NULL;
}
