/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "build/key-prompt.h"

#include <string.h>

#include "ui/ask.h"

#define CREDENTIAL "particleos.key-pin"

char *key_prompt_answer(const char *prompt, gpointer data, GError **error) {
    const char *directory = g_getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *path = directory ? g_build_filename(directory, CREDENTIAL, NULL) : NULL;
    char *answer;

    if (path && g_file_test(path, G_FILE_TEST_EXISTS)) {
        if (!g_file_get_contents(path, &answer, NULL, error))
            return NULL;
        answer[strcspn(answer, "\n")] = '\0';
        return answer;
    }
    answer = ui_ask_secret(prompt, error);
    if (!answer)
        g_prefix_error(error, "\"%s\" has no answer: the credential " CREDENTIAL " is not set, and ", prompt);
    return answer;
}
