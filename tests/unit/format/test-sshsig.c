/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "format/sshsig/sshsig.h"

/* Signatures of ssh-keygen over MESSAGE; those of tokens are made by keys in memory, and ssh-keygen -Y verify takes them. */
#define MESSAGE "release stable\n"
#define PURPOSE "particleos-release"

typedef struct {
    const char *name, *key, *fingerprint, *signature;
} Vector;

static const Vector vectors[] = {
        {"ed25519",
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFwr3TkYn8E4oAdWM/vxw/Nln0rlaA8yrA3ZdoUC+Zhi",
                "SHA256:K4pk4vE32BfPOmKFWCAJ9l0nES+l3etiiUV8k88bYFQ",
                "-----BEGIN SSH SIGNATURE-----\n"
                "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgXCvdORifwTigB1Yz+/HD82WfSu\n"
                "VoDzKsDdl2hQL5mGIAAAAScGFydGljbGVvcy1yZWxlYXNlAAAAAAAAAAZzaGE1MTIAAABT\n"
                "AAAAC3NzaC1lZDI1NTE5AAAAQP8dva02bi1rO+O0lldvv+Yl5UiQ46ToUFiYbzKyRXjqkr\n"
                "XZPMlby62nyWtlW1iXUgt+egSETj+tdnR3Zgb4EwA=\n"
                "-----END SSH SIGNATURE-----\n"},
        {"ecdsa256",
                "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJK36B7vzKA95We3B8pa39QfEqFV"
                "/A0e6dRqeGq/e0Yf/q7T8XaD6uDS8yq5wm8SeJ+fsx1Y+NCNWSshJ44hni8=",
                "SHA256:rxnJAwy1tcSD5wISdQ2derGgo+9YYYKaZTWQThJEpWo",
                "-----BEGIN SSH SIGNATURE-----\n"
                "U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE\n"
                "EEkrfoHu/MoD3lZ7cHylrf1B8SoVX8DR7p1Gp4ar97Rh/+rtPxdoPq4NLzKrnCbxJ4n5+z\n"
                "HVj40I1ZKyEnjiGeLwAAABJwYXJ0aWNsZW9zLXJlbGVhc2UAAAAAAAAABnNoYTUxMgAAAG\n"
                "QAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAEkAAAAhAPdWJXFyMwJ1fqMlFdYHqyIJksPm\n"
                "jA5lMlHwVuhDAInWAAAAIAqCjr1bYTqzphIAbMwrUGPnRdL8c8fBAMjJDBL8l9Hg\n"
                "-----END SSH SIGNATURE-----\n"},
        {"ecdsa384",
                "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBMakfVdMwuvJRAlEZLTvPTkCw+JQ"
                "x4uEK3aC39chKE3TqLn2+7Za8veRqWIqIfhigajiEFcL3y0WOmnr6GQtrhzwbT7pwKmOlZxEiRF4qgqmP5iPuke26+BjEN/8mZXI"
                "ZQ==",
                "SHA256:AjcoN/7RmUbgmaUT+cmGNwL2kzpSOvmOJbbepfeheNQ",
                "-----BEGIN SSH SIGNATURE-----\n"
                "U1NIU0lHAAAAAQAAAIgAAAATZWNkc2Etc2hhMi1uaXN0cDM4NAAAAAhuaXN0cDM4NAAAAG\n"
                "EExqR9V0zC68lECURktO89OQLD4lDHi4QrdoLf1yEoTdOoufb7tlry95GpYioh+GKBqOIQ\n"
                "VwvfLRY6aevoZC2uHPBtPunAqY6VnESJEXiqCqY/mI+6R7br4GMQ3/yZlchlAAAAEnBhcn\n"
                "RpY2xlb3MtcmVsZWFzZQAAAAAAAAAGc2hhNTEyAAAAhQAAABNlY2RzYS1zaGEyLW5pc3Rw\n"
                "Mzg0AAAAagAAADEA+SxBCDHANS25dXLI8zpdZpFg5NnIiBlnZeVcUdpsRslphNk7nB1TlL\n"
                "o2bu9FuR/HAAAAMQDHy8zFCt/mektPpRzRrSJaTzGpA5wpWKUPvc7t5sJAhhl/JN9jNPlS\n"
                "HMdAQD1M5aM=\n"
                "-----END SSH SIGNATURE-----\n"},
        {"ecdsa521",
                "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAD63EoJIC0UsuAJfOnINiXD2sRT"
                "fJ2IK4q2Oujyd2jKSp97CAPx+klzfi9Vs3EBSTJHlMDCjSrrCHU9loZWGOyUTAAYYzsuGEZD24MwzU0HkfFgVNkjwwhJAOPXyYZH"
                "UnUReWIPXpZcP/R4k85LU3Opq+pcZnDKI77SDRJf7vs20r9/vw==",
                "SHA256:spi7XP06r8uOF0dR7L7bjg8pldu4KYm6LynrOMngXKI",
                "-----BEGIN SSH SIGNATURE-----\n"
                "U1NIU0lHAAAAAQAAAKwAAAATZWNkc2Etc2hhMi1uaXN0cDUyMQAAAAhuaXN0cDUyMQAAAI\n"
                "UEAPrcSgkgLRSy4Al86cg2JcPaxFN8nYgrirY66PJ3aMpKn3sIA/H6SXN+L1WzcQFJMkeU\n"
                "wMKNKusIdT2WhlYY7JRMABhjOy4YRkPbgzDNTQeR8WBU2SPDCEkA49fJhkdSdRF5Yg9ell\n"
                "w/9HiTzktTc6mr6lxmcMojvtINEl/u+zbSv3+/AAAAEnBhcnRpY2xlb3MtcmVsZWFzZQAA\n"
                "AAAAAAAGc2hhNTEyAAAApwAAABNlY2RzYS1zaGEyLW5pc3RwNTIxAAAAjAAAAEIBeAbPjN\n"
                "/pAtESGFLS64PiYH+nzf3TR59r+CSFNtf1n38XDhGt3k0ttTrfMWve5x/Jg/wJrdQMpfAG\n"
                "rn8ICwuBMREAAABCAIY/0UeXF8gI3Y6/MJJQdREcB2j5foxB/SKJVimkIMCDVtxwccEYGQ\n"
                "oIeASAh5sH2akcDRsiLt/ZL8F9JnMlgx/6\n"
                "-----END SSH SIGNATURE-----\n"},
        {"rsa",
                "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCzKDDD6kMniYBUReY/hfL0DUpjMCSL5uSq2uKlowLmrp811MxFTm+xaSsaRzoX"
                "QCvGXShTRxN6YIkdtsITP8EV3jWNPCTUMzV4qPqRgOLgjoUH/di6OnCoh2A7X2jZwU0p2YHI9zn7IoFpJ1aecCl8Yp0rlPpBoiNx"
                "7D6Vc1vgW4J1q5CcO0uGR7ujRJD0fI58U+HL6BBCti5E01ENc0ZpO375IOCACvlrsrcwFqk+EVFlUzZkkw6ZcbyhieMNJYD+f2yF"
                "30Jh/7dPGjmUmPJqN0n6mVByOkJtNnxkGrtiHUMxPQ6WKAoS9sBR9KmSQoimGQOKTlIiVIGOodvRFmit",
                "SHA256:bdzJ1Hzw5Q6DRjIEYfUdz+cZW2HgTEb2U4mWtHdoZXk",
                "-----BEGIN SSH SIGNATURE-----\n"
                "U1NIU0lHAAAAAQAAARcAAAAHc3NoLXJzYQAAAAMBAAEAAAEBALMoMMPqQyeJgFRF5j+F8v\n"
                "QNSmMwJIvm5Kra4qWjAuaunzXUzEVOb7FpKxpHOhdAK8ZdKFNHE3pgiR22whM/wRXeNY08\n"
                "JNQzNXio+pGA4uCOhQf92Lo6cKiHYDtfaNnBTSnZgcj3OfsigWknVp5wKXxinSuU+kGiI3\n"
                "HsPpVzW+BbgnWrkJw7S4ZHu6NEkPR8jnxT4cvoEEK2LkTTUQ1zRmk7fvkg4IAK+WuytzAW\n"
                "qT4RUWVTNmSTDplxvKGJ4w0lgP5/bIXfQmH/t08aOZSY8mo3SfqZUHI6Qm02fGQau2IdQz\n"
                "E9DpYoChL2wFH0qZJCiKYZA4pOUiJUgY6h29EWaK0AAAAScGFydGljbGVvcy1yZWxlYXNl\n"
                "AAAAAAAAAAZzaGE1MTIAAAEUAAAADHJzYS1zaGEyLTUxMgAAAQBL0TCPn+3cfhTpooaCSB\n"
                "E8Ptp6aiT+qoWWqe8qpNMttMOrOfIAbXuveOdzsWKZiB+9c+MIfiU4RH6wwa+T/ZEtQ9o0\n"
                "ZLDX/U4AMNI2F0c6Eo05yNUiEiSsk3HyBfEhNUJiqFKHeSlmtLVw1v04WzJbEhVZKDDAdX\n"
                "qSHnIjWJcbnN+ERDcSOMjYAhrvPp5Xto7A1jmBlfg8VDM2Sv9jHL10fSLjRiR9X+LupXS0\n"
                "pTy3YZkKKJtJ8DzEWyP8bF0mPxKMNOVhpn/pTFFPcmjwvC3Zq9/2RUQtkV4DmsqgWNcUdh\n"
                "s/DnuHXVQwGyAG6+vD7fbRNmUWhS2HYSUUQYIi8N9w\n"
                "-----END SSH SIGNATURE-----\n"},
        {"sked",
                "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIJP6H27AUQ3Ctjck01BWRHi4wX6BI"
                "XD552wUOjmXFSVcAAAABHNzaDo=",
                "SHA256:5DKjKIhaaBp5UBNpsNQnZDyEIm2b9cX7uP4TTqeKNwo",
                "-----BEGIN SSH SIGNATURE-----\n"
                "U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAgk/ofbs\n"
                "BRDcK2NyTTUFZEeLjBfoEhcPnnbBQ6OZcVJVwAAAAEc3NoOgAAABJwYXJ0aWNsZW9zLXJl\n"
                "bGVhc2UAAAAAAAAABnNoYTUxMgAAAGcAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb2\n"
                "0AAABAuZJXU2r8BJDaf95liF+ZbuZ3Qm3CyRutv4y5vIYq9XxoyTtO2sDQf4E9Wp8ty175\n"
                "iPh5YJzH1lnPi1wwSlhwBwEAAAAH\n"
                "-----END SSH SIGNATURE-----\n"},
        {"skec",
                "sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyN"
                "TYAAABBBJlVsEnt6CL4ra+xctvvg1Y2IF1ifIxuTeZKCabw16vYCkQzAtslBBrmHOqq5VhFT4lxzqDwWjiVBWvgLh6gTHMAAAAEc"
                "3NoOg==",
                "SHA256:gyJk70n8Kx29PcWLSURIoK0wSrpX0fyJy9owCFF7eoY",
                "-----BEGIN SSH SIGNATURE-----\n"
                "U1NIU0lHAAAAAQAAAH8AAAAic2stZWNkc2Etc2hhMi1uaXN0cDI1NkBvcGVuc3NoLmNvbQ\n"
                "AAAAhuaXN0cDI1NgAAAEEEmVWwSe3oIvitr7Fy2++DVjYgXWJ8jG5N5koJpvDXq9gKRDMC\n"
                "2yUEGuYc6qrlWEVPiXHOoPBaOJUFa+AuHqBMcwAAAARzc2g6AAAAEnBhcnRpY2xlb3Mtcm\n"
                "VsZWFzZQAAAAAAAAAGc2hhNTEyAAAAeAAAACJzay1lY2RzYS1zaGEyLW5pc3RwMjU2QG9w\n"
                "ZW5zc2guY29tAAAASQAAACEA5CGp5G2FmwRxoFAS5w0RWIiDLLRbuE9E+NxlDWl5kJkAAA\n"
                "AgK3xN5hnn26bzut8yNJq/oYZbmYa9EeMr6TC6fB3HVf4FAAAABw==\n"
                "-----END SSH SIGNATURE-----\n"},
};

