/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The final values of one image, from which the plain struct and the JSON are made. Internal to the room. */

#include "recipe/language/settings.h"
#include "recipe/values/value.h"

typedef struct ImageValues {
    char *image;
    char *directory; /* where the recipe is; outputs lie there unless it says something else */
    Value *values[_SETTING_MAX];
    const char *origins[_SETTING_MAX]; /* interned; NULL: never assigned for this image */
    char **files;
} ImageValues;

ImageValues *image_values_copy(const ImageValues *values);
void image_values_free(ImageValues *values);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImageValues, image_values_free)

/* TRUE when the value is what it would be had nobody set it: computed defaults count as such when nobody
 * did. */
gboolean image_values_is_default(const ImageValues *values, SettingId id);

/* Replaces a value; takes VALUE. */
void image_values_set(ImageValues *values, SettingId id, Value *value);

/* Everything that is printed of an image; the caller owns the map. */
Value *image_values_to_map(const ImageValues *values);

/* BuildDirectory with the expanded BuildKey, or NULL; owned by the caller. */
char *image_values_build_subdirectory(const ImageValues *values);

/* TEXT with the delayed specifiers of keys (&d ...) expanded; owned by the caller. */
char *image_values_expand_key(const ImageValues *values, const char *text);
