/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SOURCE with its marks @VERBS@ and @OPTIONS@ replaced by what the program has; owned by the caller. */
char *manual_complete_verbs(const char *source);
