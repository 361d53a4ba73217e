/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Writes HTML. There is no way to add markup as text: elements and attributes are those of lists, text and
 * values are escaped, addresses lead to this service or, by html_link(), to the web. Names are the program's
 * own; a wrong one is a defect and aborts. Everything else may come from strangers: bytes that are no UTF-8
 * and control characters are shown, not passed on. */

#include <glib.h>

typedef struct Html Html;

/* An empty text. */
Html *html_new(void);
void html_free(Html *html);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Html, html_free)

/* Opens an element. Pairs of an attribute and its value follow, up to a NULL. An attribute with the value NULL is
 * left out; "" makes it stand alone where HTML wants that. An address that does not lead to this service is left
 * out, too. Elements without content (input, br …) need no closing. */
void html_open(Html *html, const char *element, ...) G_GNUC_NULL_TERMINATED;

/* Closes the element that was opened last, which is ELEMENT. */
void html_close(Html *html, const char *element);

/* Text. NULL is none. */
void html_text(Html *html, const char *text);
void html_textf(Html *html, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* LENGTH bytes of text, which may hold anything. */
void html_text_bytes(Html *html, const char *text, gsize length);

/* An element with text and nothing else; attributes as above. */
void html_element(Html *html, const char *element, const char *text, ...) G_GNUC_NULL_TERMINATED;

/* A link to an address of the web; mere text when URL is none of http or https. */
void html_link(Html *html, const char *url, const char *text);

/* The beginning of a page up to and with <body>. STYLE and SCRIPT are addresses of this service. */
void html_begin_page(Html *html, const char *title, const char *style, const char *script);

/* The end of the page. */
void html_end_page(Html *html);

/* The finished text, and an empty HTML; all elements are closed. */
GBytes *html_take(Html *html);

/* An empty SVG drawing instead of a page: the only elements that may follow are those of drawings. */
void html_begin_svg(Html *html, guint width, guint height, const char *title);
void html_end_svg(Html *html);
