/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of whole disks share. */

#include "image/disk/disk.h"

#define EPOCH 1700000000

/* A directory with a tree, definitions and a key, and what is made of them. */
typedef struct {
    char *top, *root, *definitions;
    int root_fd;
    KeySource *key;
    Certificate *certificate;
    DiskOptions options;
    const char *directories[2];
    char *output, *prefix;
} Fixture;

typedef struct {
    const char *name;
    void (*run)(Fixture *fixture, gconstpointer data);
} FixtureTest;

/* Runs N tests, each with a fixture of its own; what main() returns. */
int fixture_run(int argc, char **argv, const FixtureTest *tests, gsize n);

/* A file in the directory of the fixture; owned by the caller. */
char *in_top(const Fixture *fixture, const char *name);

void put(const char *directory, const char *name, const char *text, gssize length);

/* Bytes that do not compress to nothing, the same every time. */
void put_random(const char *directory, const char *name, gsize size);

/* The definition NAME with what stands in its section. */
void define(const Fixture *fixture, const char *name, const char *text);

/* ESP, and a signed /usr. */
void define_usual(const Fixture *fixture);

/* A disk that must come out well. */
Disk *build(const Fixture *fixture);

/* Standard output of a program that must succeed; NULL after skipping when it is missing. */
char *judge(const char *const *command);

const DiskPartition *find(Disk *disk, const char *type);

/* A partition as a file of its own; the path is owned by the caller. */
char *extract(const Fixture *fixture, const DiskPartition *partition);
