/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ui/timeline-machine.h"

#include <stdio.h>
#include <string.h>

#define FIRST_INTERVAL_US (G_USEC_PER_SEC / 10)
/* Beyond that many samples every other one is forgotten: a picture has no more columns. */
#define SAMPLES_MAX 4096

struct MachineWatch {
    MachineLog log;
    gint64 interval;
    GThread *thread; /* NULL: it has ended */
    GMutex lock;
    GCond stopping;
    gboolean stop;
};

static void sample_free(gpointer data) {
    MachineSample *sample = data;
    g_free(sample->cores);
    g_free(sample);
}

/* A line of /proc/stat (proc(5)): "cpu0 user nice system idle iowait irq softirq steal ...". */
static gboolean parse_core(const char *line, CoreTimes *ret) {
    guint64 user, nice, system, idle, waiting, irq, soft_irq;
    if (sscanf(line,
                "cpu%*u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                &user, &nice, &system, &idle, &waiting, &irq, &soft_irq) != 7)
        return FALSE;
    *ret = (CoreTimes){user + nice, system + irq + soft_irq, waiting, idle};
    return TRUE;
}

static GArray *read_cores(void) {
    g_autofree char *text = NULL;
    GArray *cores = g_array_new(FALSE, FALSE, sizeof(CoreTimes));
    CoreTimes core;
    if (!g_file_get_contents("/proc/stat", &text, NULL, NULL))
        return cores;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, "cpu") && g_ascii_isdigit((*line)[3]) && parse_core(*line, &core))
            g_array_append_val(cores, core);
    return cores;
}

/* The number behind NAME in TEXT, lines of /proc/vmstat. */
static guint64 find_number(const char *text, const char *name) {
    const char *found = strstr(text, name);
    return found ? g_ascii_strtoull(found + strlen(name), NULL, 10) : 0;
}

/* NULL where the kernel does not say. */
static MachineSample *look(guint *ret_n_cores) {
    g_autoptr(GArray) cores = read_cores();
    g_autofree char *text = NULL;
    if (cores->len == 0)
        return NULL;
    MachineSample *sample = g_new0(MachineSample, 1);
    sample->at = g_get_monotonic_time();
    if (g_file_get_contents("/proc/vmstat", &text, NULL, NULL)) {
        sample->bytes_read = find_number(text, "\npgpgin ") * 1024;
        sample->bytes_written = find_number(text, "\npgpgout ") * 1024;
    }
    *ret_n_cores = cores->len;
    sample->cores = (CoreTimes *) (gpointer) g_array_free(g_steal_pointer(&cores), FALSE);
    return sample;
}

static void thin_out(MachineWatch *watch) {
    GPtrArray *kept = g_ptr_array_new_with_free_func(sample_free);
    for (guint i = 0; i < watch->log.samples->len; i += 2)
        g_ptr_array_add(kept, g_steal_pointer(&watch->log.samples->pdata[i]));
    for (guint i = 1; i < watch->log.samples->len; i += 2)
        sample_free(watch->log.samples->pdata[i]);
    g_ptr_array_set_free_func(watch->log.samples, NULL);
    g_ptr_array_unref(watch->log.samples);
    watch->log.samples = kept;
    watch->interval *= 2;
}

/* A machine may lose a processor meanwhile; then there is no sample. */
static void add_sample(MachineWatch *watch) {
    guint n_cores = 0;
    MachineSample *sample = look(&n_cores);
    if (!sample)
        return;
    if (n_cores != watch->log.n_cores) {
        sample_free(sample);
        return;
    }
    g_ptr_array_add(watch->log.samples, sample);
    if (watch->log.samples->len > SAMPLES_MAX)
        thin_out(watch);
}

static gpointer run(gpointer data) {
    MachineWatch *watch = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&watch->lock);
    while (!watch->stop) {
        gint64 until = g_get_monotonic_time() + watch->interval;
        while (!watch->stop && g_cond_wait_until(&watch->stopping, &watch->lock, until))
            ;
        add_sample(watch);
    }
    return NULL;
}

MachineWatch *machine_watch_new(void) {
    guint n_cores = 0;
    MachineSample *first = look(&n_cores);
    if (!first)
        return NULL;
    MachineWatch *watch = g_new0(MachineWatch, 1);
    watch->log = (MachineLog){.n_cores = n_cores, .samples = g_ptr_array_new_with_free_func(sample_free)};
    g_ptr_array_add(watch->log.samples, first);
    watch->interval = FIRST_INTERVAL_US;
    g_mutex_init(&watch->lock);
    g_cond_init(&watch->stopping);
    watch->thread = g_thread_new("machine-watch", run, watch);
    return watch;
}

const MachineLog *machine_watch_stop(MachineWatch *watch) {
    if (!watch->thread)
        return &watch->log;
    g_mutex_lock(&watch->lock);
    watch->stop = TRUE;
    g_cond_signal(&watch->stopping);
    g_mutex_unlock(&watch->lock);
    g_thread_join(g_steal_pointer(&watch->thread));
    return &watch->log;
}

void machine_watch_free(MachineWatch *watch) {
    if (!watch)
        return;
    machine_watch_stop(watch);
    g_ptr_array_unref(watch->log.samples);
    g_mutex_clear(&watch->lock);
    g_cond_clear(&watch->stopping);
    g_free(watch);
}
