/* Loaded before the C library (LD_PRELOAD): counts the calls that change files under
   one folder, and at the n-th one ends the process, fails, or writes half of it.
   With a log it also notes every call with its data, to build power cuts from. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum mode { OFF, COUNT, KILL, FAIL_EIO, FULL_ONCE, FULL_STICKY, SHORT, SYNC_EIO };
enum what { WRITE = 1, SYNC, TRUNCATE, RENAME, UNLINK, CREATE, MKDIR, RMDIR, NOTE };

static char folder[PATH_MAX];
static size_t folder_length;
static volatile int mode = OFF;
static volatile long at, seen, hits;
static volatile int64_t first_hit;
static volatile int room_by_ballast;
static int log_file = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))
typedef ssize_t (*write_t)(int, const void *, size_t);
typedef ssize_t (*pwrite_t)(int, const void *, size_t, off_t);
typedef int (*fd_t)(int);
typedef int (*truncate_t)(int, off_t);
typedef int (*fallocate_t)(int, off_t, off_t);
typedef int (*renameat_t)(int, const char *, int, const char *);
typedef int (*unlinkat_t)(int, const char *, int);
typedef int (*openat_t)(int, const char *, int, mode_t);
typedef int (*mkdirat_t)(int, const char *, mode_t);

void shim_arm(const char *where, int how, long index, int ballast_helps)
{
    snprintf(folder, sizeof folder, "%s", where);
    folder_length = strlen(folder);
    at = index, seen = 0, hits = 0, first_hit = 0;
    room_by_ballast = ballast_helps;
    mode = how;
}

void shim_room(void) { if (mode == FULL_STICKY) mode = COUNT; }
long shim_seen(void) { return seen; }
long shim_hits(void) { return hits; }

/* Nanoseconds of the monotonic clock; 0 where nothing has failed. */
int64_t shim_first_hit(void) { return first_hit; }

static int inside(const char *path)
{
    return mode != OFF && strncmp(path, folder, folder_length) == 0
        && (path[folder_length] == '/' || path[folder_length] == 0);
}

static void path_of(int fd, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
}

static void path_at(int dir, const char *name, char *path)
{
    if (name[0] == '/') { snprintf(path, PATH_MAX, "%s", name); return; }
    char base[PATH_MAX];
    if (dir == AT_FDCWD) { if (!getcwd(base, sizeof base)) base[0] = 0; }
    else path_of(dir, base);
    snprintf(path, PATH_MAX, "%.2000s/%.2000s", base, name);
}

/* A record: what, file, offset, length of the name, length of the data; both follow. */
static void put(int what, int64_t file, int64_t offset, const char *name,
                const void *data, size_t length)
{
    if (log_file < 0) return;
    int64_t head[5] = { what, file, offset, name ? (int64_t)strlen(name) : 0,
                        (int64_t)length };
    write_t real = REAL("write", write_t);
    pthread_mutex_lock(&lock);
    int saved = errno;
    if (real(log_file, head, sizeof head) < 0
        || (head[3] && real(log_file, name, head[3]) < 0)
        || (length && real(log_file, data, length) < 0)) _exit(97);
    errno = saved;
    pthread_mutex_unlock(&lock);
}

void shim_log(const char *path)
{
    log_file = REAL("open", int (*)(const char *, int, ...))(
        path, O_WRONLY | O_CREAT | O_APPEND, 0600);
}

void shim_note(const char *text) { put(NOTE, 0, 0, text, NULL, 0); }

static int64_t inode(int fd)
{
    struct stat status;
    return fstat(fd, &status) ? 0 : (int64_t)status.st_ino;
}

