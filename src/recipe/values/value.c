/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/values/value.h"

#include <json-glib/json-glib.h>
#include <string.h>

typedef struct {
    char *key;
    Value *value;
} MapEntry;

struct Value {
    int references;
    ValueKind kind;
    union {
        gboolean boolean;
        gint64 number;
        char *string;
        GPtrArray *list; /* of Value */
        GArray *map;     /* of MapEntry */
    };
};

static void map_entry_clear(gpointer data) {
    MapEntry *entry = data;
    g_free(entry->key);
    value_unref(entry->value);
}

static void list_element_free(gpointer data) {
    value_unref(data);
}

static Value *value_new(ValueKind kind) {
    Value *value = g_new0(Value, 1);
    value->references = 1;
    value->kind = kind;
    return value;
}

Value *value_new_bool(gboolean boolean) {
    Value *value = value_new(VALUE_BOOL);
    value->boolean = !!boolean;
    return value;
}

Value *value_new_int(gint64 number) {
    Value *value = value_new(VALUE_INT);
    value->number = number;
    return value;
}

Value *value_new_string_take(char *string) {
    if (!string)
        return NULL;
    Value *value = value_new(VALUE_STRING);
    value->string = string;
    return value;
}

Value *value_new_string(const char *string) {
    return value_new_string_take(g_strdup(string));
}

Value *value_new_list(void) {
    Value *value = value_new(VALUE_LIST);
    value->list = g_ptr_array_new_with_free_func(list_element_free);
    return value;
}

Value *value_new_map(void) {
    Value *value = value_new(VALUE_MAP);
    value->map = g_array_new(FALSE, FALSE, sizeof(MapEntry));
    g_array_set_clear_func(value->map, map_entry_clear);
    return value;
}

Value *value_ref(Value *value) {
    if (value)
        value->references++;
    return value;
}

void value_unref(Value *value) {
    if (!value || --value->references > 0)
        return;
    if (value->kind == VALUE_STRING)
        g_free(value->string);
    else if (value->kind == VALUE_LIST)
        g_ptr_array_unref(value->list);
    else if (value->kind == VALUE_MAP)
        g_array_unref(value->map);
    g_free(value);
}

Value *value_make_writable(Value *value) {
    if (!value || value->references == 1)
        return value;

    Value *copy;
    if (value->kind == VALUE_LIST) {
        copy = value_new_list();
        value_append_all(copy, value);
    } else if (value->kind == VALUE_MAP) {
        copy = value_new_map();
        value_set_all(copy, value);
    } else
        return value;
    value_unref(value);
    return copy;
}

ValueKind value_kind(const Value *value) {
    return value->kind;
}

gboolean value_is_collection(const Value *value) {
    return value && (value->kind == VALUE_LIST || value->kind == VALUE_MAP);
}

gboolean value_get_bool(const Value *value) {
    return value && value->kind == VALUE_BOOL && value->boolean;
}

gint64 value_get_int(const Value *value) {
    return value && value->kind == VALUE_INT ? value->number : 0;
}

const char *value_get_string(const Value *value) {
    return value && value->kind == VALUE_STRING ? value->string : NULL;
}

gboolean value_is_string(const Value *value, const char *text) {
    return g_strcmp0(value_get_string(value), text) == 0;
}

guint value_length(const Value *value) {
    if (!value)
        return 0;
    if (value->kind == VALUE_LIST)
        return value->list->len;
    return value->kind == VALUE_MAP ? value->map->len : 0;
}

static MapEntry *map_entry(const Value *value, guint i) {
    return &g_array_index(value->map, MapEntry, i);
}

Value *value_element(const Value *value, guint i) {
    if (value->kind == VALUE_MAP)
        return map_entry(value, i)->value;
    return g_ptr_array_index(value->list, i);
}

const char *value_key(const Value *value, guint i) {
    return map_entry(value, i)->key;
}

