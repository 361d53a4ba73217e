/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "inspect/inspect-internal.h"
#include "ui/cleanup.h"

static void inspect_context_clear(InspectContext *context) {
    cleanup_fd(&context->fd);
    g_clear_pointer(&context->partitions, g_ptr_array_unref);
    g_clear_pointer(&context->known, g_ptr_array_unref);
    g_clear_pointer(&context->db, g_ptr_array_unref);
    g_clear_pointer(&context->root_hashes, g_ptr_array_unref);
    g_clear_pointer(&context->volumes, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(InspectContext, inspect_context_clear)

static void inspect_esp_free(InspectEsp *esp) {
    fat_reader_free(esp->fat);
    g_free(esp);
}

/* A file that is not a disk: most likely somebody named another artifact. */
static gboolean open_image(InspectContext *context, GError **error) {
    struct stat st;
    context->fd = open(context->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (context->fd < 0 || fstat(context->fd, &st) < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "Cannot open the image %s: %s",
                context->path, g_strerror(errno));
        return FALSE;
    }
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
        g_set_error(error, CRYPTO_ERROR, CRYPTO_ERROR_UNSUPPORTED,
                "%s is neither a file nor a disk; name the disk image (….raw)", context->path);
        return FALSE;
    }
    return TRUE;
}

static void check_partition_table(InspectContext *context, InspectNode *root, GPtrArray *problems) {
    InspectNode *link = inspect_node_add(root, "partition-table", "partition table");
    if (problems->len == 0) {
        inspect_node_set(link, INSPECT_OK, "GPT with %u partitions", context->partitions->len);
        return;
    }
    g_ptr_array_add(problems, NULL);
    g_autofree char *text = g_strjoinv("; ", (char **) problems->pdata);
    inspect_node_set(link, INSPECT_BROKEN, "%s", text);
}

/* Opens the file systems that firmware reads. What cannot be opened is a broken link below ROOT. */
static GPtrArray *open_esps(InspectContext *context, InspectNode *root) {
    GPtrArray *esps = g_ptr_array_new_with_free_func((GDestroyNotify) inspect_esp_free);
    for (guint i = 0; i < context->partitions->len; i++) {
        const InspectPartition *partition = context->partitions->pdata[i];
        if (partition->designator != INSPECT_ESP && partition->designator != INSPECT_XBOOTLDR)
            continue;
        g_autoptr(GError) error = NULL;
        FatReader *fat = fat_reader_new(context->fd, partition->offset, partition->size, &error);
        if (!fat) {
            inspect_node_set_error(inspect_node_add(root, "esp", "EFI system partition"), error);
            continue;
        }
        InspectEsp *esp = g_new0(InspectEsp, 1);
        esp->partition = partition;
        esp->fat = fat;
        g_ptr_array_add(esps, esp);
    }
    return esps;
}

typedef void (*EspCheckFunc)(InspectContext *context, const InspectEsp *esp, InspectNode *node);

/* One group of links over all file systems that firmware reads. */
static void check_esps(InspectContext *context, GPtrArray *esps, InspectNode *group, EspCheckFunc check,
        const char *absent) {
    for (guint i = 0; i < esps->len; i++)
        check(context, esps->pdata[i], group);
    if (group->children->len == 0 && !group->detail)
        inspect_node_set(group, esps->len > 0 ? INSPECT_MISSING : INSPECT_NOT_APPLICABLE, "%s", absent);
}

static void check_enrolment(InspectContext *context, GPtrArray *esps, InspectNode *group) {
    for (guint i = 0; i < esps->len; i++) {
        const InspectEsp *esp = esps->pdata[i];
        if (esp->partition->designator == INSPECT_ESP)
            inspect_enrolment_check(context, esp, group);
    }
    if (esps->len == 0)
        inspect_node_set(group, INSPECT_NOT_APPLICABLE, "there is no EFI system partition");
}

static void check_everything(InspectContext *context, InspectNode *root) {
    g_autoptr(GPtrArray) esps = open_esps(context, root);
    for (guint i = 0; i < esps->len; i++) {
        inspect_enrolment_collect(context, esps->pdata[i]);
        inspect_esp_collect(context, esps->pdata[i]);
    }

    /* The tree shows the chain in the order of booting; volumes are judged first, because command lines name
     * their root hashes. */
    InspectNode *enrolment = inspect_node_add(root, "enrolment", "firmware keys");
    InspectNode *loaders = inspect_node_add(root, "boot-loader", "boot loader");
    InspectNode *ukis = inspect_node_add(root, "ukis", "unified kernel images");
    inspect_check_volumes(context, root, INSPECT_USR, "/usr");
    inspect_check_volumes(context, root, INSPECT_ROOT, "root file system");
    if (context->volumes->len == 0) {
        /* The system of a disk with nothing else is inside of its UKI. */
        gboolean only_esp = esps->len > 0 && esps->len == context->partitions->len;
        inspect_node_set(inspect_node_add(root, "volumes", "volumes"),
                only_esp ? INSPECT_NOT_APPLICABLE : INSPECT_MISSING,
                only_esp ? "there is nothing but what firmware reads"
                         : "there is neither a /usr nor a root partition");
    }

    check_enrolment(context, esps, enrolment);
    check_esps(context, esps, loaders, inspect_esp_check_loaders, "there is none");
    check_esps(context, esps, ukis, inspect_esp_check_ukis, "there are none in EFI/Linux");
    inspect_check_checksums(context, inspect_node_add(root, "checksums", "SHA256SUMS"));
}

InspectNode *inspect_image(const char *path, const InspectOptions *options, GError **error) {
    static const InspectOptions defaults;
    g_auto(InspectContext) context = {
            .path = path,
            .fd = -1,
            .options = options ? options : &defaults,
            .known = g_ptr_array_new_with_free_func((GDestroyNotify) certificate_unref),
            .root_hashes = g_ptr_array_new_with_free_func(g_free),
            .volumes = g_ptr_array_new_with_free_func(g_free),
    };
    if (context.options->certificate)
        inspect_add_known(&context, (Certificate *) context.options->certificate);
    g_autoptr(GPtrArray) problems = NULL;
    if (!open_image(&context, error))
        return NULL;
    if (inspect_is_pe_file(&context))
        return inspect_pe_file(&context, error);
    context.partitions = inspect_partitions_read(path, &problems, error);
    if (!context.partitions)
        return NULL;

    g_autofree char *name = g_path_get_basename(path);
    InspectNode *root = inspect_node_new("image", name);
    check_partition_table(&context, root, problems);
    check_everything(&context, root);
    return root;
}