/* 0: go on; 1: write half and go on (or end); else the error to return. */
static int strike(enum what what, const char *path)
{
    int makes_room = what == UNLINK || what == RMDIR || what == SYNC;
    if (mode == OFF || mode == COUNT) { __sync_add_and_fetch(&seen, 1); return 0; }
    if (mode == SHORT && what != WRITE) return 0;
    if (mode == SYNC_EIO && what != SYNC) return 0;
    if ((mode == FULL_ONCE || mode == FULL_STICKY) && makes_room) {
        size_t n = strlen(path);
        if (room_by_ballast && what == UNLINK && hits && n > 8
            && strcmp(path + n - 8, "/ballast") == 0) mode = COUNT;
        return 0;
    }
    long number = __sync_add_and_fetch(&seen, 1);
    if (number != at && !(mode == FULL_STICKY && number > at)) return 0;
    if (!hits++) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        first_hit = now.tv_sec * 1000000000LL + now.tv_nsec;
    }
    switch (mode) {
    case KILL:
        if (what == WRITE) return 1;
        kill(getpid(), SIGKILL);
        for (;;) pause();
    case SHORT: return 1;
    case FULL_ONCE: case FULL_STICKY: return ENOSPC;
    default: return EIO;
    }
}

static int failing(int error) { errno = error; return -1; }

ssize_t pwrite(int fd, const void *data, size_t count, off_t offset)
{
    char path[PATH_MAX];
    pwrite_t real = REAL("pwrite", pwrite_t);
    if (mode == OFF) return real(fd, data, count, offset);
    path_of(fd, path);
    if (!inside(path)) return real(fd, data, count, offset);
    int error = strike(WRITE, path);
    if (error > 1) return failing(error);
    ssize_t done = real(fd, data, error ? (count + 1) / 2 : count, offset);
    if (error && mode == KILL) { kill(getpid(), SIGKILL); for (;;) pause(); }
    if (done > 0) put(WRITE, inode(fd), offset, NULL, data, done);
    return done;
}
ssize_t pwrite64(int fd, const void *data, size_t count, off_t offset)
{ return pwrite(fd, data, count, offset); }

ssize_t write(int fd, const void *data, size_t count)
{
    char path[PATH_MAX];
    write_t real = REAL("write", write_t);
    if (mode == OFF || fd == log_file) return real(fd, data, count);
    path_of(fd, path);
    if (!inside(path)) return real(fd, data, count);
    int error = strike(WRITE, path);
    if (error > 1) return failing(error);
    ssize_t done = real(fd, data, error ? (count + 1) / 2 : count);
    if (error && mode == KILL) { kill(getpid(), SIGKILL); for (;;) pause(); }
    if (done > 0)
        put(WRITE, inode(fd), lseek(fd, 0, SEEK_CUR) - done, NULL, data, done);
    return done;
}

static int syncing(int fd, const char *name)
{
    char path[PATH_MAX];
    fd_t real = REAL(name, fd_t);
    if (mode == OFF) return real(fd);
    path_of(fd, path);
    if (!inside(path)) return real(fd);
    int error = strike(SYNC, path);
    if (error) return failing(error);
    int result = real(fd);
    put(SYNC, inode(fd), 0, path, NULL, 0);
    return result;
}
int fsync(int fd) { return syncing(fd, "fsync"); }
int fdatasync(int fd) { return syncing(fd, "fdatasync"); }

int ftruncate(int fd, off_t length)
{
    char path[PATH_MAX];
    truncate_t real = REAL("ftruncate", truncate_t);
    if (mode == OFF) return real(fd, length);
    path_of(fd, path);
    if (!inside(path)) return real(fd, length);
    int error = strike(TRUNCATE, path);
    if (error) return failing(error);
    int result = real(fd, length);
    put(TRUNCATE, inode(fd), length, NULL, NULL, 0);
    return result;
}
int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }

int posix_fallocate(int fd, off_t offset, off_t length)
{
    char path[PATH_MAX];
    fallocate_t real = REAL("posix_fallocate", fallocate_t);
    if (mode == OFF) return real(fd, offset, length);
    path_of(fd, path);
    if (!inside(path)) return real(fd, offset, length);
    int error = strike(TRUNCATE, path);
    return error ? error : real(fd, offset, length);
}
int posix_fallocate64(int fd, off_t offset, off_t length)
{ return posix_fallocate(fd, offset, length); }

