/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers in bytes: checksums and byte orders. */

#include "base/crc32c.h"
#include "base/little-endian.h"

#include <string.h>

/* RFC 3720, B.4 */
static void test_crc32c(void) {
    guint8 zeros[32] = {0}, ones[32], up[32];

    memset(ones, 0xff, sizeof ones);
    for (guint i = 0; i < sizeof up; i++)
        up[i] = (guint8) i;
    g_assert_cmphex(~crc32c_update(~0u, zeros, sizeof zeros), ==, 0x8a9136aa);
    g_assert_cmphex(~crc32c_update(~0u, ones, sizeof ones), ==, 0x62a8ab43);
    g_assert_cmphex(~crc32c_update(~0u, up, sizeof up), ==, 0x46dd794e);
    guint32 first = crc32c_update(~0u, up, 7);
    g_assert_cmphex(~crc32c_update(first, up + 7, sizeof up - 7), ==, 0x46dd794e);
}

static void test_little_endian(void) {
    guint8 bytes[9] = {0xff, 0x01, 0x82, 0x03, 0xf4, 0x05, 0x06, 0x07, 0x88};

    g_assert_cmphex(read_le16(bytes + 1), ==, 0x8201);
    g_assert_cmphex(read_le32(bytes + 1), ==, 0xf4038201);
    g_assert_cmphex(read_le64(bytes + 1), ==, G_GUINT64_CONSTANT(0x88070605f4038201));
    write_le16(bytes + 1, 0xbeef);
    write_le32(bytes + 3, 0xfeedface);
    g_assert_cmphex(read_le16(bytes + 1), ==, 0xbeef);
    g_assert_cmphex(read_le32(bytes + 3), ==, 0xfeedface);
    g_assert_cmphex(bytes[7], ==, 0x07);
    g_assert_cmphex(bytes[0], ==, 0xff);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bytes/crc32c", test_crc32c);
    g_test_add_func("/bytes/little-endian", test_little_endian);
    return g_test_run();
}
