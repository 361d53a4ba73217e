/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The server in front of the build service: TLS, and the files that devices download. */

#include "kitchen/program/settings.h"

/* A server block of nginx for CONFIG, to be completed with the certificate. An error where CONFIG has no [Web] BaseURL= with
 * https. Owned by the caller. */
char *nginx_configuration(const KitchenConfig *config, GError **error);
