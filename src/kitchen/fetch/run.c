/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* git in a sandbox. */
#include <glib/gstdio.h>
#include <string.h>

#include "kitchen/fetch/fetch.h"
#include "sandbox/sandbox.h"

/* Where a repository of this machine is in the sandbox: its own place may be below one that the sandbox uses, like /tmp. */
#define SOURCE "/source"
#define SECONDS_MAX 300
#define AUTHORITIES "/tmp/authorities"

/* Takes the place of every configuration: repositories of this machine belong to whom they like. */
static const char configuration[] =
        "[safe]\n\tdirectory = *\n"
        "[protocol]\n\tversion = 2\n"
        "[transfer]\n\tfsckObjects = true\n"
        "[fetch]\n\tfsckObjects = true\n\trecurseSubmodules = false\n"
        "[http]\n\tfollowRedirects = false\n\temptyAuth = false\n\tproxy =\n"
        "[credential]\n\thelper =\n"
        "[core]\n\thooksPath = /dev/null\n\tfsmonitor = false\n\tattributesFile = /dev/null\n"
        "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";

/* The sandbox has its own /tmp, which goes with it. */
static const char helper[] = "#!/bin/sh\n[ \"$1\" != get ] || cat /tmp/password\n";

/* Everything that ssh would look for elsewhere is said here. %s: the address that was judged. */
static const char ssh_script[] =
        "#!/bin/sh\n"
        "umask 077 && cat /tmp/key >/tmp/key-of-ssh && exec ssh -F none -i /tmp/key-of-ssh"
        " -o HostName=%s -o HostKeyAlias=host -o UserKnownHostsFile=/tmp/hosts -o GlobalKnownHostsFile=/dev/null"
        " -o StrictHostKeyChecking=yes -o UpdateHostKeys=no -o CheckHostIP=no -o CanonicalizeHostname=no"
        " -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none -o PreferredAuthentications=publickey"
        " -o ForwardAgent=no -o ConnectTimeout=30 -o LogLevel=ERROR \"$@\"\n";

const char *fetch_address(const GitUrl *from) {
    return from->path ? SOURCE : from->url;
}

static void add_https(const Fetch *fetch, const GitUrl *from, Sandbox *sandbox) {
    g_autofree char *password = fetch_secrets_password(fetch->secrets, from);
    g_autofree char *text = g_strconcat(configuration, password ? "[credential]\n\thelper = /tmp/helper\n" : "",
            fetch->authorities ? "[http]\n\tsslCAInfo = " AUTHORITIES "\n" : "", NULL);

    sandbox_file(sandbox, "/tmp/gitconfig", text, FALSE);
    if (password) {
        sandbox_file(sandbox, "/tmp/password", password, FALSE);
        sandbox_file(sandbox, "/tmp/helper", helper, TRUE);
        explicit_bzero(password, strlen(password));
    }
    if (fetch->authorities)
        sandbox_bind(sandbox, fetch->authorities, AUTHORITIES, SANDBOX_READ_ONLY);
}

static gboolean add_ssh(const Fetch *fetch, const GitUrl *from, Sandbox *sandbox, GError **error) {
    g_autofree char *key = NULL;
    g_autofree char *hosts = NULL;
    g_autofree char *script = g_strdup_printf(ssh_script, from->address);

    if (!fetch_secrets_ssh(fetch->secrets, from, &key, &hosts, error))
        return FALSE;
    sandbox_file(sandbox, "/tmp/gitconfig", configuration, FALSE);
    sandbox_file(sandbox, "/tmp/key", key, FALSE);
    sandbox_file(sandbox, "/tmp/hosts", hosts, FALSE);
    sandbox_file(sandbox, "/tmp/ssh", script, TRUE);
    sandbox_setenv(sandbox, "GIT_SSH", "/tmp/ssh");
    sandbox_setenv(sandbox, "GIT_SSH_VARIANT", "ssh");
    explicit_bzero(key, strlen(key));
    return TRUE;
}

