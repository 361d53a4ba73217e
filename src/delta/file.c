/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Deltas of UKIs: their sections, the kernel that the new volume has too, and the frames of initrds. */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/errors.h"
#include "base/io.h"
#include "base/sha256.h"
#include "delta/initrd.h"
#include "delta/maker.h"
#include "delta/old-files.h"
#include "format/efi/pe/pe.h"
#include "format/erofs/writer/erofs-writer.h"
#include "format/verity/verity.h"

#define PIECE_MAX ((guint64) EROFS_CLUSTER_SIZE_MAX)
#define WINDOW (256u * 1024)
/* Content of one member of an initrd. */
#define MEMBER_MAX (1u << 20)
/* Smaller files are not looked for in the volume. */
#define FILE_MIN 4096u

typedef struct {
    Maker *maker;
    GBytes *old, *new;
    PeImage *old_pe, *new_pe; /* NULL: it is none */
    ErofsReader *volume;      /* NULL: there is none */
    OldFiles *files;          /* of it */
} FileMaker;

static void file_maker_clear(FileMaker *file) {
    g_clear_pointer(&file->old, g_bytes_unref);
    g_clear_pointer(&file->new, g_bytes_unref);
    g_clear_pointer(&file->old_pe, pe_image_free);
    g_clear_pointer(&file->new_pe, pe_image_free);
    g_clear_pointer(&file->volume, erofs_reader_free);
    g_clear_pointer(&file->files, old_files_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FileMaker, file_maker_clear)

static GBytes *read_file(int fd, GError **error) {
    struct stat info;

    if (fstat(fd, &info) < 0) {
        set_errno_error(error, errno, "Cannot look at the file");
        return NULL;
    }
    g_autofree guint8 *bytes = g_malloc(MAX(info.st_size, 1));
    if (!pread_all(fd, bytes, (gsize) info.st_size, 0, error))
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&bytes), (gsize) info.st_size);
}

/* ---- what is in the new volume, too ---- */

/* The file of the new volume at PATH (below /usr) that has exactly the SIZE bytes at CONTENT; 0: there is none. */
static guint64 find_same(const FileMaker *file, const char *path, const guint8 *content, gsize size) {
    const OldFile *found = file->files ? old_files_find(file->files, path, size) : NULL;
    ErofsNode node;

    if (!found || found->size != size || !erofs_reader_get(file->volume, found->nid, &node, NULL))
        return 0;
    g_autofree guint8 *bytes = g_malloc(size);
    return erofs_reader_read(file->volume, &node, 0, bytes, size, NULL, NULL) && memcmp(bytes, content, size) == 0
                   ? found->nid
                   : 0;
}

/* ---- bytes as they are ---- */

/* A stretch of the new file, as pieces, against REFERENCE, whose first byte is most like its first one. */
static void add_raw(const FileMaker *file, guint64 from, guint64 to, const DeltaReference *like) {
    guint64 old_size = g_bytes_get_size(file->old);

    for (guint64 at = from; at < to; at += PIECE_MAX) {
        guint64 size = MIN(PIECE_MAX, to - at);
        DeltaPiece piece = {.kind = DELTA_PIECE_RAW, .offset = at, .stored = size, .content = size};
        DeltaReference content = {.place = DELTA_OLD_BYTES, .object = at, .length = size}, reference = *like;
        if (like->place == DELTA_OLD_BYTES) {
            guint64 near = MIN(like->object + (at - from), old_size), first = near > WINDOW ? near - WINDOW : 0;
            reference.object = first;
            reference.length = MIN(near + size + WINDOW, old_size) - first;
        } else {
            reference.offset += at - from;
            reference.length = size;
        }
        MakerMember *member = maker_add_member(file->maker, &content, &reference);
        maker_place(file->maker, member, 0, maker_add_piece(file->maker, &piece), 0, size);
        file->maker->changed += size;
    }
}

/* ---- frames ---- */

typedef struct {
    const FileMaker *file;
    guint64 offset; /* of the frame in the new file */
    gsize size;
    guint64 old_offset; /* of the frame in the old one that is most like it */
    gsize old_size;     /* 0: there is none */
    GBytes *content, *old_content;
    GPtrArray *files, *old_files;
    guint piece;
} Frame;

