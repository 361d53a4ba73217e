/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Small files from the network. */

#include <gio/gio.h>

#include "recipe/result/image-config.h"

/* What URL answers, as NUL-terminated text (at most 64 MiB), through the proxy of CONFIG; owned by the
 * caller. Follows redirections, tries again when the network fails. */
char *fetch_text(const ImageConfig *config, const char *url, GError **error);
