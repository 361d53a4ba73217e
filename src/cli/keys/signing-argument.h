/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The argument of the verbs sign and attach. */

#include "cli/arguments/arguments.h"
#include "signing/request-directory.h"

/* Loads the directory that is the one argument of the verb. */
SigningDirectory *load_signing_directory(const Arguments *arguments, GError **error);
