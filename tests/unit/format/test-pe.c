/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/efi/pe/pe-writer.h"
#include "format/efi/pe/pe.h"
#include "pe-fixture.h"

#include <string.h>

static void test_parse(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_stub();
    g_autoptr(PeImage) pe = pe_image_new(stub, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(pe->n_sections, ==, 3);
    g_assert_true(pe->plus);
    g_assert_cmpuint(pe->machine, ==, 0x8664);
    const PeSection *data = pe_image_find_section(pe, ".data");
    g_assert_nonnull(data);
    gsize size;
    const guint8 *content = pe_image_get_data(pe, data, &size);
    g_assert_cmpmem(content, size, "data", 4);
    g_assert_null(pe_image_find_section(pe, ".linux"));
    guint32 address;
    guint32 length;
    g_assert_false(pe_image_get_directory(pe, PE_DIRECTORY_SECURITY, &address, &length));
}

/* Every truncation and every changed header byte gives an image or an error, never a crash. */
static void test_damaged(void) {
    g_autoptr(GBytes) stub = pe_fixture_stub();
    gsize size;
    const guint8 *data = g_bytes_get_data(stub, &size);
    for (gsize length = 0; length < size; length++) {
        g_autoptr(GBytes) cut = g_bytes_new(data, length);
        g_autoptr(PeImage) pe = pe_image_new(cut, NULL);
        g_assert_null(pe);
    }
    for (gsize i = 0; i < 0x400; i++)
        for (guint value = 0; value < 256; value += 51) {
            g_autofree guint8 *changed = g_memdup2(data, size);
            changed[i] = value;
            g_autoptr(GBytes) bytes = g_bytes_new(changed, size);
            g_autoptr(PeImage) pe = pe_image_new(bytes, NULL);
            for (guint section = 0; pe && section < pe->n_sections; section++) {
                g_autoptr(GBytes) content = pe_image_get_bytes(pe, &pe->sections[section]);
                g_assert_cmpuint(g_bytes_get_size(content), <=, size);
            }
            g_autoptr(PeWriter) writer = pe ? pe_writer_new(bytes, NULL) : NULL;
            g_autoptr(GBytes) written = writer ? pe_writer_finish(writer, NULL) : NULL;
        }
}

static void test_rewrite_unchanged(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_stub();
    g_autoptr(PeWriter) writer = pe_writer_new(stub, &error);
    g_assert_no_error(error);
    g_autoptr(GBytes) written = pe_writer_finish(writer, &error);
    g_assert_no_error(error);
    g_assert_true(g_bytes_equal(stub, written));
}

static void test_grow_headers(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_stub();
    g_autoptr(PeImage) original = pe_image_new(stub, &error);
    guint max = pe_image_get_max_sections(original);
    g_autoptr(PeWriter) writer = pe_writer_new(stub, &error);
    for (guint i = 0; i < max - 3; i++) {
        g_autofree char *name = g_strdup_printf(".s%u", i);
        g_autoptr(GBytes) content = pe_fixture_noise(100 + 300 * i, i);
        g_assert_true(
                pe_writer_add(writer, name, PE_SCN_MEM_READ | PE_SCN_CNT_INITIALIZED_DATA, content, &error));
    }
    g_autoptr(GBytes) written = pe_writer_finish(writer, &error);
    g_assert_no_error(error);

    g_autoptr(PeImage) pe = pe_image_new(written, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(pe->n_sections, ==, max);
    g_assert_cmpuint(pe->size_of_headers, ==, 0x1000);
    for (guint i = 0; i < pe->n_sections; i++) {
        const PeSection *section = &pe->sections[i];
        g_assert_cmpuint(section->virtual_address % 0x1000, ==, 0);
        g_assert_cmpuint(section->raw_offset % 0x200, ==, 0);
        g_assert_cmpuint(section->raw_offset, >=, pe->size_of_headers);
        if (i > 0)
            g_assert_cmpuint(section->virtual_address, >=,
                    pe->sections[i - 1].virtual_address + pe->sections[i - 1].virtual_size);
        g_autoptr(GBytes) content = pe_image_get_bytes(pe, section);
        g_autoptr(GBytes) expected = i < 3 ? pe_image_get_bytes(original, &original->sections[i])
                                           : pe_fixture_noise(100 + 300 * (i - 3), i - 3);
        g_assert_true(g_bytes_equal(content, expected));
    }
    const PeSection *last = &pe->sections[max - 1];
    g_assert_cmpuint(pe->size_of_image, >=, last->virtual_address + last->virtual_size);

    g_autoptr(GBytes) more = g_bytes_new("x", 1);
    g_assert_true(pe_writer_add(writer, ".more", PE_SCN_MEM_READ, more, &error));
    g_autoptr(GBytes) too_many = pe_writer_finish(writer, &error);
    g_assert_null(too_many);
    g_assert_error(error, PE_ERROR, PE_ERROR_NO_SPACE);
}

static void test_replace(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_stub();
    g_autoptr(PeWriter) writer = pe_writer_new(stub, &error);
    g_autoptr(GBytes) bigger = pe_fixture_noise(0x1000, 5);
    g_assert_true(pe_writer_replace(writer, 1, bigger, &error));
    g_autoptr(GBytes) written = pe_writer_finish(writer, &error);
    g_autoptr(PeImage) pe = pe_image_new(written, &error);
    g_assert_no_error(error);
    g_autoptr(GBytes) content = pe_image_get_bytes(pe, &pe->sections[1]);
    g_assert_true(g_bytes_equal(content, bigger));
    g_assert_cmpuint(pe->sections[2].virtual_address, ==, 0x3000);

    g_autoptr(GBytes) too_big = pe_fixture_noise(0x1001, 5);
    g_assert_false(pe_writer_replace(writer, 1, too_big, &error));
    g_assert_error(error, PE_ERROR, PE_ERROR_NO_SPACE);
}

/* What has no room where it is goes to the end, in memory order, and the section behind it stays. */
static void test_move(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) stub = pe_fixture_old_stub();
    g_autoptr(PeWriter) writer = pe_writer_new(stub, &error);
    g_autoptr(GBytes) fits = pe_fixture_noise(256, 5);
    g_autoptr(GBytes) bigger = pe_fixture_noise(257, 6);
    g_assert_true(pe_writer_replace_or_move(writer, 2, fits, &error));
    g_assert_false(pe_writer_replace(writer, 2, bigger, &error));
    g_assert_error(error, PE_ERROR, PE_ERROR_NO_SPACE);
    g_clear_error(&error);
    g_assert_true(pe_writer_replace_or_move(writer, 2, bigger, &error));
    g_autoptr(GBytes) written = pe_writer_finish(writer, &error);
    g_assert_no_error(error);
    g_autoptr(PeImage) pe = pe_image_new(written, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(pe->n_sections, ==, 4);
    g_assert_cmpstr(pe->sections[2].name, ==, ".sdmagic");
    g_assert_cmpuint(pe->sections[2].virtual_address, ==, 0x3100);
    g_assert_cmpstr(pe->sections[3].name, ==, ".sbat");
    g_assert_cmpuint(pe->sections[3].virtual_address, ==, 0x4000);
    g_autoptr(GBytes) content = pe_image_get_bytes(pe, &pe->sections[3]);
    g_assert_true(g_bytes_equal(content, bigger));

    /* Code is where others expect it. */
    g_autoptr(PeWriter) another = pe_writer_new(stub, &error);
    g_autoptr(GBytes) code = pe_fixture_noise(0x1001, 7);
    g_assert_false(pe_writer_replace_or_move(another, 0, code, &error));
    g_assert_error(error, PE_ERROR, PE_ERROR_NO_SPACE);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pe/parse", test_parse);
    g_test_add_func("/pe/damaged", test_damaged);
    g_test_add_func("/pe/rewrite-unchanged", test_rewrite_unchanged);
    g_test_add_func("/pe/grow-headers", test_grow_headers);
    g_test_add_func("/pe/replace", test_replace);
    g_test_add_func("/pe/move", test_move);
    return g_test_run();
}
