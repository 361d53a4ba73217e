/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Defaults that depend on the host or on other settings; each is computed once per image. */
#include "recipe/reading/image-parser.h"

#include <string.h>
#include <unistd.h>

#include "recipe/language/distributions.h"

static Distribution current_distribution(ImageParser *parser, SettingId id) {
    Distribution distribution = DISTRIBUTION_CUSTOM;
    distribution_from_string(image_parser_text(parser, id), &distribution);
    return distribution;
}

static Value *default_distribution(gboolean tools) {
    Distribution host;
    g_autofree char *release = NULL;
    if (!distribution_detect_host(&host, &release))
        host = DISTRIBUTION_CUSTOM;
    return value_new_string(distribution_to_string(tools ? distribution_for_tools(host) : host));
}

static Value *default_release(ImageParser *parser) {
    Distribution distribution = current_distribution(parser, SETTING_DISTRIBUTION), host;
    g_autofree char *release = NULL;
    if (distribution_detect_host(&host, &release) && host == distribution)
        return value_new_string(release);
    return value_new_string(distribution_default_release(distribution));
}

static gboolean builds_tools_tree(ImageParser *parser) {
    const char *tree = image_parser_text(parser, SETTING_TOOLS_TREE);
    return g_strcmp0(tree, "default") == 0 || g_strcmp0(tree, "yes") == 0;
}

static Value *default_repository_key_fetch(ImageParser *parser) {
    gboolean foreign = distribution_has_foreign_keys(current_distribution(parser, SETTING_DISTRIBUTION));
    if (builds_tools_tree(parser))
        return value_new_bool(
                foreign && current_distribution(parser, SETTING_TOOLS_TREE_DISTRIBUTION) == DISTRIBUTION_UBUNTU);

    Distribution tools;
    g_autofree char *release = NULL, *id = NULL;
    const char *tree = image_parser_text(parser, SETTING_TOOLS_TREE);
    gboolean known = distribution_detect(tree ?: "/", &tools, &release, &id);
    if (g_strcmp0(id, "nixos") == 0)
        return value_new_bool(TRUE);
    return value_new_bool(known && tools == DISTRIBUTION_UBUNTU && foreign);
}

static Value *default_output(ImageParser *parser) {
    gboolean main = strcmp(parser->image, "main") == 0;
    const char *id = main ? image_parser_text(parser, SETTING_IMAGE_ID) : NULL;
    const char *version = image_parser_text(parser, SETTING_IMAGE_VERSION);
    const char *name = main ? (id ?: "image") : parser->image;
    return value_new_string_take(version ? g_strconcat(name, "_", version, NULL) : g_strdup(name));
}

static OutputFormat current_format(ImageParser *parser) {
    OutputFormat format = OUTPUT_FORMAT_DISK;
    output_format_from_string(image_parser_text(parser, SETTING_FORMAT), &format);
    return format;
}

static Value *default_output_extension(ImageParser *parser) {
    static const char *const extensions[_OUTPUT_FORMAT_MAX] = {
            [OUTPUT_FORMAT_DISK] = "raw",
            [OUTPUT_FORMAT_ESP] = "raw",
            [OUTPUT_FORMAT_SYSEXT] = "raw",
            [OUTPUT_FORMAT_CONFEXT] = "raw",
            [OUTPUT_FORMAT_PORTABLE] = "raw",
            [OUTPUT_FORMAT_TAR] = "tar",
            [OUTPUT_FORMAT_CPIO] = "cpio",
            [OUTPUT_FORMAT_UKI] = "efi",
            [OUTPUT_FORMAT_ADDON] = "efi",
    };
    return value_new_string(extensions[current_format(parser)] ?: "");
}

static Value *default_compress_output(ImageParser *parser) {
    switch (current_format(parser)) {
    case OUTPUT_FORMAT_TAR:
    case OUTPUT_FORMAT_CPIO:
    case OUTPUT_FORMAT_UKI:
    case OUTPUT_FORMAT_ESP:
    case OUTPUT_FORMAT_ADDON:
        return value_new_string("zstd");
    case OUTPUT_FORMAT_OCI:
        return value_new_string("gz");
    default:
        return value_new_string("none");
    }
}

static gboolean has_kernel(ImageParser *parser) {
    Distribution distribution = current_distribution(parser, SETTING_DISTRIBUTION);
    static const SettingId lists[] = {SETTING_PACKAGES, SETTING_VOLATILE_PACKAGES};
    for (gsize l = 0; l < G_N_ELEMENTS(lists); l++) {
        g_autoptr(Value) packages = image_parser_value(parser, lists[l]);
        for (guint i = 0; i < value_length(packages); i++)
            if (distribution_is_kernel_package(distribution, value_get_string(value_element(packages, i))))
                return TRUE;
    }
    return FALSE;
}

static gboolean wants_default_initrd(ImageParser *parser) {
    OutputFormat format = current_format(parser);
    const char *bootable = image_parser_text(parser, SETTING_BOOTABLE);
    if (format == OUTPUT_FORMAT_UKI || format == OUTPUT_FORMAT_ESP || strcmp(bootable, "disabled") == 0)
        return FALSE;
    if (strcmp(bootable, "enabled") == 0)
        return TRUE;
    switch (format) {
    case OUTPUT_FORMAT_CPIO:
    case OUTPUT_FORMAT_DIRECTORY:
    case OUTPUT_FORMAT_SYSEXT:
    case OUTPUT_FORMAT_CONFEXT:
    case OUTPUT_FORMAT_PORTABLE:
    case OUTPUT_FORMAT_ADDON:
        return FALSE;
    default:
        return !image_parser_bool(parser, SETTING_OVERLAY) && has_kernel(parser);
    }
}