/* By a token that nobody touched. */
static const Vector away = {"skaway",
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIDD4yKBRdT0Av3dYZhp6TAOXM6qDr8vUG/XxZ3PkLd6VAAAABHNzaDo=",
        "",
        "-----BEGIN SSH SIGNATURE-----\n"
        "U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAgMPjIoF\n"
        "F1PQC/d1hmGnpMA5czqoOvy9Qb9fFnc+Qt3pUAAAAEc3NoOgAAABJwYXJ0aWNsZW9zLXJl\n"
        "bGVhc2UAAAAAAAAABnNoYTUxMgAAAGcAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb2\n"
        "0AAABA5JEOYSx+vGwRSw2h0DmBxBRqO8dfa6T+oLtZ4pH4ouGq106imqHTVgysQdVGdt5h\n"
        "Ers5big2fWExOgLyxv0OCQAAAAAH\n"
        "-----END SSH SIGNATURE-----\n"};

#define SMALL                                                                                                          \
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDeRnFBuGmFMonfKpaJG0vbzmR0PdIWpq2GDeVdOFKbdWXdxqT608jbo3vmBmY90mxHP3AB1wYfVDwxlrZcyuKWCPIwXvK6DrylBIJWEr9WZPqBAdGAh4X+3Ndx8Z6jPdrYOftBiDqO0U9LnBl45B+RWVFTUWj+tf4YFN2/Tp9Kqw=="