static MapEntry *map_find(const Value *map, const char *key) {
    if (!map || map->kind != VALUE_MAP)
        return NULL;
    for (guint i = 0; i < map->map->len; i++)
        if (strcmp(map_entry(map, i)->key, key) == 0)
            return map_entry(map, i);
    return NULL;
}

Value *value_lookup(const Value *map, const char *key) {
    MapEntry *entry = map_find(map, key);
    return entry ? entry->value : NULL;
}

gboolean value_has_key(const Value *map, const char *key) {
    return !!map_find(map, key);
}

gboolean value_list_contains(const Value *list, const char *text) {
    for (guint i = 0; i < value_length(list); i++)
        if (value_is_string(value_element(list, i), text))
            return TRUE;
    return FALSE;
}

void value_append(Value *list, Value *element) {
    g_ptr_array_add(list->list, element);
}

void value_append_all(Value *list, const Value *other) {
    for (guint i = 0; i < value_length(other); i++)
        value_append(list, value_ref(value_element(other, i)));
}

void value_clear(Value *collection) {
    if (collection->kind == VALUE_LIST)
        g_ptr_array_set_size(collection->list, 0);
    else if (collection->kind == VALUE_MAP)
        g_array_set_size(collection->map, 0);
}

void value_set(Value *map, const char *key, Value *element) {
    MapEntry *entry = map_find(map, key);
    if (entry) {
        value_unref(entry->value);
        entry->value = element;
        return;
    }
    value_add(map, key, element);
}

void value_add(Value *map, const char *key, Value *element) {
    MapEntry added = {g_strdup(key), element};
    g_array_append_val(map->map, added);
}

void value_set_all(Value *map, const Value *other) {
    for (guint i = 0; i < value_length(other); i++)
        value_set(map, value_key(other, i), value_ref(value_element(other, i)));
}

static int package_group(const char *name) {
    return name[0] == '(' ? 2 : name[0] == '/' ? 1 : 0;
}

static int compare_packages(gconstpointer a, gconstpointer b) {
    const char *x = value_get_string(*(Value *const *) a), *y = value_get_string(*(Value *const *) b);
    int groups = package_group(x) - package_group(y);
    /* UTF-8 sorts by bytes as by code points. */
    return groups ? groups : strcmp(x, y);
}

void value_sort_packages(Value *list) {
    g_ptr_array_sort(list->list, compare_packages);
}

gboolean value_equal(const Value *a, const Value *b) {
    if (a == b)
        return TRUE;
    if (!a || !b || a->kind != b->kind)
        return FALSE;
    if (a->kind == VALUE_BOOL)
        return a->boolean == b->boolean;
    if (a->kind == VALUE_INT)
        return a->number == b->number;
    if (a->kind == VALUE_STRING)
        return strcmp(a->string, b->string) == 0;
    if (value_length(a) != value_length(b))
        return FALSE;
    for (guint i = 0; i < value_length(a); i++) {
        if (a->kind == VALUE_LIST && !value_equal(value_element(a, i), value_element(b, i)))
            return FALSE;
        if (a->kind == VALUE_MAP) {
            MapEntry *x = map_entry(a, i), *y = map_find(b, x->key);
            if (!y || !value_equal(x->value, y->value))
                return FALSE;
        }
    }
    return TRUE;
}

static void string_to_json(const char *text, GString *out) {
    g_string_append_c(out, '"');
    for (const guchar *p = (const guchar *) text; *p; p++)
        switch (*p) {
        case '"':
            g_string_append(out, "\\\"");
            break;
        case '\\':
            g_string_append(out, "\\\\");
            break;
        case '\n':
            g_string_append(out, "\\n");
            break;
        case '\t':
            g_string_append(out, "\\t");
            break;
        case '\r':
            g_string_append(out, "\\r");
            break;
        default:
            if (*p < 0x20 || *p == 0x7f)
                g_string_append_printf(out, "\\u%04x", *p);
            else
                g_string_append_c(out, *p);
        }
    g_string_append_c(out, '"');
}