static void frame_clear(Frame *frame) {
    g_clear_pointer(&frame->content, g_bytes_unref);
    g_clear_pointer(&frame->old_content, g_bytes_unref);
    g_clear_pointer(&frame->files, g_ptr_array_unref);
    g_clear_pointer(&frame->old_files, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Frame, frame_clear)

static void add_stretch(const Frame *frame, guint64 from, guint64 to, const DeltaReference *reference) {
    DeltaReference content = {
            DELTA_OLD_BYTES, DELTA_ZSTD, frame->offset, frame->size, from, to - from};
    MakerMember *member = maker_add_member(frame->file->maker, &content, reference);

    maker_place(frame->file->maker, member, 0, frame->piece, from, to - from);
}

/* Bytes of the archive against what the old one has around NEAR, in members that are not too large. */
static void add_window(const Frame *frame, guint64 from, guint64 to, guint64 near) {
    guint64 old_size = frame->old_content ? g_bytes_get_size(frame->old_content) : 0;

    for (guint64 at = from; at < to; at += MEMBER_MAX) {
        guint64 end = MIN(at + MEMBER_MAX, to), like = MIN(near + (at - from), old_size);
        guint64 first = like > WINDOW ? like - WINDOW : 0, last = MIN(like + (end - at) + WINDOW, old_size);
        DeltaReference reference = {
                DELTA_OLD_BYTES, DELTA_ZSTD, frame->old_offset, frame->old_size, first, last - first};
        add_stretch(frame, at, end, &reference);
    }
}

/* The archive, from its beginning to its end: what the volume has too from there, the rest against the old archive. */
static void add_archive(const Frame *frame) {
    gsize size = 0;
    const guint8 *bytes = g_bytes_get_data(frame->content, &size);
    guint64 done = 0, near = 0; /* in the new archive, and in the old one */

    for (guint i = 0; i < frame->files->len; i++) {
        const InitrdFile *member = frame->files->pdata[i];
        const InitrdFile *old = frame->old_files ? initrd_find(frame->old_files, member->path) : NULL;
        const char *path = g_str_has_prefix(member->path, "usr/") ? member->path + strlen("usr/") : member->path;
        guint64 same = member->size >= FILE_MIN && member->size <= MEMBER_MAX * 4
                               ? find_same(frame->file, path, bytes + member->offset, member->size)
                               : 0;
        if (same != 0) {
            DeltaReference reference = {DELTA_NEW_INODE, DELTA_AS_IT_IS, same, 0, 0, member->size};
            add_window(frame, done, member->offset, near);
            add_stretch(frame, member->offset, member->offset + member->size, &reference);
            done = member->offset + member->size;
            near = old ? old->offset + old->size : near;
        } else if (old && member->size >= FILE_MIN) {
            guint64 before = member->offset - done;
            near = old->offset > before ? old->offset - before : 0;
            add_window(frame, done, member->offset + member->size, near);
            done = member->offset + member->size;
            near = old->offset + old->size;
        }
    }
    add_window(frame, done, size, near);
}

/* The frame at FRAME as a stream. FALSE: nobody knows how it was made. */
static gboolean add_frame(Frame *frame) {
    const FileMaker *file = frame->file;
    const guint8 *new = (const guint8 *) g_bytes_get_data(file->new, NULL) + frame->offset;
    const guint8 *old = (const guint8 *) g_bytes_get_data(file->old, NULL) + frame->old_offset;

    frame->content = initrd_unpack(new, frame->size);
    guint level = frame->content ? initrd_find_level(new, frame->size, frame->content) : 0;
    if (level == 0)
        return FALSE;
    frame->old_content = frame->old_size > 0 ? initrd_unpack(old, frame->old_size) : NULL;
    gsize size = 0, old_size = 0;
    const guint8 *bytes = g_bytes_get_data(frame->content, &size);
    const guint8 *old_bytes = frame->old_content ? g_bytes_get_data(frame->old_content, &old_size) : NULL;
    frame->files = initrd_list(bytes, size);
    frame->old_files = old_bytes ? initrd_list(old_bytes, old_size) : NULL;
    DeltaPiece piece = {.kind = DELTA_PIECE_STREAM,
            .level = level,
            .offset = frame->offset,
            .stored = frame->size,
            .content = size};
    frame->piece = maker_add_piece(file->maker, &piece);
    file->maker->changed += frame->size;
    add_archive(frame);
    return TRUE;
}

/* Archives begin at multiples of four bytes: zeros between them. */
static guint64 skip_zeros(const guint8 *bytes, guint64 at, guint64 end) {
    guint64 aligned = MIN((at + 3) & ~(guint64) 3, end);

    while (at < aligned && bytes[at] == 0)
        at++;
    return at;
}

/* The frames at the beginning of a section; what is behind them is as it is. OLD (may be NULL): the one most like it. */
static void add_section(const FileMaker *file, const PeSection *section, const PeSection *old, guint64 end) {
    const guint8 *bytes = g_bytes_get_data(file->new, NULL), *old_bytes = g_bytes_get_data(file->old, NULL);
    guint64 at = section->raw_offset, old_at = old ? old->raw_offset : 0, old_end = old_at + (old ? old->raw_size : 0);

    for (;;) {
        g_auto(Frame) frame = {.file = file, .offset = at, .old_offset = old_at};
        frame.size = initrd_measure_frame(bytes + at, end - at);
        frame.old_size = old_at < old_end ? initrd_measure_frame(old_bytes + old_at, old_end - old_at) : 0;
        if (frame.size == 0 || !add_frame(&frame))
            break;
        old_at = skip_zeros(old_bytes, old_at + frame.old_size, old_end);
        at = skip_zeros(bytes, frame.offset + frame.size, end);
        DeltaReference none = {.place = DELTA_OLD_BYTES, .object = old_at};
        add_raw(file, frame.offset + frame.size, at, &none);
    }
    DeltaReference like = {.place = DELTA_OLD_BYTES, .object = old_at};
    if (g_str_equal(section->name, ".linux") && file->files) {
        gsize size = MIN(section->virtual_size, end - at);
        guint64 same = find_same(file, "lib/modules/0/vmlinuz", bytes + at, size);
        if (same != 0) {
            DeltaReference kernel = {.place = DELTA_NEW_INODE, .object = same};
            add_raw(file, at, at + size, &kernel);
            at += size;
        }
    }
    add_raw(file, at, end, &like);
}

/* ---- the whole ---- */

/* The section of the old UKI that is called like the section NUMBER of the new one, the same one of several. */
static const PeSection *find_old(const FileMaker *file, guint number) {
    const PeSection *section = &file->new_pe->sections[number];
    guint nth = 0;

    for (guint i = 0; i < number; i++)
        nth += g_str_equal(file->new_pe->sections[i].name, section->name);
    for (guint i = 0; file->old_pe && i < file->old_pe->n_sections; i++)
        if (g_str_equal(file->old_pe->sections[i].name, section->name) && nth-- == 0)
            return &file->old_pe->sections[i];
    return NULL;
}

static void plan(const FileMaker *file) {
    guint64 size = g_bytes_get_size(file->new), done = 0;

    for (guint i = 0; file->new_pe && i < file->new_pe->n_sections; i++) {
        const PeSection *section = &file->new_pe->sections[i];
        guint64 end = (guint64) section->raw_offset + section->raw_size;
        DeltaReference like = {.place = DELTA_OLD_BYTES, .object = done};
        if (section->raw_size == 0 || section->raw_offset < done || end > size)
            continue;
        add_raw(file, done, section->raw_offset, &like);
        add_section(file, section, find_old(file, i), end);
        done = end;
    }
    DeltaReference like = {.place = DELTA_OLD_BYTES, .object = MIN(done, g_bytes_get_size(file->old))};
    add_raw(file, done, size, &like);
}

static gboolean open_volume(FileMaker *file, const DeltaVolume *volume, GError **error) {
    guint8 block[VERITY_BLOCK_SIZE];
    VeritySuperblock superblock;

    if (!pread_all(volume->tree, block, sizeof block, 0, error) ||
            !verity_superblock_parse(block, sizeof block, &superblock, error))
        return FALSE;
    guint64 size = superblock.data_blocks * VERITY_BLOCK_SIZE;
    file->maker->old.new_image = erofs_image_new_fd(volume->data, 0, size, error);
    if (!file->maker->old.new_image)
        return FALSE;
    file->volume = erofs_reader_new(file->maker->old.new_image);
    file->files = old_files_new(file->volume, error);
    return file->files != NULL;
}

gboolean delta_make_file(int old, int new, const DeltaVolume *volume, const DeltaOptions *options, int out,
        DeltaSummary *ret, GError **error) {
    g_autoptr(Maker) maker = maker_new(DELTA_FILE, options);
    g_auto(FileMaker) file = {.maker = maker};

    file.old = read_file(old, error);
    file.new = file.old ? read_file(new, error) : NULL;
    if (!file.new || (volume && !open_volume(&file, volume, error)))
        return FALSE;
    file.old_pe = pe_image_new(file.old, NULL);
    file.new_pe = pe_image_new(file.new, NULL);
    maker->old.old_fd = old;
    maker->old.old_size = g_bytes_get_size(file.old);
    maker->target = (DeltaSources){.old_fd = new, .old_size = g_bytes_get_size(file.new)};
    maker->delta->new_size = g_bytes_get_size(file.new);
    sha256_buffer(g_bytes_get_data(file.old, NULL), maker->old.old_size, maker->delta->old_id);
    sha256_buffer(g_bytes_get_data(file.new, NULL), maker->delta->new_size, maker->delta->new_id);
    plan(&file);
    return maker_write(maker, out, ret, error);
}
