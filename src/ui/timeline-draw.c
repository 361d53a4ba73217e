/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/timeline-record.h"

#include "text/size.h"

#define WIDTH 1600
#define MARGIN 20
#define COLUMNS 400 /* of what is drawn about the machine */
#define ROW 18
#define CORES_MAX 16 /* on machines with more they are drawn as one */
#define CHARACTER 6.2
#define LONGEST 20

typedef struct {
    const TimelineRecord *record;
    GString *out;
    double y;
} Picture;

static double second(gint64 microseconds) {
    return microseconds / (double) G_USEC_PER_SEC;
}

static double x_of(const Picture *picture, gint64 at) {
    return MARGIN + (WIDTH - 2 * MARGIN) * CLAMP(at / (double) MAX(picture->record->end, 1), 0, 1);
}

/* Numbers are written with a point everywhere. */
static void add_number(GString *out, const char *name, double value) {
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf(out, " %s=\"%s\"", name, g_ascii_formatd(text, sizeof text, "%.2f", value));
}

/* XML knows neither control characters nor bytes that are no UTF-8. */
static void add_escaped(GString *out, const char *text) {
    g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
    for (char *c = valid; *c; c++)
        if (g_ascii_iscntrl(*c))
            *c = ' ';
    g_autofree char *escaped = g_markup_escape_text(valid, -1);
    g_string_append(out, escaped);
}

static void add_text(Picture *picture, double x, double y, const char *class, const char *text) {
    g_string_append_printf(picture->out, "<text class=\"%s\"", class);
    add_number(picture->out, "x", x);
    add_number(picture->out, "y", y);
    g_string_append_c(picture->out, '>');
    add_escaped(picture->out, text);
    g_string_append(picture->out, "</text>\n");
}

/* A box with TITLE, which a reader sees when pointing at it. */
static void add_box(Picture *picture, double x, double y, double width, double height, const char *class,
        const char *title) {
    g_string_append_printf(picture->out, "<rect class=\"%s\"", class);
    add_number(picture->out, "x", x);
    add_number(picture->out, "y", y);
    add_number(picture->out, "width", MAX(width, 0.3));
    add_number(picture->out, "height", height);
    g_string_append(picture->out, "><title>");
    add_escaped(picture->out, title);
    g_string_append(picture->out, "</title></rect>\n");
}

static void add_heading(Picture *picture, const char *text) {
    picture->y += 26;
    add_text(picture, MARGIN, picture->y, "heading", text);
    picture->y += 8;
}

/* Lines at round times, over the whole height. */
static void add_axis(Picture *picture, double top) {
    static const double steps[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600};
    double length = MAX(second(picture->record->end), 0.001), step = steps[G_N_ELEMENTS(steps) - 1];
    for (gsize i = G_N_ELEMENTS(steps); i-- > 0 && length / steps[i] <= 16;)
        step = steps[i];
    for (guint i = 0; i * step <= length; i++) {
        double x = x_of(picture, (gint64) (i * step * G_USEC_PER_SEC));
        g_autofree char *label = g_strdup_printf("%.*f s", step < 0.1 ? 2 : step < 1 ? 1 : 0, i * step);
        g_string_append(picture->out, "<line class=\"axis\"");
        add_number(picture->out, "x1", x);
        add_number(picture->out, "x2", x);
        add_number(picture->out, "y1", top);
        add_number(picture->out, "y2", picture->y);
        g_string_append(picture->out, "/>\n");
        add_text(picture, x + 2, top + 10, "small", label);
    }
}

/* ---- the machine ---- */

/* The samples that border column N of the picture: the last before it and the first after it. FALSE: none. */
static gboolean column_samples(
        const Picture *picture, guint n, const MachineSample **ret_first, const MachineSample **ret_last) {
    const GPtrArray *samples = picture->record->machine->samples;
    gint64 from = picture->record->end * n / COLUMNS, to = picture->record->end * (n + 1) / COLUMNS;
    guint first = 0;
    while (first + 1 < samples->len && ((MachineSample *) samples->pdata[first + 1])->at <= from)
        first++;
    guint last = first;
    while (last + 1 < samples->len && ((MachineSample *) samples->pdata[last])->at < to)
        last++;
    *ret_first = samples->pdata[first];
    *ret_last = samples->pdata[last];
    return last > first;
}

