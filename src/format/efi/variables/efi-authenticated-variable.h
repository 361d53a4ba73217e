/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Time-based authenticated variables (EFI_VARIABLE_AUTHENTICATION_2, UEFI specification, "Variable
 * Services"): the PK.auth, KEK.auth and db.auth that systemd-boot enrols from loader/keys/. */

#include <glib.h>

#include "crypto/certificates/certificate.h"
#include "crypto/cms/cms.h"
#include "crypto/sources/key-source.h"
#include "format/efi/variables/efi-signature-list.h"

#define EFI_VARIABLE_NON_VOLATILE 0x01u
#define EFI_VARIABLE_BOOTSERVICE_ACCESS 0x02u
#define EFI_VARIABLE_RUNTIME_ACCESS 0x04u
#define EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS 0x20u

#define EFI_VARIABLE_APPEND_WRITE 0x40u

/* What PK, KEK and db have. */
#define EFI_VARIABLE_KEY_ATTRIBUTES                                                                         \
    (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS |            \
            EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS)

extern const EfiGuid EFI_GLOBAL_VARIABLE_GUID;         /* vendor of PK and KEK */
extern const EfiGuid EFI_IMAGE_SECURITY_DATABASE_GUID; /* vendor of db and dbx */

/* The vendor GUID of the variable NAME: PK, KEK, db or dbx; NULL for others. */
const EfiGuid *efi_key_variable_get_vendor(const char *name);

/* What an update does; its signature covers this. */
typedef enum {
    EFI_UPDATE_REPLACE,
    EFI_UPDATE_APPEND, /* adds the entries that the variable does not have yet; may be of any time */
} EfiUpdate;

/* A signed update of the variable NAME (PK, KEK, db, dbx) by PAYLOAD (signature lists). TIMESTAMP is in
 * seconds since 1970, UTC (SOURCE_DATE_EPOCH); firmware refuses a replacement that is not newer than what it
 * has. */
GBytes *efi_authenticated_variable_sign(const char *name, EfiUpdate kind, gint64 timestamp, GBytes *payload,
        const KeySource *key, const Certificate *certificate, GError **error);

/* The same with the signature lists made from CERTIFICATES (an array of Certificate), owner
 * PARTICLEOS_SIGNATURE_OWNER_GUID. */
GBytes *efi_enrolment_variable_build(const char *name, gint64 timestamp, GPtrArray *certificates,
        const KeySource *key, const Certificate *certificate, GError **error);

/* UPDATE, which replaces the variable NAME, with a signature by KEY instead of one that is pending
 * (cms_message_is_pending()) and by CERTIFICATE. NULL without ERROR set when it is not. */
GBytes *efi_authenticated_variable_complete(const char *name, GBytes *update, const KeySource *key,
        const Certificate *certificate, GError **error);

/* A signed update that was read. */
typedef struct {
    guint8 timestamp[16]; /* EFI_TIME */
    CmsMessage *message;
    GBytes *payload;
} EfiAuthenticatedVariable;

EfiAuthenticatedVariable *efi_authenticated_variable_parse(const void *data, gsize size, GError **error);
void efi_authenticated_variable_free(EfiAuthenticatedVariable *variable);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EfiAuthenticatedVariable, efi_authenticated_variable_free)

/* Checks the signature of VARIABLE as an update of that KIND of the variable NAME (PK, KEK, db, dbx).
 * RET_SIGNER (may be
 * NULL) receives a new reference. */
gboolean efi_authenticated_variable_verify(const EfiAuthenticatedVariable *variable, const char *name,
        EfiUpdate kind, Certificate **ret_signer, GError **error) G_GNUC_WARN_UNUSED_RESULT;
