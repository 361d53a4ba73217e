/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kitchen/model/projects/key-certificate.h"

#define COLUMNS "purpose, text, created FROM key_certificate WHERE project_id = ? "

void key_certificate_free(KeyCertificate *certificate) {
    if (!certificate)
        return;
    g_free(certificate->purpose);
    g_free(certificate->text);
    g_free(certificate);
}

gboolean key_certificate_note(
        Database *database, gint64 project_id, const char *purpose, const char *text, gint64 now, GError **error) {
    return database_run(database,
            "INSERT INTO key_certificate (project_id, purpose, text, created) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (project_id, purpose) DO UPDATE SET text = excluded.text, created = excluded.created "
            "WHERE key_certificate.text <> excluded.text",
            DB_VALUES(DB_INT(project_id), DB_TEXT(purpose), DB_TEXT(text), DB_INT(now)), error);
}

static gpointer read_certificate(const DatabaseRows *rows) {
    KeyCertificate *certificate = g_new0(KeyCertificate, 1);

    certificate->purpose = database_rows_dup(rows, 0);
    certificate->text = database_rows_dup(rows, 1);
    certificate->created = database_rows_integer(rows, 2);
    return certificate;
}

GPtrArray *key_certificate_list(Database *database, gint64 project_id, GError **error) {
    return database_list(database, "SELECT " COLUMNS "ORDER BY purpose", DB_VALUES(DB_INT(project_id)),
            read_certificate, (GDestroyNotify) key_certificate_free, error);
}

KeyCertificate *key_certificate_find(Database *database, gint64 project_id, const char *purpose, GError **error) {
    return database_first(database, "SELECT " COLUMNS "AND purpose = ?",
            DB_VALUES(DB_INT(project_id), DB_TEXT(purpose)), read_certificate, error);
}