/* What the cores FROM up to TO did between two samples. */
static CoreTimes difference(const MachineSample *a, const MachineSample *b, guint from, guint to) {
    CoreTimes sum = {0};
    for (guint i = from; i < to; i++) {
        sum.programs += b->cores[i].programs - a->cores[i].programs;
        sum.kernel += b->cores[i].kernel - a->cores[i].kernel;
        sum.waiting += b->cores[i].waiting - MIN(a->cores[i].waiting, b->cores[i].waiting);
        sum.idle += b->cores[i].idle - MIN(a->cores[i].idle, b->cores[i].idle);
    }
    return sum;
}

static void add_core_column(Picture *picture, guint column, guint from, guint to, double height) {
    const MachineSample *first, *last;
    if (!column_samples(picture, column, &first, &last))
        return;
    CoreTimes did = difference(first, last, from, to);
    double all = did.programs + did.kernel + did.waiting + did.idle, bottom = picture->y + height;
    const double shares[] = {did.programs / MAX(all, 1), did.kernel / MAX(all, 1), did.waiting / MAX(all, 1)};
    static const char *const classes[] = {"programs", "kernel", "waiting"};
    double width = (WIDTH - 2 * MARGIN) / (double) COLUMNS;
    g_autofree char *title = g_strdup_printf("%.1f s: %.0f %% programs, %.0f %% kernel, %.0f %% waiting for disks",
            second(picture->record->end * column / COLUMNS), shares[0] * 100, shares[1] * 100, shares[2] * 100);
    for (guint i = 0; i < G_N_ELEMENTS(shares); i++) {
        if (shares[i] < 0.01)
            continue;
        bottom -= shares[i] * height;
        add_box(picture, MARGIN + column * width, bottom, width, shares[i] * height, classes[i], title);
    }
}

static void add_cores(Picture *picture) {
    guint n = picture->record->machine->n_cores, rows = n <= CORES_MAX ? n : 1;
    add_heading(picture, "Processors: programs (blue), kernel (red), waiting for disks (yellow)");
    for (guint row = 0; row < rows; row++) {
        for (guint column = 0; column < COLUMNS; column++)
            add_core_column(picture, column, rows == 1 ? 0 : row, rows == 1 ? n : row + 1, 2 * ROW);
        picture->y += 2 * ROW + 4;
    }
}

/* The bytes a second in COLUMN. */
static double column_rate(const Picture *picture, guint column, gboolean written) {
    const MachineSample *first, *last;
    if (!column_samples(picture, column, &first, &last) || last->at <= first->at)
        return 0;
    guint64 bytes = written ? last->bytes_written - first->bytes_written : last->bytes_read - first->bytes_read;
    return bytes / second(last->at - first->at);
}

static void add_disks(Picture *picture, gboolean written) {
    double highest = 1, width = (WIDTH - 2 * MARGIN) / (double) COLUMNS;
    for (guint column = 0; column < COLUMNS; column++)
        highest = MAX(highest, column_rate(picture, column, written));
    g_autofree char *most = text_format_size((guint64) highest);
    g_autofree char *heading = g_strdup_printf("Disks: bytes %s, at most %s/s", written ? "written" : "read", most);
    add_heading(picture, heading);
    for (guint column = 0; column < COLUMNS; column++) {
        double rate = column_rate(picture, column, written), height = rate / highest * 2 * ROW;
        if (height < 0.2)
            continue;
        g_autofree char *size = text_format_size((guint64) rate);
        g_autofree char *title =
                g_strdup_printf("%.1f s: %s/s", second(picture->record->end * column / COLUMNS), size);
        add_box(picture, MARGIN + column * width, picture->y + 2 * ROW - height, width, height,
                written ? "written" : "read", title);
    }
    picture->y += 2 * ROW;
}

/* ---- steps ---- */

static gint64 end_of(const Picture *picture, const TimelineStep *step) {
    return step->end < 0 ? picture->record->end : step->end;
}

