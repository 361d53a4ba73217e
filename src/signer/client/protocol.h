/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How particleos-signer is asked for signatures.
 *
 * A Unix socket of the type SOCK_SEQPACKET. Each packet to it is one request: a JSON object (UTF-8, at most
 * SIGNER_REQUEST_SIZE_MAX bytes) with descriptors (SCM_RIGHTS, at most SIGNER_OBJECTS_MAX) of regular files that are
 * open for reading. Each request has one answer, a packet with a JSON object of at most SIGNER_ANSWER_SIZE_MAX bytes. A
 * connection may ask many times, one request after the other. The signer reads what it signs once, into memory of its
 * own, with pread(); the position of a descriptor does not matter and does not move.
 *
 * Members that a type of request does not know are an error, and so are a member that is there twice, numbers that are
 * not whole, and whatever else readers of JSON could differ on.
 *
 * All requests:
 *
 *     "version"     1
 *     "id"          names this request in its project: 1 to 128 of A-Z a-z 0-9 . _ : - ; asked again with the same
 *                   content it gets the same answer, and the signature counts once; with other content it is refused.
 *                   Not needed for "status", "log" and "certificates", which change nothing.
 *     "type"        one of those below
 *     "namespace", "project", "target"   1 to 64 of a-z 0-9 _ - , beginning with a letter or digit
 *     "job"         1 to 64 of the characters of "id": what is signed for a job is seen by this job alone
 *     "imageVersion"   14 digits, the time in UTC: "20261129020000"
 *     "objects"     names of the descriptors, in their order: strings, or objects {"name", "offset", "size"} for a part
 *                   of a file (bytes; without them: the whole file)
 *     "title"       what a thing is called, as in OUTPUT.signing/signing.json: "EFI/Linux/image.efi"
 *
 * Things (the objects called "thing") are as in OUTPUT.signing/things: zeros where signatures will be
 * (signing/thing.h). What is answered is what `particleos attach` takes as answers/NAME.sig.
 *
 *     type           asks with                                      gets signatures of
 *     verity         job, imageVersion; thing, data, hash           the root hash, after the whole tree was computed
 *     pe             job, imageVersion, title; thing                a program; of a UKI its PCR policies, too
 *     ipe            job, imageVersion; thing                       an integrity policy
 *     enrolment      job, imageVersion, title; thing                PK, KEK, db: TITLE ends with /PK.auth and so on
 *     addition       job, imageVersion                              an addition to db of all certificates that the policy has
 *                                                                   for it: those of the project and of vendors
 *     revocation     job, imageVersion, "digests"                   an addition to dbx that the signer makes itself
 *     manifest       job, imageVersion, "channel", "entries",       SHA256SUMS that the signer writes itself
 *                    optionally "bestBefore", "approvals"
 *     create         "targets", optionally "development", "keys",   nothing: makes the keys of a project
 *                    "commandLineAllow", "signaturesPerHour"
 *     target         "targets"                                      nothing: adds targets to a project in development
 *     withdraw       imageVersion                                   nothing: no manifest lists that version any more, ever
 *     certificates   namespace, project                             nothing
 *     status         nothing but version and type                   nothing
 *     log            "first": a number                              nothing: entries of the published log from that one on
 *
 * "title" may be given with every type that has a thing. "target" is asked of all but create, target, withdraw,
 * certificates, status and log. "private": true may be given with every type that is logged: the published log then has a
 * digest instead of the leaf (signer/client/leaf.h).
 * Things of signing.json are asked for by their types, but: those of "variable" as enrolment; those of "pcr"
 * (SplitArtifacts=pcrs) not at all, since the answers about their UKI are theirs, too; those of "manifest" neither,
 * since the signer writes manifests itself. Root hashes come before the UKIs that name them.
 *
 *     "digests"      of revocation: Authenticode SHA-256 digests in hexadecimal, all that shall be in dbx
 *     "entries"      of manifest: [{"name": "TARGET.CHANNEL.IMAGEID_VERSION…", "sha256": HEX}], at most
 *                    SIGNER_ENTRIES_MAX; versions of 14 digits, none above "imageVersion" and one at least equal to it.
 *                    "imageVersion" may be lower than one that was signed for the channel before if the very same entries
 *                    were, and nothing newer that is not withdrawn was signed first more than SIGNER_ROLLOUT_DAYS ago
 *     "approvals"    of manifest: [{"notAfter": 14 digits, "signature": TEXT}], at most SIGNER_APPROVALS_MAX: signatures by
 *                    keys of SSH (`ssh-keygen -Y sign -n particleos-release`) over the statement of signer/client/statement.h,
 *                    which the signer writes itself from what it knows. Those that do not count are no reason to refuse;
 *                    too few that do are one, where the policy says Approvals= of the channel. What was approved once and is
 *                    signed anew needs no further ones
 *     "bestBefore"   of manifest: "YYYY-MM-DD", at most 31 days ahead
 *     "targets"      of create and target: {TARGET: IMAGE_ID}; at least one
 *     "development"  of create: true or false; what the signer was started with, when it is not there
 *     "keys"         of create: "builder" (the default: what `particleos build` has one setting for is one key: Secure
 *                    Boot and enrolment, verity and integrity policies) or "separate" (one key for each purpose)
 *
 * Answers:
 *
 *     {"version": 1, "answers": {NAME: BASE64, …}, "log": {"size": N, "head": HEX}}
 *
 * NAME is that of the request in signing.json. "manifest", "addition" and "revocation" have one answer of that name: the
 * OpenPGP signature packet, and the whole update of db or dbx. Beside these there may be
 *
 *     "leaf"          the number of the request's leaf in the log, "proof", text of a tlog-proof@v1 of it, and "logKey", the
 *                     key of the log as signed notes have it; with the answers of all requests that are logged
 *     "logKey"        the same, "provenance", PEM of the certificate of the key for provenance, and "checkpoint", the newest
 *                     one; answers of status and log
 *     "entries"       [BASE64, …] of log: as many as fit into an answer; none when there are no more
 *     "manifest"      text of SHA256SUMS
 *     "certificates"  {PURPOSE: PEM}; answers of create and certificates
 *     "keyRing"       base64 of the OpenPGP public key, which is import-pubring.pgp; of these, too
 *     "development"   true: the policy says Development=yes
 *     "trusted"       digest of a program that is trusted from now on, because it was the first of its name
 *     "note"          the same in words, for people
 *     "replayed"      true: this had been answered before
 *
 * or
 *
 *     {"version": 1, "error": a word SIGNER_REFUSED_…, "detail": words for people}
 *
 * and then nothing was signed and nothing was logged. */

