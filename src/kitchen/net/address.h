/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which addresses the build service connects to when somebody else names them. An address of a repository, a redirect or a
 * name in the DNS must not lead to the service's own network. */

#include <gio/gio.h>

/* Networks that are allowed although they are not public. */
typedef struct AddressPolicy AddressPolicy;

/* NETWORKS: "10.1.0.0/16", "fd00::/8", "127.0.0.1"; NULL-terminated, or NULL for none. */
AddressPolicy *address_policy_new(const char *const *networks, GError **error);
void address_policy_free(AddressPolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AddressPolicy, address_policy_free)

/* Whether POLICY lets connections to ADDRESS pass: a public unicast address, or one of a network that is allowed. Addresses of
 * IPv6 that contain one of IPv4 (mapped, NAT64, 6to4) are judged as that one. */
gboolean address_policy_allows(const AddressPolicy *policy, GInetAddress *address) G_GNUC_WARN_UNUSED_RESULT;