static GBytes *parse(const char *line) {
    g_autoptr(GError) error = NULL;
    GBytes *key = sshsig_key_parse(line, &error);

    g_assert_no_error(error);
    return key;
}

static void refuse(const Vector *vector, GBytes *key, const char *purpose, const char *message, int code) {
    g_autoptr(GError) error = NULL;

    g_assert_false(sshsig_verify(
            vector->signature, strlen(vector->signature), key, purpose, message, strlen(message), &error));
    g_assert_error(error, SSHSIG_ERROR, code);
}

static void test_good(void) {
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        const Vector *vector = &vectors[i], *other = &vectors[(i + 1) % G_N_ELEMENTS(vectors)];
        g_autoptr(GBytes) key = parse(vector->key);
        g_autoptr(GBytes) another = parse(other->key);
        g_autofree char *fingerprint = sshsig_key_fingerprint(key);
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) peeked = sshsig_peek_key(vector->signature, strlen(vector->signature), &error);

        g_assert_no_error(error);
        g_assert_true(g_bytes_equal(peeked, key));
        g_assert_cmpstr(fingerprint, ==, vector->fingerprint);
        g_assert_true(sshsig_verify(
                vector->signature, strlen(vector->signature), key, PURPOSE, MESSAGE, strlen(MESSAGE), &error));
        g_assert_no_error(error);
        refuse(vector, another, PURPOSE, MESSAGE, SSHSIG_ERROR_KEY);
        refuse(vector, key, "file", MESSAGE, SSHSIG_ERROR_BAD);
        refuse(vector, key, PURPOSE, "release testing\n", SSHSIG_ERROR_BAD);
        refuse(vector, key, PURPOSE, "", SSHSIG_ERROR_BAD);
    }
}

