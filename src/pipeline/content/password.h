/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "recipe/result/image-config.h"

/* The root password of the image CONFIG as crypt(5) has it in shadow files: as given when it is hashed
 * already, else SHA-512 with a salt that Seed= and the names of the image decide, so that the same recipe
 * gives the same image. (Seed= is random where the recipe does not set it, and then the salt is, too.) The
 * salt says nothing of the password. NULL with ERROR set when it cannot be hashed. Owned by the caller. */
char *password_hash(const ImageConfig *config, GError **error);
