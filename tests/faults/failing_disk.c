/* Loaded before the C library: from a chosen call on, a number of writes below COLPO_DATA's parent folder fail.
 *
 * FAULT_AFTER    how many calls go through first
 * FAULT_TIMES    how many calls fail then; 0 for all that follow
 * FAULT_ERRNO    with which error, such as 28 (no space left on device) or 5 (input/output error)
 * FAULT_FOLDER   below which folder
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static long number(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text ? atol(text) : otherwise;
}

static int is_below(const char *path) {
    const char *folder = getenv("FAULT_FOLDER");
    return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_ours(int descriptor) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_below(path);
}

static int fails(void) {
    long call = atomic_fetch_add(&calls, 1) - number("FAULT_AFTER", 0);
    long times = number("FAULT_TIMES", 1);
    if (call < 0 || (times > 0 && call >= times)) return 0;
    errno = (int)number("FAULT_ERRNO", ENOSPC);
    return 1;
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

ssize_t write(int descriptor, const void *bytes, size_t count) {
    if (descriptor > 2 && is_ours(descriptor) && fails()) return -1;
    return REAL(ssize_t, "write", int, const void *, size_t)(descriptor, bytes, count);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    if (is_ours(descriptor) && fails()) return -1;
    return REAL(ssize_t, "pwrite", int, const void *, size_t, off_t)(descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    if (is_ours(descriptor) && fails()) return -1;
    return REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t)(descriptor, bytes, count, offset);
}

int ftruncate64(int descriptor, off64_t length) {
    if (is_ours(descriptor) && fails()) return -1;
    return REAL(int, "ftruncate64", int, off64_t)(descriptor, length);
}

int fsync(int descriptor) {
    if (is_ours(descriptor) && fails()) return -1;
    return REAL(int, "fsync", int)(descriptor);
}

int fdatasync(int descriptor) {
    if (is_ours(descriptor) && fails()) return -1;
    return REAL(int, "fdatasync", int)(descriptor);
}

int rename(const char *old, const char *new) {
    if (is_below(new) && fails()) return -1;
    return REAL(int, "rename", const char *, const char *)(old, new);
}
