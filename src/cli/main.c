/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <stdio.h>

int main(int argc, char *argv[]) {
    puts("particleos " PARTICLEOS_VERSION);
    return 0;
}
