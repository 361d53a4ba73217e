/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values of settings while a recipe is read: booleans, numbers, strings, lists and maps, as JSON knows them.
 * A NULL pointer is the value null. Words of enumerations are strings. Values are reference counted; only a
 * value with a single reference may be changed. */

#include <glib.h>

typedef enum {
    VALUE_BOOL,
    VALUE_INT,
    VALUE_STRING,
    VALUE_LIST,
    VALUE_MAP, /* keeps the order in which keys were first set */
} ValueKind;

typedef struct Value Value;

Value *value_new_bool(gboolean value);
Value *value_new_int(gint64 value);
Value *value_new_string(const char *value); /* NULL gives NULL */
Value *value_new_string_take(char *value);
Value *value_new_list(void);
Value *value_new_map(void);

Value *value_ref(Value *value); /* NULL is allowed, here and below */
void value_unref(Value *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Value, value_unref)

/* A value that the caller may change: VALUE itself if it has one reference, else a copy of its first level.
 * Takes over the reference. */
Value *value_make_writable(Value *value);

ValueKind value_kind(const Value *value); /* not for NULL */
gboolean value_is_collection(const Value *value);
gboolean value_get_bool(const Value *value);
gint64 value_get_int(const Value *value);
const char *value_get_string(const Value *value); /* NULL for null */
gboolean value_is_string(const Value *value, const char *text);

/* Number of elements of a list or map; 0 for null. */
guint value_length(const Value *value);
Value *value_element(const Value *value, guint i);      /* of a list or map; borrowed */
const char *value_key(const Value *value, guint i);     /* of a map */
Value *value_lookup(const Value *map, const char *key); /* borrowed, NULL if there is none */
gboolean value_has_key(const Value *map, const char *key);
gboolean value_list_contains(const Value *list, const char *text);

void value_append(Value *list, Value *element);         /* takes ELEMENT */
void value_append_all(Value *list, const Value *other); /* shares the elements */
void value_clear(Value *collection);
void value_set(Value *map, const char *key, Value *element); /* takes ELEMENT */
/* The same for a KEY that is known not to be in MAP: for maps with many. */
void value_add(Value *map, const char *key, Value *element);
void value_set_all(Value *map, const Value *other);

/* Sorts a list of strings by code points: ordinary ones, those with a leading '/', those with '('. */
void value_sort_packages(Value *list);

gboolean value_equal(const Value *a, const Value *b);

/* Appends VALUE as JSON, keys sorted, with lines indented by INDENT levels of four spaces (-1: one line,
 * no blanks). */
void value_to_json(const Value *value, GString *out, int indent);

/* Reads JSON; NULL with ERROR set when TEXT is not JSON. TEXT "null" gives NULL without an error. */
Value *value_from_json(const char *text, gssize length, GError **error);
