/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vm/host/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/errors.h"
#include "vm/host/host.h"

static gboolean file_error(GError **error, const char *what, const char *path) {
    int saved = errno;
    return set_errno_error(error, saved, "Cannot %s %s", what, path);
}

gboolean vm_copy_file(const char *source, const char *target, GError **error) {
    AUTO_FD in = open(source, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return file_error(error, "open", source);
    AUTO_FD out = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out < 0)
        return file_error(error, "create", target);
    ssize_t n;
    while ((n = sendfile(out, in, NULL, 1 << 20)) != 0)
        if (n < 0 && errno != EINTR)
            return file_error(error, "copy to", target);
    return TRUE;
}

/* In the JSON that names a backing file. */
static char *json_string(const char *text) {
    g_autoptr(GString) quoted = g_string_new("\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(quoted, '\\');
        g_string_append_c(quoted, *text);
    }
    g_string_append_c(quoted, '"');
    return g_string_free(g_steal_pointer(&quoted), FALSE);
}

gboolean vm_make_overlay(const char *image, const char *overlay, guint64 size, GError **error) {
    struct stat st;
    if (stat(image, &st) < 0)
        return file_error(error, "look at", image);
    g_autofree char *qemu_img = vm_find_program("qemu-img", error);
    if (!qemu_img)
        return FALSE;
    /* As JSON, so that a colon in the path is not taken for a protocol. */
    g_autofree char *quoted = json_string(image);
    g_autofree char *backing = g_strdup_printf(
            "json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":%s}}", quoted);
    g_autofree char *bytes = g_strdup_printf("%" G_GUINT64_FORMAT, MAX(size, (guint64) st.st_size));
    g_autofree char *directory = g_path_get_dirname(overlay);
    g_autoptr(Sandbox) sandbox = vm_sandbox_new(directory);
    sandbox_bind(sandbox, image, image, SANDBOX_READ_ONLY);
    const char *const command[] = {
            qemu_img, "create", "-q", "-f", "qcow2", "-F", "raw", "-b", backing, overlay, bytes, NULL};
    return sandbox_run(sandbox, command, error);
}

gboolean vm_grow_image(const char *image, guint64 size, GError **error) {
    AUTO_FD fd = open(image, O_RDWR | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return file_error(error, "open", image);
    if ((guint64) st.st_size < size && ftruncate(fd, size) < 0)
        return file_error(error, "grow", image);
    return TRUE;
}

static char *drive_path(const RecipeDrive *drive, const char *scratch) {
    g_autofree char *name = g_strdup_printf("drive-%s.raw", drive->id);
    return g_build_filename(drive->directory ? drive->directory : scratch, name, NULL);
}

void vm_remove_drive(const RecipeDrive *drive) {
    if (drive->persist || !drive->directory)
        return;
    g_autofree char *path = drive_path(drive, NULL);
    (void) unlink(path);
}

char *vm_make_drive(const RecipeDrive *drive, gboolean made_before, const char *scratch, GError **error) {
    g_autofree char *path = drive_path(drive, scratch);
    /* Drives with the same file share it. */
    if (!drive->persist && !made_before && unlink(path) < 0 && errno != ENOENT) {
        file_error(error, "replace", path);
        return NULL;
    }
    AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0 ||
            ((guint64) st.st_size < drive->size && ftruncate(fd, drive->size) < 0)) {
        file_error(error, "make the drive", path);
        return NULL;
    }
    return g_steal_pointer(&path);
}

/* The owners that EDK II's own tools and shim give to such keys. */
#define OWNER_DEFAULT_KEYS "OvmfEnrollDefaultKeys"
#define OWNER_SHIM "605dab50-e046-4300-abb6-3dd810dd8b23"

gboolean vm_enrol_keys(
        const char *template, const char *target, const char *certificate, gboolean mok, GError **error) {
    g_autofree char *program = vm_find_program("virt-fw-vars", error);
    if (!program)
        return FALSE;
    g_autofree char *directory = g_path_get_dirname(target);
    g_autoptr(Sandbox) sandbox = vm_sandbox_new(directory);
    sandbox_bind(sandbox, template, template, SANDBOX_READ_ONLY);
    sandbox_bind(sandbox, certificate, certificate, SANDBOX_READ_ONLY);
    const char *const owner_key[] = {program, "--input", template, "--output", target, "--add-mok",
            OWNER_SHIM, certificate, "--loglevel", "WARNING", NULL};
    const char *const own_key[] = {program, "--input", template, "--output", target, "--enroll-cert",
            certificate, "--add-db", OWNER_DEFAULT_KEYS, certificate, "--no-microsoft", "--secure-boot",
            "--loglevel", "WARNING", NULL};
    if (sandbox_run(sandbox, mok ? owner_key : own_key, error))
        return TRUE;
    g_prefix_error(error, "FirmwareVariables=: Cannot enrol the keys: ");
    return FALSE;
}
