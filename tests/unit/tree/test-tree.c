/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/errors.h"
#include "sandbox/sandbox.h"
#include "base/cleanup.h"
#include "tree/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

static gboolean is_root;

/* A scratch directory with the trees "a" and "b". */
typedef struct {
    char *path;
    int fd, a, b;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data) {
    g_autoptr(GError) error = NULL;
    fixture->path = g_strdup("/var/tmp/test-tree-XXXXXX");
    g_assert_nonnull(g_mkdtemp(fixture->path));
    fixture->fd = open(fixture->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_true(tree_mkdir_p(fixture->fd, "a", 0755, &error));
    g_assert_true(tree_mkdir_p(fixture->fd, "b", 0755, &error));
    fixture->a = openat(fixture->fd, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fixture->b = openat(fixture->fd, "b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_no_error(error);
}

static void tear_down(Fixture *fixture, gconstpointer data) {
    g_autoptr(GError) error = NULL;
    close(fixture->a);
    close(fixture->b);
    close(fixture->fd);
    g_assert_true(tree_remove(AT_FDCWD, fixture->path, &error));
    g_assert_no_error(error);
    g_assert_cmpint(access(fixture->path, F_OK), <, 0);
    g_free(fixture->path);
}

static void write_file(int tree, const char *path, const char *content) {
    g_autoptr(GError) error = NULL;
    g_assert_true(tree_write_file(tree, path, content, -1, 0644, &error));
    g_assert_no_error(error);
}

static char *read_file(int tree, const char *path) {
    g_autoptr(GError) error = NULL;
    char *content = tree_read_file(tree, path, NULL, &error);
    g_assert_no_error(error);
    return content;
}

static void assert_content(int tree, const char *path, const char *expected) {
    g_autofree char *content = read_file(tree, path);
    g_assert_cmpstr(content, ==, expected);
}

/* Runs a shell command in the directory of the fixture. */
static void shell(const Fixture *fixture, const char *script) {
    g_autoptr(GError) error = NULL;
    int status;
    const char *argv[] = {"sh", "-ec", script, NULL};
    g_assert_true(g_spawn_sync(fixture->path, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
            NULL, &status, &error));
    g_assert_no_error(error);
    g_assert_true(g_spawn_check_wait_status(status, &error));
}

static void test_paths_stay_inside(Fixture *fixture, gconstpointer data) {
    shell(fixture, "ln -s /etc a/absolute; ln -s ../../../../../../../etc a/climbing; mkdir a/etc;"
                   "echo inside >a/etc/passwd; ln -s loop a/loop; ln -s ../run/x a/etc/dangling");
    assert_content(fixture->a, "/absolute/passwd", "inside\n");
    assert_content(fixture->a, "climbing/passwd", "inside\n");
    assert_content(fixture->a, "../../etc/passwd", "inside\n");
    g_assert_false(tree_exists(fixture->a, "/etc/shadow"));
    g_assert_false(tree_exists(fixture->a, "/loop"));
    g_assert_false(tree_exists(fixture->a, "/etc/dangling"));
    g_assert_true(tree_exists(fixture->a, "/"));

    write_file(fixture->a, "/absolute/new", "x");
    g_assert_cmpint(faccessat(fixture->a, "etc/new", F_OK, 0), ==, 0);
    /* A directory through a link that leads nowhere yet. */
    write_file(fixture->a, "/etc/dangling/deep/file", "y");
    g_assert_cmpint(faccessat(fixture->a, "run/x/deep/file", F_OK, 0), ==, 0);
    g_autoptr(GError) error = NULL;
    g_assert_false(tree_mkdir_p(fixture->a, "/loop/x", 0755, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_LOOP);
    g_clear_error(&error);
    g_assert_false(tree_mkdir_p(fixture->a, "/etc/passwd/x", 0755, &error));
    g_assert_nonnull(error);
}

static void test_write_replaces(Fixture *fixture, gconstpointer data) {
    g_autoptr(GError) error = NULL;
    mode_t old = umask(077);
    shell(fixture, "echo original >b/file; ln b/file a/hard; ln -s /b a/soft");
    write_file(fixture->a, "hard", "new");
    write_file(fixture->a, "soft", "new");
    g_assert_true(tree_write_file(fixture->a, "x/y/binary", "\0\1", 2, 0600, &error));
    g_assert_true(tree_mkdir_p(fixture->a, "p/q", 01777, &error));
    umask(old);
    assert_content(fixture->b, "file", "original\n");
    struct stat st;
    g_assert_cmpint(fstatat(fixture->a, "soft", &st, AT_SYMLINK_NOFOLLOW), ==, 0);
    g_assert_cmpint(st.st_mode, ==, S_IFREG | 0644);
    g_assert_cmpint(fstatat(fixture->a, "x/y", &st, 0), ==, 0);
    g_assert_cmpint(st.st_mode, ==, S_IFDIR | 0755);
    g_assert_cmpint(fstatat(fixture->a, "p/q", &st, 0), ==, 0);
    g_assert_cmpint(st.st_mode, ==, S_IFDIR | 01777);
    gsize length;
    g_autofree char *binary = tree_read_file(fixture->a, "x/y/binary", &length, &error);
    g_assert_cmpmem(binary, length, "\0\1", 2);
    g_assert_null(tree_read_file(fixture->a, "x", NULL, &error));
    g_assert_nonnull(error);
}

static void make_rich_tree(const Fixture *fixture) {
    shell(fixture,
            "mkdir -p a/dir/sub a/empty; echo text >a/dir/file; ln a/dir/file a/hard; ln -s nowhere a/link;"
            "mkfifo a/fifo; head -c 300000 /dev/urandom >a/big; truncate -s 5M a/sparse; echo end "
            ">>a/sparse;"
            "printf '\\377' >a/$(printf 'odd\\nname'); chmod 4755 a/dir/file; chmod 1777 a/empty;"
            "chmod 0500 a/dir/sub; : >a/nothing; touch -h -d @1000000000.5 a/dir/file a/link a/dir a/empty");
    g_assert_cmpint(fsetxattr(fixture->a, "user.top", "t", 1, 0), ==, 0);
    g_autofree char *file = g_build_filename(fixture->path, "a/dir/file", NULL);
    g_assert_cmpint(setxattr(file, "user.note", "\0x", 2, 0), ==, 0);
    g_assert_cmpint(setxattr(file, "user.overlay.opaque", "y", 1, 0), ==, 0);
    if (!is_root)
        return;
    shell(fixture, "chown 123:456 a/dir/file; chmod 4755 a/dir/file; chown -h 7:8 a/link; touch -h -d "
                   "@1000000000.5 a/dir/file a/link");
    struct vfs_cap_data capability = {.magic_etc = GUINT32_TO_LE(VFS_CAP_REVISION_2 | 1)};
    capability.data[0].permitted = GUINT32_TO_LE(1 << 10);
    g_autofree char *big = g_build_filename(fixture->path, "a/big", NULL);
    g_assert_cmpint(setxattr(big, "security.capability", &capability, sizeof capability, 0), ==, 0);
}

static char *digest(int fd, const char *name, gboolean owners) {
    g_autoptr(GError) error = NULL;
    char *text = tree_digest(fd, name, owners, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(strlen(text), ==, 64);
    return text;
}

static void test_copy(Fixture *fixture, gconstpointer data) {
    g_autoptr(GError) error = NULL;
    make_rich_tree(fixture);
    g_assert_true(tree_copy(fixture->a, ".", fixture->b, "/", TREE_COPY_KEEP_OWNER, &error));
    g_assert_no_error(error);
    g_autofree char *before = digest(fixture->fd, "a", TRUE), *after = digest(fixture->fd, "b", TRUE);
    g_assert_cmpstr(before, ==, after);
    /* Someone else's opinion: types, modes, owners, sizes, times, links. */
    shell(fixture,
            "for t in a b; do (cd $t && find . ! -name . -printf '%p %y %m %U:%G %l %n %T@\\n' ! -type d "
            "-printf '%s\\n' | LC_ALL=C sort) >$t.list; done; cmp a.list b.list; diff -r --no-dereference "
            "a/dir "
            "b/dir; cmp a/sparse b/sparse; [ $(stat -c %b b/sparse) -lt 100 ]");
    struct stat file, hard;
    g_assert_cmpint(fstatat(fixture->b, "dir/file", &file, 0), ==, 0);
    g_assert_cmpint(fstatat(fixture->b, "hard", &hard, 0), ==, 0);
    g_assert_cmpint(file.st_ino, ==, hard.st_ino);
    g_assert_cmpint(file.st_nlink, ==, 2);
    g_autofree char *path = g_build_filename(fixture->path, "b/dir/file", NULL);
    g_assert_cmpint(getxattr(path, "user.overlay.opaque", NULL, 0), <, 0);
    /* Once more over itself. */
    g_assert_true(tree_copy(fixture->a, ".", fixture->b, "/", TREE_COPY_KEEP_OWNER, &error));
    g_assert_no_error(error);
    g_autofree char *again = digest(fixture->fd, "b", TRUE);
    g_assert_cmpstr(before, ==, again);
}

static void test_copy_to_root(Fixture *fixture, gconstpointer data) {
    if (!is_root) {
        g_test_skip("needs root (in a user namespace at least)");
        return;
    }
    g_autoptr(GError) error = NULL;
    make_rich_tree(fixture);
    g_assert_true(tree_copy(fixture->a, ".", fixture->b, "deep/er", 0, &error));
    g_assert_no_error(error);
    shell(fixture,
            "[ -z \"$(find b ! -user 0 -o ! -group 0)\" ]; [ $(stat -c %a b/deep/er/dir/file) = 4755 ]");
    g_autofree char *path = g_build_filename(fixture->path, "b/deep/er/big", NULL);
    g_assert_cmpint(getxattr(path, "security.capability", NULL, 0), >, 0);
}

static void test_copy_merges(Fixture *fixture, gconstpointer data) {
    g_autoptr(GError) error = NULL;
    shell(fixture,
            "mkdir -p b/usr/lib a/lib/new a/empty a/dir a/abs; ln -s usr/lib b/lib; ln -s /usr b/abs;"
            "echo old >b/usr/lib/kept;"
            "echo x >a/lib/new/x; ln -s elsewhere a/link; echo file >b/link; echo file >a/file; ln -s / "
            "b/file;"
            "echo b >b/dir; echo y >a/abs/y; mkdir b/kind; chmod 700 b; chmod 755 a; echo c >a/dir/c;"
            "ln -s ../../../../../../../../tmp b/escape; mkdir a/escape; echo no >a/escape/particleos-test");
    g_assert_true(tree_copy(fixture->a, ".", fixture->b, "/", TREE_COPY_CONTENTS_ONLY, &error));
    g_assert_no_error(error);
    shell(fixture,
            "[ $(readlink b/lib) = usr/lib ]; cat b/usr/lib/new/x b/usr/lib/kept b/usr/y b/dir/c >/dev/null;"
            "[ $(readlink b/link) = elsewhere ]; [ ! -L b/file ]; [ $(cat b/file) = file ];"
            "[ $(stat -c %a b) = 700 ]; [ -e b/tmp/particleos-test ]; [ ! -e /tmp/particleos-test ]");
    /* A directory with content stays what it is. */
    shell(fixture, "mkdir a/more; ln -s x a/more/dir; mkdir b/more; mkdir b/more/dir; echo >b/more/dir/x");
    g_assert_false(tree_copy(fixture->a, "more", fixture->b, "more", 0, &error));
    g_assert_error(error, G_FILE_ERROR, g_file_error_from_errno(ENOTEMPTY));
}

static void test_copy_single(Fixture *fixture, gconstpointer data) {
    g_autoptr(GError) error = NULL;
    shell(fixture, "echo one >a/one; ln -s one a/link; chmod 600 a/one");
    g_assert_true(tree_copy(fixture->a, "one", fixture->b, "/usr/share/two", 0, &error));
    g_assert_true(tree_copy(fixture->a, "link", fixture->b, "/usr/share/link", 0, &error));
    g_assert_no_error(error);
    assert_content(fixture->b, "usr/share/two", "one\n");
    shell(fixture, "[ $(readlink b/usr/share/link) = one ]; [ $(stat -c %a b/usr/share/two) = 600 ]");
    g_assert_true(tree_copy(fixture->a, "one", fixture->b, "linked", TREE_COPY_HARDLINK, &error));
    g_assert_true(tree_copy(fixture->a, "one", fixture->b, "linked", TREE_COPY_HARDLINK, &error));
    shell(fixture, "[ b/linked -ef a/one ]");
    g_assert_false(tree_copy(fixture->a, "missing", fixture->b, "x", 0, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_assert_nonnull(strstr(error->message, "cannot copy missing to x"));
}

static void test_devices(Fixture *fixture, gconstpointer data) {
    if (!is_root || !sandbox_is_real_root()) {
        g_test_skip("needs real root");
        return;
    }
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(mknodat(fixture->a, "null", S_IFCHR | 0666, makedev(1, 3)), ==, 0);
    g_assert_true(tree_copy(fixture->a, "null", fixture->b, "null", 0, &error));
    struct stat st;
    g_assert_cmpint(fstatat(fixture->b, "null", &st, 0), ==, 0);
    g_assert_true(S_ISCHR(st.st_mode));
    g_assert_cmpuint(st.st_rdev, ==, makedev(1, 3));
}

static void test_remove(Fixture *fixture, gconstpointer data) {
    g_autoptr(GError) error = NULL;
    shell(fixture,
            "mkdir -p a/x/y/z; echo >a/x/y/z/f; ln -s ../b a/x/out; echo keep >b/keep; chmod 000 a/x/y;"
            "i=0; while [ $i -lt 200 ]; do mkdir -p a/deep/$i; echo >a/deep/$i/f; i=$((i+1)); done");
    g_assert_true(tree_remove(fixture->a, "x", &error));
    g_assert_no_error(error);
    g_assert_true(tree_remove(fixture->a, "missing", &error));
    g_assert_true(tree_remove(fixture->a, "deep", &error));
    g_assert_false(tree_exists(fixture->a, "x"));
    g_assert_false(tree_exists(fixture->a, "deep"));
    assert_content(fixture->b, "keep", "keep\n");
}

static void test_remove_respects_mounts(Fixture *fixture, gconstpointer data) {
    if (!is_root) {
        g_test_skip("needs root (in a user namespace at least)");
        return;
    }
    g_autoptr(GError) error = NULL;
    shell(fixture, "mkdir -p a/x/mounted; echo keep >b/keep");
    g_autofree char *source = g_build_filename(fixture->path, "b", NULL);
    g_autofree char *target = g_build_filename(fixture->path, "a/x/mounted", NULL);
    g_assert_cmpint(mount(source, target, NULL, MS_BIND, NULL), ==, 0);
    g_assert_false(tree_remove(fixture->a, "x", &error));
    g_assert_nonnull(strstr(error->message, "a file system is mounted"));
    g_clear_error(&error);
    assert_content(fixture->b, "keep", "keep\n");
    g_assert_true(tree_unmount(target, &error));
    g_assert_true(tree_remove(fixture->a, "x", &error));
}

static void test_remove_glob(Fixture *fixture, gconstpointer data) {
    static const struct {
        const char *pattern, *left;
    } cases[] = {
            {"/usr/share/doc/*", ". ./link ./usr ./usr/lib ./usr/lib/a.so ./usr/share ./usr/share/doc"},
            {"/usr/share/doc", ". ./link ./usr ./usr/lib ./usr/lib/a.so ./usr/share"},
            {"/usr/*/doc/[ab]", ". ./link ./usr ./usr/lib ./usr/lib/a.so ./usr/share ./usr/share/doc "
                                "./usr/share/doc/.c ./usr/share/doc/.c/f"},
            {"/usr/share/doc/?", ". ./link ./usr ./usr/lib ./usr/lib/a.so ./usr/share ./usr/share/doc "
                                 "./usr/share/doc/.c ./usr/share/doc/.c/f"},
            {"/link/doc/**/f", ". ./link ./usr ./usr/lib ./usr/lib/a.so ./usr/share ./usr/share/doc "
                               "./usr/share/doc/.c ./usr/share/doc/a ./usr/share/doc/b"},
            {"/link", ". ./usr ./usr/lib ./usr/lib/a.so ./usr/share ./usr/share/doc ./usr/share/doc/.c "
                      "./usr/share/doc/.c/f ./usr/share/doc/a ./usr/share/doc/a/f ./usr/share/doc/b"},
            {"/missing/*/x", ". ./link ./usr ./usr/lib ./usr/lib/a.so ./usr/share ./usr/share/doc "
                             "./usr/share/doc/.c ./usr/share/doc/.c/f ./usr/share/doc/a ./usr/share/doc/a/f "
                             "./usr/share/doc/b"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        shell(fixture,
                "rm -rf a/*; mkdir -p a/usr/share/doc/a a/usr/share/doc/.c a/usr/lib; : >a/usr/share/doc/b;"
                ": >a/usr/share/doc/a/f; : >a/usr/share/doc/.c/f; : >a/usr/lib/a.so; ln -s /usr/share "
                "a/link");
        g_assert_true(tree_remove_glob(fixture->a, cases[i].pattern, &error));
        g_assert_no_error(error);
        shell(fixture, "(cd a && find . | LC_ALL=C sort | tr '\\n' ' ') >list");
        g_autofree char *list = read_file(fixture->fd, "list");
        g_assert_cmpstr(g_strchomp(list), ==, cases[i].left);
    }
    g_autoptr(GError) error = NULL;
    g_assert_false(tree_remove_glob(fixture->a, "/", &error));
    g_clear_error(&error);
    g_assert_false(tree_remove_glob(fixture->a, "/usr/../../*", &error));
    g_assert_nonnull(error);
}

static void test_clamp(Fixture *fixture, gconstpointer data) {
    g_autoptr(GError) error = NULL;
    shell(fixture, "mkdir a/d; : >a/d/new; : >a/d/old; ln -s x a/d/l; touch -d @500.5 a/d/old");
    g_assert_true(tree_clamp_times(fixture->a, 1000, &error));
    g_assert_no_error(error);
    shell(fixture, "cd a; [ $(find . ! -name old -printf '%T@\\n' | sort -u) = 1000.0000000000 ];"
                   "[ $(find d/old -printf '%T@') = 500.5000000000 ]");
}

/* Each change alone must change the digest, and undoing it must bring it back. */
static void test_digest(Fixture *fixture, gconstpointer data) {
    static const char *const changes[][2] = {
            {"echo >>a/dir/file", "printf 'text\\n' >a/dir/file"},
            {"chmod 755 a/dir", "chmod 750 a/dir"},
            {"mv a/dir/file a/dir/fil", "mv a/dir/fil a/dir/file"},
            {"mv a/dir/file a/file", "mv a/file a/dir/file"},
            {"ln -sfn b a/link", "ln -sfn a a/link"},
            {"rmdir a/empty", "mkdir a/empty"},
            {"rmdir a/empty; : >a/empty", "rm a/empty; mkdir a/empty"},
            {"setfattr -n user.x -v y a/dir/file", "setfattr -x user.x a/dir/file"},
    };
    gboolean have_setfattr = FALSE;
    g_autofree char *program = g_find_program_in_path("setfattr");
    have_setfattr = program != NULL;
    shell(fixture,
            "umask 022; mkdir a/dir a/empty; printf 'text\\n' >a/dir/file; ln -s a a/link; chmod 750 a/dir");
    g_autofree char *original = digest(fixture->fd, "a", FALSE);
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++) {
        if (g_str_has_prefix(changes[i][0], "setfattr") && !have_setfattr)
            continue;
        shell(fixture, changes[i][0]);
        g_autofree char *changed = digest(fixture->fd, "a", FALSE);
        g_assert_cmpstr(changed, !=, original);
        shell(fixture, changes[i][1]);
        g_autofree char *restored = digest(fixture->fd, "a", FALSE);
        g_assert_cmpstr(restored, ==, original);
    }
    shell(fixture, "touch -d @5 a/dir/file");
    g_autofree char *touched = digest(fixture->fd, "a", FALSE);
    g_assert_cmpstr(touched, ==, original);
    g_autoptr(GError) error = NULL;
    g_assert_null(tree_digest(fixture->fd, "missing", FALSE, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
}

static void extract(const Fixture *fixture, const char *archive, TreeCopyFlags flags, GError **error) {
    AUTO_FD fd = openat(fixture->fd, archive, O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    ignore_failure(tree_extract(fd, fixture->b, "/", flags, error));
}

static void test_extract(Fixture *fixture, gconstpointer data) {
    g_autoptr(GError) error = NULL;
    make_rich_tree(fixture);
    shell(fixture, "tar --format=pax --xattrs --xattrs-include='*' --sort=name -S -C a -cf archive.tar . && "
                   "mkdir -p "
                   "b/usr/empty && ln -s usr/empty b/empty");
    shell(fixture, "rm -r b/usr b/empty");
    extract(fixture, "archive.tar", is_root ? TREE_COPY_KEEP_OWNER : 0, &error);
    g_assert_no_error(error);
    shell(fixture, "for t in a b; do (cd $t && find . ! -name . -printf '%p %y %m %U:%G %l %n %T@\\n' ! "
                   "-type d -printf "
                   "'%s\\n' | LC_ALL=C sort) >$t.list; done; diff a.list b.list >&2; cmp a/sparse b/sparse; "
                   "cmp a/big "
                   "b/big");
    g_autofree char *path = g_build_filename(fixture->path, "b/dir/file", NULL);
    g_assert_cmpint(getxattr(path, "user.note", NULL, 0), ==, 2);
}

static void test_extract_except(Fixture *fixture, gconstpointer data) {
    static const char *const exclude[] = {"/usr/share/doc/*", "/usr/share/man/*", NULL};
    g_autoptr(GError) error = NULL;

    shell(fixture, "mkdir -p a/usr/share/doc/one/deep a/usr/share/manual a/usr/share/man; "
                   "echo x | tee a/usr/share/doc/one/deep/f a/usr/share/manual/f >a/usr/share/man/f; "
                   "tar -C a -cf archive.tar ./usr");
    AUTO_FD fd = openat(fixture->fd, "archive.tar", O_RDONLY | O_CLOEXEC);
    g_assert_true(tree_extract_except(fd, fixture->b, "/", exclude, 0, &error));
    g_assert_no_error(error);
    g_assert_true(tree_exists(fixture->b, "/usr/share/doc"));
    g_assert_true(tree_exists(fixture->b, "/usr/share/manual/f"));
    g_assert_false(tree_exists(fixture->b, "/usr/share/doc/one"));
    g_assert_false(tree_exists(fixture->b, "/usr/share/man/f"));
}

static void test_extract_stays_inside(Fixture *fixture, gconstpointer data) {
    g_autoptr(GError) error = NULL;
    shell(fixture,
            "cd a; ln -s ../../../../../../../../tmp out; tar -cf ../one.tar out; rm out; mkdir out; echo x "
            ">out/particleos-test; tar -rf ../one.tar out/particleos-test; echo >f; tar -P --transform "
            "'s|^|../../|' -cf ../two.tar f; tar -P --transform 's|^|/|' -cf ../three.tar f");
    extract(fixture, "one.tar", 0, &error);
    g_assert_no_error(error);
    g_assert_cmpint(access("/tmp/particleos-test", F_OK), <, 0);
    g_assert_true(tree_exists(fixture->b, "/tmp/particleos-test"));
    extract(fixture, "three.tar", 0, &error);
    g_assert_no_error(error);
    g_assert_true(tree_exists(fixture->b, "/f"));
    extract(fixture, "two.tar", 0, &error);
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL);
    g_clear_error(&error);
    shell(fixture, "echo rubbish >rubbish.tar; head -c 90000 /dev/urandom >big; tar -cf - big | head -c "
                   "50000 >cut.tar;"
                   ": >empty.tar");
    extract(fixture, "cut.tar", 0, &error);
    g_assert_nonnull(error);
    g_clear_error(&error);
    extract(fixture, "empty.tar", 0, &error);
    g_assert_no_error(error);
    extract(fixture, "rubbish.tar", 0, &error);
    g_assert_nonnull(error);
    g_clear_error(&error);
}

static void test_overlay(Fixture *fixture, gconstpointer data) {
    if (!is_root) {
        g_test_skip("needs root (in a user namespace at least)");
        return;
    }
    g_autoptr(GError) error = NULL;
    shell(fixture, "mkdir -p l:1 l,2 upper work merged; echo 1 >l:1/both; echo 2 >l,2/both; mkdir l,2/dir; "
                   "echo >l,2/dir/x");
    g_autofree char *one = g_build_filename(fixture->path, "l:1", NULL);
    g_autofree char *two = g_build_filename(fixture->path, "l,2", NULL);
    g_autofree char *upper = g_build_filename(fixture->path, "upper", NULL);
    g_autofree char *work = g_build_filename(fixture->path, "work", NULL);
    g_autofree char *merged = g_build_filename(fixture->path, "merged", NULL);
    for (int i = 0; i < 2; i++) {
        g_assert_true(tree_mount_overlay((char *[]){one, two, NULL}, upper, work, merged, &error));
        g_assert_no_error(error);
        assert_content(fixture->fd, "merged/both", "1\n");
        shell(fixture, "echo >merged/new; rm -rf merged/dir; mkdir merged/dir; ls merged/dir >list");
        assert_content(fixture->fd, "list", "");
        g_assert_true(tree_unmount(merged, &error));
    }
    /* The upper directory as a layer of the next mount, read-only. */
    g_assert_true(tree_mount_overlay((char *[]){upper, one, two, NULL}, NULL, NULL, merged, &error));
    g_assert_no_error(error);
    shell(fixture, "ls merged/dir >list; [ -e merged/new ]; ! touch merged/more 2>/dev/null");
    assert_content(fixture->fd, "list", "");
    g_assert_true(tree_unmount(merged, &error));
    g_assert_true(tree_mount_overlay((char *[]){two, NULL}, NULL, NULL, merged, &error));
    shell(fixture, "[ -e merged/dir/x ]; ! touch merged/more 2>/dev/null");
    g_assert_true(tree_unmount(merged, &error));

    /* More layers than any image has. */
    g_autoptr(GPtrArray) layers = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < 100; i++) {
        g_autofree char *name = g_strdup_printf("a-layer-with-a-rather-long-name-%d", i);
        g_assert_true(tree_mkdir_p(fixture->fd, name, 0755, &error));
        g_ptr_array_add(layers, g_build_filename(fixture->path, name, NULL));
    }
    g_ptr_array_add(layers, NULL);
    g_assert_true(tree_mount_overlay((char **) layers->pdata, upper, work, merged, &error));
    g_assert_no_error(error);
    g_assert_true(tree_unmount(merged, &error));
    g_assert_false(
            tree_mount_overlay((char *[]){merged, (char *) "/no/such", NULL}, NULL, NULL, merged, &error));
    g_assert_nonnull(strstr(error->message, "/no/such"));
}

#define ADD(name, function) g_test_add("/tree/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GError) error = NULL;
    is_root = sandbox_become_root(&error);
    if (!is_root)
        g_test_message("not root: %s", error->message);
    ADD("paths-stay-inside", test_paths_stay_inside);
    ADD("write-replaces", test_write_replaces);
    ADD("copy", test_copy);
    ADD("copy-to-root", test_copy_to_root);
    ADD("copy-merges", test_copy_merges);
    ADD("copy-single", test_copy_single);
    ADD("devices", test_devices);
    ADD("remove", test_remove);
    ADD("remove-respects-mounts", test_remove_respects_mounts);
    ADD("remove-glob", test_remove_glob);
    ADD("clamp-times", test_clamp);
    ADD("digest", test_digest);
    ADD("extract", test_extract);
    ADD("extract-except", test_extract_except);
    ADD("extract-stays-inside", test_extract_stays_inside);
    ADD("overlay", test_overlay);
    return g_test_run();
}