static gint64 end_of_part(const Picture *picture, const TimelineStep *step, guint n) {
    return n + 1 < step->parts->len ? g_array_index(step->parts, TimelinePart, n + 1).at : end_of(picture, step);
}

static char *describe_step(const Picture *picture, const TimelineStep *step) {
    return g_strdup_printf("%s (%s%s%.2f s%s)", step->name, step->remark ? step->remark : "",
            step->remark ? ", " : "", second(end_of(picture, step) - step->start), step->failed ? ", failed" : "");
}

/* What a step was at, in turn light and dark, along its lower edge. */
static void add_parts(Picture *picture, const TimelineStep *step) {
    for (guint i = 0; i < step->parts->len; i++) {
        const TimelinePart *part = &g_array_index(step->parts, TimelinePart, i);
        gint64 end = end_of_part(picture, step, i);
        double from = x_of(picture, part->at), to = x_of(picture, end);
        if (to - from < 0.2)
            continue;
        g_autofree char *title = g_strdup_printf("%s: %.2f s, from %.2f s on", part->text, second(end - part->at),
                second(part->at));
        add_box(picture, from, picture->y + 10, to - from, 5, i % 2 ? "part" : "part-too", title);
    }
}

/* TEXT in or behind the box from FROM to TO; before it, where the picture ends. */
static void add_label(Picture *picture, double from, double to, const char *text) {
    double width = g_utf8_strlen(text, -1) * CHARACTER;
    double x = width <= to - from || from + width <= WIDTH - MARGIN ? from + 3 : MAX(WIDTH - MARGIN - width, MARGIN);
    add_text(picture, x, picture->y + 9, "label", text);
}

static void add_steps(Picture *picture) {
    add_heading(picture, "Steps, and what they were at (along the lower edge)");
    for (guint i = 0; i < picture->record->steps->len; i++) {
        const TimelineStep *step = picture->record->steps->pdata[i];
        g_autofree char *text = describe_step(picture, step);
        double from = x_of(picture, step->start), to = x_of(picture, end_of(picture, step));
        add_box(picture, from, picture->y, to - from, ROW - 2, step->failed ? "failed" : "step", text);
        add_parts(picture, step);
        add_label(picture, from, to, text);
        picture->y += ROW;
    }
}

/* ---- programs ---- */

static gint compare_start(gconstpointer a, gconstpointer b) {
    const TimelineProgram *first = *(TimelineProgram *const *) a, *second_program = *(TimelineProgram *const *) b;
    return (first->start > second_program->start) - (first->start < second_program->start);
}

/* The first lane that is free at AT; taken until UNTIL. */
static guint take_lane(GArray *lanes, gint64 at, gint64 until) {
    guint lane = 0;
    while (lane < lanes->len && g_array_index(lanes, gint64, lane) > at)
        lane++;
    if (lane == lanes->len)
        g_array_append_val(lanes, until);
    g_array_index(lanes, gint64, lane) = until;
    return lane;
}

static void add_program(Picture *picture, const TimelineProgram *program, guint lane) {
    double from = x_of(picture, program->start), to = x_of(picture, program->end), y = picture->y + lane * ROW;
    g_autofree char *bytes_read = text_format_size(program->bytes_read);
    g_autofree char *bytes_written = text_format_size(program->bytes_written);
    g_autofree char *title = g_strdup_printf("%s\n%.2f s, of which %.2f s on processors; %s read from disks, %s written",
            program->command, second(program->end - program->start), second(program->cpu), bytes_read, bytes_written);
    add_box(picture, from, y, to - from, ROW - 2, "program", title);
    gsize fits = (gsize) MAX((to - from - 4) / CHARACTER, 0);
    if (fits < 4)
        return;
    g_autofree char *valid = g_utf8_make_valid(program->command, -1);
    g_autofree char *cut = g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), (glong) fits));
    add_text(picture, from + 3, y + 12, "label", cut);
}

