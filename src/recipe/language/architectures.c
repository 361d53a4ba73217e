/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recipe/language/enums.h"

#include <string.h>
#include <sys/utsname.h>

/* The names of each architecture in other worlds. */
static const struct {
    const char *efi, *qemu, *debian, *oci;
} names[_ARCHITECTURE_MAX] = {
        [ARCHITECTURE_ALPHA] = {NULL, "alpha", "alpha", NULL},
        [ARCHITECTURE_ARC] = {NULL, NULL, NULL, NULL},
        [ARCHITECTURE_ARM] = {"arm", "arm", "armhf", "arm"},
        [ARCHITECTURE_ARM64] = {"aa64", "aarch64", "arm64", "arm64"},
        [ARCHITECTURE_IA64] = {NULL, NULL, "ia64", NULL},
        [ARCHITECTURE_LOONGARCH64] = {"loongarch64", "loongarch64", "loong64", "loong64"},
        [ARCHITECTURE_MIPS_LE] = {NULL, "mips", "mipsel", "mipsle"},
        [ARCHITECTURE_MIPS64_LE] = {NULL, "mips", "mips64el", "mips64le"},
        [ARCHITECTURE_PARISC] = {NULL, "hppa", "hppa", NULL},
        [ARCHITECTURE_PPC] = {NULL, "ppc", NULL, "ppc"},
        [ARCHITECTURE_PPC64] = {NULL, "ppc64", "ppc64", "ppc64"},
        [ARCHITECTURE_PPC64_LE] = {NULL, "ppc64", "ppc64el", "ppc64le"},
        [ARCHITECTURE_RISCV32] = {"riscv32", "riscv32", NULL, "riscv"},
        [ARCHITECTURE_RISCV64] = {"riscv64", "riscv64", "riscv64", "riscv64"},
        [ARCHITECTURE_S390] = {NULL, NULL, "s390", NULL},
        [ARCHITECTURE_S390X] = {NULL, "s390x", "s390x", "s390x"},
        [ARCHITECTURE_TILEGX] = {NULL, NULL, NULL, NULL},
        [ARCHITECTURE_X86] = {"ia32", "i386", "i386", "386"},
        [ARCHITECTURE_X86_64] = {"x64", "x86_64", "amd64", "amd64"},
};

static const struct {
    const char *machine;
    Architecture architecture;
} machines[] = {
        {"x86_64", ARCHITECTURE_X86_64},
        {"aarch64", ARCHITECTURE_ARM64},
        {"i686", ARCHITECTURE_X86},
        {"i586", ARCHITECTURE_X86},
        {"i486", ARCHITECTURE_X86},
        {"i386", ARCHITECTURE_X86},
        {"riscv64", ARCHITECTURE_RISCV64},
        {"riscv", ARCHITECTURE_RISCV64},
        {"riscv32", ARCHITECTURE_RISCV32},
        {"loongarch64", ARCHITECTURE_LOONGARCH64},
        {"ppc64le", ARCHITECTURE_PPC64_LE},
        {"ppc64", ARCHITECTURE_PPC64},
        {"ppc", ARCHITECTURE_PPC},
        {"s390x", ARCHITECTURE_S390X},
        {"s390", ARCHITECTURE_S390},
        {"mips64", ARCHITECTURE_MIPS64_LE},
        {"mips", ARCHITECTURE_MIPS_LE},
        {"alpha", ARCHITECTURE_ALPHA},
        {"arc", ARCHITECTURE_ARC},
        {"ia64", ARCHITECTURE_IA64},
        {"parisc", ARCHITECTURE_PARISC},
        {"parisc64", ARCHITECTURE_PARISC},
        {"tilegx", ARCHITECTURE_TILEGX},
};

const char *architecture_to_efi(Architecture architecture) {
    return names[architecture].efi;
}

const char *architecture_to_qemu(Architecture architecture) {
    return names[architecture].qemu;
}

const char *architecture_to_debian(Architecture architecture) {
    return names[architecture].debian;
}

const char *architecture_to_oci(Architecture architecture) {
    return names[architecture].oci;
}

Architecture architecture_native(void) {
    struct utsname name;
    if (uname(&name) < 0)
        return ARCHITECTURE_X86_64;
    for (gsize i = 0; i < G_N_ELEMENTS(machines); i++)
        if (strcmp(machines[i].machine, name.machine) == 0)
            return machines[i].architecture;
    /* armv4 to armv8 in 32 bit mode have many suffixes. */
    if (g_str_has_prefix(name.machine, "armv"))
        return ARCHITECTURE_ARM;
    return ARCHITECTURE_X86_64;
}
