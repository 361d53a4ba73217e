/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pages.h"

#include <string.h>

#include "crypto/certificates/certificate.h"
#include "kitchen/html/url.h"
#include "kitchen/model/projects/key-certificate.h"
#include "kitchen/model/results/parts.h"
#include "kitchen/pages/part.h"
#include "kitchen/site/frame.h"
#include "kitchen/site/words.h"

#define KEY_RING_FILE "import-pubring.pgp"

/* What the key of PURPOSE is for. */
static const char *purpose_words(const char *purpose) {
    static const char *const words[][2] = {
            {"secure-boot", "boot loaders and kernel images, which the firmware verifies"},
            {"enrolment", "the variables that tell a machine's firmware whom it trusts"},
            {"verity", "root hashes of the system's volume, which the kernel verifies"},
            {"pcr", "expected measurements, to which disks are sealed"}, {"ipe", "policies of what may be executed"},
            {"manifest", "manifests: what devices install"}};

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(words[i][0], purpose) == 0)
            return words[i][1];
    return "";
}

static void write_fact(Html *html, const char *name, const char *value) {
    html_element(html, "dt", name, NULL);
    html_element(html, "dd", value, NULL);
}

static void write_day(Html *html, const char *name, gint64 seconds) {
    g_autofree char *exact = words_time(seconds * 1000);
    g_autofree char *day = g_strndup(exact, strlen("YYYY-MM-DD"));

    html_element(html, "dt", name, NULL);
    html_open(html, "dd", NULL);
    html_element(html, "time", day, "datetime", exact, NULL);
    html_close(html, "dd");
}

static void write_facts(Visit *visit, Html *html, const Certificate *certificate) {
    guint bits = 0;
    const char *type = certificate_get_key_type(certificate, &bits);
    g_autofree char *key = g_strdup_printf("%s, %u bits", type, bits);
    g_autoptr(GError) error = NULL;
    gint64 from = 0, until = 0;

    html_open(html, "dl", "class", "pairs", NULL);
    write_fact(html, "Subject", certificate_get_subject(certificate));
    write_fact(html, "Key", key);
    if (certificate_get_validity(certificate, &from, &until, &error)) {
        write_day(html, "Valid from", from);
        write_day(html, "until", until);
    }
    html_element(html, "dt", "SHA-256", NULL);
    html_open(html, "dd", NULL);
    html_element(html, "code", certificate_get_fingerprint(certificate), "class", "digest", NULL);
    html_close(html, "dd");
    html_close(html, "dl");
    if (until > 0 && until < visit->now / 1000)
        html_element(html, "p", "The certificate has expired. Firmware does not look at that; other programs may.",
                "class", "wait", NULL);
}

static void write_download(Html *html, const ProjectView *project, const char *file, const char *text) {
    g_autofree char *path = url_path(project->namespace_name, project->name, "keys", file, NULL);

    html_element(html, "a", text, "href", path, NULL);
}

static void write_certificate(Visit *visit, Html *html, const ProjectView *project, const KeyCertificate *key) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Certificate) certificate = certificate_new(key->text, strlen(key->text), &error);
    g_autofree char *pem = g_strconcat(key->purpose, ".pem", NULL);
    g_autofree char *der = g_strconcat(key->purpose, ".der", NULL);
    g_autofree char *pem_words = g_strdup_printf("%s as PEM", key->purpose);
    g_autofree char *der_words = g_strdup_printf("%s as DER", key->purpose);

    html_element(html, "h3", key->purpose, NULL);
    html_open(html, "p", NULL);
    html_text(html, "Signs ");
    html_text(html, purpose_words(key->purpose));
    html_text(html, ".");
    html_close(html, "p");
    if (certificate)
        write_facts(visit, html, certificate);
    else
        html_element(html, "p", error->message, "class", "message", NULL);
    html_open(html, "p", "class", "actions", NULL);
    write_download(html, project, pem, pem_words);
    if (certificate)
        write_download(html, project, der, der_words);
    html_close(html, "p");
}

static void write_ring(Html *html, const ProjectView *project) {
    html_element(html, "h3", "OpenPGP", NULL);
    html_open(html, "p", NULL);
    html_text(html, "The same key as of manifests, for ");
    html_element(html, "code", "/etc/systemd/" KEY_RING_FILE, NULL);
    html_text(html, " of devices. ");
    write_download(html, project, KEY_RING_FILE, KEY_RING_FILE);
    html_close(html, "p");
}

