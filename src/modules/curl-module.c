/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "modules/curl.h"

/* They are macros, too. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

extern const CurlFunctions curl_module;

const CurlFunctions curl_module = {
        .easy_init = curl_easy_init,
        .easy_cleanup = curl_easy_cleanup,
        .easy_reset = curl_easy_reset,
        .easy_setopt = curl_easy_setopt,
        .easy_getinfo = curl_easy_getinfo,
        .easy_perform = curl_easy_perform,
        .easy_strerror = curl_easy_strerror,
        .slist_append = curl_slist_append,
        .slist_free_all = curl_slist_free_all,
};
