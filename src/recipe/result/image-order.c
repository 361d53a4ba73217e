/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/result/image-order.h"

#include <string.h>

#include "recipe/language/error.h"

typedef struct {
    ImageValues *image;
    guint waiting;         /* dependencies that are not built yet */
    GPtrArray *dependents; /* Node */
} Node;

static void node_free(gpointer data) {
    Node *node = data;
    g_ptr_array_unref(node->dependents);
    g_free(node);
}

static ImageValues *find_image(GPtrArray *images, const char *name) {
    for (guint i = 0; i < images->len; i++)
        if (strcmp(((ImageValues *) images->pdata[i])->image, name) == 0)
            return images->pdata[i];
    return NULL;
}

/* Appends the images that IMAGE names, directly or not, to FOUND. */
static gboolean collect(GPtrArray *images, const ImageValues *image, GPtrArray *found, GError **error) {
    const Value *names = image->values[SETTING_DEPENDENCIES];
    for (guint i = 0; i < value_length(names); i++) {
        const char *name = value_get_string(value_element(names, i));
        ImageValues *dependency = find_image(images, name);
        if (!dependency) {
            const char *origin = image->origins[SETTING_DEPENDENCIES];
            g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_MISSING,
                    "%s%sDependencies=: The image %s needs \"%s\", but there is no such image, or its conditions do "
                    "not hold",
                    origin ?: "", origin ? ": " : "", image->image, name);
            return FALSE;
        }
        if (g_ptr_array_find(found, dependency, NULL))
            continue;
        g_ptr_array_add(found, dependency);
        if (!collect(images, dependency, found, error))
            return FALSE;
    }
    return TRUE;
}

static Node *node_of(GPtrArray *nodes, GPtrArray *images, const char *name) {
    for (guint i = 0; i < nodes->len; i++) {
        Node *node = nodes->pdata[i];
        if (strcmp(node->image->image, name) == 0)
            return node;
    }
    Node *node = g_new0(Node, 1);
    node->image = find_image(images, name);
    node->dependents = g_ptr_array_new();
    g_ptr_array_add(nodes, node);
    return node;
}

/* Nodes in the order in which walking the images meets them. */
static GPtrArray *make_nodes(GPtrArray *images) {
    GPtrArray *nodes = g_ptr_array_new_with_free_func(node_free);
    for (guint i = 0; i < images->len; i++) {
        ImageValues *image = images->pdata[i];
        Node *node = node_of(nodes, images, image->image);
        const Value *names = image->values[SETTING_DEPENDENCIES];
        for (guint d = 0; d < value_length(names); d++) {
            Node *dependency = node_of(nodes, images, value_get_string(value_element(names, d)));
            node->waiting++;
            g_ptr_array_add(dependency->dependents, node);
        }
    }
    return nodes;
}

static void circle_error(GPtrArray *nodes, GError **error) {
    g_autoptr(GString) names = g_string_new(NULL);
    const char *origin = NULL;
    for (guint i = 0; i < nodes->len; i++) {
        Node *node = nodes->pdata[i];
        if (node->waiting == 0)
            continue;
        origin = origin ?: node->image->origins[SETTING_DEPENDENCIES];
        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", node->image->image);
    }
    g_set_error(error, RECIPE_ERROR, RECIPE_ERROR_SYNTAX,
            "%s%sDependencies=: These images depend on each other in a circle, or on such a circle: %s", origin ?: "",
            origin ? ": " : "", names->str);
}

GPtrArray *images_order(GPtrArray *images, const ImageValues *main, GError **error) {
    g_autoptr(GPtrArray) needed = g_ptr_array_new();
    if (!collect(images, main, needed, error))
        return NULL;
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    for (guint i = 0; i < images->len; i++)
        if (g_ptr_array_find(needed, images->pdata[i], NULL))
            g_ptr_array_add(kept, images->pdata[i]);

    g_autoptr(GPtrArray) nodes = make_nodes(kept);
    g_autoptr(GPtrArray) queue = g_ptr_array_new();
    for (guint i = 0; i < nodes->len; i++)
        if (((Node *) nodes->pdata[i])->waiting == 0)
            g_ptr_array_add(queue, nodes->pdata[i]);
    for (guint i = 0; i < queue->len; i++) {
        Node *node = queue->pdata[i];
        for (guint d = 0; d < node->dependents->len; d++) {
            Node *dependent = node->dependents->pdata[d];
            if (--dependent->waiting == 0)
                g_ptr_array_add(queue, dependent);
        }
    }
    if (queue->len < nodes->len) {
        circle_error(nodes, error);
        return NULL;
    }

    GPtrArray *ordered = g_ptr_array_new_with_free_func((GDestroyNotify) image_values_free);
    for (guint i = 0; i < queue->len; i++) {
        ImageValues *image = ((Node *) queue->pdata[i])->image;
        guint at;
        if (g_ptr_array_find(images, image, &at))
            g_ptr_array_steal_index(images, at);
        g_ptr_array_add(ordered, image);
    }
    return ordered;
}
