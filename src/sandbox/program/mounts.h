/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel's calls for detached mounts, which glibc < 2.36 has no wrappers for. Unless said otherwise they
 * return -1 with errno. */

#include "program.h"

#define TREE_RECURSIVE 0x8000U /* AT_RECURSIVE */

/* A detached copy of the mount at PATH (TREE_RECURSIVE: with all below it). */
int open_tree_at(int dir_fd, const char *path, unsigned flags);

/* Attaches a detached mount; an empty PATH is DIR_FD itself. */
int move_mount_to(int mount_fd, int dir_fd, const char *path);

/* Makes a detached mount read-only, device nodes in it without effect, or both. */
int restrict_mount(int mount_fd, bool read_only, bool no_devices, unsigned flags);

/* A detached mount of a new file system; OPTIONS are key, value pairs with a NULL at the end. */
int new_file_system(const char *type, unsigned attributes, const char *const *options);

/* Never fails: ends the process instead. */
int new_tmpfs(const char *mode);

/* root.c: mounts MOUNT_FD, which it takes over, on TARGET of the new root. A missing mount point gets MODE.
 */
void attach(int mount_fd, const char *target, mode_t mode);

/* root.c: a detached mount of a new, read-only file with CONTENT; for messages, TARGET is where it goes. */
int new_file(const char *content, mode_t mode, const char *target);

/* root.c: joins two parts of a path into BUFFER (PATH_MAX bytes). */
void join_paths(char *buffer, const char *format, const char *first, const char *second);

/* proc.c: mounts /proc on TARGET. */
void mount_proc(const Instructions *instructions, const char *target);

/* api.c: /proc, /dev, /tmp, /run, /var/tmp below DIRECTORY. */
void mount_api(const Instructions *instructions, const char *directory);
