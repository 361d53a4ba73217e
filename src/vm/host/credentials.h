/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a container or a virtual machine is told by credentials (systemd.system-credentials(7)). */

#include <glib.h>

#include "recipe/result/image-config.h"

typedef struct {
    char *name;
    GBytes *value;
} VmCredential;

/* An empty array of VmCredential. */
GPtrArray *vm_credentials_new(void);

/* Adds NAME, or replaces its value. The error says that NAME cannot be the name of a credential. */
gboolean vm_credentials_set(
        GPtrArray *credentials, const char *name, const void *value, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;

const VmCredential *vm_credentials_find(const GPtrArray *credentials, const char *name);

/* The recipe's credentials (files are read), and what the guest is told unless they say something else: the
 * locale C.UTF-8, the time zone of this host, and, with SshCertificate=, who may log in as root. Fails when
 * Ssh= asks for a server that nobody could log in to. */
GPtrArray *vm_credentials_collect(const ImageConfig *config, GError **error);

/* Writes each into a file of its name in DIRECTORY, readable by its owner only. */
gboolean vm_credentials_write(const GPtrArray *credentials, const char *directory, GError **error) G_GNUC_WARN_UNUSED_RESULT;
