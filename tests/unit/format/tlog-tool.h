/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A log for tests: its key, which is always the same, and its entries. */

#include "format/tlog/tlog-store.h"

#define TLOG_TOOL_NAME "example.com/log"

void tlog_tool_verifier(TlogVerifier *ret);

/* A note over the first SIZE entries that READER has; owned by the caller. */
char *tlog_tool_checkpoint(const TlogReader *reader, guint64 size);

/* Adds the entries up to SIZE ("entry 0" …) to STORE. */
void tlog_tool_grow(TlogStore *store, guint64 size);
