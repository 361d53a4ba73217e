/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "recipe/image-config.h"

/* PASSWORD as crypt(5) has it in shadow files: as given when it is hashed already, else SHA-512 with a salt
 * derived from the password, so that the same recipe gives the same image. Owned by the caller. */
char *password_hash(const RecipePassword *password, GError **error);
