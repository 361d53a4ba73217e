/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/verdict/inspect.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "inspect/disk/gpt-audit.h"
#include "inspect/verdict/inspect-internal.h"

static void inspect_context_clear(InspectContext *context) {
    cleanup_fd(&context->fd);
    g_clear_pointer(&context->esps, g_ptr_array_unref);
    g_clear_pointer(&context->partitions, g_ptr_array_unref);
    g_clear_pointer(&context->known, g_ptr_array_unref);
    g_clear_pointer(&context->db, g_ptr_array_unref);
    g_clear_pointer(&context->root_hashes, g_ptr_array_unref);
    g_clear_pointer(&context->volumes, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(InspectContext, inspect_context_clear)

static void inspect_esp_free(InspectEsp *esp) {
    fat_reader_free(esp->fat);
    g_clear_pointer(&esp->files, g_ptr_array_unref);
    g_clear_pointer(&esp->problems, g_ptr_array_unref);
    g_free(esp);
}

/* What is open, for those who open it again: not necessarily what is called PATH. */
static char *device_path(const InspectContext *context) {
    return g_strdup_printf("/proc/self/fd/%d", context->fd);
}

static void check_partition_table(InspectContext *context, InspectNode *root, GPtrArray *problems) {
    InspectNode *link = inspect_node_add(root, "partition-table", "partition table");
    inspect_gpt_audit(context->fd, context->size, problems);
    if (problems->len == 0) {
        inspect_node_set(
                link, INSPECT_OK, "GPT with %u partitions, and nothing besides", context->partitions->len);
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
            inspect_node_set_error(inspect_add_partition(root, partition), error);
            continue;
        }
        InspectEsp *esp = g_new0(InspectEsp, 1);
        esp->partition = partition;
        esp->fat = fat;
        esp->problems = g_ptr_array_new_with_free_func(g_free);
        esp->files = fat_reader_audit(fat, esp->problems);
        g_ptr_array_add(esps, esp);
    }
    return esps;
}

static gboolean has_esp(const InspectContext *context) {
    for (guint i = 0; i < context->esps->len; i++)
        if (((const InspectEsp *) context->esps->pdata[i])->partition->designator == INSPECT_ESP)
            return TRUE;
    return FALSE;
}

typedef void (*EspCheckFunc)(InspectContext *context, const InspectEsp *esp, InspectNode *node);

/* What an image lacks is broken where everything must be signed by a certificate. */
static InspectVerdict missing_verdict(const InspectContext *context) {
    return context->options->certificate ? INSPECT_BROKEN : INSPECT_MISSING;
}

/* A disk that is for a machine, and not an extension or a portable service: it has something for firmware,
 * or a /usr, which needs somebody to start it. */
static gboolean is_for_machine(const InspectContext *context) {
    for (guint i = 0; i < context->partitions->len; i++) {
        const InspectPartition *partition = context->partitions->pdata[i];
        if (partition->designator == INSPECT_ESP || partition->designator == INSPECT_XBOOTLDR ||
                partition->designator == INSPECT_USR)
            return TRUE;
    }
    return FALSE;
}

/* One group of links over all file systems that firmware reads. */
static void check_esps(InspectContext *context, InspectNode *group, EspCheckFunc check, const char *absent) {
    for (guint i = 0; i < context->esps->len; i++)
        check(context, context->esps->pdata[i], group);
    if (absent && group->children->len == 0 && !group->detail)
        inspect_node_set(group, is_for_machine(context) ? missing_verdict(context) : INSPECT_NOT_APPLICABLE,
                "%s", absent);
}

static void check_enrolment(InspectContext *context, InspectNode *group) {
    GPtrArray *esps = context->esps;
    for (guint i = 0; i < esps->len; i++) {
        const InspectEsp *esp = esps->pdata[i];
        inspect_enrolment_check(context, esp, group);
    }
    if (esps->len == 0)
        inspect_node_set(group, INSPECT_NOT_APPLICABLE, "there is no EFI system partition");
}

static void check_everything(InspectContext *context, InspectNode *root) {
    GPtrArray *esps = context->esps = open_esps(context, root);
    for (guint i = 0; i < esps->len; i++) {
        inspect_enrolment_collect(context, esps->pdata[i]);
        inspect_esp_collect(context, esps->pdata[i]);
    }

    /* The tree shows the chain in the order of booting; volumes are judged first, because command lines name
     * their root hashes. */
    InspectNode *file_systems = inspect_node_add(root, "esp", "what firmware reads");
    InspectNode *enrolment = inspect_node_add(root, "enrolment", "firmware keys");
    InspectNode *loaders = inspect_node_add(root, "boot-loader", "boot loader");
    InspectNode *ukis = inspect_node_add(root, "ukis", "unified kernel images");
    InspectNode *others = inspect_node_add(root, "files", "other files that firmware reads");
    inspect_check_volumes(context, root, INSPECT_USR, "/usr");
    inspect_check_volumes(context, root, INSPECT_ROOT, "root file system");
    inspect_check_partitions(context, root);
    if (context->volumes->len == 0) {
        /* The system of a disk with nothing else is inside of its UKI. */
        gboolean only_esp = esps->len > 0 && esps->len == context->partitions->len;
        inspect_node_set(inspect_node_add(root, "volumes", "volumes"),
                only_esp ? INSPECT_NOT_APPLICABLE : missing_verdict(context),
                only_esp ? "there is nothing but what firmware reads"
                         : "there is neither a /usr nor a root partition that is protected");
    }

    check_esps(context, file_systems, inspect_esp_check_file_system, "there is no EFI system partition");
    if (esps->len > 0 && !has_esp(context))
        inspect_node_set(inspect_node_add(file_systems, "esp", "EFI system partition"),
                missing_verdict(context), "there is none, only what boot loaders read besides");
    check_enrolment(context, enrolment);
    check_esps(context, loaders, inspect_esp_check_loaders, "there is none");
    check_esps(context, ukis, inspect_esp_check_ukis, "there are none in EFI/Linux");
    inspect_esp_check_names(context, ukis);
    check_esps(context, others, inspect_esp_check_others, NULL);
}

/* A disk whose partitions nobody can read, although it begins as one. */
static InspectNode *report_unreadable(InspectContext *context, const char *title, GError **error) {
    g_autoptr(GError) local = NULL;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) ignored = NULL;
    g_autofree char *device = device_path(context);
    context->partitions = inspect_partitions_read(device, &ignored, &local);
    if (context->partitions)
        return NULL;
    if (!inspect_gpt_exists(context->fd)) {
        g_propagate_prefixed_error(error, g_steal_pointer(&local), "Cannot inspect %s: ", context->path);
        return NULL;
    }
    g_ptr_array_add(problems, g_strdup(local->message));
    context->partitions = g_ptr_array_new();
    InspectNode *root = inspect_node_new("image", title);
    check_partition_table(context, root, problems);
    return root;
}

