/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "modules/file-server.h"

#include "base/module.h"

const FileServerFunctions *file_server_functions(GError **error) {
    return module_load("file-server", "file_server_module", error);
}
