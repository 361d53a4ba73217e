/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdint.h>
#include <string.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "kitchen/backup/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With the end that belongs to it, which nobody would find. */
static char *finish(const uint8_t *data, size_t size) {
    guint8 digest[SHA256_SIZE];
    g_autofree char *body = g_strndup((const char *) data, size);
    g_autofree char *hex = NULL;

    sha256_buffer(body, strlen(body), digest);
    hex = hex_encode(digest, sizeof digest);
    return g_strdup_printf("%send %s\n", body, hex);
}

/* What is read is written as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    g_autofree char *whole = finish(data, size);
    g_autoptr(GPtrArray) raw = backup_inventory_parse((const char *) data, size, NULL);
    g_autoptr(GPtrArray) entries = backup_inventory_parse(whole, strlen(whole), NULL);
    g_autofree char *text = entries ? backup_inventory_write(entries) : NULL;
    g_autoptr(GPtrArray) again = text ? backup_inventory_parse(text, strlen(text), NULL) : NULL;

    g_assert(!raw || raw->len > 0 || size > 0);
    g_assert(!entries || (again && again->len == entries->len));
    return 0;
}
