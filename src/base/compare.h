/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The order of names: by byte, whatever the locale says. */

#include <glib.h>

/* Compares the strings that the elements A and B of an array point to: for g_ptr_array_sort() and qsort(). */
int compare_strings(gconstpointer a, gconstpointer b);

/* Compares the strings A and B themselves: for g_tree_new_full(). */
int compare_tree_keys(gconstpointer a, gconstpointer b, gpointer data);