/* Each byte of a signature counts: with any other it is malformed, of another key, or bad. */
static void test_changed(void) {
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        const Vector *vector = &vectors[i];
        g_autoptr(GBytes) key = parse(vector->key);
        gsize size = strlen(vector->signature);

        for (gsize at = 0; at < size - 1; at++) {
            g_autofree char *changed = g_strdup(vector->signature);

            changed[at] = changed[at] == 'A' ? 'B' : 'A';
            g_assert_false(sshsig_verify(changed, size, key, PURPOSE, MESSAGE, strlen(MESSAGE), NULL));
            g_assert_false(sshsig_verify(vector->signature, at, key, PURPOSE, MESSAGE, strlen(MESSAGE), NULL));
        }
    }
}

static void test_nobody_there(void) {
    g_autoptr(GBytes) key = parse(away.key);

    refuse(&away, key, PURPOSE, MESSAGE, SSHSIG_ERROR_BAD);
}

static void test_keys(void) {
    static const char *const lines[] = {"", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519 AAAA", SMALL,
            "ssh-dss AAAAB3NzaC1kc3MAAAAA", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==",
            "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29t"};

    for (guint i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(sshsig_key_parse(lines[i], &error));
        g_assert_error(error, SSHSIG_ERROR, SSHSIG_ERROR_MALFORMED);
    }
    for (guint i = 0; i < G_N_ELEMENTS(vectors); i++) {
        const char *base64 = strchr(vectors[i].key, ' ') + 1;
        g_autofree char *commented = g_strconcat(vectors[i].key, " ada", NULL);
        g_autofree char *other = g_strconcat("ssh-x ", base64, NULL);
        g_autofree char *longer = g_strconcat(vectors[i].key, "AAAA", NULL);

        g_assert_null(sshsig_key_parse(commented, NULL));
        g_assert_null(sshsig_key_parse(other, NULL));
        g_assert_null(sshsig_key_parse(longer, NULL));
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/format/sshsig/good", test_good);
    g_test_add_func("/format/sshsig/changed", test_changed);
    g_test_add_func("/format/sshsig/nobody-there", test_nobody_there);
    g_test_add_func("/format/sshsig/keys", test_keys);
    return g_test_run();
}