static void line_break(GString *out, int indent) {
    if (indent < 0)
        return;
    g_string_append_c(out, '\n');
    for (int i = 0; i < indent * 4; i++)
        g_string_append_c(out, ' ');
}

static int compare_entries(gconstpointer a, gconstpointer b) {
    return strcmp((*(MapEntry *const *) a)->key, (*(MapEntry *const *) b)->key);
}

static void map_to_json(const Value *map, GString *out, int indent) {
    int inside = indent < 0 ? -1 : indent + 1;
    g_autoptr(GPtrArray) sorted = g_ptr_array_sized_new(map->map->len);
    for (guint i = 0; i < map->map->len; i++)
        g_ptr_array_add(sorted, map_entry(map, i));
    g_ptr_array_sort(sorted, compare_entries);

    g_string_append_c(out, '{');
    for (guint i = 0; i < sorted->len; i++) {
        MapEntry *entry = g_ptr_array_index(sorted, i);
        if (i > 0)
            g_string_append_c(out, ',');
        line_break(out, inside);
        string_to_json(entry->key, out);
        g_string_append(out, indent < 0 ? ":" : ": ");
        value_to_json(entry->value, out, inside);
    }
    if (sorted->len > 0)
        line_break(out, indent);
    g_string_append_c(out, '}');
}

static void list_to_json(const Value *list, GString *out, int indent) {
    int inside = indent < 0 ? -1 : indent + 1;
    g_string_append_c(out, '[');
    for (guint i = 0; i < list->list->len; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        line_break(out, inside);
        value_to_json(value_element(list, i), out, inside);
    }
    if (list->list->len > 0)
        line_break(out, indent);
    g_string_append_c(out, ']');
}

void value_to_json(const Value *value, GString *out, int indent) {
    if (!value)
        g_string_append(out, "null");
    else if (value->kind == VALUE_BOOL)
        g_string_append(out, value->boolean ? "true" : "false");
    else if (value->kind == VALUE_INT)
        g_string_append_printf(out, "%" G_GINT64_FORMAT, value->number);
    else if (value->kind == VALUE_STRING)
        string_to_json(value->string, out);
    else if (value->kind == VALUE_LIST)
        list_to_json(value, out, indent);
    else
        map_to_json(value, out, indent);
}

/* The parser lets strings be written with bytes that are no text ("\\222"). */
static const char *text_of(const char *string, gboolean *good) {
    if (g_utf8_validate(string, -1, NULL))
        return string;
    *good = FALSE;
    return "";
}

static Value *from_node(JsonNode *node, gboolean *good) {
    if (!node || JSON_NODE_HOLDS_NULL(node))
        return NULL;
    if (JSON_NODE_HOLDS_ARRAY(node)) {
        Value *list = value_new_list();
        JsonArray *array = json_node_get_array(node);
        for (guint i = 0; i < json_array_get_length(array); i++)
            value_append(list, from_node(json_array_get_element(array, i), good));
        return list;
    }
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        Value *map = value_new_map();
        JsonObjectIter iterator;
        const char *key;
        JsonNode *member;
        json_object_iter_init_ordered(&iterator, json_node_get_object(node));
        while (json_object_iter_next_ordered(&iterator, &key, &member))
            value_set(map, text_of(key, good), from_node(member, good));
        return map;
    }
    if (json_node_get_value_type(node) == G_TYPE_BOOLEAN)
        return value_new_bool(json_node_get_boolean(node));
    if (json_node_get_value_type(node) == G_TYPE_STRING)
        return value_new_string(text_of(json_node_get_string(node), good));
    return value_new_int(json_node_get_int(node));
}

Value *value_from_json(const char *text, gssize length, GError **error) {
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, text, length, error))
        return NULL;
    gboolean good = TRUE;
    g_autoptr(Value) value = from_node(json_parser_get_root(parser), &good);
    if (good)
        return g_steal_pointer(&value);
    g_set_error_literal(error, JSON_PARSER_ERROR, JSON_PARSER_ERROR_INVALID_DATA, "a string in the JSON is not UTF-8");
    return NULL;
}
