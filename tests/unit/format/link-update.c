/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Uses what a client on a device uses: a file system image with its hash tree, certificates, events. It is linked, to see
 * what comes along with these rooms (tests/architecture/test-links.py); nobody runs it. */
#include <fcntl.h>

#include "crypto/certificates/certificate.h"
#include "events/events.h"
#include "format/erofs/erofs-reader.h"
#include "format/verity/verity.h"

int main(int argc, char **argv) {
    g_autoptr(Certificate) trusted = argc > 2 ? certificate_load(argv[2], NULL) : NULL;
    int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    g_autoptr(ErofsImage) image = fd >= 0 ? erofs_image_new_fd(fd, 0, 4096, NULL) : NULL;
    g_autoptr(ErofsReader) reader = image ? erofs_reader_new(image) : NULL;
    g_autoptr(VerityTree) tree = fd >= 0 ? verity_hash_fd(fd, 0, 4096, NULL, 0, 1, NULL) : NULL;

    events_info("%p %p %p", (void *) trusted, (void *) reader, (void *) tree);
    return 0;
}