/* The report on the disk CONTEXT, whose file is open. */
static InspectNode *inspect_disk(InspectContext *context, const char *title, GError **error) {
    g_autoptr(GPtrArray) problems = NULL;
    g_autofree char *device = device_path(context);
    context->partitions = inspect_partitions_read(device, &problems, NULL);
    if (!context->partitions)
        return report_unreadable(context, title, error);
    InspectNode *root = inspect_node_new("image", title);
    check_partition_table(context, root, problems);
    check_everything(context, root);
    return root;
}

InspectNode *inspect_nested(InspectContext *context, GBytes *image, GError **error) {
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(image, &size);
    g_auto(InspectContext) nested = {
            .fd = memfd_create("image", MFD_CLOEXEC),
            .options = context->options,
            .size = size,
            .known = g_ptr_array_ref(context->known),
            .db = context->db ? g_ptr_array_ref(context->db) : NULL,
            .root_hashes = g_ptr_array_new_with_free_func(g_free),
            .volumes = g_ptr_array_new_with_free_func(g_free),
    };
    for (gsize done = 0; done < size;) {
        ssize_t n = write(nested.fd, data + done, size - done);
        if (n < 0) {
            g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s", g_strerror(errno));
            return NULL;
        }
        done += n;
    }
    g_autofree char *path = device_path(&nested);
    nested.path = path;
    return inspect_disk(&nested, "the disk image inside", error);
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
    if (context.options->root_hash_certificate)
        inspect_add_known(&context, (Certificate *) context.options->root_hash_certificate);
    if ((context.fd = inspect_open(path, &context.size, error)) < 0)
        return NULL;
    if (inspect_is_pe_file(&context))
        return inspect_pe_file(&context, error);
    g_autofree char *name = g_path_get_basename(path);
    InspectNode *root = inspect_disk(&context, name, error);
    if (root)
        inspect_check_checksums(&context, inspect_node_add(root, "checksums", "SHA256SUMS"));
    return root;
}
