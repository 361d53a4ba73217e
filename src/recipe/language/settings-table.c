/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/language/enum-words.h"
#include "recipe/language/settings.h"

/* The value of a member that is a list of words. */
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

#define ROW(id, title, flag, of_shape, of_type, text, ...)                                                             \
    [SETTING_##id] = {.name = title,                                                                                   \
            .section = SECTION,                                                                                        \
            .option = flag,                                                                                            \
            .shape = SHAPE_##of_shape,                                                                                 \
            .type = TYPE_##of_type,                                                                                    \
            .help = text,                                                                                              \
            ##__VA_ARGS__},

const Setting settings[_SETTING_MAX] = {
#define SCALAR(id, field, title, flag, of_type, ...) ROW(id, title, flag, SCALAR, of_type, __VA_ARGS__)
#define LIST(id, field, title, flag, of_type, ...) ROW(id, title, flag, LIST, of_type, __VA_ARGS__)
#define MAP(id, field, title, flag, of_type, ...) ROW(id, title, flag, MAP, of_type, __VA_ARGS__)
#define WORD(id, field, title, flag, c_type, list, ...) ROW(id, title, flag, SCALAR, ENUM, __VA_ARGS__, .words = list)
#define FLAGS(id, field, title, flag, of_type, c_type, list, ...)                                                      \
    ROW(id, title, flag, LIST, of_type, __VA_ARGS__, .words = list)
#define ALIAS(id, title, flag, of_type, ...) ROW(id, title, flag, LIST, of_type, __VA_ARGS__)
#include "recipe/language/settings/all.def"
};