static Value *default_initrds(ImageParser *parser) {
    Value *list = value_new_list();
    if (wants_default_initrd(parser))
        value_append(list, value_new_string("default"));
    return list;
}

/* The first of NAMES that Environment= has, else that the process environment has; NULL if none. */
static char *from_environment(ImageParser *parser, const char *const *names) {
    g_autoptr(Value) environment = image_parser_value(parser, SETTING_ENVIRONMENT);
    for (const char *const *name = names; *name; name++)
        if (value_has_key(environment, *name))
            return g_strdup(value_get_string(value_lookup(environment, *name)));
    for (const char *const *name = names; *name; name++)
        if (g_getenv(*name))
            return g_strdup(g_getenv(*name));
    return NULL;
}

static Value *default_source_date_epoch(ImageParser *parser) {
    static const char *const names[] = {"SOURCE_DATE_EPOCH", NULL};
    g_autofree char *text = from_environment(parser, names);
    ParseContext context = {"/", FALSE};
    return text && *text ? value_parse(&settings[SETTING_SOURCE_DATE_EPOCH], text, &context, NULL) : NULL;
}

static Value *default_proxy_url(ImageParser *parser) {
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", NULL};
    return value_new_string_take(from_environment(parser, names));
}

static Value *default_proxy_exclude(ImageParser *parser) {
    static const char *const names[] = {"no_proxy", "NO_PROXY", NULL};
    g_autofree char *text = from_environment(parser, names);
    if (!text)
        return NULL;
    Value *list = value_new_list();
    g_auto(GStrv) hosts = g_strsplit(text, ",", -1);
    for (char **host = hosts; *host; host++)
        value_append(list, value_new_string(*host));
    return list;
}

static Value *default_proxy_peer_certificate(void) {
    static const char *const bundles[] = {"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"};
    for (gsize i = 0; i < G_N_ELEMENTS(bundles); i++)
        if (access(bundles[i], F_OK) == 0)
            return value_new_string(bundles[i]);
    return NULL;
}

static Value *default_build_sources(ImageParser *parser) {
    Value *list = value_new_list();
    if (parser->run->directory) {
        Value *tree = value_new_map();
        value_set(tree, "Source", value_new_string(parser->run->directory));
        value_set(tree, "Target", NULL);
        value_append(list, tree);
    }
    return list;
}

/* The value of OTHER, if both trees are of the same distribution. */
static Value *same_for_tools(ImageParser *parser, SettingId other) {
    if (current_distribution(parser, SETTING_DISTRIBUTION) !=
            current_distribution(parser, SETTING_TOOLS_TREE_DISTRIBUTION))
        return NULL;
    return image_parser_value(parser, other);
}

static Value *computed_default(ImageParser *parser, SettingId id) {
    switch (id) {
    case SETTING_DISTRIBUTION:
        return default_distribution(FALSE);
    case SETTING_TOOLS_TREE_DISTRIBUTION:
        return default_distribution(TRUE);
    case SETTING_RELEASE:
        return default_release(parser);
    case SETTING_TOOLS_TREE_RELEASE:
        return value_new_string(
                distribution_default_release(current_distribution(parser, SETTING_TOOLS_TREE_DISTRIBUTION)));
    case SETTING_ARCHITECTURE:
        return value_new_string(architecture_to_string(architecture_native()));
    case SETTING_REPOSITORY_KEY_FETCH:
        return default_repository_key_fetch(parser);
    case SETTING_OUTPUT:
        return default_output(parser);
    case SETTING_OUTPUT_EXTENSION:
        return default_output_extension(parser);
    case SETTING_COMPRESS_OUTPUT:
        return default_compress_output(parser);
    case SETTING_SEED:
        return value_new_string(parser->run->seed);
    case SETTING_SOURCE_DATE_EPOCH:
        return default_source_date_epoch(parser);
    case SETTING_INITRDS:
        return default_initrds(parser);
    case SETTING_CHECKSUM:
        return image_parser_value(parser, SETTING_SIGN);
    case SETTING_TOOLS_TREE_MIRROR:
        return same_for_tools(parser, SETTING_MIRROR);
    case SETTING_TOOLS_TREE_SNAPSHOT:
        return same_for_tools(parser, SETTING_SNAPSHOT);
    case SETTING_BUILD_SOURCES:
        return default_build_sources(parser);
    case SETTING_PROXY_URL:
        return default_proxy_url(parser);
    case SETTING_PROXY_EXCLUDE:
        return default_proxy_exclude(parser);
    case SETTING_PROXY_PEER_CERTIFICATE:
        return default_proxy_peer_certificate();
    case SETTING_PROXY_CLIENT_KEY:
        return image_parser_value(parser, SETTING_PROXY_CLIENT_CERTIFICATE);
    case SETTING_MACHINE:
        return parser->run->directory ? value_new_string_take(g_path_get_basename(parser->run->directory)) : NULL;
    case SETTING_DELEGATE_RANGES:
        return value_new_int(geteuid() == 0 ? 0 : 3);
    default:
        g_return_val_if_reached(NULL);
    }
}

Value *setting_default(ImageParser *parser, SettingId id) {
    return settings[id].flags & SETTING_COMPUTED ? computed_default(parser, id) : setting_fixed_default(&settings[id]);
}