/* The way to FROM, and no other. */
static gboolean add_way(const Fetch *fetch, const GitUrl *from, Sandbox *sandbox, GError **error) {
    static const char *const protocols[] = {[GIT_LOCAL] = "file", [GIT_HTTPS] = "https", [GIT_SSH] = "ssh"};

    sandbox_setenv(sandbox, "GIT_ALLOW_PROTOCOL", from ? protocols[from->transport] : "none");
    if (from && from->transport == GIT_SSH && !add_ssh(fetch, from, sandbox, error))
        return FALSE;
    if (from && from->transport == GIT_HTTPS)
        add_https(fetch, from, sandbox);
    if (!from || from->transport == GIT_LOCAL)
        sandbox_file(sandbox, "/tmp/gitconfig", configuration, FALSE);
    if (from && from->path)
        sandbox_bind(sandbox, from->path, SOURCE, SANDBOX_READ_ONLY);
    sandbox_network(sandbox, from && !from->path);
    return TRUE;
}

static void add_date(Sandbox *sandbox, const char *date) {
    static const char *const names[] = {
            "GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        sandbox_setenv(sandbox, names[i], "particleos-kitchen");
    sandbox_setenv(sandbox, "GIT_AUTHOR_DATE", date);
    sandbox_setenv(sandbox, "GIT_COMMITTER_DATE", date);
}

static Sandbox *make_sandbox(const Fetch *fetch, const GitRun *how, GError **error) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);

    sandbox_setenv(sandbox, "GIT_CONFIG_GLOBAL", "/tmp/gitconfig");
    sandbox_setenv(sandbox, "GIT_CONFIG_NOSYSTEM", "1");
    sandbox_setenv(sandbox, "GIT_ATTR_NOSYSTEM", "1");
    sandbox_setenv(sandbox, "GIT_TERMINAL_PROMPT", "0");
    sandbox_setenv(sandbox, "GIT_ASKPASS", "/bin/false");
    sandbox_setenv(sandbox, "GIT_INDEX_FILE", "/fetched/index");
    sandbox_setenv(sandbox, "HOME", "/nonexistent");
    /* Nothing is there. */
    if (how->merges)
        sandbox_setenv(sandbox, "GIT_WORK_TREE", "/run");
    if (how->date)
        add_date(sandbox, how->date);
    if (how->in > 0)
        sandbox_stdin_fd(sandbox, how->in);
    if (fetch->work)
        sandbox_bind(sandbox, fetch->work, "/fetched", 0);
    return add_way(fetch, how->from, sandbox, error) ? g_steal_pointer(&sandbox) : NULL;
}

char *fetch_git_output(
        const Fetch *fetch, const GitRun *how, const char *const *words, gsize *ret_size, GError **error) {
    g_autoptr(Sandbox) sandbox = make_sandbox(fetch, how, error);
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    gint64 left = (fetch->end - g_get_monotonic_time()) / G_USEC_PER_SEC;
    g_autofree char *size = g_strdup_printf("--fsize=%" G_GINT64_FORMAT, FETCH_BYTES_MAX);
    g_autofree char *seconds = g_strdup_printf("%d", (int) CLAMP(left, 1, SECONDS_MAX));
    const char *const first[] = {"prlimit", size, "timeout", "--kill-after=5", seconds, "git", NULL};

    if (!sandbox)
        return NULL;
    for (const char *const *word = first; *word; word++)
        g_ptr_array_add(argv, g_strdup(*word));
    if (how->from && how->from->transport == GIT_HTTPS) {
        g_ptr_array_add(argv, g_strdup("-c"));
        g_ptr_array_add(argv, g_strconcat("http.curloptResolve=", how->from->pin, NULL));
    }
    for (; *words; words++)
        g_ptr_array_add(argv, g_strdup(*words));
    g_ptr_array_add(argv, NULL);
    return sandbox_run_output(sandbox, (const char *const *) argv->pdata, ret_size, error);
}

gboolean fetch_git(const Fetch *fetch, const GitRun *how, const char *const *words, GError **error) {
    g_autofree char *said = fetch_git_output(fetch, how, words, NULL, error);

    return said != NULL;
}

void fetch_remove_work(const Fetch *fetch) {
    g_autoptr(Sandbox) sandbox = sandbox_new_for_tools(NULL);
    const char *const argv[] = {"rm", "-rf", "/fetched/repository", "/fetched/tree.tar", "/fetched/index", NULL};

    sandbox_bind(sandbox, fetch->work, "/fetched", 0);
    if (!sandbox_run(sandbox, argv, NULL) || g_rmdir(fetch->work) < 0)
        g_printerr("Cannot remove %s\n", fetch->work);
}
