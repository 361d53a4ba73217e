/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "address.h"

#include <string.h>

struct AddressPolicy {
    GPtrArray *allowed; /* of GInetAddressMask */
};

/* What is not public, by the registries of special-purpose addresses (RFC 6890 and its updates), and multicast. */
static const char *const special[] = {
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
};

/* All public unicast addresses of IPv6 are in here... */
#define IPV6_GLOBAL "2000::/3"
/* ...and these of them are not: Teredo and other protocol assignments, documentation. */
static const char *const ipv6_special[] = {"2001::/23", "2001:db8::/32", "3fff::/20"};

static gboolean is_in(GInetAddress *address, const char *network) {
    g_autoptr(GInetAddressMask) mask = g_inet_address_mask_new_from_string(network, NULL);
    return g_inet_address_mask_matches(mask, address);
}

static gboolean is_in_any(GInetAddress *address, const char *const *networks, gsize n) {
    for (gsize i = 0; i < n; i++)
        if (is_in(address, networks[i]))
            return TRUE;
    return FALSE;
}

AddressPolicy *address_policy_new(const char *const *networks, GError **error) {
    g_autoptr(AddressPolicy) policy = g_new0(AddressPolicy, 1);

    policy->allowed = g_ptr_array_new_with_free_func(g_object_unref);
    for (gsize i = 0; networks && networks[i]; i++) {
        GInetAddressMask *mask = g_inet_address_mask_new_from_string(networks[i], error);
        if (!mask)
            return NULL;
        g_ptr_array_add(policy->allowed, mask);
    }
    return g_steal_pointer(&policy);
}

void address_policy_free(AddressPolicy *policy) {
    if (!policy)
        return;
    g_clear_pointer(&policy->allowed, g_ptr_array_unref);
    g_free(policy);
}

/* The address of IPv4 that ADDRESS stands for, or NULL. */
static GInetAddress *embedded(GInetAddress *address) {
    static const struct {
        const char *network;
        gsize at; /* of the four bytes */
    } forms[] = {{"::ffff:0:0/96", 12}, {"64:ff9b::/96", 12}, {"64:ff9b:1::/48", 12}, {"2002::/16", 2}};
    const guint8 *bytes = g_inet_address_to_bytes(address);

    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++)
        if (is_in(address, forms[i].network))
            return g_inet_address_new_from_bytes(bytes + forms[i].at, G_SOCKET_FAMILY_IPV4);
    return NULL;
}

static gboolean is_public(GInetAddress *address) {
    if (g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV4)
        return !is_in_any(address, special, G_N_ELEMENTS(special));
    return is_in(address, IPV6_GLOBAL) && !is_in_any(address, ipv6_special, G_N_ELEMENTS(ipv6_special));
}

gboolean address_policy_allows(const AddressPolicy *policy, GInetAddress *address) {
    g_autoptr(GInetAddress) inner = NULL;

    if (g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6 && (inner = embedded(address)))
        return address_policy_allows(policy, inner);
    for (guint i = 0; i < policy->allowed->len; i++)
        if (g_inet_address_mask_matches(policy->allowed->pdata[i], address))
            return TRUE;
    return is_public(address);
}
