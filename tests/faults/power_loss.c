/* Power loss, for tests: what was synced is kept apart from what was only written.
 *
 * Preloaded into the line (LD_PRELOAD). For files directly in the folder POWER_LOSS_WATCHED, each successful
 * fsync or fdatasync copies the file as it is then into the folder POWER_LOSS_SHADOW, under the same name. The
 * shadow is the disk after the power went: nothing in it that was never synced. The test kills the program,
 * puts the shadow in place of the folder and starts again.
 *
 * Rules kept here:
 * - Only blocks that differ are written, in place: a kill in the middle leaves some of them new and some old, as a
 *   loss of power during a sync does. The sync has not returned then, so nothing was promised.
 * - The file is read through the descriptor that was synced. Opening it anew and closing it again would drop
 *   the POSIX locks that SQLite holds on it (fcntl(2): any close of the file by the process releases them).
 * - unlink and rename reach the shadow at once. A real disk may keep an unlinked file a little longer; SQLite
 *   unlinks its log only after the database itself was synced, so the earlier moment is the harder test.
 * - ftruncate and write reach the shadow with the next sync, as on a disk.
 * - Files made and never synced (the -shm index) are not in the shadow, as after a real loss of power.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 4096
#define CHUNK (64 * BLOCK)

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* The name in the shadow of a file directly in the watched folder; 0 when it is none of ours. */
static int shadow_of(const char *path, char *out)
{
    const char *watched = getenv("POWER_LOSS_WATCHED"), *shadow = getenv("POWER_LOSS_SHADOW");
    if (!watched || !shadow)
        return 0;
    size_t length = strlen(watched);
    if (strncmp(path, watched, length) != 0 || path[length] != '/' || strchr(path + length + 1, '/'))
        return 0;
    return snprintf(out, PATH_MAX, "%s/%s", shadow, path + length + 1) < PATH_MAX;
}

/* Makes `target` like the file behind `fd`, block by block. Any failure ends the program: no test goes on unsure. */
static void keep(int fd, const char *target)
{
    static char now[CHUNK], kept[CHUNK];
    off_t at = 0;
    ssize_t got;
    int shadow = open(target, O_RDWR | O_CREAT, 0600);
    if (shadow < 0)
        abort();
    while ((got = pread(fd, now, CHUNK, at)) > 0) {
        for (ssize_t had = pread(shadow, kept, (size_t)got, at), part = 0; part < got; part += BLOCK) {
            size_t size = (size_t)(got - part < BLOCK ? got - part : BLOCK);
            if (part + (ssize_t)size <= had && memcmp(now + part, kept + part, size) == 0)
                continue;
            if (pwrite(shadow, now + part, size, at + part) != (ssize_t)size)
                abort();
        }
        at += got;
    }
    if (got < 0 || ftruncate(shadow, at) != 0 || close(shadow) != 0)
        abort();
}

static void synced(int fd)
{
    char link[64], path[PATH_MAX], target[PATH_MAX];
    struct stat facts;
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0) {
        path[length] = 0;
        if (shadow_of(path, target) && fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_nlink > 0) {
            pthread_mutex_lock(&one_at_a_time);
            keep(fd, target);
            pthread_mutex_unlock(&one_at_a_time);
        }
    }
    errno = saved;
}

int fsync(int fd)
{
    static int (*real)(int);
    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int result = real(fd);
    if (result == 0)
        synced(fd);
    return result;
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int result = real(fd);
    if (result == 0)
        synced(fd);
    return result;
}

int unlink(const char *path)
{
    static int (*real)(const char *);
    char whole[PATH_MAX], target[PATH_MAX];
    if (!real)
        real = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    int known = realpath(path, whole) != NULL && shadow_of(whole, target);
    int result = real(path);
    int saved = errno;
    if (result == 0 && known)
        real(target);
    errno = saved;
    return result;
}

int rename(const char *from, const char *to)
{
    static int (*real)(const char *, const char *);
    char whole[PATH_MAX], old[PATH_MAX], target[PATH_MAX];
    if (!real)
        real = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    int known = realpath(from, whole) != NULL && shadow_of(whole, old);
    int result = real(from, to);
    int saved = errno;
    if (result == 0 && known && realpath(to, whole) != NULL && shadow_of(whole, target))
        real(old, target);
    errno = saved;
    return result;
}
