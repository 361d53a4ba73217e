/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A PKCS#11 module in front of SLOW_TOKEN_MODULE, whose signatures want a touch that comes after a while
 * (SLOW_TOKEN=touch), or find that the token is gone (SLOW_TOKEN=removed). */

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define C_SIGN 43 /* in the list of PKCS#11 2.40, the functions of which follow its version */
#define CKR_DEVICE_REMOVED 0x32
#define MORE_THAN_THE_LIST 100

typedef unsigned long (*Function)(void *, unsigned char *, unsigned long, unsigned char *, unsigned long *);

static struct {
    void *version;
    Function functions[MORE_THAN_THE_LIST];
} list;
static Function real_sign;

static unsigned long sign(
        void *session, unsigned char *data, unsigned long size, unsigned char *signature, unsigned long *length) {
    const char *what = getenv("SLOW_TOKEN");
    if (what && strcmp(what, "removed") == 0)
        return CKR_DEVICE_REMOVED;
    if (what && strcmp(what, "touch") == 0)
        usleep(1100 * 1000);
    return real_sign(session, data, size, signature, length);
}

unsigned long C_GetFunctionList(void **result);
unsigned long C_GetFunctionList(void **result) {
    void *module = dlopen(getenv("SLOW_TOKEN_MODULE"), RTLD_NOW);
    unsigned long (*get)(void **) = module ? (unsigned long (*)(void **)) dlsym(module, "C_GetFunctionList") : NULL;
    void *real;
    if (!get || get(&real) != 0)
        return 5;
    memcpy(&list, real, 69 * sizeof(void *));
    real_sign = list.functions[C_SIGN];
    list.functions[C_SIGN] = sign;
    *result = &list;
    return 0;
}
