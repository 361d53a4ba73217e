/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* kitchen.conf: sections, and "Key=value" in them. */

#include <glib.h>

#define KITCHEN_CONFIG_ERROR kitchen_config_error_quark()
GQuark kitchen_config_error_quark(void);

/* Texts are never NULL but where it says so. */
typedef struct {
    char *listen;          /* [Web] Listen=: "127.0.0.1:8090" */
    char *base_url;        /* [Web] BaseURL=: NULL: the address that it listens at */
    char **hosts;          /* [Web] Host=: further names, with spaces between */
    gboolean development;  /* [Web] Development= */
    char *database;        /* [Database] Path=: NULL: below the store */
    char *store;           /* [Store] Directory=: objects, logs, published sets */
    char *key;             /* [Store] CredentialKey=: NULL: below the store, in development only */
    guint slots;           /* [Executor] Slots= */
    char *executor;        /* [Executor] Kind=: "local"; "socket"; "none": pages alone, nothing is built */
    char *workers;         /* [Executor] Workers=: socket of Kind=socket */
    char *builder;         /* [Executor] Builder=: the program particleos; NULL: that of this installation */
    char *package_cache;   /* [Executor] PackageCache=: NULL: below the store */
    char *publish_url;     /* [Publish] BaseURL=: NULL: below the base URL */
    char *publish;         /* [Publish] Directory=: NULL: below the store */
    char *signer;          /* [Publish] Signer=: socket of the signer */
    char **local_roots;    /* [Git] LocalRoots=: directories whose repositories may be built */
    char **git_networks;   /* [Git] Networks=: of hosts of repositories, although they are not public */
    char *git_authorities; /* [Git] CertificateAuthorities=: a file; NULL: the system's */
} KitchenConfig;

/* Reads the file PATH. Errors name file, line and key. */
KitchenConfig *kitchen_config_read(const char *path, GError **error);
void kitchen_config_free(KitchenConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KitchenConfig, kitchen_config_free)

/* The same for the text of a file. */
KitchenConfig *kitchen_config_parse(const char *name, const char *text, GError **error);
