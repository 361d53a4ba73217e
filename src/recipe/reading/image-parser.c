/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/reading/image-parser.h"

#include <string.h>

#include "recipe/reading/includes.h"

ImageParser *image_parser_new(const ParserRun *run, const char *image) {
    ImageParser *parser = g_new0(ImageParser, 1);
    parser->run = run;
    parser->image = g_strdup(image);
    parser->directory = run->directory ? g_strdup(run->directory) : g_get_current_dir();
    parser->files_read = g_ptr_array_new_with_free_func(g_free);
    parser->includes = includes_new();
    return parser;
}

static void namespace_clear(Namespace *namespace) {
    for (int i = 0; i < _SETTING_MAX; i++)
        slot_clear(&namespace->slots[i]);
}

void image_parser_free(ImageParser *parser) {
    if (!parser)
        return;
    namespace_clear(&parser->cli);
    namespace_clear(&parser->files);
    namespace_clear(&parser->inherited);
    for (int i = 0; i < _SETTING_MAX; i++)
        value_unref(parser->defaults[i]);
    g_ptr_array_unref(parser->files_read);
    includes_free(parser->includes);
    g_free(parser->image);
    g_free(parser->directory);
    g_free(parser);
}

void namespace_set(Namespace *namespace, SettingId id, Value *value, const char *origin) {
    Slot *slot = &namespace->slots[id];
    Value *old = slot->value;
    slot->value = value_ref(value);
    slot->given = TRUE;
    slot->unsorted = FALSE;
    slot->origin = origin;
    value_unref(old);
}

/* OVER on top of BELOW (both borrowed): appended for collections, else instead of it. */
static Value *merge(Value *below, Value *over) {
    if (!below || !value_is_collection(over))
        return value_ref(over);
    if (value_kind(over) == VALUE_LIST) {
        Value *list = value_new_list();
        value_append_all(list, below);
        value_append_all(list, over);
        return list;
    }
    Value *map = value_new_map();
    value_set_all(map, below);
    value_set_all(map, over);
    return map;
}

/* What the files say, on top of what they began with. */
static Value *files_value(ImageParser *parser, SettingId id) {
    Slot *begin = &parser->inherited.slots[id], *slot = &parser->files.slots[id];
    if (!slot->given)
        return value_ref(slot_value(begin, &settings[id]));
    if (slot->reset || !begin->value || settings[id].shape == SHAPE_SCALAR)
        return value_ref(slot_value(slot, &settings[id]));
    Value *merged = merge(begin->value, slot->value);
    if (settings[id].flags & SETTING_SORTED)
        value_sort_packages(merged);
    return merged;
}

gboolean image_parser_given(const ImageParser *parser, SettingId id) {
    return parser->cli.slots[id].given || parser->files.slots[id].given || parser->inherited.slots[id].given;
}

static Value *default_value(ImageParser *parser, SettingId id) {
    if (!parser->default_known[id]) {
        Value *value = setting_default(parser, id);
        parser->defaults[id] = value;
        parser->default_known[id] = TRUE;
    }
    return value_ref(parser->defaults[id]);
}

Value *image_parser_value(ImageParser *parser, SettingId id) {
    Slot *cli = &parser->cli.slots[id];
    Value *over = slot_value(cli, &settings[id]);
    g_autoptr(Value) files = files_value(parser, id);
    if (over)
        return files && !cli->reset ? merge(files, over) : value_ref(over);
    if (!cli->given && files)
        return g_steal_pointer(&files);
    if (image_parser_given(parser, id)) {
        if (settings[id].shape != SHAPE_SCALAR)
            return settings[id].shape == SHAPE_MAP ? value_new_map() : value_new_list();
        if (settings[id].flags & SETTING_OPTIONAL)
            return NULL;
    }
    return default_value(parser, id);
}

const char *image_parser_text(ImageParser *parser, SettingId id) {
    g_autoptr(Value) value = image_parser_value(parser, id);
    return g_intern_string(value_get_string(value));
}

gboolean image_parser_bool(ImageParser *parser, SettingId id) {
    g_autoptr(Value) value = image_parser_value(parser, id);
    return value_get_bool(value);
}

void image_parser_promote_files(ImageParser *parser) {
    /* Only what the files themselves said: what was inherited stays below them. */
    g_autofree Namespace *inherited = g_memdup2(&parser->inherited, sizeof(Namespace));
    memset(&parser->inherited, 0, sizeof(Namespace));
    for (int id = 0; id < _SETTING_MAX; id++) {
        Slot *slot = &parser->files.slots[id];
        if (!slot->given)
            continue;
        g_autoptr(Value) value = image_parser_value(parser, id);
        namespace_set(&parser->cli, id, value, slot->origin);
        slot_clear(slot);
    }
    parser->inherited = *inherited;
}

void image_parser_trace(ImageParser *parser, RecipeReadKind kind, const char *path, const char *note) {
    if (parser->run->trace)
        recipe_trace_add(parser->run->trace, parser->image, kind, path, note);
}

const char *origin_of(const char *file, guint line) {
    g_autofree char *text = g_strdup_printf("%s:%u", file, line);
    return g_intern_string(text);
}

static const char *origin_in(ImageParser *parser, SettingId id) {
    const Slot *slots[] = {&parser->cli.slots[id], &parser->files.slots[id], &parser->inherited.slots[id]};
    for (gsize i = 0; i < G_N_ELEMENTS(slots); i++)
        if (slots[i]->given && slots[i]->origin)
            return slots[i]->origin;
    return NULL;
}

ImageValues *image_parser_get_values(ImageParser *parser) {
    ImageValues *values = g_new0(ImageValues, 1);
    values->image = g_strdup(parser->image);
    values->directory = g_strdup(parser->run->config_directory ? parser->run->config_directory : parser->directory);
    for (int id = 0; id < _SETTING_MAX; id++) {
        if (settings[id].stored_in)
            continue;
        values->values[id] = image_parser_value(parser, id);
        values->origins[id] = origin_in(parser, id);
    }
    g_ptr_array_add(parser->files_read, NULL);
    values->files = g_strdupv((char **) parser->files_read->pdata);
    g_ptr_array_remove_index(parser->files_read, parser->files_read->len - 1);
    return values;
}
