/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/console/plain-text.h"

#define ESCAPE 0x1b
#define BELL 0x07

static VmTextState behind_escape(guchar byte) {
    switch (byte) {
    case '[':
        return VM_TEXT_SEQUENCE;
    case ']': /* operating system command */
    case 'P': /* device control */
    case 'X': /* start of string */
    case '^': /* privacy message */
    case '_': /* application program command */
        return VM_TEXT_STRING;
    default:
        /* Intermediate bytes (0x20-0x2f) are followed by one more; everything else is over. */
        return byte >= 0x20 && byte <= 0x2f ? VM_TEXT_ESCAPE : VM_TEXT_PLAIN;
    }
}

gboolean vm_plain_text(VmTextState *state, char signed_byte) {
    guchar byte = signed_byte;
    /* A line's end ends everything that went wrong before. */
    if (byte == '\n') {
        *state = VM_TEXT_PLAIN;
        return TRUE;
    }
    if (byte == ESCAPE) {
        *state = VM_TEXT_ESCAPE;
        return FALSE;
    }
    switch (*state) {
    case VM_TEXT_PLAIN:
        return byte >= 0x20 && byte != 0x7f;
    case VM_TEXT_ESCAPE:
        *state = behind_escape(byte);
        return FALSE;
    case VM_TEXT_SEQUENCE:
        if (byte >= 0x40 && byte <= 0x7e)
            *state = VM_TEXT_PLAIN;
        return FALSE;
    case VM_TEXT_STRING:
        if (byte == BELL)
            *state = VM_TEXT_PLAIN;
        return FALSE;
    }
    g_assert_not_reached();
}
