/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies of the kernel's integrity policy enforcement: a signed one replaces one of a lower version. */

#include <string.h>

#include "signer/judges/judges.h"
#include "signer/text/error.h"

#define POLICY_SIZE_MAX (512 * 1024)
#define NAME_PREFIX "policy_name="
#define VERSION_PREFIX "policy_version="

/* Three numbers of 16 bits, as one that grows with them; -1: it is none. */
static gint64 read_version(const char *text) {
    g_auto(GStrv) parts = g_strsplit(text, ".", -1);
    gint64 version = 0;

    if (g_strv_length(parts) != 3)
        return -1;
    for (char **part = parts; *part; part++) {
        guint64 number = 0;
        if (!g_ascii_string_to_unsigned(*part, 10, 0, G_MAXUINT16, &number, NULL))
            return -1;
        version = version << 16 | (gint64) number;
    }
    return version;
}

static gboolean is_policy_name(const char *name) {
    gsize length = strlen(name);
    return length > 0 && length <= 64 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == length;
}

/* The first line that is neither empty nor a comment. */
static char *find_header(const char *text, gsize size) {
    g_autofree char *copy = g_strndup(text, size);
    g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);

    for (char **line = lines; *line; line++) {
        g_strstrip(*line);
        if (**line && **line != '#')
            return g_strdup(*line);
    }
    return g_strdup("");
}

gboolean signer_judge_ipe(SignerCase *this, GError **error) {
    gsize size;

    if (!signer_case_take_thing(this, SIGNING_IPE, POLICY_SIZE_MAX, SIGNER_PURPOSE_IPE, error))
        return FALSE;
    const char *text = g_bytes_get_data(this->thing->content, &size);
    if (!g_utf8_validate_len(text, size, NULL))
        return signer_refuse(error, SIGNER_ERROR_CONTENT, "The integrity policy is no text");
    g_autofree char *header = find_header(text, size);
    g_auto(GStrv) words = g_strsplit_set(header, " \t", -1);
    gboolean good = g_strv_length(words) == 2 && g_str_has_prefix(words[0], NAME_PREFIX) &&
                    g_str_has_prefix(words[1], VERSION_PREFIX);
    const char *name = good ? words[0] + strlen(NAME_PREFIX) : NULL;
    gint64 version = good ? read_version(words[1] + strlen(VERSION_PREFIX)) : -1;
    if (!name || version < 0 || !is_policy_name(name))
        return signer_refuse(error, SIGNER_ERROR_CONTENT,
                "An integrity policy begins with a line 'policy_name=NAME "
                "policy_version=MAJOR.MINOR.REVISION'");
    json_object_set_string_member(this->facts, "policyName", name);
    json_object_set_string_member(this->facts, "policyVersion", words[1] + strlen(VERSION_PREFIX));
    json_object_set_int_member(this->facts, "policyNumber", version);
    return TRUE;
}

gboolean signer_compare_ipe(SignerCase *this, const SignerIndex *index, GError **error) {
    const char *name = json_object_get_string_member(this->facts, "policyName");
    gint64 highest = signer_index_get_policy_version(index, this->request->owner, name);

    if (json_object_get_int_member(this->facts, "policyNumber") >= highest)
        return TRUE;
    return signer_refuse(error, SIGNER_ERROR_VERSION,
            "The integrity policy %s is of version %s, and a higher one was signed", name,
            json_object_get_string_member(this->facts, "policyVersion"));
}
