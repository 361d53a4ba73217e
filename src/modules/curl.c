/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "modules/curl.h"

#include "base/module.h"

const CurlFunctions *curl_functions(GError **error) {
    return module_load("curl", "curl_module", error);
}