#define SIGNER_PROTOCOL_VERSION 1

#define SIGNER_REQUEST_SIZE_MAX (128 * 1024)
#define SIGNER_ANSWER_SIZE_MAX (192 * 1024)
#define SIGNER_OBJECTS_MAX 4
#define SIGNER_ENTRIES_MAX 700
#define SIGNER_APPROVALS_MAX 32
/* For so long an approval may be good. */
#define SIGNER_APPROVAL_DAYS 31
/* For so long the version before is signed anew while a newer one does not reach all devices yet. */
#define SIGNER_ROLLOUT_DAYS 30

/* "error" of an answer: no request of this protocol; */
#define SIGNER_REFUSED_MALFORMED "malformed"
/* a namespace, project or target that the signer has no policy of; */
#define SIGNER_REFUSED_UNKNOWN "unknown"
/* a policy that cannot be read, so that only an administrator can help; */
#define SIGNER_REFUSED_POLICY "policy"
/* what was to be signed is not what may be; */
#define SIGNER_REFUSED_CONTENT "content"
/* an ID that was used for something else; */
#define SIGNER_REFUSED_REPLAYED "replayed"
/* a version that is lower than one before, or of the future; */
#define SIGNER_REFUSED_VERSION "version"
/* more signatures in an hour than the policy allows; */
#define SIGNER_REFUSED_LIMIT "limit"
/* too much at once, ask again later; */
#define SIGNER_REFUSED_BUSY "busy"
/* people have to approve the release first; */
#define SIGNER_REFUSED_APPROVAL "approval"
/* the signer itself could not: disk, token. */
#define SIGNER_REFUSED_FAILED "failed"