static void add_programs(Picture *picture) {
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    g_autoptr(GArray) lanes = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; i < picture->record->programs->len; i++)
        g_ptr_array_add(sorted, picture->record->programs->pdata[i]);
    g_ptr_array_sort(sorted, compare_start);
    add_heading(picture, "Programs");
    for (guint i = 0; i < sorted->len; i++) {
        const TimelineProgram *program = sorted->pdata[i];
        add_program(picture, program, take_lane(lanes, program->start, program->end));
    }
    picture->y += lanes->len * ROW;
}

/* ---- what took longest ---- */

typedef struct {
    gint64 duration;
    char *text;
} Entry;

static void clear_entry(gpointer data) {
    Entry *entry = data;
    g_free(entry->text);
}

static gint compare_duration(gconstpointer a, gconstpointer b) {
    const Entry *first = a, *other = b;
    return (first->duration < other->duration) - (first->duration > other->duration);
}

static void add_entry(GArray *entries, gint64 duration, char *text) {
    const Entry entry = {duration, text};
    g_array_append_val(entries, entry);
}

static GArray *list_entries(const Picture *picture) {
    GArray *entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    g_array_set_clear_func(entries, clear_entry);
    for (guint i = 0; i < picture->record->programs->len; i++) {
        const TimelineProgram *program = picture->record->programs->pdata[i];
        add_entry(entries, program->end - program->start, g_strdup(program->command));
    }
    for (guint i = 0; i < picture->record->steps->len; i++) {
        const TimelineStep *step = picture->record->steps->pdata[i];
        for (guint n = 0; n < step->parts->len; n++) {
            const TimelinePart *part = &g_array_index(step->parts, TimelinePart, n);
            add_entry(entries, end_of_part(picture, step, n) - part->at, g_strdup_printf("%s: %s", step->name, part->text));
        }
    }
    g_array_sort(entries, compare_duration);
    return entries;
}

static void add_longest(Picture *picture) {
    g_autoptr(GArray) entries = list_entries(picture);
    add_heading(picture, "What took longest, of programs and of what steps were at");
    for (guint i = 0; i < MIN(entries->len, LONGEST); i++) {
        const Entry *entry = &g_array_index(entries, Entry, i);
        g_autofree char *line = g_strdup_printf("%8.2f s  %s", second(entry->duration), entry->text);
        picture->y += ROW - 4;
        add_text(picture, MARGIN, picture->y, "label", line);
    }
}

static const char style[] =
        "text{font-family:sans-serif;font-size:11px;fill:#222;white-space:pre}"
        ".title{font-size:15px;font-weight:bold}.heading{font-size:12px;font-weight:bold}.small{font-size:9px;fill:#888}"
        ".axis{stroke:#ddd;stroke-width:1}.step{fill:#bcd7ee}.failed{fill:#f4b6b6}.part{fill:#6fa3cf}"
        ".part-too{fill:#94bfe2}.program{fill:#d3e6c4}.programs{fill:#4f81bd}.kernel{fill:#c0504d}"
        ".waiting{fill:#f2c84b}.read{fill:#7a9d54}.written{fill:#8064a2}rect:hover{stroke:#000;stroke-width:.5}";

char *timeline_draw(const TimelineRecord *record, const char *title) {
    g_autoptr(GString) body = g_string_new(NULL);
    Picture picture = {.record = record, .out = body, .y = 24};
    g_autofree char *line = g_strdup_printf("%s: %.2f s", title, second(record->end));

    add_text(&picture, MARGIN, picture.y, "title", line);
    double top = picture.y + 6;
    picture.y += 12;
    if (record->machine && record->machine->samples->len > 1) {
        add_cores(&picture);
        add_disks(&picture, FALSE);
        add_disks(&picture, TRUE);
    }
    add_steps(&picture);
    add_programs(&picture);
    add_longest(&picture);

    GString *all = g_string_new(NULL);
    g_string_append_printf(all,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n<style>%s</style>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            WIDTH, (int) picture.y + MARGIN, WIDTH, (int) picture.y + MARGIN, style);
    picture.out = all;
    add_axis(&picture, top);
    g_string_append_len(all, body->str, body->len);
    g_string_append(all, "</svg>\n");
    return g_string_free(all, FALSE);
}