int renameat(int from, const char *old, int to, const char *new)
{
    char path[PATH_MAX], target[PATH_MAX], both[2 * PATH_MAX + 2];
    renameat_t real = REAL("renameat", renameat_t);
    if (mode == OFF) return real(from, old, to, new);
    path_at(from, old, path);
    path_at(to, new, target);
    if (!inside(path)) return real(from, old, to, new);
    int error = strike(RENAME, path);
    if (error) return failing(error);
    int result = real(from, old, to, new);
    snprintf(both, sizeof both, "%s\n%s", path, target);
    if (!result) put(RENAME, 0, 0, both, NULL, 0);
    return result;
}
int rename(const char *old, const char *new)
{ return renameat(AT_FDCWD, old, AT_FDCWD, new); }

int unlinkat(int dir, const char *name, int flags)
{
    char path[PATH_MAX];
    unlinkat_t real = REAL("unlinkat", unlinkat_t);
    if (mode == OFF) return real(dir, name, flags);
    path_at(dir, name, path);
    if (!inside(path)) return real(dir, name, flags);
    enum what what = flags & AT_REMOVEDIR ? RMDIR : UNLINK;
    int error = strike(what, path);
    if (error) return failing(error);
    int result = real(dir, name, flags);
    if (!result) put(what, 0, 0, path, NULL, 0);
    return result;
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int mkdirat(int dir, const char *name, mode_t rights)
{
    char path[PATH_MAX];
    mkdirat_t real = REAL("mkdirat", mkdirat_t);
    if (mode == OFF) return real(dir, name, rights);
    path_at(dir, name, path);
    if (!inside(path)) return real(dir, name, rights);
    int error = strike(MKDIR, path);
    if (error) return failing(error);
    int result = real(dir, name, rights);
    if (!result) put(MKDIR, 0, 0, path, NULL, 0);
    return result;
}
int mkdir(const char *name, mode_t rights) { return mkdirat(AT_FDCWD, name, rights); }

static int opening(int dir, const char *name, int flags, mode_t rights)
{
    char path[PATH_MAX];
    struct stat before;
    openat_t real = REAL("openat", openat_t);
    if (mode == OFF || !(flags & (O_CREAT | O_TRUNC)))
        return real(dir, name, flags, rights);
    path_at(dir, name, path);
    if (!inside(path)) return real(dir, name, flags, rights);
    int there = stat(path, &before) == 0;
    if (!there || (flags & O_TRUNC && before.st_size)) {
        int error = strike(CREATE, path);
        if (error) return failing(error);
    }
    int fd = real(dir, name, flags, rights);
    if (fd >= 0 && !there) put(CREATE, inode(fd), 0, path, NULL, 0);
    else if (fd >= 0 && flags & O_TRUNC) put(TRUNCATE, inode(fd), 0, NULL, NULL, 0);
    return fd;
}

#define RIGHTS                                                                     \
    mode_t rights = 0;                                                             \
    if (flags & O_CREAT) {                                                         \
        va_list more;                                                              \
        va_start(more, flags);                                                     \
        rights = va_arg(more, mode_t);                                             \
        va_end(more);                                                              \
    }
int open(const char *name, int flags, ...)
{ RIGHTS return opening(AT_FDCWD, name, flags, rights); }
int open64(const char *name, int flags, ...)
{ RIGHTS return opening(AT_FDCWD, name, flags, rights); }
int openat(int dir, const char *name, int flags, ...)
{ RIGHTS return opening(dir, name, flags, rights); }
int openat64(int dir, const char *name, int flags, ...)
{ RIGHTS return opening(dir, name, flags, rights); }
