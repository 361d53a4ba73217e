/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/sshsig/ssh-reader.h"

#include <string.h>

gboolean ssh_read_bytes(SshReader *reader, gsize size, SshBytes *ret) {
    if (size > reader->left)
        return FALSE;
    *ret = (SshBytes){reader->data, size};
    reader->data += size;
    reader->left -= size;
    return TRUE;
}

gboolean ssh_read_byte(SshReader *reader, guint8 *ret) {
    SshBytes bytes;

    if (!ssh_read_bytes(reader, 1, &bytes))
        return FALSE;
    *ret = bytes.data[0];
    return TRUE;
}

gboolean ssh_read_number(SshReader *reader, guint32 *ret) {
    SshBytes bytes;

    if (!ssh_read_bytes(reader, 4, &bytes))
        return FALSE;
    *ret = (guint32) bytes.data[0] << 24 | (guint32) bytes.data[1] << 16 | (guint32) bytes.data[2] << 8 | bytes.data[3];
    return TRUE;
}

gboolean ssh_read_string(SshReader *reader, SshBytes *ret) {
    SshReader begin = *reader;
    guint32 size = 0;

    if (ssh_read_number(reader, &size) && ssh_read_bytes(reader, size, ret))
        return TRUE;
    *reader = begin;
    return FALSE;
}

gboolean ssh_read_positive(SshReader *reader, SshBytes *ret) {
    SshReader begin = *reader;

    if (ssh_read_string(reader, ret) && ret->size > 0 && !(ret->data[0] & 0x80)) {
        if (ret->data[0] != 0)
            return TRUE;
        if (ret->size > 1 && ret->data[1] & 0x80) {
            ret->data++;
            ret->size--;
            return TRUE;
        }
    }
    *reader = begin;
    return FALSE;
}

gboolean ssh_bytes_are(SshBytes bytes, const char *text) {
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}
