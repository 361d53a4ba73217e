/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The text in what a terminal is told, without colours, cursor movements and titles (ECMA-48). */

#include <glib.h>

typedef enum {
    VM_TEXT_PLAIN,
    VM_TEXT_ESCAPE,   /* behind ESC */
    VM_TEXT_SEQUENCE, /* in a control sequence: ESC [ ... final byte */
    VM_TEXT_STRING,   /* in a control string: ESC ] ... BEL or ESC \ */
} VmTextState;

/* One byte; STATE (initially VM_TEXT_PLAIN) carries over sequences that are cut in two. Returns TRUE when
 * the byte is text or a newline. */
gboolean vm_plain_text(VmTextState *state, char byte);
