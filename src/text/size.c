/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text/size.h"

char *text_format_size(guint64 bytes) {
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000)
        return g_strdup_printf("%u B", (unsigned) bytes);
    double value = bytes / 1000.0;
    unsigned unit = 0;
    /* 999.95 would be printed as 1000.0. */
    while (value >= 999.95 && unit + 1 < G_N_ELEMENTS(units)) {
        value /= 1000;
        unit++;
    }
    return g_strdup_printf("%.1f %s", value, units[unit]);
}
