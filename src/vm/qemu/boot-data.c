/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/qemu/boot-data.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "vm/host/host.h"
#include "vm/qemu/qemu-arguments.h"

static gboolean is_valid_name(const char *name) {
    return *name && !strpbrk(name, "/=") && g_str_is_ascii(name);
}

gboolean vm_add_credential(GPtrArray *oem_strings, const char *name, const char *value, gsize length,
        const char *scratch, GError **error) {
    if (!is_valid_name(name)) {
        g_set_error(error, VM_ERROR, VM_ERROR_UNSUPPORTED, "'%s' is not the name of a credential", name);
        return FALSE;
    }
    g_autofree char *encoded = g_base64_encode((const guchar *) value, length);
    g_autofree char *text = g_strdup_printf("io.systemd.credential.binary:%s=%s", name, encoded);
    g_autofree char *file = g_strdup_printf("oem-string-%u", oem_strings->len);
    g_autofree char *path = g_build_filename(scratch, file, NULL);
    if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, error))
        return FALSE;
    g_ptr_array_add(oem_strings, vm_oem_string_new(NULL, path));
    return TRUE;
}

void vm_add_command_line(GPtrArray *oem_strings, const char *command_line) {
    if (!*command_line)
        return;
    static const char *const readers[] = {"stub", "boot"};
    for (gsize i = 0; i < G_N_ELEMENTS(readers); i++) {
        g_autofree char *text =
                g_strdup_printf("io.systemd.%s.kernel-cmdline-extra=%s", readers[i], command_line);
        g_ptr_array_add(oem_strings, vm_oem_string_new(text, NULL));
    }
}
