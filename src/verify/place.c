/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "verify/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "modules/curl.h"

#define REDIRECTIONS_MAX 5L
#define CONNECT_TIMEOUT 20L
/* A server that sends less than a byte a second for so long (seconds) sends nothing. */
#define STALL_TIMEOUT 60L
#define PIECE (256 * 1024)
#define HTTP_NOT_FOUND 404
#define HTTP_OK 200

G_DEFINE_QUARK(verify-error-quark, verify_error)

struct Place {
    char *address;
    const CurlFunctions *curl; /* NULL: a directory */
};

static gboolean is_url(const char *address) {
    return g_str_has_prefix(address, "http://") || g_str_has_prefix(address, "https://");
}

Place *place_new(const char *address, GError **error) {
    g_autoptr(Place) place = g_new0(Place, 1);

    place->address = g_strdup(address);
    while (g_str_has_suffix(place->address, "/") && place->address[1])
        place->address[strlen(place->address) - 1] = '\0';
    if (is_url(address) && !(place->curl = curl_functions(error)))
        return NULL;
    return g_steal_pointer(&place);
}

void place_free(Place *place) {
    if (!place)
        return;
    g_free(place->address);
    g_free(place);
}

char *place_describe(const Place *place, const char *name) {
    return g_strdup_printf("%s/%s", place->address, name);
}

gboolean place_is_remote(const Place *place) {
    return place->curl != NULL;
}

/* Gets the bytes of a file, piece by piece. FALSE: no more. */
typedef gboolean (*Take)(gpointer user, const void *data, gsize size);

typedef struct {
    Take take;
    gpointer user;
    gboolean refused;
    CURL *curl;
    const CurlFunctions *lib;
} Stream;

static gboolean missing(GError **error, const char *what) {
    g_set_error(error, VERIFY_ERROR, VERIFY_ERROR_MISSING, "There is no %s", what);
    return FALSE;
}

static gboolean cannot(GError **error, const char *what, const char *why) {
    g_set_error(error, VERIFY_ERROR, VERIFY_ERROR_FETCH, "Cannot read %s: %s", what, why);
    return FALSE;
}

/* What a server says about an error is no content. */
static size_t on_data(char *data, size_t size, size_t n, void *user) {
    Stream *stream = user;
    long status = 0;

    stream->lib->easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != HTTP_OK)
        return size * n;
    stream->refused = !stream->take(stream->user, data, size * n);
    return stream->refused ? 0 : size * n;
}

static gboolean read_url(Place *place, const char *url, Take take, gpointer user, GError **error) {
    const CurlFunctions *lib = place->curl;
    Stream stream = {.take = take, .user = user, .curl = lib->easy_init(), .lib = lib};
    long status = 0;

    lib->easy_setopt(stream.curl, CURLOPT_URL, url);
    lib->easy_setopt(stream.curl, CURLOPT_PROTOCOLS_STR, "http,https");
    lib->easy_setopt(stream.curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    lib->easy_setopt(stream.curl, CURLOPT_FOLLOWLOCATION, 1L);
    lib->easy_setopt(stream.curl, CURLOPT_MAXREDIRS, REDIRECTIONS_MAX);
    lib->easy_setopt(stream.curl, CURLOPT_NOSIGNAL, 1L);
    lib->easy_setopt(stream.curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT);
    lib->easy_setopt(stream.curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    lib->easy_setopt(stream.curl, CURLOPT_LOW_SPEED_TIME, STALL_TIMEOUT);
    lib->easy_setopt(stream.curl, CURLOPT_WRITEFUNCTION, on_data);
    lib->easy_setopt(stream.curl, CURLOPT_WRITEDATA, &stream);
    CURLcode code = lib->easy_perform(stream.curl);
    lib->easy_getinfo(stream.curl, CURLINFO_RESPONSE_CODE, &status);
    lib->easy_cleanup(stream.curl);
    g_autofree char *answer = g_strdup_printf("the server answers with status %ld", status);
    if (stream.refused)
        return cannot(error, url, "it is too large");
    if (code != CURLE_OK)
        return cannot(error, url, lib->easy_strerror(code));
    if (status == HTTP_NOT_FOUND)
        return missing(error, url);
    return status == HTTP_OK || cannot(error, url, answer);
}

static gboolean read_path(const char *path, Take take, gpointer user, GError **error) {
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    g_autofree char *piece = g_malloc(PIECE);
    struct stat st;

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? missing(error, path) : cannot(error, path, g_strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return cannot(error, path, "it is no file");
    for (guint64 at = 0;;) {
        gssize n = pread_up_to(fd, piece, PIECE, at);
        if (n < 0)
            return cannot(error, path, g_strerror(errno));
        if (n == 0)
            return TRUE;
        if (!take(user, piece, (gsize) n))
            return cannot(error, path, "it is too large");
        at += (guint64) n;
    }
}

static gboolean read_file(Place *place, const char *name, Take take, gpointer user, GError **error) {
    g_autofree char *what = place_describe(place, name);

    return place->curl ? read_url(place, what, take, user, error) : read_path(what, take, user, error);
}

typedef struct {
    GByteArray *bytes;
    gsize largest;
} Collection;

static gboolean collect(gpointer user, const void *data, gsize size) {
    Collection *collection = user;

    if (size > collection->largest - collection->bytes->len)
        return FALSE;
    g_byte_array_append(collection->bytes, data, (guint) size);
    return TRUE;
}

GBytes *place_fetch(Place *place, const char *name, gsize largest, GError **error) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    Collection collection = {bytes, largest};

    return read_file(place, name, collect, &collection, error) ? g_byte_array_free_to_bytes(g_steal_pointer(&bytes)) : NULL;
}

typedef struct {
    Sha256 *sha;
    guint64 size;
} Digesting;

static gboolean add(gpointer user, const void *data, gsize size) {
    Digesting *digesting = user;

    sha256_update(digesting->sha, data, size);
    digesting->size += size;
    return TRUE;
}

gboolean place_digest(Place *place, const char *name, guint8 ret_digest[static SHA256_SIZE], guint64 *ret_size, GError **error) {
    g_autoptr(Sha256) sha = sha256_new();
    Digesting digesting = {sha, 0};

    if (!read_file(place, name, add, &digesting, error))
        return FALSE;
    sha256_finish(sha, ret_digest);
    *ret_size = digesting.size;
    return TRUE;
}