static gboolean write_certificates(Visit *visit, Html *html, const ProjectView *project, GError **error) {
    g_autoptr(GPtrArray) keys = key_certificate_list(visit->site->database, project->id, error);
    gboolean ring = FALSE;

    if (!keys)
        return FALSE;
    html_element(html, "h2", "Certificates", NULL);
    if (keys->len == 0)
        html_element(html, "p", "The signer makes keys for the first build.", "class", "empty", NULL);
    for (guint i = 0; i < keys->len; i++) {
        const KeyCertificate *key = keys->pdata[i];

        if (strcmp(key->purpose, KEY_RING_PURPOSE) == 0)
            ring = TRUE;
        else
            write_certificate(visit, html, project, key);
    }
    if (ring)
        write_ring(html, project);
    return TRUE;
}

static gboolean write_uses(Visit *visit, Html *html, const ProjectView *project, GError **error) {
    g_autoptr(GPtrArray) uses = signature_uses(visit->site->database, project->id, error);

    if (!uses)
        return FALSE;
    html_element(html, "h2", "Signatures", NULL);
    if (uses->len == 0)
        html_element(html, "p", "Nothing was signed yet.", "class", "empty", NULL);
    else
        html_open(html, "ul", "class", "cards", NULL);
    for (guint i = 0; i < uses->len; i++) {
        const SignatureUse *use = uses->pdata[i];

        html_open(html, "li", NULL);
        html_element(html, "strong", use->type, NULL);
        html_textf(html, " %" G_GINT64_FORMAT " %s, last ", use->n, use->n == 1 ? "time" : "times");
        frame_time(visit, html, use->last);
        html_close(html, "li");
    }
    if (uses->len > 0)
        html_close(html, "ul");
    return TRUE;
}

void page_keys(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = part_project(visit, ROLE_NONE, NULL);
    Html *html = NULL;

    if (!project)
        return;
    html = part_begin(visit, project, "Keys", "keys");
    html_element(html, "p",
            "The signer keeps the keys; the service asks it for signatures and never sees a private key. Each purpose has "
            "a certificate; certificates of several purposes may be the same.",
            NULL);
    if (!write_certificates(visit, html, project, &error) || !write_uses(visit, html, project, &error)) {
        html_free(html);
        frame_error(visit, error);
        return;
    }
    frame_answer(visit, SOUP_STATUS_OK, html);
}

/* What the file NAME holds; NULL: there is none, or ERROR is set. RET_TYPE: its type of content. */
static GBytes *key_file(
        Visit *visit, const ProjectView *project, const char *name, const char **ret_type, GError **error) {
    gboolean is_ring = strcmp(name, KEY_RING_FILE) == 0, is_pem = g_str_has_suffix(name, ".pem");
    g_autofree char *purpose = is_ring ? g_strdup(KEY_RING_PURPOSE)
                               : is_pem || g_str_has_suffix(name, ".der")
                                       ? g_strndup(name, strlen(name) - strlen(".pem"))
                                       : NULL;
    g_autoptr(KeyCertificate) key =
            purpose ? key_certificate_find(visit->site->database, project->id, purpose, error) : NULL;
    g_autoptr(Certificate) certificate = NULL;
    gsize size = 0;
    guchar *data = NULL;

    if (!key || (!is_ring && strcmp(purpose, KEY_RING_PURPOSE) == 0))
        return NULL;
    *ret_type = is_ring ? "application/pgp-keys" : is_pem ? "application/x-pem-file" : "application/pkix-cert";
    if (is_pem)
        return g_bytes_new(key->text, strlen(key->text));
    if (is_ring) {
        data = g_base64_decode(key->text, &size);
        return g_bytes_new_take(data, size);
    }
    certificate = certificate_new(key->text, strlen(key->text), NULL);
    return certificate ? g_bytes_ref(certificate_get_der(certificate)) : NULL;
}

void page_key_file(Visit *visit) {
    g_autoptr(GError) error = NULL;
    g_autoptr(ProjectView) project = part_project(visit, ROLE_NONE, NULL);
    const char *type = NULL;
    g_autoptr(GBytes) body = project ? key_file(visit, project, visit_segment(visit, 3), &type, &error) : NULL;

    if (!project)
        return;
    if (error)
        frame_error(visit, error);
    else if (!body)
        frame_not_found(visit);
    else {
        http_header(visit->http, "Content-Disposition", "attachment");
        http_answer(visit->http, SOUP_STATUS_OK, type, body);
    }
}
