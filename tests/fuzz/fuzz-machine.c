/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a virtual machine tells us: firmware descriptors, QMP, notifications, reports, console output. */
#include <stdint.h>
#include <string.h>

#include "vm/console/console.h"
#include "vm/console/monitor.h"
#include "vm/console/notify.h"
#include "vm/console/plain-text.h"
#include "vm/console/report.h"
#include "vm/host/firmware.h"
#include "vm/machine/watch.h"

static const TextStyle plain = {"", "", "", "", "", "", ""};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void watch_console(const char *text, size_t size) {
    VmTextState state = VM_TEXT_PLAIN;
    g_autoptr(GString) line = g_string_new(NULL);
    for (size_t i = 0; i < size; i++)
        if (vm_plain_text(&state, text[i]))
            g_string_append_c(line, text[i]);
    g_assert_null(memchr(line->str, '\033', line->len));
    vm_watch_stage(line->str);
    vm_watch_failure(line->str);
    vm_watch_is_login(line->str);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *) data;
    g_autoptr(VmFirmware) firmware = vm_firmware_parse(text, size, NULL);
    g_assert_true(!firmware || (g_path_is_absolute(firmware->code) && firmware->targets));
    g_autofree char *event = vm_monitor_parse_event(text, size);
    int status = 0;
    vm_notify_parse_exit_status(text, size, &status);
    g_assert_cmpint(status, >=, 0);
    g_assert_cmpint(status, <=, 255);

    g_autoptr(VmReport) report = vm_report_parse(text, size);
    g_autofree char *formatted = vm_report_format(report, &plain);
    g_assert_true(g_utf8_validate(formatted, -1, NULL));
    watch_console(text, size);

    VmConsoleKeys keys = {0};
    g_autoptr(GByteArray) sent = g_byte_array_new();
    vm_console_filter_input(&keys, data, size, 1, sent);
    g_assert_cmpuint(sent->len, <=, size);
    return 0;
}
