/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a booted machine says about its chain of trust. A unit that a credential brings runs a script in the
 * guest, which asks the kernel and the TPM tools and writes lines "KEY VALUE" to a serial port of its own,
 * so that nothing interleaves with them. */

#include <glib.h>

#include "text/style.h"

/* Credentials (NAME, VALUE, ..., NULL) that make the guest report on the serial port PORT ("ttyS1"). Owned
 * by the caller. */
char **vm_report_credentials(const char *port);

typedef struct {
    char *name;   /* as device-mapper knows it: "root" */
    char *use;    /* where it is mounted, "swap", or NULL */
    char *type;   /* "LUKS2" ..., or NULL */
    char *tokens; /* what opens it: "tpm2", "tpm2,recovery", or "" */
} VmReportVolume;

typedef struct {
    gboolean complete; /* the script came to its end */
    int secure_boot;   /* the variables SecureBoot and SetupMode, -1: unknown */
    int setup_mode;
    char *os;               /* PRETTY_NAME and version, or NULL */
    char *kernel;           /* release */
    char *boot_time;        /* what systemd measured, or NULL */
    char *verity_hash;      /* root hash of the volume of /usr, NULL: not verity */
    gboolean verity_usr;    /* /usr is mounted from that volume */
    gboolean verity_signed; /* the kernel was given a signature of the root hash, and accepted it */
    gboolean verity_corrupted;
    GPtrArray *volumes;      /* of VmReportVolume: encrypted ones */
    GPtrArray *messages;     /* of char *: what the kernel logged about these things */
    GPtrArray *failed_units; /* of char * */
} VmReport;

/* Reads what the guest wrote. Any bytes are accepted; what is not understood is left out. */
VmReport *vm_report_parse(const char *text, gsize length);
void vm_report_free(VmReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmReport, vm_report_free)

/* The report for people; owned by the caller. */
char *vm_report_format(const VmReport *report, const TextStyle *style);

/* TRUE when Secure Boot is on, /usr is signed verity, and everything encrypted opens with the TPM. */
gboolean vm_report_is_good(const VmReport *report);
