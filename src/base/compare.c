/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/compare.h"

#include <string.h>

int compare_strings(gconstpointer a, gconstpointer b) {
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

int compare_tree_keys(gconstpointer a, gconstpointer b, gpointer data) {
    return strcmp(a, b);
}
