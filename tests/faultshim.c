/* Preloaded into a process, makes the n-th file operation under one folder fail, or the process die there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KILL = -1, KILL_AFTER_HALF = -2, SHORT_WRITE = -3 }; /* other modes: the errno to fail with */

static char folder[4096];
static long counted, target;
static int mode, persistent;

void fault_arm(const char *path, int what, long n, int stay) {
    snprintf(folder, sizeof folder, "%s", path);
    counted = 0, target = n, mode = what, persistent = stay;
}

long fault_count(void) { return counted; }

static int under(const char *path) { return folder[0] && path && !strncmp(path, folder, strlen(folder)); }

static int fd_under(int fd) {
    char link[64], path[4096];
    if (!folder[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    return under(path);
}

static int at_under(int fd, const char *path) { return path[0] == '/' ? under(path) : fd != AT_FDCWD && fd_under(fd); }

/* Counts an operation; true if it is to fail with errno. */
static int fails(int is_ours) {
    if (!is_ours || (++counted != target && !(persistent && counted > target)) || mode == SHORT_WRITE) return 0;
    if (mode < 0) _exit(137);
    errno = mode;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WRAP(name, parameters, arguments, is_ours) \
    int name parameters { return fails(is_ours) ? -1 : REAL(name) arguments; }

WRAP(fsync, (int fd), (fd), fd_under(fd))
WRAP(fdatasync, (int fd), (fd), fd_under(fd))
WRAP(chmod, (const char *path, mode_t bits), (path, bits), under(path))
WRAP(fchmod, (int fd, mode_t bits), (fd, bits), fd_under(fd))
WRAP(mkdir, (const char *path, mode_t bits), (path, bits), under(path))
WRAP(rmdir, (const char *path), (path), under(path))
WRAP(unlink, (const char *path), (path), under(path))
WRAP(unlinkat, (int fd, const char *path, int flags), (fd, path, flags), at_under(fd, path))
WRAP(rename, (const char *from, const char *to), (from, to), under(from))
WRAP(renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), at_under(a, from))

#define WRAP_OPEN(name, parameters, arguments, is_ours) \
    int name parameters { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t bits = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return fails(is_ours) ? -1 : REAL(name) arguments; \
    }

WRAP_OPEN(open, (const char *path, int flags, ...), (path, flags, bits), under(path))
WRAP_OPEN(open64, (const char *path, int flags, ...), (path, flags, bits), under(path))
WRAP_OPEN(openat, (int fd, const char *path, int flags, ...), (fd, path, flags, bits), at_under(fd, path))
WRAP_OPEN(openat64, (int fd, const char *path, int flags, ...), (fd, path, flags, bits), at_under(fd, path))

ssize_t write(int fd, const void *data, size_t size) {
    int is_ours = fd_under(fd), hit = is_ours && counted + 1 == target;
    if (hit && mode == KILL_AFTER_HALF) REAL(write)(fd, data, size / 2);
    if (fails(is_ours)) return -1;
    return REAL(write)(fd, data, hit && mode == SHORT_WRITE ? (size + 1) / 2 : size);
}
