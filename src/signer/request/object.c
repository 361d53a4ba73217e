/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signer/request/object.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/sha256.h"
#include "signer/text/error.h"
#include "signer/text/text.h"

#define CHUNK (1024 * 1024)

static void object_free(gpointer data) {
    SignerObject *object = data;
    g_free(object->name);
    g_free(object);
}

/* Offset and size of OBJECT in a file of SIZE bytes. */
static gboolean read_range(SignerObject *object, JsonObject *range, guint64 size, GError **error) {
    static const char *const known[] = {"name", "offset", "size", NULL};
    g_autoptr(GList) names = json_object_get_members(range);
    gint64 numbers[2] = {0, -1};

    for (const GList *name = names; name; name = name->next)
        if (!g_strv_contains(known, name->data))
            return signer_refuse(error, SIGNER_ERROR_MALFORMED, "An object has a member that nobody knows");
    for (guint i = 0; i < 2; i++) {
        JsonNode *node = json_object_get_member(range, known[i + 1]);
        if (node && (json_node_get_value_type(node) != G_TYPE_INT64 || json_node_get_int(node) < 0))
            return signer_refuse(
                    error, SIGNER_ERROR_MALFORMED, "The %s of an object is no number of bytes", known[i + 1]);
        if (node)
            numbers[i] = json_node_get_int(node);
    }
    guint64 left = size - MIN(size, (guint64) numbers[0]);
    if ((guint64) numbers[0] > size || (numbers[1] >= 0 && (guint64) numbers[1] > left))
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "The object '%s' is outside of its file", object->name);
    object->offset = (guint64) numbers[0];
    object->size = numbers[1] >= 0 ? (guint64) numbers[1] : left;
    return TRUE;
}

static gboolean check_descriptor(const SignerObject *object, guint64 *ret_size, GError **error) {
    struct stat st;
    int flags = fcntl(object->fd, F_GETFL);

    if (flags < 0 || fstat(object->fd, &st) < 0)
        return set_errno_error(error, errno, "Cannot examine the object '%s'", object->name);
    if (!S_ISREG(st.st_mode))
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "The object '%s' is no regular file", object->name);
    if (flags & O_PATH || (flags & O_ACCMODE) == O_WRONLY)
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "The object '%s' is not open for reading", object->name);
    *ret_size = (guint64) st.st_size;
    return TRUE;
}

static SignerObject *read_object(JsonNode *node, int fd, GError **error) {
    JsonObject *range = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    JsonNode *text = range ? json_object_get_member(range, "name") : node;
    const char *name = text && json_node_get_value_type(text) == G_TYPE_STRING ? json_node_get_string(text) : NULL;
    guint64 size = 0;

    if (!signer_is_name(name)) {
        signer_refuse(error, SIGNER_ERROR_MALFORMED, "An object has no name");
        return NULL;
    }
    SignerObject *object = g_new0(SignerObject, 1);
    object->name = g_strdup(name);
    object->fd = fd;
    if (check_descriptor(object, &size, error)) {
        object->size = size;
        if (!range || read_range(object, range, size, error))
            return object;
    }
    object_free(object);
    return NULL;
}

GPtrArray *signer_objects_new(JsonArray *array, GArray *descriptors, GError **error) {
    g_autoptr(GPtrArray) objects = g_ptr_array_new_with_free_func(object_free);
    guint n = array ? json_array_get_length(array) : 0;

    if (n != descriptors->len) {
        signer_refuse(
                error, SIGNER_ERROR_MALFORMED, "There are %u names of objects and %u descriptors", n, descriptors->len);
        return NULL;
    }
    for (guint i = 0; i < n; i++) {
        SignerObject *object = read_object(json_array_get_element(array, i), g_array_index(descriptors, int, i), error);
        if (!object)
            return NULL;
        g_ptr_array_add(objects, object);
        for (guint k = 0; k < i; k++)
            if (g_str_equal(((SignerObject *) objects->pdata[k])->name, object->name)) {
                signer_refuse(error, SIGNER_ERROR_MALFORMED, "There are two objects '%s'", object->name);
                return NULL;
            }
    }
    return g_steal_pointer(&objects);
}

SignerObject *signer_objects_find(GPtrArray *objects, const char *name, GError **error) {
    for (guint i = 0; i < objects->len; i++)
        if (g_str_equal(((SignerObject *) objects->pdata[i])->name, name))
            return objects->pdata[i];
    signer_refuse(error, SIGNER_ERROR_MALFORMED, "The object '%s' is missing", name);
    return NULL;
}

static gboolean check_size(const SignerObject *object, guint64 largest, GError **error) {
    if (object->size == 0)
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "The object '%s' is empty", object->name);
    if (object->size > largest)
        return signer_refuse(error, SIGNER_ERROR_CONTENT,
                "The object '%s' has %" G_GUINT64_FORMAT " bytes, more than the %" G_GUINT64_FORMAT " that may be",
                object->name, object->size, largest);
    return TRUE;
}

/* What is not there any more was there when the request came: somebody changes it. */
static gboolean read_part(const SignerObject *object, void *data, gsize size, guint64 offset, GError **error) {
    g_autoptr(GError) problem = NULL;

    if (pread_all(object->fd, data, size, object->offset + offset, &problem))
        return TRUE;
    return signer_refuse_because(
            error, g_steal_pointer(&problem), SIGNER_ERROR_CONTENT, "Cannot read the object '%s'", object->name);
}

GBytes *signer_object_read(SignerObject *object, gsize largest, GError **error) {
    if (!check_size(object, largest, error))
        return NULL;
    g_autofree guint8 *data = g_try_malloc(object->size);
    if (!data) {
        signer_refuse(error, SIGNER_ERROR_BUSY, "There is no memory for the object '%s'", object->name);
        return NULL;
    }
    if (!read_part(object, data, object->size, 0, error))
        return NULL;
    guint8 digest[SHA256_SIZE];
    sha256_buffer(data, object->size, digest);
    g_autofree char *hex = hex_encode(digest, sizeof digest);
    g_strlcpy(object->digest, hex, sizeof object->digest);
    return g_bytes_new_take(g_steal_pointer(&data), object->size);
}

int signer_object_copy(const SignerObject *object, guint64 largest, GError **error) {
    AUTO_FD fd = -1;
    g_autofree guint8 *buffer = g_malloc(CHUNK);

    if (!check_size(object, largest, error))
        return -1;
    fd = memfd_create("object", MFD_CLOEXEC);
    if (fd < 0) {
        set_errno_error(error, errno, "Cannot make a file in memory");
        return -1;
    }
    for (guint64 done = 0; done < object->size; done += CHUNK) {
        gsize size = MIN(CHUNK, object->size - done);
        if (!read_part(object, buffer, size, done, error) || !pwrite_all(fd, buffer, size, done, error))
            return -1;
    }
    return steal_fd(&fd);
}
